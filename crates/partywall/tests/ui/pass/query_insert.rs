// Rows are inserted on a scoped connection.
#[path = "../note.rs"]
mod note;

use sea_orm::ActiveModelTrait;

async fn case(
    db: partywall::Db,
    scope: partywall::Scope,
    note: note::ActiveModel,
) -> Result<(), Box<dyn std::error::Error>> {
    note.insert(&db.scoped(&scope)).await?;
    Ok(())
}

fn main() {}
