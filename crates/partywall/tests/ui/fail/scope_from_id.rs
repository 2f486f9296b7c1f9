// An id is not a right.
use partywall::Scope;

async fn case(id: uuid::Uuid) -> Result<(), Box<dyn std::error::Error>> {
    let _scope: Scope = id.into();
    Ok(())
}

fn main() {}
