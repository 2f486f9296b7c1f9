// SeaORM cannot begin a transaction without a scope.
async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    db.begin(&scope).await?;
    Ok(())
}

fn main() {}
