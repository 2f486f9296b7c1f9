// A scope has no default.
use partywall::Scope;

async fn case() -> Result<(), Box<dyn std::error::Error>> {
    let _scope = Scope::default();
    Ok(())
}

fn main() {}
