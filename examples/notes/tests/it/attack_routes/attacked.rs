use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{
    body::Bytes,
    http::{HeaderMap, Request, Response, header},
};
use partywall::testing::{Caller, Case, Side, Target, fingerprint};
use serde_json::{Value, json};

use super::{discussion, exports, files, keys, members, people, roles, staff, tenants};
use crate::{
    browser::Browser,
    identity_invitations::text,
    world::{World, runtime},
};

/// Acme, which is attacked from Globex, and Initech, which is suspended.
pub(super) struct Attacked {
    pub(super) world: World,
    /// An owner of acme, and in no other tenant.
    pub(super) ann: Browser,
    other: Browser,
    powerless: Browser,
    suspended: Browser,
    next: AtomicU32,
}

impl Attacked {
    pub(super) fn new() -> Self {
        let world = World::start(true);
        let in_globex = world.account("ann", "globex");
        world.sql(&format!(
            "DELETE FROM identity.account_role WHERE account_id = '{in_globex}'; \
             DELETE FROM identity.account WHERE id = '{in_globex}'"
        ));
        let powerless = world.stranger("pia");
        let attacked = Self {
            ann: world.user("ann"),
            other: world.user("eve"),
            suspended: world.user("ivy"),
            powerless,
            next: AtomicU32::new(0),
            world,
        };
        attacked.account("pia", "acme", None);
        for slug in ["globex", "initech"] {
            attacked.rows_of(slug);
        }
        // The jobs of a suspended tenant wait.
        attacked.rest();
        let suspend = "UPDATE identity.tenant SET suspended_at = now() WHERE slug = 'initech'";
        attacked.world.sql(suspend);
        attacked
    }

    /// A role, a group, an invitation and a key of a tenant, for who knows their ids elsewhere.
    fn rows_of(&self, slug: &str) {
        let owner = match slug {
            "globex" => &self.other,
            _ => &self.suspended,
        };
        let at = |what: &str| format!("/api/tenants/{slug}/{what}");
        owner
            .post(&at("roles"), &json!({ "name": "theirs" }))
            .is(201);
        owner
            .post(&at("groups"), &json!({ "name": "theirs" }))
            .is(201);
        let invited = json!({ "email": format!("new@{slug}.example"), "role": "viewer" });
        owner.post(&at("invitations"), &invited).is(201);
        let key = json!({ "name": "theirs", "permissions": ["note.read"] });
        owner.post(&at("api-keys"), &key).is(201);
        owner.form(&format!("/t/{slug}/exports"), &[]).is(303);
    }

    /// Waits for the jobs under way, which write rows.
    pub(super) fn rest(&self) {
        let end = Instant::now() + Duration::from_secs(60);
        let open = "SELECT count(*) FROM jobs.job WHERE state <> 'done'";
        while self.world.one(open) != "0" {
            assert!(Instant::now() < end, "a job is not done");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Something that nothing has been called yet.
    pub(super) fn name(&self, what: &str) -> String {
        format!("{what}{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Somebody who is in no tenant, signed in.
    pub(super) fn stranger(&self) -> (String, Browser) {
        let name = self.name("stranger");
        let browser = self.world.stranger(&name);
        (name, browser)
    }

    /// Somebody new in acme, with their account.
    pub(super) fn joined(&self) -> (String, Browser) {
        let (name, browser) = self.stranger();
        (self.account(&name, "acme", Some("viewer")), browser)
    }

    /// Gives somebody an account, past all rules.
    pub(super) fn account(&self, name: &str, slug: &str, builtin: Option<&str>) -> String {
        self.world.sql(&format!(
            "INSERT INTO identity.account (id, tenant_id, user_id, name, email, created_at) \
             SELECT gen_random_uuid(), t.id, u.id, u.name, u.email, now() \
             FROM identity.tenant t, identity.\"user\" u \
             WHERE t.slug = '{slug}' AND u.email = '{name}@example.com'"
        ));
        if let Some(builtin) = builtin {
            self.world.give_role(name, slug, builtin);
        }
        self.world.account(name, slug)
    }

    /// Makes the wall a little lower, for the tests of the attack itself.
    pub(super) fn let_in(&self, name: &str) {
        if self.world.account(name, "acme").is_empty() {
            self.account(name, "acme", None);
        }
        self.world.give_role(name, "acme", "viewer");
    }

    /// What ann makes in acme: its id.
    pub(super) fn made(&self, at: &str, body: &Value) -> String {
        let at = format!("/api/tenants/acme/{at}");
        text(&self.ann.post(&at, body).is(201).json()["id"])
    }

    pub(super) fn acme(&self, sql: &str) -> String {
        self.id("acme", sql)
    }

    fn id(&self, slug: &str, sql: &str) -> String {
        let tenant = self.world.tenant(slug);
        self.world
            .one(&sql.replace("{tenant}", &format!("'{tenant}'")))
    }

    /// The secret of the link that was mailed last to an address.
    pub(super) fn mailed(&self, address: &str) -> String {
        let mail = self.world.mail(address);
        let (_, body) = mail.last().expect("there is mail");
        let (_, rest) = body.split_once("?token=").expect("there is a link");
        rest.chars().take(64).collect()
    }
}

/// What says that somebody is whom a browser is signed in as.
pub(super) fn cookie(browser: &Browser) -> HeaderMap {
    let cookie = browser.cookie.as_ref().expect("somebody is signed in");
    HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())])
}

#[async_trait]
impl Target for Attacked {
    async fn send(&self, mut request: Request<Bytes>) -> Response<Bytes> {
        // A person who is not signed in is led to where one signs in, which the tests of pages look at.
        // Here the refusal itself is wanted; to all others, a page is shown as to any browser.
        if !request.headers().contains_key(header::COOKIE) {
            let json = "application/json".parse().unwrap();
            request.headers_mut().insert(header::ACCEPT, json);
        }
        answer(&self.world.url, &request)
    }

