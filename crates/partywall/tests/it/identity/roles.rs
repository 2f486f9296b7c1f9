//! Roles, groups and grants: I52, and who may do what.

use partywall::identity::{
    BuiltIn, Error, GroupChange, MemberChange, RequestAccount, Role, RoleChange,
};
use uuid::Uuid;

use super::world::{World, id};

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

fn role(name: &str, permissions: &[&str], includes: &[Uuid]) -> RoleChange {
    RoleChange {
        name: Some(name.to_owned()),
        permissions: Some(permissions.iter().map(|name| (*name).to_owned()).collect()),
        includes: Some(includes.to_vec()),
    }
}

fn includes(roles: &[Uuid]) -> RoleChange {
    RoleChange {
        includes: Some(roles.to_vec()),
        ..Default::default()
    }
}

fn permissions(names: &[&str]) -> RoleChange {
    RoleChange {
        permissions: Some(names.iter().map(|name| (*name).to_owned()).collect()),
        ..Default::default()
    }
}

fn group(members: &[Uuid], roles: &[Uuid]) -> GroupChange {
    GroupChange {
        name: None,
        members: Some(members.to_vec()),
        roles: Some(roles.to_vec()),
    }
}

async fn give(account: &RequestAccount, to: Uuid, roles: &[Uuid]) {
    let change = MemberChange {
        roles: Some(roles.to_vec()),
        active: None,
    };
    account.member_change(to, change).await.unwrap();
}

#[tokio::test]
async fn a_role_of_a_tenants_own_allows_what_it_says_and_includes() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let press = ann
        .role_create(role("press", &["note.publish"], &[]))
        .await
        .unwrap();
    let desk = ann
        .role_create(role("desk", &[], &[press, id("a viewer")]))
        .await
        .unwrap();
    give(&ann, id("bob in a"), &[desk]).await;
    let bob = world.account("bob", world.a).await;
    for held in ["note.publish", "note.read"] {
        bob.require(held).unwrap();
    }
    assert_eq!(code(bob.require("note.write")), "forbidden");
    ann.role_change(press, permissions(&["note.write"]))
        .await
        .unwrap();
    let bob = world.account("bob", world.a).await;
    bob.require("note.write").unwrap();
    assert_eq!(code(bob.require("note.publish")), "forbidden");
    ann.role_delete(press).await.unwrap();
    let bob = world.account("bob", world.a).await;
    assert_eq!(code(bob.require("note.write")), "forbidden");
    bob.require("note.read").unwrap();
    let names: Vec<String> = ann
        .role_list()
        .await
        .unwrap()
        .into_iter()
        .map(|role: Role| role.name)
        .collect();
    assert_eq!(names, ["admin", "member", "owner", "viewer", "desk"]);
}

#[tokio::test]
async fn a_role_that_would_include_itself_is_refused() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let one = ann.role_create(role("one", &[], &[])).await.unwrap();
    let two = ann.role_create(role("two", &[], &[one])).await.unwrap();
    let three = ann.role_create(role("three", &[], &[two])).await.unwrap();
    for circle in [one, two, three] {
        assert_eq!(
            code(ann.role_change(one, includes(&[circle])).await),
            "invalid"
        );
    }
    // The control, and what was there is there still.
    ann.role_change(three, includes(&[one, two])).await.unwrap();
    let roles = ann.role_list().await.unwrap();
    let found = roles.iter().find(|role| role.id == one).unwrap();
    assert!(found.includes.is_empty());
}

