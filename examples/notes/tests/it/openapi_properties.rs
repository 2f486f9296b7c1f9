//! Whatever the document of the API allows, asked by Schemathesis as an owner of each of two tenants: no
//! answer fails, none is other than the document says, and none has a row of the other tenant.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    world::{World, folder, nothing},
};

/// How often each operation is asked, at most.
const TIMES: &str = "4";

/// How long a run may take. It takes a few seconds on a machine that has nothing else to do.
const LONGEST: Duration = Duration::from_secs(120);

/// What ends the session or the account that asks, or moves its tenant.
const NOT_ASKED: [&str; 5] = [
    "session.delete",
    "session.revoke",
    "member.leave",
    "tenant.delete",
    "tenant.transfer",
];

const CHECKS: [&str; 5] = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "no_foreign_row",
];

/// Nothing is kept for another run.
const OPTIONS: [&str; 14] = [
    "--generation-with-security-parameters",
    "false",
    "--generation-database",
    "none",
    "--suppress-health-check",
    "all",
    "--warnings",
    "off",
    "--request-timeout",
    "30",
    "--output-sanitize",
    "false",
    "--no-color",
    "--no-shrink",
];

/// What came of a run.
struct Asked {
    held: bool,
    said: String,
    seen: Value,
}

struct Side {
    slug: &'static str,
    /// What is asked: whatever can be made up, and once also all limits that the document tells.
    phases: &'static str,
    browser: Browser,
    /// In all rows of the tenant, and nowhere else.
    marker: String,
    /// What stands for the parameters of paths.
    parameters: Value,
}

impl Side {
    fn new(world: &World, slug: &'static str, owner: &str, phases: &'static str) -> Self {
        let browser = world.user(owner);
        let marker = format!("only{}", nothing().replace('-', ""));
        let at = |what: &str| format!("/api/tenants/{slug}/{what}");
        let made = |what: &str, body: Value| {
            let reply = browser.post(&at(what), &body).is(201).json();
            reply["id"].as_str().unwrap().to_owned()
        };
        let (note, comment) = world.comment(slug);
        let parameters = json!({
            "tenant": world.tenant(slug),
            "note": note,
            "comment": comment,
            "member": world.account(owner, slug),
            "role": made("roles", json!({ "name": marker })),
            "group": made("groups", json!({ "name": marker })),
            "invitation": made(
                "invitations",
                json!({ "email": format!("{marker}@example.com"), "role": "viewer" }),
            ),
            "key": made("api-keys", json!({ "name": marker, "permissions": ["note.read"] })),
        });
        let tenant = world.tenant(slug);
        world.sql(&format!(
            "UPDATE note SET title = title || ' {marker}' WHERE tenant_id = '{tenant}'; \
             UPDATE comment c SET body = c.body || ' {marker}' FROM note n \
             WHERE n.id = c.note_id AND n.tenant_id = '{tenant}'; \
             UPDATE tag SET label = left(label || '{marker}', 30) WHERE tenant_id = '{tenant}'; \
             UPDATE identity.account SET name = name || ' {marker}' WHERE tenant_id = '{tenant}'; \
             UPDATE identity.tenant SET name = name || ' {marker}' WHERE id = '{tenant}'"
        ));
        Self {
            slug,
            phases,
            browser,
            marker,
            parameters,
        }
    }

    /// Asks as the side's owner. What must not be seen is `foreign`.
    fn ask(&self, url: &str, other: &Self, foreign: &str) -> Asked {
        let folder = folder(&format!(
            "properties-{}-{}",
            self.slug,
            foreign == self.marker
        ));
        let seen = folder.join("seen.json");
        let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/openapi_properties.py");
        let own = self.parameters.as_object().unwrap();
        let parameters: Value = own
            .iter()
            .map(|(name, own)| (name.clone(), json!([own, other.parameters[name]])))
            .collect();
        let cookie = format!("Cookie: {}", self.browser.cookie.as_ref().unwrap());
        let mut command = Command::new(program());
        command
            .current_dir(&folder)
            .env("SCHEMATHESIS_HOOKS", hooks)
            .env("NOTES_OWN", &self.marker)
            .env("NOTES_FOREIGN", foreign)
            .env("NOTES_PARAMETERS", parameters.to_string())
            .env("NOTES_SEEN", &seen)
            .args(["run", &format!("{url}/api/openapi.json")])
            .args(["--header", &cookie, "--checks", &CHECKS.join(",")])
            .args([
                "--phases",
                self.phases,
                "--max-examples",
                TIMES,
                "--seed",
                "7",
            ])
            .args(OPTIONS);
        for name in NOT_ASKED {
            command.args(["--exclude-operation-id", name]);
        }
        let (held, said) = ended(command, &folder);
        let seen = fs::read_to_string(seen).unwrap_or_default();
        Asked {
            held,
            said,
            seen: serde_json::from_str(&seen).unwrap_or_default(),
        }
    }
}

