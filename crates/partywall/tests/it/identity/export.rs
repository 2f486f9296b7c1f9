//! A tenant's file, written and read back.

use std::{collections::BTreeMap, convert::Infallible};

use bytes::Bytes;
use futures_util::{TryStreamExt as _, stream};
use partywall::{
    Sql,
    identity::{GroupChange, ImportError, ImportErrorKind, Imported, NewTenant, RoleChange},
};
use uuid::Uuid;

use super::world::{World, id};

/// What tells a tenant's rows apart from another's copy of them: everything but the tenant, the
/// person and what the import itself writes down.
async fn contents(world: &World, tenant: Uuid) -> BTreeMap<&'static str, i64> {
    let mut sums = BTreeMap::new();
    for table in [
        "public.note",
        "public.comment",
        "identity.account",
        "identity.role",
        "identity.role_inclusion",
        "identity.account_role",
        "identity.account_grant",
        "identity.account_group",
        "identity.group_member",
        "identity.group_role",
        "identity.audit",
    ] {
        let sql = format!(
            "SELECT coalesce(sum(hashtextextended((to_jsonb(t) - 'tenant_id' - 'user_id')::text, 0) / 1000), 0)::bigint \
             FROM {table} t WHERE tenant_id = '{tenant}' \
             AND to_jsonb(t) ->> 'action' IS DISTINCT FROM 'tenant.imported'"
        );
        sums.insert(table, world.count(&sql).await);
    }
    sums
}

/// A tenant with something in every table, and values that are lost easily.
async fn fill(world: &World) {
    let ann = world.account("ann", world.a).await;
    let press = ann
        .role_create(RoleChange {
            name: Some("press \"quoted\" \u{1f5de}".to_owned()),
            permissions: Some(vec!["note.publish".to_owned()]),
            includes: Some(vec![id("a viewer")]),
        })
        .await
        .unwrap();
    ann.group_create(GroupChange {
        name: Some("editors".to_owned()),
        members: Some(vec![id("bob in a")]),
        roles: Some(vec![press]),
    })
    .await
    .unwrap();
    ann.grant_give(id("bob in a"), "audit.read").await.unwrap();
    let author = id("bob in a");
    let sql = format!(
        "INSERT INTO note (id, tenant_id, author_id, answers_id, title, body, size, data, tags, at) VALUES \
         ('{n1}', '{a}', '{author}', '{n2}', E'line\\nbreak \\\\ \"quote\"', E'{{\"a\": [1,\\n 2.50], \"b\": \"x\\\\ny\"}}', \
          12345678901234567890.123456789, '\\x00ff0a', ARRAY['a,b', '{{}}', ''], '2001-02-03 04:05:06.123456+05'), \
         ('{n2}', '{a}', '{author}', NULL, '', 'null', -0.10, '', '{{}}', '0044-03-15 12:00:00+00 BC');\
         INSERT INTO comment (id, tenant_id, note_id, body) \
         SELECT gen_random_uuid(), '{a}', '{n1}', repeat('x', n) FROM generate_series(0, 1200) AS n;",
        // The first answers the second and comes before it.
        n1 = Uuid::from_u128(1),
        n2 = Uuid::from_u128(2),
        a = world.a,
    );
    world.test.as_superuser(&sql).await.unwrap();
}

async fn export(world: &World) -> String {
    let ann = world.account("ann", world.a).await;
    let file: Vec<Bytes> = ann
        .tenant_export()
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    String::from_utf8(file.concat()).unwrap()
}

async fn import(world: &World, file: &str, new: NewTenant) -> Result<Imported, ImportError> {
    let chunks: Vec<_> = file
        .as_bytes()
        .chunks(1_000)
        .map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)))
        .collect();
    world
        .identity
        .tenant_import(stream::iter(chunks), new)
        .await
}

fn copy() -> NewTenant {
    NewTenant {
        name: Some("Copy".to_owned()),
        slug: "copy".to_owned(),
        owner: None,
    }
}

/// Lets a person sign in with a password: the import looks for their address there.
async fn credential(world: &World, name: &str, email_key: &str) {
    let sql = format!(
        "INSERT INTO identity.credential (email_key, user_id, password_hash) \
         VALUES ('{email_key}', '{}', 'x')",
        id(name)
    );
    world.test.as_superuser(&sql).await.unwrap();
}

