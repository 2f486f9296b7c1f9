// The client of a transaction is out of reach.
async fn case(tx: partywall::Tx) -> Result<(), Box<dyn std::error::Error>> {
    let _client = tx.into_inner();
    Ok(())
}

fn main() {}
