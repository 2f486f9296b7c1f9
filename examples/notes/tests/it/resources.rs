//! A note's comments as a resource: whatever is asked of a list, or stands in a body, is about the
//! tenant's own rows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    browser::{Browser, Reply},
    world::{World, nothing},
};

const WORD: &str = "zebra";

/// The comments of a note of a tenant's.
fn comments(slug: &str, note: &str) -> String {
    format!("/api/tenants/{slug}/notes/{note}/comments")
}

/// A note of somebody's own that has none.
fn note(browser: &Browser, slug: &str) -> String {
    let new = json!({ "title": "resources" });
    let new = browser.post(&format!("/api/tenants/{slug}/notes"), &new);
    id(&new.is(201).json())
}

fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// Comments of somebody's own, oldest first.
fn say<const N: usize>(browser: &Browser, list: &str) -> [String; N] {
    std::array::from_fn(|n| {
        let new = json!({ "body": format!("{WORD} {n}") });
        id(&browser.post(list, &new).is(201).json())
    })
}

/// Bob's three comments in acme and eve's two in globex, which read alike, and their lists.
struct Both {
    world: World,
    bob: Browser,
    eve: Browser,
    own: String,
    foreign: String,
    bobs: [String; 3],
    eves: [String; 2],
}

impl Both {
    fn new() -> Self {
        let world = World::start(false);
        let (bob, eve) = (world.user("bob"), world.user("eve"));
        let own = comments("acme", &note(&bob, "acme"));
        let foreign = comments("globex", &note(&eve, "globex"));
        let (bobs, eves) = (say(&bob, &own), say(&eve, &foreign));
        Self {
            world,
            bob,
            eve,
            own,
            foreign,
            bobs,
            eves,
        }
    }

    fn asked(&self, query: &str) -> Reply {
        self.bob.get(&format!("{}?{query}", self.own))
    }
}

#[test]
fn i31_what_is_asked_of_a_list_shows_ones_own() {
    let both = Both::new();
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    let all = [both.bobs.as_slice(), both.eves.as_slice()]
        .concat()
        .join(",");
    let year = "created_at__gte=2000-01-01T00:00:00Z";
    for query in [
        String::new(),
        format!("search={WORD}"),
        year.to_owned(),
        "sort=-created_at".to_owned(),
        "sort=author,-created_at&count=true".to_owned(),
        format!("id__in={all}"),
        format!("format=jsonl&search={WORD}"),
        format!("format=csv&search={WORD}"),
    ] {
        let found = |browser: &Browser, list: &str| -> BTreeSet<String> {
            let reply = browser.get(&format!("{list}?{query}")).is(200);
            let ids = both.bobs.iter().chain(&both.eves);
            ids.filter(|id| reply.body.contains(*id)).cloned().collect()
        };
        assert_eq!(found(&both.bob, &both.own), set(&both.bobs), "{query}");
        // The control: to eve the same query shows hers.
        assert_eq!(found(&both.eve, &both.foreign), set(&both.eves), "{query}");
    }
    assert!(both.asked("author=Eve").is(200).each("id").is_empty());
    assert_eq!(both.asked("author=Bob").each("id"), both.bobs);
    assert_eq!(both.asked("count=true&limit=1").json()["count"], 3);
    let count = both.eve.get(&format!("{}?count=true", both.foreign));
    assert_eq!(count.json()["count"], 2);
    let csv = both.asked("format=csv").is(200);
    let kind = csv.header("content-type").unwrap();
    assert!(kind.starts_with("text/csv"), "{kind}");
    assert_eq!(csv.body.lines().count(), 4, "{}", csv.body);
    assert_eq!(both.asked("format=jsonl").body.lines().count(), 3);
    let some = both.asked("fields=id,body&limit=1").is(200).json();
    let fields: BTreeSet<_> = some["items"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["body", "id"]);
}