    fn credentials(&self, caller: Caller) -> HeaderMap {
        match caller {
            Caller::Anonymous => HeaderMap::new(),
            Caller::Other => cookie(&self.other),
            Caller::Powerless => cookie(&self.powerless),
            Caller::Suspended => cookie(&self.suspended),
            Caller::Member => cookie(&self.ann),
            caller => panic!("{caller} is somebody new"),
        }
    }

    async fn value(&self, side: Side, parameter: &str) -> Option<String> {
        let (slug, owner) = match side {
            Side::Own => ("acme", "ann"),
            Side::Foreign => ("globex", "eve"),
            Side::Suspended | _ => ("initech", "ivy"),
        };
        let one = |table: &str, order: &str| {
            self.id(
                slug,
                &format!(
                    "SELECT id FROM identity.{table} WHERE tenant_id = {{tenant}} ORDER BY {order} LIMIT 1"
                ),
            )
        };
        let found = match parameter {
            "tenant" => slug.to_owned(),
            "note" => self.world.comment(slug).0,
            "comment" => self.world.comment(slug).1,
            "member" => self.world.account(owner, slug),
            "role" => one("role", "builtin IS NULL DESC"),
            "group" => self.id(
                slug,
                "SELECT id FROM identity.account_group WHERE tenant_id = {tenant} LIMIT 1",
            ),
            "invitation" => one("invitation", "created_at"),
            "key" => one("api_key", "created_at"),
            "export" => self.id(
                slug,
                "SELECT id FROM export WHERE tenant_id = {tenant} ORDER BY created_at LIMIT 1",
            ),
            _ => return None,
        };
        Some(found).filter(|found| !found.is_empty())
    }

    async fn case(&self, endpoint: &str) -> Option<Case> {
        [
            discussion::case,
            exports::case,
            tenants::case,
            members::case,
            roles::case,
            keys::case,
            people::case,
            staff::case,
            files::case,
        ]
        .iter()
        .find_map(|case| case(self, endpoint))
    }

    async fn rows(&self) -> String {
        self.rest();
        // What waits to be sent is sent, and leaves the outbox, whoever looks.
        self.ann.get("/dev/mail").is(200);
        let changing = ["identity.session.seen_at", "identity.api_key.last_used_at"];
        let rows = fingerprint(self.world.database.superuser_url(), &changing);
        runtime().block_on(rows).unwrap()
    }
}

/// Sends a request as it stands, whatever its method and however odd its path, and reads what comes back
/// but for a stream, which has no end.
fn answer(url: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let host = url.strip_prefix("http://").unwrap();
    let mut head = format!(
        "{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n",
        request.method(),
        request.uri(),
        request.body().len()
    );
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(request.body()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 8192];
    loop {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(&piece[..read]),
        }
        let known = String::from_utf8_lossy(&answer);
        let known = known.split_once("\r\n\r\n");
        if known.is_some_and(|(head, _)| head.contains("text/event-stream")) {
            break;
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{} {}: {answer}", request.method(), request.uri()));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let response = lines.filter_map(|line| line.split_once(": ")).fold(
        Response::builder().status(status),
        |response, (name, value)| response.header(name, value),
    );
    response.body(Bytes::from(body.to_owned())).unwrap()
}
