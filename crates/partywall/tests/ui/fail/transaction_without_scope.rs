// A transaction begins with a scope.
async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    db.begin().await?.commit().await?;
    Ok(())
}

fn main() {}
