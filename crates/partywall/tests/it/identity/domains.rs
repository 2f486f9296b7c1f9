//! Hosts of tenants' own: who has one, who may say so, and what it selects.

use std::{
    collections::HashMap,
    error,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use partywall::{
    Scope, Sql, TENANT,
    db::ErrorKind as DbErrorKind,
    identity::{
        ApiKey, Authenticated, Error, ErrorKind, Event, Hostname, Identity, NewKey, RequestAccount,
        Settings, TenantSelector, TxtLookup, model::domain,
    },
};
use uuid::Uuid;

use super::world::{World, id, permissions, token};

const HOST: &str = "notes.acme.example";

/// The DNS.
#[derive(Default)]
struct Zone {
    records: Mutex<HashMap<String, Vec<String>>>,
    is_away: Mutex<bool>,
}

impl Zone {
    fn publish(&self, claim: &domain::Model) {
        self.with(|records| {
            let texts = records.entry(claim.record_name()).or_default();
            texts.push(claim.record_text());
        });
    }

    fn retract(&self, claim: &domain::Model) {
        self.with(|records| {
            let texts = records.entry(claim.record_name()).or_default();
            texts.retain(|text| *text != claim.record_text());
        });
    }

    fn with(&self, change: impl FnOnce(&mut HashMap<String, Vec<String>>)) {
        change(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap() = is_away;
    }
}

#[async_trait]
impl TxtLookup for Zone {
    async fn txt(&self, name: &str) -> Result<Vec<String>, Box<dyn error::Error + Send + Sync>> {
        if *self.is_away.lock().unwrap() {
            return Err("SERVFAIL".into());
        }
        let records = self.records.lock().unwrap();
        // What else stands there is no business of ours.
        let mut texts = vec![
            "v=spf1 -all".to_owned(),
            "partywall-verification=".to_owned(),
        ];
        texts.extend(records.get(name).into_iter().flatten().cloned());
        Ok(texts)
    }
}

fn tenant_of(found: Result<Authenticated, Error>) -> Result<Uuid, &'static str> {
    found
        .and_then(|found| found.account())
        .map(|account| account.tenant().id)
        .map_err(|error| error.code())
}

impl World {
    /// Which tenant a person's session finds at a host.
    async fn at(&self, name: &str, host: &str) -> Result<Uuid, &'static str> {
        let selector = TenantSelector::Host(host);
        tenant_of(
            self.identity
                .authenticate(&token(name), selector, None)
                .await,
        )
    }

    async fn key_at(&self, key: &ApiKey, host: &str) -> Result<Uuid, &'static str> {
        let selector = TenantSelector::Host(host);
        tenant_of(self.identity.authenticate_key(key, selector, None).await)
    }

    /// Ann's claim in A, published and verified.
    async fn a_has(&self, host: &str, zone: &Zone) -> domain::Model {
        let ann = self.account("ann", self.a).await;
        let claim = ann.domain_add(host).await.unwrap();
        zone.publish(&claim);
        ann.domain_verify(claim.id, zone).await.unwrap()
    }

    async fn verified(&self) -> i64 {
        let sql = "SELECT count(*) FROM identity.domain WHERE verified_at IS NOT NULL";
        self.count(sql).await
    }
}

async fn key_of(account: &RequestAccount) -> ApiKey {
    let new = NewKey {
        name: "program".to_owned(),
        permissions: vec!["note.read".to_owned()],
        ..NewKey::default()
    };
    account.key_create(new).await.unwrap().1
}

