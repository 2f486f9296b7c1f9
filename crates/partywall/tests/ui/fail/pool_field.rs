// The pool is out of reach.
async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    let _pool = (&db.pool, scope);
    Ok(())
}

fn main() {}
