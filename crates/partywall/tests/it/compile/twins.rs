use std::{collections::BTreeSet, fs, path::Path};

/// What must not compile proves nothing unless the same file compiles but for one line.
#[test]
fn every_refusal_has_a_twin_that_differs_in_one_line() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let refusals: BTreeSet<_> = fs::read_dir(ui.join("fail"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    assert!(
        refusals.len() >= 20,
        "found only {} refusals",
        refusals.len()
    );

    for refusal in refusals {
        let twin = ui.join("pass").join(refusal.file_name().unwrap());
        let twin = fs::read_to_string(&twin).unwrap_or_else(|_| panic!("no {}", twin.display()));
        let wrong = fs::read_to_string(&refusal).unwrap();
        assert_eq!(
            wrong.lines().count(),
            twin.lines().count(),
            "{}",
            refusal.display()
        );
        let differing = wrong
            .lines()
            .zip(twin.lines())
            .filter(|(wrong, right)| wrong != right);
        assert_eq!(differing.count(), 1, "{}", refusal.display());
    }
}
