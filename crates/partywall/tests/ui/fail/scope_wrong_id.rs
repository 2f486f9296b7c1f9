// A tenant's id is a `Uuid`.
use partywall::{Scope, TENANT};

async fn case(id: uuid::Uuid, number: i64) -> Result<(), Box<dyn std::error::Error>> {
    let _ = (Scope::trusted([TENANT.is(number)]), id);
    Ok(())
}

fn main() {}
