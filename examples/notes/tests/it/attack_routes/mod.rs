//! Every endpoint of the example, attacked by whoever may not use it, and used rightly afterwards.
//!
//! `attack.md` says what was answered to whom. `UPDATE_ATTACK=1` writes it anew.

mod attacked;
mod discussion;
mod exports;
mod files;
mod keys;
mod members;
mod people;
mod roles;
mod staff;
mod tenants;

use std::{fs, path::Path};

use futures_util::FutureExt as _;
use notes::{App, Extras};
use partywall::{
    testing::{Attack, Case, Report},
    web::{Endpoint, Routes, resource::CursorKey},
};

use attacked::Attacked;

/// As [`World::start`](crate::world::World::start) serves them, with its playground.
fn all() -> Routes<App> {
    let everything = Extras {
        playground: true,
        mail: true,
    };
    let cursors = CursorKey::new(&[7; 32]).unwrap();
    notes::routes(everything, &cursors).unwrap()
}

/// The target waits for each answer where it stands, so nothing is left to be polled for.
fn run(attack: &Attack<'_, App>, target: &Attacked) -> Report {
    let report = attack.run(target).now_or_never();
    report.expect("everything is sent at once")
}

/// The attack on some endpoints alone.
fn run_on(routes: &Routes<App>, wanted: &[&str], target: &Attacked) -> Report {
    let others = routes.endpoints().filter_map(Endpoint::name);
    let others = others.filter(|name| !wanted.contains(name));
    let attack = others.fold(Attack::new(routes), |attack, name| {
        attack.without(name, "another test's")
    });
    run(&attack, target)
}

fn form(fields: &[(&str, &str)]) -> Case {
    let encode = crate::browser::encode;
    let fields = fields.iter();
    let text: Vec<_> = fields
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    Case::new().body("application/x-www-form-urlencoded", text.join("&"))
}

#[test]
fn every_endpoint_holds() {
    let report = run(&Attack::new(&all()), &Attacked::new());
    report.assert_held();
    let text = format!(
        "# What was answered to whom\n\nWritten by `attack_routes`, with `UPDATE_ATTACK=1`.\n\n{report}"
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/attack.md");
    if std::env::var_os("UPDATE_ATTACK").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "attack.md is not what was answered: run with UPDATE_ATTACK=1 and read what changed\n{text}"
    );
}

#[test]
fn an_endpoint_that_nobody_has_attacked_fails() {
    let routes = all().route(
        Endpoint::get("/api/tenants/{tenant}/notes/{note}/links", async || "")
            .named("link.list")
            .require("note.read"),
    );
    let target = Attacked::new();
    let wrong = run_on(&routes, &["link.list", "note.retrieve"], &target).wrong();
    let [wrong] = &wrong[..] else {
        panic!("{wrong:#?}")
    };
    assert!(
        wrong.contains("/links") && wrong.contains("was left out"),
        "{wrong}"
    );
    // The control: without it, the rest holds.
    run_on(&all(), &["note.retrieve"], &target).assert_held();
}

#[test]
fn what_does_not_hold_is_found() {
    let target = Attacked::new();
    run_on(&all(), &["note.list"], &target).assert_held();
    // Somebody of another tenant is given an account, and whoever may do nothing a role.
    target.let_in("eve");
    target.let_in("pia");
    let wrong = run_on(&all(), &["note.list"], &target).wrong();
    for told in [
        "as other tenant: another tenant's address: wanted 404",
        "as no permission: the rightful address: wanted 403",
    ] {
        assert!(wrong.iter().any(|wrong| wrong.contains(told)), "{wrong:#?}");
    }
}
