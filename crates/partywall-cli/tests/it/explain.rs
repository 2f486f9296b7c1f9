use crate::run::Partywall;

#[test]
fn a_fault_is_explained_however_it_is_written() {
    let partywall = Partywall::alone();
    let ended = partywall.run(&["explain", "RLS_OFF"]).code(0);
    insta::assert_snapshot!("explain_rls_off", ended.out);
    assert_eq!(
        partywall.run(&["explain", "rls-off"]).code(0).out,
        ended.out
    );
    partywall
        .run(&["explain", "POLICY_FOO"])
        .code(3)
        .says(&["there is no fault `POLICY_FOO`", "POLICY_TRUE"]);
}

#[test]
fn all_are_listed() {
    let partywall = Partywall::alone();
    let json = partywall.run(&["explain", "--json"]).code(0).json();
    let faults = json["faults"].as_array().unwrap();
    assert_eq!(faults.len(), partywall_audit::Fault::ALL.len());
    let listed = partywall.run(&["explain"]).code(0).out;
    for fault in partywall_audit::Fault::ALL {
        assert!(
            listed.contains(fault.id()) && listed.contains(fault.title()),
            "{fault}"
        );
    }
    assert!(listed.lines().all(|line| line.chars().count() <= 100));
}
