// Only a model that says who owns its rows is queried within a scope.
#[path = "../note.rs"]
mod note;
#[path = "../undeclared.rs"]
mod undeclared;

use partywall::Within as _;
use sea_orm::EntityTrait;

async fn case(scope: partywall::Scope) -> Result<(), Box<dyn std::error::Error>> {
    let _ = undeclared::Entity::find().within(&scope);
    Ok(())
}

fn main() {}
