use crate::run::Partywall;

#[test]
fn it_needs_a_database() {
    Partywall::alone().run(&["plan"]).code(3);
}
