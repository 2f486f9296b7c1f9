//! What is known of things before a permission is asked for.

use partywall::identity::{
    ApiKey, EmailAddress, Error, GroupChange, NewKey, RequestAccount, RoleChange, model::api_key,
};
use uuid::Uuid;

use super::world::{World, id};

struct Things {
    member: Uuid,
    role: Uuid,
    group: Uuid,
    invitation: Uuid,
    key: Uuid,
}

async fn key(account: &RequestAccount) -> (api_key::Model, ApiKey) {
    let new = NewKey {
        name: "nightly".to_owned(),
        permissions: vec!["note.read".to_owned()],
        ..NewKey::default()
    };
    account.key_create(new).await.unwrap()
}

impl Things {
    async fn of(account: &RequestAccount) -> Self {
        let named = || Some("those".to_owned());
        let role = RoleChange {
            name: named(),
            ..RoleChange::default()
        };
        let group = GroupChange {
            name: named(),
            ..GroupChange::default()
        };
        let dee = EmailAddress::parse("dee@example.com").unwrap();
        Self {
            member: account.id().unwrap(),
            role: account.role_create(role).await.unwrap(),
            group: account.group_create(group).await.unwrap(),
            invitation: account.invite(&dee, "viewer").await.unwrap(),
            key: key(account).await.0.id,
        }
    }

    async fn seen_by(&self, account: &RequestAccount) -> [bool; 5] {
        let found = |known: Result<(), Error>| match known {
            Ok(()) => true,
            Err(Error::NotFound) => false,
            Err(error) => panic!("{error:?}"),
        };
        [
            found(account.member_known(self.member).await),
            found(account.role_known(self.role).await),
            found(account.group_known(self.group).await),
            found(account.invitation_known(self.invitation).await),
            found(account.key_known(self.key).await),
        ]
    }
}

#[tokio::test]
async fn a_tenants_things_are_known_in_it_alone() {
    let world = World::new().await;
    let (ann, bob) = (
        world.account("ann", world.a).await,
        world.account("bob", world.a).await,
    );
    let things = Things::of(&ann).await;
    assert_eq!(things.seen_by(&ann).await, [true; 5]);
    // bob may do nothing with them, and a key of somebody else's is not there for him.
    assert_eq!(things.seen_by(&bob).await, [true, true, true, true, false]);
    for stranger in [
        world.account("eve", world.b).await,
        world.account("ann", world.b).await,
    ] {
        assert_eq!(things.seen_by(&stranger).await, [false; 5]);
    }
    let nothing = Things {
        member: id("nobody"),
        role: id("nothing"),
        group: id("nothing"),
        invitation: id("nothing"),
        key: id("nothing"),
    };
    assert_eq!(nothing.seen_by(&ann).await, [false; 5]);
}

#[tokio::test]
async fn what_is_over_is_not_known() {
    let world = World::new().await;
    let ann = world.account("ann", world.a).await;
    let things = Things {
        member: id("bob in a"),
        ..Things::of(&ann).await
    };
    assert_eq!(things.seen_by(&ann).await, [true; 5]);
    ann.member_remove(things.member).await.unwrap();
    ann.role_delete(things.role).await.unwrap();
    ann.group_delete(things.group).await.unwrap();
    ann.invitation_revoke(things.invitation).await.unwrap();
    ann.key_revoke(things.key).await.unwrap();
    assert_eq!(things.seen_by(&ann).await, [false; 5]);
}