#[tokio::test]
async fn a_host_selects_its_tenant_once_it_is_verified() {
    let world = World::new().await;
    let zone = Zone::default();
    let ann = world.account("ann", world.a).await;
    let eve = world.account("eve", world.b).await;
    let (own, foreign) = (key_of(&ann).await, key_of(&eve).await);
    let mut events = world.identity.events();
    let claim = ann.domain_add(" Notes.ACME.example. ").await.unwrap();
    assert_eq!((claim.host.as_str(), claim.verified_at), (HOST, None));
    assert_eq!(claim.tenant_id, world.a);
    assert_eq!(claim.created_by, ann.id());
    assert_eq!(claim.record_name(), "_partywall.notes.acme.example");
    let nothing = Err("not_found");
    // Claimed, and then asked for without the record: it selects nothing, not even the current tenant.
    for _ in 0..2 {
        assert_eq!(world.at("ann", HOST).await, nothing);
        assert_eq!(world.key_at(&own, HOST).await, nothing);
        let error = ann.domain_verify(claim.id, &zone).await.unwrap_err();
        assert!(matches!(error, Error::Unproven), "{error:?}");
    }
    // The record of another name, and a wrong one at the right name.
    zone.with(|records| {
        records.insert(HOST.to_owned(), vec![claim.record_text()]);
        let texts = [
            format!("partywall-verification={}", "0".repeat(64)),
            claim.token.clone(),
            format!("{}0", claim.record_text()),
        ];
        records.insert(claim.record_name(), texts.to_vec());
    });
    let error = ann.domain_verify(claim.id, &zone).await.unwrap_err();
    assert_eq!(
        (error.code(), error.kind()),
        ("unproven", ErrorKind::Conflict)
    );
    assert_eq!(world.at("ann", HOST).await, nothing);
    assert!(events.try_recv().is_err());
    zone.publish(&claim);
    let verified = ann.domain_verify(claim.id, &zone).await.unwrap();
    assert!(verified.verified_at.is_some());
    let host = HOST.to_owned();
    let tenant = world.a;
    assert_eq!(
        events.try_recv().unwrap(),
        Event::DomainVerified { tenant, host }
    );
    for host in [HOST, "NOTES.Acme.Example", "notes.acme.example.:8443"] {
        assert_eq!(world.at("ann", host).await, Ok(world.a), "{host}");
        assert_eq!(world.at("bob", host).await, Ok(world.a), "{host}");
        assert_eq!(world.key_at(&own, host).await, Ok(world.a), "{host}");
        // Strangers learn nothing, and a key opens its own tenant only.
        assert_eq!(world.at("eve", host).await, nothing, "{host}");
        assert_eq!(world.key_at(&foreign, host).await, nothing, "{host}");
    }
    for host in [
        "",
        "acme.example",
        "x.notes.acme.example",
        "notes.acme.example:x",
        "eve@notes.acme.example",
        "notes.acme.example@eve.example",
        "notes.acme.example\0",
        "notes.acme.example, eve.example",
        "n\u{43e}tes.acme.example",
        "127.0.0.1",
        "localhost:8080",
    ] {
        assert_eq!(world.at("ann", host).await, nothing, "{host:?}");
        assert_eq!(world.key_at(&own, host).await, nothing, "{host:?}");
    }
    // Once more changes nothing, and needs no DNS.
    zone.is_away(true);
    let again = ann.domain_verify(claim.id, &zone).await.unwrap();
    assert_eq!(again, verified);
    assert_eq!(ann.domain_find(claim.id).await.unwrap(), verified);
    assert_eq!(ann.domain_list().await.unwrap(), [verified]);
    ann.domain_remove(claim.id).await.unwrap();
    assert_eq!(world.at("ann", HOST).await, nothing);
    assert_eq!(world.key_at(&own, HOST).await, nothing);
    let error = ann.domain_find(claim.id).await.unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    assert_eq!(
        world.actions(world.a).await,
        [
            "key.created",
            "domain.added",
            "domain.verified",
            "domain.removed"
        ]
    );
}