#[test]
fn i32_a_foreign_id_in_a_query_is_a_random_one() {
    let both = Both::new();
    let ann = both.world.user("ann");
    let asked = |query: String| ann.get(&format!("{}?{query}", both.own)).is(200);
    let none = asked(format!("id={}", nothing()));
    assert!(none.each("id").is_empty());
    assert_eq!(asked(format!("id={}", both.eves[0])), none);
    let account = both.world.account("eve", "globex");
    assert_eq!(asked(format!("author_id={account}")), none);
    assert_eq!(asked(format!("author_id={}", nothing())), none);
    // The control.
    let account = both.world.account("bob", "acme");
    assert_eq!(asked(format!("author_id={account}")).each("id"), both.bobs);
    let one = asked(format!("id={}", both.bobs[0]));
    assert_eq!(one.each("id"), both.bobs[..1]);
}

#[test]
fn i33_a_cursor_belongs_to_its_list() {
    let both = Both::new();
    let ann = both.world.user("ann");
    let sibling = comments("acme", &note(&both.bob, "acme"));
    say::<2>(&both.bob, &sibling);
    let next = |list: &str| {
        let page = ann.get(&format!("{list}?limit=1")).is(200);
        page.json()["next"].as_str().unwrap().to_owned()
    };
    let at = |list: &str, cursor: &str| ann.get(&format!("{list}?limit=1&cursor={cursor}"));
    let cursor = next(&both.own);
    let mut altered = cursor.clone();
    let last = if altered.pop() == Some('A') { 'B' } else { 'A' };
    altered.push(last);
    let refused = at(&both.own, "x").is(400);
    assert_eq!(refused.code(), "bad_cursor");
    for wrong in [
        // Ann is in both tenants.
        next(&both.foreign),
        next(&sibling),
        altered,
        cursor.chars().take(60).collect(),
    ] {
        assert_eq!(at(&both.own, &wrong), refused, "{wrong}");
    }
    // Under another query, and somebody else's.
    ann.get(&format!("{}?limit=1&sort=author&cursor={cursor}", both.own))
        .is(400);
    for sort in [
        "note",
        "note_id",
        "tenant_id",
        "author_id",
        "body",
        "nothing",
    ] {
        let refused = both.asked(&format!("sort={sort}")).is(400);
        assert_eq!(refused.code(), "invalid_query", "{sort}");
    }
    for query in ["note_id=1", "body__contains=x", "tenant=", "limit=0", "q=x"] {
        both.asked(query).is(400);
    }
    // The control.
    assert_eq!(at(&both.own, &cursor).is(200).each("id"), both.bobs[1..2]);
    both.asked("sort=-created_at").is(200);
}

#[test]
fn i34_what_is_the_servers_is_refused_in_a_body() {
    let both = Both::new();
    let before = both.world.written();
    let one = format!("{}/{}", both.own, both.bobs[0]);
    let account = both.world.account("eve", "globex");
    for (field, value) in [
        ("id", both.eves[0].clone()),
        ("id", nothing()),
        ("account_id", account.clone()),
        ("author_id", account),
        ("author", "Eve".to_owned()),
        ("role", "owner".to_owned()),
        ("note_id", nothing()),
        ("created_at", "2000-01-01T00:00:00Z".to_owned()),
    ] {
        let body = json!({ "body": "x", field: value });
        for refused in [
            both.bob.post(&both.own, &body),
            both.bob.put(&one, &body),
            both.bob.patch(&one, &body),
        ] {
            assert_eq!(refused.clone().is(422).code(), "invalid", "{field}");
            assert_eq!(refused.json()["errors"][0]["field"], field);
        }
    }
    for tenant in [both.world.tenant("globex"), nothing()] {
        let body = json!({ "body": "x", "tenant_id": tenant });
        for refused in [
            both.bob.post(&both.own, &body),
            both.bob.put(&one, &body),
            both.bob.patch(&one, &body),
        ] {
            assert!(matches!(refused.status, 400 | 422), "{refused:?}");
        }
    }
    assert_eq!(both.world.written(), before);
    // The control.
    let body = json!({ "body": "x" });
    both.bob.post(&both.own, &body).is(201);
    assert_eq!(both.bob.put(&one, &body).is(200).json()["author"], "Bob");
    both.bob.patch(&one, &body).is(200);
}