#[tokio::test]
async fn built_in_roles_stay_as_they_are() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    for builtin in BuiltIn::ALL.map(BuiltIn::name) {
        let id = id(&format!("a {builtin}"));
        let changes = [
            ann.role_change(id, permissions(&["note.read"])).await,
            ann.role_change(id, role("mine", &[], &[])).await,
            ann.role_delete(id).await,
        ];
        for changed in changes {
            assert_eq!(code(changed), "invalid");
        }
        // Nor can another take its name.
        assert_eq!(
            code(ann.role_create(role(builtin, &[], &[])).await),
            "taken"
        );
    }
    // Owners are accounts: no role includes theirs, and no group has it.
    let owner = id("a owner");
    assert_eq!(
        code(ann.role_create(role("boss", &[], &[owner])).await),
        "invalid"
    );
    let named = |roles: &[Uuid]| GroupChange {
        name: Some("bosses".to_owned()),
        ..group(&[], roles)
    };
    assert_eq!(code(ann.group_create(named(&[owner])).await), "invalid");
    ann.role_create(role("boss", &[], &[id("a admin")]))
        .await
        .unwrap();
    ann.group_create(named(&[id("a admin")])).await.unwrap();
}

#[tokio::test]
async fn what_is_not_there_or_not_declared_is_refused() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let eve = world.account("eve", world.b).await;
    let of_b = eve.role_create(role("press", &[], &[])).await.unwrap();
    for missing in [of_b, Uuid::now_v7()] {
        assert_eq!(
            code(ann.role_change(missing, permissions(&[])).await),
            "not_found"
        );
        assert_eq!(code(ann.role_delete(missing).await), "not_found");
        assert_eq!(
            code(ann.role_create(role("x", &[], &[missing])).await),
            "invalid"
        );
    }
    for unknown in ["note.fly", "", "note"] {
        assert_eq!(
            code(ann.role_create(role("x", &[unknown], &[])).await),
            "invalid"
        );
        assert_eq!(
            code(ann.grant_give(id("bob in a"), unknown).await),
            "invalid"
        );
        assert_eq!(code(ann.members_with(unknown).await), "invalid");
    }
    for name in ["", " ", "a\u{0}b", &"x".repeat(201)] {
        assert_eq!(code(ann.role_create(role(name, &[], &[])).await), "invalid");
    }
    ann.role_create(role("press", &[], &[])).await.unwrap();
    assert_eq!(
        code(ann.role_create(role("press", &[], &[])).await),
        "taken"
    );
}

#[tokio::test]
async fn i52_nobody_grants_what_they_do_not_hold() {
    let world = World::new().await;
    world.joins("amy", "admin").await;
    let ann = world.account("ann", world.a).await;
    let amy = world.account("amy", world.a).await;
    let bob = id("bob in a");
    // What only owners hold.
    let power = ann
        .role_create(role("power", &["tenant.delete"], &[]))
        .await
        .unwrap();
    let empty = amy.role_create(role("empty", &[], &[])).await.unwrap();
    let strong = ann
        .group_create(GroupChange {
            name: Some("strong".to_owned()),
            ..group(&[], &[power])
        })
        .await
        .unwrap();
    let weak = amy
        .group_create(GroupChange {
            name: Some("weak".to_owned()),
            ..group(&[bob], &[])
        })
        .await
        .unwrap();
    let refused = [
        // By making a role, changing one, or including one.
        amy.role_create(role("mine", &["tenant.delete"], &[]))
            .await
            .map(drop),
        amy.role_create(role("mine", &[], &[power])).await.map(drop),
        amy.role_change(empty, permissions(&["tenant.delete"]))
            .await,
        amy.role_change(empty, includes(&[power])).await,
        // By taking from one what others hold by it.
        amy.role_change(power, permissions(&[])).await,
        amy.role_delete(power).await,
        // By a group.
        amy.group_change(weak, group(&[bob], &[power])).await,
        amy.group_change(strong, group(&[bob], &[power])).await,
        amy.group_change(strong, group(&[], &[])).await,
        amy.group_delete(strong).await,
        // Directly.
        amy.grant_give(bob, "tenant.delete").await,
        amy.grant_take(bob, "tenant.delete").await,
    ];
    for (n, refused) in refused.into_iter().enumerate() {
        assert_eq!(code(refused), "grants_more", "{n}");
    }
    // The controls: what an admin holds, and an owner for the rest.
    amy.role_change(empty, permissions(&["note.publish"]))
        .await
        .unwrap();
    amy.group_change(weak, group(&[bob], &[empty]))
        .await
        .unwrap();
    world
        .account("bob", world.a)
        .await
        .require("note.publish")
        .unwrap();
    amy.grant_give(bob, "audit.read").await.unwrap();
    world
        .account("bob", world.a)
        .await
        .require("audit.read")
        .unwrap();
    amy.grant_take(bob, "audit.read").await.unwrap();
    let now = world.account("bob", world.a).await;
    assert_eq!(code(now.require("audit.read")), "forbidden");
    assert_eq!(code(amy.grant_take(bob, "audit.read").await), "not_found");
    ann.group_change(strong, group(&[bob], &[power]))
        .await
        .unwrap();
    world
        .account("bob", world.a)
        .await
        .require("tenant.delete")
        .unwrap();
    ann.group_delete(strong).await.unwrap();
    ann.role_delete(power).await.unwrap();
    let now = world.account("bob", world.a).await;
    assert_eq!(code(now.require("tenant.delete")), "forbidden");
}