#[tokio::test]
async fn what_is_no_host_of_a_tenants_cannot_be_claimed() {
    let world = World::new().await;
    let mut settings = Settings::new("https://app.notes.example:8443/", "notes@example.com");
    settings.own_hosts = vec![Hostname::parse("tenants.example").unwrap()];
    let identity = Identity::new(world.test.db().clone(), permissions(), settings);
    let selector = TenantSelector::Id(world.a);
    let found = identity.authenticate(&token("ann"), selector, None).await;
    let ann = found.unwrap().account().unwrap();
    for host in [
        "",
        "example",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "https://acme.example",
        "acme.example:443",
        "ann@acme.example",
        "*.acme.example",
        "app.notes.example",
        "APP.notes.example.",
        "x.app.notes.example",
        "tenants.example",
        "b.tenants.example",
    ] {
        let error = ann.domain_add(host).await.unwrap_err();
        assert!(
            matches!(error, Error::Invalid { field: "host", .. }),
            "{host:?}: {error:?}"
        );
    }
    // The controls, and names that look alike beside one another.
    for (host, canonical) in [
        ("notes.example", "notes.example"),
        ("mytenants.example", "mytenants.example"),
        ("apple.example", "apple.example"),
        ("\u{430}pple.example", "xn--pple-43d.example"),
        ("B\u{fc}cher.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(ann.domain_add(host).await.unwrap().host, canonical);
    }
    for again in ["notes.example", "NOTES.example.", "xn--bcher-kva.example"] {
        let error = ann.domain_add(again).await.unwrap_err();
        assert!(matches!(error, Error::Taken { field: "host" }), "{error:?}");
    }
}

#[tokio::test]
async fn what_somebody_else_has_verified_stays_theirs() {
    let world = World::new().await;
    let zone = Zone::default();
    let first = world.a_has(HOST, &zone).await;
    let eve = world.account("eve", world.b).await;
    // A claim tells nothing of others, nor does asking without one's own record. A's is no proof for B.
    let claim = eve.domain_add(HOST).await.unwrap();
    assert_ne!(claim.token, first.token);
    let error = eve.domain_verify(claim.id, &zone).await.unwrap_err();
    assert!(matches!(error, Error::Unproven), "{error:?}");
    // Both records: whoever has it keeps it.
    zone.publish(&claim);
    let error = eve.domain_verify(claim.id, &zone).await.unwrap_err();
    assert!(matches!(error, Error::Taken { field: "host" }), "{error:?}");
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
    assert_eq!(world.at("eve", HOST).await, Err("not_found"));
    // A DNS that does not answer moves nothing.
    zone.retract(&first);
    zone.is_away(true);
    let error = eve.domain_verify(claim.id, &zone).await.unwrap_err();
    assert_eq!(
        (error.code(), error.kind()),
        ("lookup_failed", ErrorKind::Unavailable)
    );
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
    zone.is_away(false);
    // Nor does somebody who has not the right to it, whatever the DNS says.
    let mut events = world.identity.events();
    let ann_in_b = world.account("ann", world.b).await;
    let error = ann_in_b.domain_verify(claim.id, &zone).await.unwrap_err();
    assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
    // A's record is gone and B's is there: the domain has changed hands.
    eve.domain_verify(claim.id, &zone).await.unwrap();
    assert_eq!(world.at("eve", HOST).await, Ok(world.b));
    assert_eq!(world.at("bob", HOST).await, Err("not_found"));
    assert_eq!(world.verified().await, 1);
    let host = || HOST.to_owned();
    let (a, b) = (world.a, world.b);
    assert_eq!(
        [events.try_recv().unwrap(), events.try_recv().unwrap()],
        [
            Event::DomainLost {
                tenant: a,
                host: host()
            },
            Event::DomainVerified {
                tenant: b,
                host: host()
            },
        ]
    );
    // A is told that, and not to whom.
    let ann = world.account("ann", world.a).await;
    let entry = &ann.audit_list(None, 1).await.unwrap()[0];
    assert_eq!(entry.action, "domain.lost");
    assert_eq!((entry.actor_user, entry.actor_account), (None, None));
    assert_eq!(entry.detail, serde_json::json!({ "host": HOST }));
    let lost = ann.domain_find(first.id).await.unwrap();
    assert_eq!(lost.verified_at, None);
    // The same way back.
    zone.publish(&first);
    let error = ann.domain_verify(first.id, &zone).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    zone.retract(&claim);
    ann.domain_verify(first.id, &zone).await.unwrap();
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
}

/// A DNS whose answer is on its way while A verifies the host.
struct Overtaken<'a> {
    answer: Vec<String>,
    by: RequestAccount,
    claim: Uuid,
    zone: &'a Zone,
}

#[async_trait]
impl TxtLookup for Overtaken<'_> {
    async fn txt(&self, _name: &str) -> Result<Vec<String>, Box<dyn error::Error + Send + Sync>> {
        self.by.domain_verify(self.claim, self.zone).await?;
        Ok(self.answer.clone())
    }
}