#[test]
fn i35_a_comment_does_not_move_to_a_foreign_note() {
    let both = Both::new();
    let one = format!("{}/{}", both.own, both.bobs[0]);
    let sibling = note(&both.bob, "acme");
    let before = both.world.written();
    let moved = |to: &str| both.bob.patch(&one, &json!({ "note": to }));
    let missing = moved(&nothing()).is(422);
    assert_eq!(missing.json()["errors"][0]["field"], "note");
    let foreign = both.world.note("globex");
    for to in [foreign.as_str(), "x", "", &sibling.to_uppercase()] {
        assert_eq!(moved(to), missing, "{to}");
    }
    let bulk = json!({ "items": [{ "id": both.bobs[0], "note": foreign }] });
    both.bob.patch(&format!("{}/bulk", both.own), &bulk).is(422);
    // A new one is where its address says.
    let new = json!({ "body": "x", "note": foreign });
    both.bob.post(&both.own, &new).is(422);
    assert_eq!(both.world.written(), before);
    // The control: to another note of the tenant's it does.
    moved(&sibling).is(200);
    both.bob.get(&one).is(404);
    let moved = format!("{}/{}", comments("acme", &sibling), both.bobs[0]);
    both.bob.get(&moved).is(200);
}

#[test]
fn i36_i37_a_bulk_call_with_a_foreign_id_changes_nothing() {
    let both = Both::new();
    let bulk = format!("{}/bulk", both.own);
    let sibling = comments("acme", &note(&both.bob, "acme"));
    let [other] = say::<1>(&both.bob, &sibling);
    let change = |ids: &[&String]| {
        let items: Vec<_> = ids
            .iter()
            .map(|id| json!({ "id": id, "body": "x" }))
            .collect();
        both.bob.patch(&bulk, &json!({ "items": items }))
    };
    let remove = |ids: &[&String]| {
        let ids: Vec<_> = ids.iter().map(|id| id.as_str()).collect();
        both.bob.delete(&format!("{bulk}?ids={}", ids.join(",")))
    };
    let before = both.world.written();
    let [first, second, third] = &both.bobs;
    let unknown = nothing();
    let missing = [change(&[first, &unknown]), remove(&[first, &unknown])];
    for reply in &missing {
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"));
    }
    let odd = "x".to_owned();
    for id in [&both.eves[0], &other, &odd] {
        for ids in [vec![first, id], vec![id, first], vec![id]] {
            assert_eq!([change(&ids), remove(&ids)], missing, "{ids:?}");
        }
    }
    // One that fits and one that does not.
    let mixed = json!({ "items": [{ "body": "x" }, { "body": " " }] });
    let refused = both.bob.post(&bulk, &mixed).is(422).json();
    assert_eq!(refused["errors"][0]["field"], "items[1].body");
    assert_eq!(both.world.written(), before);
    // The control.
    assert_eq!(change(&[first, second]).is(200).each("body"), ["x", "x"]);
    remove(&[first, third]).is(204);
    let new = json!({ "items": [{ "body": "1" }, { "body": "2" }] });
    both.bob.post(&bulk, &new).is(201);
    assert_eq!(both.bob.get(&both.own).each("body"), ["x", "1", "2"]);
}

