// A database is not a connection of SeaORM.
async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    let _conn: (&sea_orm::DatabaseConnection, _) = (db.as_ref(), scope);
    Ok(())
}

fn main() {}