#[tokio::test]
async fn an_old_answer_takes_nothing_from_whoever_was_verified_since() {
    let world = World::new().await;
    let zone = Zone::default();
    let ann = world.account("ann", world.a).await;
    let eve = world.account("eve", world.b).await;
    let first = ann.domain_add(HOST).await.unwrap();
    let claim = eve.domain_add(HOST).await.unwrap();
    zone.publish(&first);
    let overtaken = Overtaken {
        answer: vec![claim.record_text()],
        by: ann,
        claim: first.id,
        zone: &zone,
    };
    let error = eve.domain_verify(claim.id, &overtaken).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
    // The control: the same answer to a question that was asked after that.
    eve.domain_verify(claim.id, &overtaken).await.unwrap();
    assert_eq!(world.at("eve", HOST).await, Ok(world.b));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_at_once_one_has_it() {
    let world = World::new().await;
    let zone = Zone::default();
    let ann = world.account("ann", world.a).await;
    let eve = world.account("eve", world.b).await;
    let (mut of_a, mut of_b) = (0, 0);
    for round in 0..8 {
        let host = format!("n{round}.acme.example");
        let left = ann.domain_add(&host).await.unwrap();
        let right = eve.domain_add(&host).await.unwrap();
        zone.publish(&left);
        zone.publish(&right);
        let (left, right) = tokio::join!(
            ann.domain_verify(left.id, &zone),
            eve.domain_verify(right.id, &zone)
        );
        match (left, right) {
            (Ok(_), Err(Error::Taken { .. })) => of_a += 1,
            (Err(Error::Taken { .. }), Ok(_)) => of_b += 1,
            (left, right) => panic!("{left:?}, {right:?}"),
        }
        assert_eq!(world.verified().await, round + 1);
    }
    println!("{of_a} were A's and {of_b} B's");
    // One claim, twice at once: one and the same answer, written down once.
    let claim = ann.domain_add(HOST).await.unwrap();
    zone.publish(&claim);
    let (left, right) = tokio::join!(
        ann.domain_verify(claim.id, &zone),
        ann.domain_verify(claim.id, &zone)
    );
    assert_eq!(left.unwrap(), right.unwrap());
    let actions = world.actions(world.a).await;
    let verified = actions.iter().filter(|a| *a == "domain.verified").count();
    assert_eq!(verified, of_a + 1);
}

#[tokio::test]
async fn missing_and_foreign_are_one_and_come_before_forbidden() {
    let world = World::new().await;
    let zone = Zone::default();
    let domain = world.a_has(HOST, &zone).await;
    let eve = world.account("eve", world.b).await;
    for unknown in [domain.id, Uuid::now_v7(), Uuid::nil()] {
        for error in [
            eve.domain_find(unknown).await.unwrap_err(),
            eve.domain_verify(unknown, &zone).await.unwrap_err(),
            eve.domain_remove(unknown).await.unwrap_err(),
        ] {
            assert!(matches!(error, Error::NotFound), "{error:?}");
        }
    }
    let bob = world.account("bob", world.a).await;
    let error = bob.domain_remove(Uuid::now_v7()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    for error in [
        bob.domain_find(domain.id).await.unwrap_err(),
        bob.domain_verify(domain.id, &zone).await.unwrap_err(),
        bob.domain_remove(domain.id).await.unwrap_err(),
        bob.domain_list().await.unwrap_err(),
        bob.domain_add("no host").await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    }
    assert_eq!(eve.domain_list().await.unwrap(), []);
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
    // Whose right was taken away since the request began.
    world.joins("cat", "admin").await;
    let cat = world.account("cat", world.a).await;
    cat.domain_add("cat.acme.example").await.unwrap();
    let demote = format!(
        "UPDATE identity.account_role SET role_id = '{}' WHERE account_id = '{}'",
        id("a member"),
        id("cat in a")
    );
    world.sql(&demote).await;
    for error in [
        cat.domain_add("dog.acme.example").await.unwrap_err(),
        cat.domain_remove(domain.id).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Forbidden(_)), "{error:?}");
    }
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
}

