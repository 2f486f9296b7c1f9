// A scope has no public field.
use partywall::Scope;

async fn case(selections: std::sync::Arc<[partywall::scope::Selection]>) {
    let _scope = Scope::trusted(selections.to_vec());
}

fn main() {}