#[test]
fn i36_somebody_elses_in_a_bulk_call_is_refused_whole() {
    let both = Both::new();
    let ann = both.world.user("ann");
    both.world.give_role("ann", "acme", "member");
    let [anns] = say::<1>(&ann, &both.own);
    let bulk = format!("{}/bulk", both.own);
    let before = both.world.written();
    let items = json!([{ "id": both.bobs[0], "body": "x" }, { "id": anns, "body": "x" }]);
    both.bob.patch(&bulk, &json!({ "items": items })).is(403);
    both.bob
        .delete(&format!("{bulk}?ids={},{anns}", both.bobs[0]))
        .is(403);
    assert_eq!(both.world.written(), before);
    // The control: a moderator removes both.
    both.world.give_role("ann", "acme", "admin");
    ann.delete(&format!("{bulk}?ids={},{anns}", both.bobs[0]))
        .is(204);
}

#[test]
fn i44_a_validator_opens_nothing() {
    let both = Both::new();
    let one = format!("{}/{}", both.own, both.bobs[0]);
    let tag = both
        .bob
        .get(&one)
        .is(200)
        .header("etag")
        .unwrap()
        .to_owned();
    // The control.
    let known = both.world.user("bob").with("if-none-match", &tag);
    known.get(&one).is(304);
    let missing = both.eve.get(&format!("{}/{}", both.foreign, nothing()));
    assert_eq!(missing.status, 404);
    let below_hers = format!("{}/{}", both.foreign, both.bobs[0]);
    for tag in [tag.as_str(), "*"] {
        let eve = both.world.user("eve").with("if-none-match", tag);
        for address in [&one, &below_hers] {
            assert_eq!(eve.get(address), missing, "{address}");
            assert_eq!(eve.send("HEAD", address, None).status, 404);
        }
    }
    // Nor does one change what was changed meanwhile.
    let body = json!({ "body": "x" });
    let writer = both.world.user("bob").with("if-match", &tag);
    writer.patch(&one, &body).is(200);
    writer.patch(&one, &body).is(412);
}

#[test]
fn i55_which_account_it_was_is_for_moderators() {
    let both = Both::new();
    let ann = both.world.user("ann");
    let account = both.world.account("bob", "acme");
    let one = format!("{}/{}", both.own, both.bobs[0]);
    for path in [
        both.own.clone(),
        one.clone(),
        format!("{}?format=csv", both.own),
        format!("{}?format=jsonl", both.own),
    ] {
        let seen = both.bob.get(&path).is(200).body;
        assert!(!seen.contains("author_id") && !seen.contains(&account));
        // The control: ann moderates.
        let seen = ann.get(&path).is(200).body;
        assert!(seen.contains("author_id") && seen.contains(&account));
    }
    for query in [
        format!("author_id={account}"),
        "author_id__is_null=true".to_owned(),
        "fields=author_id".to_owned(),
    ] {
        assert_eq!(both.asked(&query).is(400).code(), "invalid_query");
        ann.get(&format!("{}?{query}", both.own)).is(200);
    }
    // Nobody writes it, and bob is not told that it is there.
    let said = |field: &str| {
        let mut change = json!({ "body": "x" });
        change[field] = json!(account);
        let refused = both.bob.patch(&one, &change).is(422);
        refused.body.replace(field, "field")
    };
    assert_eq!(said("author_id"), said("nothing"));
    both.bob.patch(&one, &json!({ "body": "x" })).is(200);
}

#[test]
fn a_request_that_is_sent_twice_is_done_once() {
    let both = Both::new();
    let again = both.world.user("bob").with("idempotency-key", "once");
    let body = json!({ "body": "once" });
    let first = again.post(&both.own, &body).is(201).json();
    let second = again.post(&both.own, &body).is(201);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.json(), first);
    // The key is bob's in acme: eve's of the same name is another.
    let eve = both.world.user("eve").with("idempotency-key", "once");
    let hers = eve.post(&both.foreign, &body).is(201);
    assert_eq!(hers.header("idempotency-replayed"), None);
    let count = "SELECT count(*) FROM comment WHERE body = 'once'";
    assert_eq!(both.world.one(count), "2");
}
