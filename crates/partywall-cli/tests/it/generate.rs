use std::process::{Command, Stdio};

use crate::run::Partywall;

#[test]
fn completions_know_commands_options_and_faults() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        Partywall::alone()
            .run(&["completions", shell])
            .code(0)
            .says(&["check", "fail-on"]);
    }
    for shell in ["bash", "zsh"] {
        Partywall::alone()
            .run(&["completions", shell])
            .says(&["RLS_OFF"]);
    }
    // Its own shell reads the script without complaint.
    let script = Partywall::alone().run(&["completions", "bash"]).out;
    let status = Command::new("bash")
        .args(["-n", "-c", &script])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn each_command_has_a_page() {
    let partywall = Partywall::alone();
    partywall
        .run(&["man"])
        .code(0)
        .says(&[".TH partywall 1", "prove"]);
    partywall
        .run(&["man", "check"])
        .code(0)
        .says(&[".TH partywall-check 1", "baseline"]);
    partywall.run(&["man", "--out", "pages"]).code(0);
    for command in [
        "partywall",
        "partywall-check",
        "partywall-prove",
        "partywall-shell",
        "partywall-each",
    ] {
        assert!(
            partywall
                .read(&format!("pages/{command}.1"))
                .contains(".SH NAME"),
            "{command}"
        );
    }
}
