// Raw SQL runs on a scoped connection.
use partywall::Sql as _;

async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    db.scoped(&scope).execute_sql("DELETE FROM note", []).await?;
    Ok(())
}

fn main() {}
