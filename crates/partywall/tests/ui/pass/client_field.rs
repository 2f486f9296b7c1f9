// The client of a transaction is out of reach.
async fn case(tx: partywall::Tx) -> Result<(), Box<dyn std::error::Error>> {
    tx.commit().await?;
    Ok(())
}

fn main() {}