#[tokio::test]
async fn a_tenant_is_read_back_as_it_was() {
    let world = World::new().await;
    fill(&world).await;
    credential(&world, "ann", "ann@example.com").await;
    let file = export(&world).await;
    let before = contents(&world, world.a).await;
    assert!(before.values().all(|sum| *sum != 0), "{before:?}");
    let imported = import(&world, &file, copy()).await.unwrap();
    assert_ne!(imported.tenant, world.a);
    assert_eq!(contents(&world, imported.tenant).await, before);
    assert_eq!(imported.rows["public.comment"], 1_201);
    assert_eq!(imported.rows["public.note"], 2);
    // ann signs in with her address, bob is to be invited.
    assert_eq!(imported.linked, [id("ann in a")]);
    assert_eq!(imported.unlinked, ["bob@example.com"]);
    assert!(imported.has_owner);
    let ann = world.account("ann", imported.tenant).await;
    ann.require("tenant.delete").unwrap();
    let notes: i64 = ann
        .read()
        .scalar("SELECT count(*) FROM note", [])
        .await
        .unwrap();
    assert_eq!(notes, 2);
    let bob = world.account_or("bob", imported.tenant).await;
    assert_eq!(bob.unwrap_err().code(), "not_found");
    let entries = ann.audit_list(None, 100).await.unwrap();
    assert_eq!(entries[0].action, "tenant.imported");
    // The original is as it was.
    assert_eq!(contents(&world, world.a).await, before);
}

#[tokio::test]
async fn a_file_holds_one_tenant_and_no_secret() {
    let world = World::new().await;
    fill(&world).await;
    let secrets = format!(
        "INSERT INTO identity.invitation (id, tenant_id, email, email_key, token_hash, created_at, sent_at, sends, expires_at) \
         VALUES (gen_random_uuid(), '{a}', 'x@example.com', 'x@example.com', 'secret-one', now(), now(), 1, now());\
         INSERT INTO identity.api_key (id, tenant_id, name, key_hash, hint, permissions, created_at) \
         VALUES (gen_random_uuid(), '{a}', 'key', 'secret-two', 'pwk_', '{{}}', now());\
         INSERT INTO identity.domain (id, tenant_id, host, token, missed, verified_at, created_at) \
         VALUES (gen_random_uuid(), '{a}', 'notes.acme.example', 'secret-three', 0, now(), now());\
         INSERT INTO note (id, tenant_id, author_id, title, body, size, data, tags, at) \
         VALUES (gen_random_uuid(), '{b}', '{eve}', 'foreign', '{{}}', 0, '', '{{}}', now());\
         INSERT INTO poll (id, tenant_id) VALUES ('{eve}', '{b}'), ('{ann}', '{a}');\
         INSERT INTO vote (id, poll_id) VALUES ('{b}', '{eve}'), ('{a}', '{ann}');",
        a = world.a,
        b = world.b,
        eve = id("eve in b"),
        ann = id("ann in a"),
    );
    world.test.as_superuser(&secrets).await.unwrap();
    let file = export(&world).await;
    for absent in [
        "secret-",
        "foreign",
        "notes.acme.example",
        "eve",
        "token_hash",
        "password",
        "session",
    ] {
        assert!(!file.contains(absent), "{absent}");
    }
    for foreign in [world.b, id("eve in b"), id("eve"), id("b owner")] {
        assert!(!file.contains(&foreign.to_string()));
    }
    let votes: Vec<&str> = file
        .lines()
        .filter(|line| line.contains("public.vote\","))
        .collect();
    assert_eq!(votes.len(), 1);
    // No account says whose it is.
    let accounts = file
        .lines()
        .filter(|line| line.contains("\"identity.account\",\"row\""));
    assert!(
        accounts.clone().count() == 2 && accounts.clone().all(|line| !line.contains("user_id"))
    );
    let header: serde_json::Value = serde_json::from_str(file.lines().next().unwrap()).unwrap();
    assert_eq!(header["format"], "partywall-tenant");
    assert_eq!(header["version"], 1);
    assert_eq!(header["tenant"]["slug"], "a");
    let last: serde_json::Value = serde_json::from_str(file.lines().last().unwrap()).unwrap();
    assert_eq!(last["rows"]["public.comment"], 1_201);
    let ann = world.account("ann", world.a).await;
    assert_eq!(
        ann.audit_list(None, 1).await.unwrap()[0].action,
        "tenant.exported"
    );
    // Only who may.
    let bob = world.account("bob", world.a).await;
    assert!(
        bob.tenant_export()
            .await
            .is_err_and(|error| error.code() == "forbidden")
    );
}

