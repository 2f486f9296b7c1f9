// The pool is out of reach.
async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    let _conn = db.scoped(&scope);
    Ok(())
}

fn main() {}
