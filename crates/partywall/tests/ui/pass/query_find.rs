// Queries run on a scoped connection.
#[path = "../note.rs"]
mod note;

use sea_orm::EntityTrait;

async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
) -> Result<(), Box<dyn std::error::Error>> {
    note::Entity::find().all(&db.scoped(&scope)).await?;
    Ok(())
}

fn main() {}