/// Whoever could change members by a role of theirs cannot lift themselves with it.
#[tokio::test]
async fn i52_nobody_lifts_themselves() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let clerk = ann
        .role_create(role(
            "clerk",
            &["member.write", "role.write", "group.write"],
            &[],
        ))
        .await
        .unwrap();
    give(&ann, id("bob in a"), &[clerk]).await;
    let bob = world.account("bob", world.a).await;
    let own = id("bob in a");
    let change = |roles: &[Uuid]| MemberChange {
        roles: Some(roles.to_vec()),
        active: None,
    };
    for role in ["viewer", "member", "admin", "owner"] {
        let lifted = bob
            .member_change(own, change(&[id(&format!("a {role}"))]))
            .await;
        assert_eq!(code(lifted), "grants_more", "{role}");
    }
    assert_eq!(code(bob.grant_give(own, "note.read").await), "grants_more");
    assert_eq!(
        code(bob.role_change(clerk, permissions(&["note.read"])).await),
        "grants_more"
    );
    bob.grant_give(own, "member.write").await.unwrap();
}

#[tokio::test]
async fn who_may_do_it_is_told_by_whichever_way() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    for (name, role) in [
        ("vic", "viewer"),
        ("may", "member"),
        ("amy", "admin"),
        ("cat", "viewer"),
    ] {
        world.joins(name, role).await;
    }
    let press = ann
        .role_create(role("press", &["note.publish"], &[]))
        .await
        .unwrap();
    let desk = ann.role_create(role("desk", &[], &[press])).await.unwrap();
    ann.group_create(GroupChange {
        name: Some("writers".to_owned()),
        ..group(&[id("vic in a")], &[desk])
    })
    .await
    .unwrap();
    ann.grant_give(id("may in a"), "note.publish")
        .await
        .unwrap();
    let who = async |permission: &str| {
        let members = ann.members_with(permission).await.unwrap();
        let mut names: Vec<String> = members.into_iter().map(|member| member.name).collect();
        names.sort();
        names
    };
    // By a built-in role, a role through another through a group, and a grant.
    assert_eq!(who("note.publish").await, ["amy", "ann", "may", "vic"]);
    assert_eq!(who("tenant.delete").await, ["ann"]);
    assert_eq!(
        who("note.read").await,
        ["amy", "ann", "bob", "cat", "may", "vic"]
    );
    // The answer is what each account finds for itself.
    for name in ["amy", "ann", "bob", "cat", "may", "vic"] {
        let account = world.account(name, world.a).await;
        for (permission, _) in world.identity.permissions().all() {
            let told = who(permission).await.contains(&name.to_owned());
            assert_eq!(told, account.has(permission), "{name} {permission}");
        }
    }
    // Who opens nothing may do nothing.
    let off = MemberChange {
        roles: None,
        active: Some(false),
    };
    ann.member_change(id("may in a"), off).await.unwrap();
    let sleep = "UPDATE identity.\"user\" SET deactivated_at = now() WHERE name = 'vic'";
    world.test.as_superuser(sleep).await.unwrap();
    assert_eq!(who("note.publish").await, ["amy", "ann"]);
}