#[tokio::test]
async fn a_file_that_is_not_whole_leaves_nothing() {
    let world = World::new().await;
    fill(&world).await;
    let file = export(&world).await;
    let lines: Vec<&str> = file.lines().collect();
    let at = |table: &str| {
        let wanted = format!("{{\"table\":\"{table}\"");
        lines
            .iter()
            .position(|line| line.starts_with(&wanted))
            .unwrap()
    };
    let with = |number: usize, line: &str| {
        let mut changed = lines.clone();
        changed[number] = line;
        changed.join("\n")
    };
    let without = |number: usize| {
        let mut changed = lines.clone();
        changed.remove(number);
        changed.join("\n")
    };
    let (note, comment) = (at("public.note"), at("public.comment"));
    let later = lines[0].replace("\"version\":1", "\"version\":2");
    let other = lines[0].replace("\"schema\":\"", "\"schema\":\"0");
    let bad = lines[comment + 700].replace("\"note_id\":\"0", "\"note_id\":\"9");
    let odd = lines[comment + 3].replace("\"body\"", "\"tenant_id\"");
    let twice = format!("{}\n{}", lines[comment], lines[comment]);
    let text = lines[note].replace("12345678901234567890", "\"x\"");
    let line_of = |number: usize| u64::try_from(number + 1).unwrap();
    let cases: Vec<(&str, String, Option<u64>)> = vec![
        ("nothing", String::new(), Some(1)),
        ("no header", lines[1..].join("\n"), Some(1)),
        ("a later version", with(0, &later), Some(1)),
        ("other tables", with(0, &other), Some(1)),
        ("cut", lines[..lines.len() - 1].join("\n"), None),
        (
            "cut within a line",
            file[..file.len() / 2].to_owned(),
            Some(0),
        ),
        ("a row missing", without(comment + 5), None),
        (
            "a row twice",
            with(comment, &twice),
            Some(line_of(comment + 1)),
        ),
        (
            "no such parent",
            with(comment + 700, &bad),
            Some(line_of(comment + 700)),
        ),
        (
            "another column",
            with(comment + 3, &odd),
            Some(line_of(comment + 3)),
        ),
        (
            "no JSON",
            with(comment + 3, "{"),
            Some(line_of(comment + 3)),
        ),
        ("no number", with(note, &text), Some(line_of(note))),
        (
            "a table that does not travel",
            with(comment, r#"{"table":"identity.session","row":{}}"#),
            Some(line_of(comment)),
        ),
        (
            "something behind",
            format!("{file}\n{}", lines[1]),
            Some(line_of(lines.len())),
        ),
        ("a role missing", without(at("identity.role")), Some(0)),
    ];
    let tables = [
        "identity.tenant",
        "identity.account",
        "identity.role",
        "note",
        "comment",
    ];
    let mut before = Vec::new();
    for table in tables {
        before.push(world.count(&format!("SELECT count(*) FROM {table}")).await);
    }
    for (what, file, line) in cases {
        let error = import(&world, &file, copy()).await.unwrap_err();
        assert_ne!(error.kind(), ImportErrorKind::Tenant, "{what}: {error:?}");
        match line {
            // Wherever it shows.
            Some(0) => assert!(error.line().is_some(), "{what}: {error}"),
            line => assert_eq!(error.line(), line, "{what}: {error}"),
        }
        if let Some(line) = line.filter(|line| *line > 0) {
            assert!(
                error.to_string().starts_with(&format!("line {line}:")),
                "{error}"
            );
        }
    }
    for (table, before) in tables.iter().zip(before) {
        let now = world.count(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(now, before, "{table}");
    }
    // The control.
    import(&world, &file, copy()).await.unwrap();
    let taken = import(&world, &file, copy()).await.unwrap_err();
    assert!(
        matches!(&taken, ImportError::Tenant(error) if error.code() == "taken"),
        "{taken:?}"
    );
}

/// A file is outside input: no line of it reaches another tenant.
#[tokio::test]
async fn a_file_cannot_reach_another_tenant() {
    let world = World::new().await;
    fill(&world).await;
    let foreign = format!(
        "INSERT INTO poll (id, tenant_id) VALUES ('{eve}', '{b}');",
        b = world.b,
        eve = id("eve in b"),
    );
    world.test.as_superuser(&foreign).await.unwrap();
    let file = export(&world).await;
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    let vote = format!(
        "{{\"table\":\"public.vote\",\"row\":{{\"id\":\"{}\",\"poll_id\":\"{}\"}}}}",
        Uuid::now_v7(),
        id("eve in b")
    );
    let number = u64::try_from(lines.len() + 1).unwrap();
    let forged = |vote: &str| {
        let last = last.replace("\"public.vote\":0", "\"public.vote\":1");
        format!("{}\n{vote}\n{last}", lines.join("\n"))
    };
    let error = import(&world, &forged(&vote), copy()).await.unwrap_err();
    assert_eq!(error.line(), Some(number), "{error}");
    assert_eq!(world.count("SELECT count(*) FROM vote").await, 0);
    // The author is an account of the other tenant.
    let note = file
        .lines()
        .find(|line| line.contains("\"public.note\",\"row\""))
        .unwrap();
    let bad = note.replace(&id("bob in a").to_string(), &id("eve in b").to_string());
    let error = import(&world, &file.replace(note, &bad), copy())
        .await
        .unwrap_err();
    assert!(matches!(error, ImportError::Refused { .. }), "{error}");
    // An owner by another name is none.
    let viewer = "\"name\":\"viewer\",\"builtin\":\"viewer\"";
    assert!(file.contains(viewer));
    let error = import(
        &world,
        &file.replace(viewer, "\"name\":\"viewer\",\"builtin\":null"),
        copy(),
    )
    .await
    .unwrap_err();
    assert!(matches!(error, ImportError::Roles), "{error}");
}

#[tokio::test]
async fn people_are_found_by_their_address_in_whatever_form() {
    let world = World::new().await;
    fill(&world).await;
    credential(&world, "ann", "ann@example.com").await;
    credential(&world, "sue", "sue@example.com").await;
    let shout = "UPDATE identity.account SET email = ' ANN@Example.COM' WHERE name = 'ann'";
    world.test.as_superuser(shout).await.unwrap();
    let file = export(&world).await;
    let imported = import(&world, &file, copy()).await.unwrap();
    assert_eq!(imported.linked, [id("ann in a")]);
    // Another person becomes an owner beside them, and whoever is not known cannot.
    let owned_by = |slug: &str, owner: &str| NewTenant {
        name: Some("Copy".to_owned()),
        slug: slug.to_owned(),
        owner: Some(owner.to_owned()),
    };
    let imported = import(&world, &file, owned_by("second", "Sue@example.com"))
        .await
        .unwrap();
    let sue = world.account("sue", imported.tenant).await;
    sue.require("tenant.delete").unwrap();
    let imported = import(&world, &file, owned_by("third", "ann@example.com"))
        .await
        .unwrap();
    let ann = world.account("ann", imported.tenant).await;
    assert_eq!(ann.id(), Some(id("ann in a")));
    assert_eq!(ann.member_list(None, 10).await.unwrap().len(), 2);
    let nobody = import(&world, &file, owned_by("fourth", "nobody@example.com")).await;
    assert_eq!(nobody.unwrap_err().kind(), ImportErrorKind::Tenant);
    // Without a person, nobody owns it, and the answer says so.
    world
        .test
        .as_superuser("DELETE FROM identity.credential")
        .await
        .unwrap();
    let imported = import(
        &world,
        &file,
        NewTenant {
            slug: "fifth".to_owned(),
            ..copy()
        },
    )
    .await
    .unwrap();
    assert!(!imported.has_owner && imported.linked.is_empty() && imported.unlinked.len() == 2);
}

/// After the tenant is gone its file brings it back.
#[tokio::test]
async fn a_tenant_that_is_gone_is_read_back() {
    let world = World::new().await;
    fill(&world).await;
    credential(&world, "ann", "ann@example.com").await;
    let polls = format!(
        "INSERT INTO poll (id, tenant_id) VALUES ('{poll}', '{a}');\
         INSERT INTO vote (id, poll_id) VALUES ('{a}', '{poll}');",
        poll = id("ann in a"),
        a = world.a,
    );
    // Polls have one id in the whole service, since votes look them up by it.
    world.test.as_superuser(&polls).await.unwrap();
    let file = export(&world).await;
    let before = contents(&world, world.a).await;
    world
        .account("ann", world.a)
        .await
        .tenant_delete()
        .await
        .unwrap();
    let over = "UPDATE identity.tenant SET delete_after = now() WHERE delete_after IS NOT NULL";
    world.test.as_superuser(over).await.unwrap();
    assert_eq!(
        world.identity.tenants_purge(|_| ()).await.unwrap().gone,
        [world.a]
    );
    let imported = import(
        &world,
        &file,
        NewTenant {
            slug: "a".to_owned() + "-again",
            ..copy()
        },
    )
    .await
    .unwrap();
    assert_eq!(contents(&world, imported.tenant).await, before);
    assert_eq!(imported.rows["public.vote"], 1);
}