impl Asked {
    /// The operations that were asked, or that showed a row of their own.
    fn listed(&self, what: &str) -> Vec<&str> {
        let all = self.seen[what].as_array().into_iter().flatten();
        all.filter_map(Value::as_str).collect()
    }
}

/// Waits for a program to end, and ends it where that takes too long.
fn ended(mut command: Command, folder: &Path) -> (bool, String) {
    let said = folder.join("said.txt");
    let output = fs::File::create(&said).unwrap();
    command.stdin(Stdio::null());
    command.stderr(output.try_clone().unwrap()).stdout(output);
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    let held = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status.success();
        }
        if begun.elapsed() > LONGEST {
            child.kill().unwrap();
            child.wait().unwrap();
            break false;
        }
        thread::sleep(Duration::from_millis(100));
    };
    let said = fs::read_to_string(&said).unwrap_or_default();
    (held, format!("{said}\nafter {:?}", begun.elapsed()))
}

/// As `scripts/setup-schemathesis.sh` finds it.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("PARTYWALL_SCHEMATHESIS") {
        return program.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = root.join(".partywall/schemathesis/bin/schemathesis");
    assert!(
        program.exists(),
        "Schemathesis is missing: run `scripts/setup-schemathesis.sh`, or set `PARTYWALL_SCHEMATHESIS` to the program"
    );
    program.canonicalize().unwrap()
}

/// Two tenants, and nobody who is in both.
fn sides() -> (World, Side, Side) {
    let world = World::start(false);
    let in_globex = world.account("ann", "globex");
    world.sql(&format!(
        "DELETE FROM identity.account_role WHERE account_id = '{in_globex}'; \
         DELETE FROM identity.account WHERE id = '{in_globex}'"
    ));
    let acme = Side::new(&world, "acme", "ann", "coverage,fuzzing");
    let globex = Side::new(&world, "globex", "eve", "fuzzing");
    (world, acme, globex)
}

#[test]
fn whatever_is_asked_no_row_is_foreign() {
    let (world, acme, globex) = sides();
    let answers = thread::scope(|scope| {
        let runs = [(&acme, &globex), (&globex, &acme)].map(|(own, other)| {
            let url = &world.url;
            scope.spawn(move || own.ask(url, other, &other.marker))
        });
        runs.map(|run| run.join().unwrap())
    });
    for asked in answers {
        assert!(asked.held, "{}", asked.said);
        // The controls: all was asked, and what it showed was the own.
        assert!(asked.listed("asked").len() > 50, "{}", asked.said);
        let shown = asked.listed("seen");
        for wanted in [
            "GET /api/tenants/{tenant}",
            "GET /api/tenants/{tenant}/notes",
            "GET /api/tenants/{tenant}/members",
            "GET /api/tenants/{tenant}/export",
        ] {
            assert!(
                shown.contains(&wanted),
                "{wanted}: {shown:?}\n{}",
                asked.said
            );
        }
    }
}

/// Were a foreign row shown, it would be noticed: here the own ones are called foreign.
#[test]
fn a_foreign_row_would_be_noticed() {
    let (world, acme, globex) = sides();
    let asked = globex.ask(&world.url, &acme, &globex.marker);
    assert!(!asked.held, "{}", asked.said);
    assert!(
        asked.said.contains("a foreign row is in the answer"),
        "{}",
        asked.said
    );
}

/// Compression asks a stream once more when it has ended.
#[test]
fn an_export_ends_as_it_should_when_it_is_compressed() {
    let world = World::shared();
    let eve = world.user("eve").with("accept-encoding", "gzip");
    let mut answer = Vec::new();
    let mut stream = eve.open("/api/tenants/globex/export");
    stream.read_to_end(&mut answer).unwrap();
    let head = String::from_utf8_lossy(&answer).into_owned();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-encoding: gzip"), "{head}");
    assert!(answer.ends_with(b"\r\n0\r\n\r\n"), "{head}");
}