#[tokio::test]
async fn failures_are_counted_for_each_tenant() {
    let world = World::new().await;
    let zone = Zone::default();
    let ann = world.account("ann", world.a).await;
    let claim = ann.domain_add(HOST).await.unwrap();
    // What succeeds is not counted.
    for n in 0..12 {
        world.a_has(&format!("n{n}.acme.example"), &zone).await;
    }
    for n in 0..10 {
        zone.is_away(n % 2 == 0);
        let error = ann.domain_verify(claim.id, &zone).await.unwrap_err();
        assert!(
            matches!(error, Error::Unproven | Error::Lookup(_)),
            "{error:?}"
        );
    }
    zone.is_away(false);
    zone.publish(&claim);
    let error = ann.domain_verify(claim.id, &zone).await.unwrap_err();
    assert!(matches!(error, Error::Throttled(_)), "{error:?}");
    // The control: another tenant is not kept out.
    let eve = world.account("eve", world.b).await;
    let theirs = eve.domain_add("notes.globex.example").await.unwrap();
    zone.publish(&theirs);
    eve.domain_verify(theirs.id, &zone).await.unwrap();
    assert_eq!(world.at("eve", "notes.globex.example").await, Ok(world.b));
}

#[tokio::test]
async fn a_closed_tenants_host() {
    let world = World::new().await;
    let zone = Zone::default();
    let first = world.a_has(HOST, &zone).await;
    let ann = world.account("ann", world.a).await;
    let key = key_of(&ann).await;
    let suspend = |sql: &str| {
        format!(
            "UPDATE identity.tenant SET suspended_at = {sql} WHERE id = '{}'",
            world.a
        )
    };
    world.sql(&suspend("now()")).await;
    assert_eq!(world.at("ann", HOST).await, Err("suspended"));
    assert_eq!(world.key_at(&key, HOST).await, Err("suspended"));
    assert_eq!(world.at("eve", HOST).await, Err("not_found"));
    // Nor is one verified meanwhile.
    let error = ann.domain_add("x.acme.example").await.unwrap_err();
    assert!(matches!(error, Error::Suspended), "{error:?}");
    world.sql(&suspend("NULL")).await;
    assert_eq!(world.at("ann", HOST).await, Ok(world.a));
    assert_eq!(world.key_at(&key, HOST).await, Ok(world.a));
    ann.tenant_delete().await.unwrap();
    assert_eq!(world.at("ann", HOST).await, Err("not_found"));
    assert_eq!(world.key_at(&key, HOST).await, Err("not_found"));
    let by = async |selector| {
        let ann = token("ann");
        let found = world.identity.authenticate(&ann, selector, None).await;
        found.unwrap().tenant_restorable()
    };
    // Its owner brings it back by its id, and by its host finds nothing.
    by(TenantSelector::Id(world.a)).await.unwrap();
    let error = by(TenantSelector::Host(HOST)).await.unwrap_err();
    assert!(matches!(error, Error::NotFound), "{error:?}");
    // The record is still there, and so is A until its time is over.
    let eve = world.account("eve", world.b).await;
    let claim = eve.domain_add(HOST).await.unwrap();
    zone.publish(&claim);
    let error = eve.domain_verify(claim.id, &zone).await.unwrap_err();
    assert!(matches!(error, Error::Taken { .. }), "{error:?}");
    world
        .sql("UPDATE identity.tenant SET delete_after = now() WHERE delete_after IS NOT NULL")
        .await;
    let purged = world.identity.tenants_purge(|_| ()).await.unwrap();
    assert_eq!(purged.gone, [world.a]);
    eve.domain_verify(claim.id, &zone).await.unwrap();
    assert_eq!(world.at("eve", HOST).await, Ok(world.b));
    let left = format!(
        "SELECT count(*) FROM identity.domain WHERE id = '{}'",
        first.id
    );
    assert_eq!(world.count(&left).await, 0);
}

