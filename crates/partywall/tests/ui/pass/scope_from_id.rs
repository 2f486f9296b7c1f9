// An id is not a right.
use partywall::Scope;

async fn case(id: uuid::Uuid) -> Result<(), Box<dyn std::error::Error>> {
    let _scope: Scope = Scope::trusted([partywall::TENANT.is(id)]);
    Ok(())
}

fn main() {}