#[tokio::test]
async fn a_record_that_is_gone_for_long_loses_the_host() {
    let world = World::new().await;
    let zone = Zone::default();
    let domain = world.a_has(HOST, &zone).await;
    let stays = world.a_has("stays.acme.example", &zone).await;
    let recheck = async || world.identity.domains_recheck(&zone).await.unwrap();
    // Each time a day later.
    let later = async || {
        let sql = "UPDATE identity.domain SET checked_at = checked_at - interval '1 day', \
                   verified_at = verified_at - interval '1 day'";
        world.sql(sql).await;
    };
    let none = recheck().await;
    assert_eq!((none.proven, none.missed), (0, 0));
    zone.retract(&domain);
    for round in 0..2 {
        later().await;
        let found = recheck().await;
        assert_eq!((found.proven, found.missed), (1, 1), "{round}");
        assert_eq!(world.at("bob", HOST).await, Ok(world.a));
        // Not twice in one day.
        assert_eq!(recheck().await.missed, 0);
    }
    // A DNS that does not answer is held against nobody, and a record that is back makes good.
    later().await;
    zone.is_away(true);
    let found = recheck().await;
    assert_eq!(found.failed.len(), 2);
    assert!(found.lost.is_empty() && found.missed == 0);
    zone.is_away(false);
    zone.publish(&domain);
    later().await;
    assert_eq!(recheck().await.proven, 2);
    zone.retract(&domain);
    let mut events = world.identity.events();
    for round in 0..3 {
        assert_eq!(world.at("bob", HOST).await, Ok(world.a), "{round}");
        later().await;
        let found = recheck().await;
        let lost = if round == 2 {
            vec![(world.a, HOST.to_owned())]
        } else {
            vec![]
        };
        assert_eq!((found.proven, found.lost), (1, lost), "{round}");
    }
    assert_eq!(world.at("bob", HOST).await, Err("not_found"));
    assert_eq!(world.at("bob", &stays.host).await, Ok(world.a));
    let (tenant, host) = (world.a, HOST.to_owned());
    assert_eq!(
        events.try_recv().unwrap(),
        Event::DomainLost { tenant, host }
    );
    let actions = world.actions(world.a).await;
    assert_eq!(actions.last().unwrap(), "domain.lost");
    // The claim is still there.
    let ann = world.account("ann", world.a).await;
    zone.publish(&domain);
    ann.domain_verify(domain.id, &zone).await.unwrap();
    assert_eq!(world.at("bob", HOST).await, Ok(world.a));
}

#[tokio::test]
async fn no_time_between_looks_at_the_dns_is_one_look() {
    let world = World::new().await;
    let zone = Zone::default();
    let domain = world.a_has(HOST, &zone).await;
    let mut settings = Settings::new("http://127.0.0.1", "notes@example.com");
    settings.domain_recheck = std::time::Duration::ZERO;
    let eager = Identity::new(world.test.db().clone(), permissions(), settings);
    assert_eq!(eager.domains_recheck(&zone).await.unwrap().proven, 1);
    zone.retract(&domain);
    for _ in 0..2 {
        assert_eq!(eager.domains_recheck(&zone).await.unwrap().missed, 1);
    }
    assert_eq!(eager.domains_recheck(&zone).await.unwrap().lost.len(), 1);
    assert_eq!(world.verified().await, 0);
}

#[tokio::test]
async fn the_applications_statements_neither_see_nor_change_a_host() {
    let world = World::new().await;
    let zone = Zone::default();
    let domain = world.a_has(HOST, &zone).await;
    let a = world.a;
    let scope = Scope::trusted([TENANT.is(a)]);
    let db = world.test.db().scoped(&scope);
    let claim = domain.token;
    for sql in [
        "SELECT host FROM identity.domain".to_owned(),
        "INSERT INTO identity.domain (id, host, token, missed, created_at, verified_at) \
         VALUES (gen_random_uuid(), 'eve.example', 'x', 0, now(), now())"
            .to_owned(),
        "UPDATE identity.domain SET verified_at = now()".to_owned(),
        "DELETE FROM identity.domain".to_owned(),
        format!("SELECT * FROM partywall.identity_domain_lapsed('{claim}', ARRAY['{claim}'], 0)"),
    ] {
        let error = db.rows(&sql, []).await.unwrap_err();
        assert_eq!(error.kind(), DbErrorKind::Denied, "{sql}: {error}");
    }
    // The control: there is one, and who may see it does.
    let ann = world.account("ann", a).await;
    assert_eq!(ann.domain_list().await.unwrap().len(), 1);
}
