//! People who listen: the world of the identity's tests, with notes to be told of.

use std::time::Duration;

use partywall::{
    Sql,
    identity::{Identity, RequestAccount, SessionToken, Settings, TenantSelector},
};
use sea_orm::{EntityTrait, Set};
use uuid::Uuid;

use crate::identity::{
    note,
    world::{World, id, permissions},
};

/// The world, in which somebody's right is asked for as often as this.
pub async fn world(recheck: Duration) -> World {
    let mut world = World::new().await;
    let mut settings = Settings::new("http://127.0.0.1:8080", "notes@example.com");
    settings.recheck = recheck;
    world.identity = Identity::new(world.test.db().clone(), permissions(), settings);
    world
}

/// Another process over the same database: what it does is not known to the first by itself.
pub fn elsewhere(world: &World) -> Identity {
    let settings = Settings::new("http://127.0.0.1:8080", "notes@example.com");
    Identity::new(world.test.db().clone(), permissions(), settings)
}

pub async fn account(identity: &Identity, token: &SessionToken, tenant: Uuid) -> RequestAccount {
    let found = identity
        .authenticate(token, TenantSelector::Id(tenant), None)
        .await
        .unwrap();
    found.account().unwrap()
}

/// A note of somebody's in a tenant.
pub async fn write(world: &World, author: &str, tenant: &str) -> Uuid {
    let account = world.account(author, id(tenant)).await;
    let row = note::ActiveModel {
        id: Set(Uuid::now_v7()),
        author_id: Set(account.id().unwrap()),
        answers_id: Set(None),
        title: Set(format!("a note of {author}'s")),
        body: Set(serde_json::json!({})),
        size: Set(1.into()),
        data: Set(Vec::new()),
        tags: Set(Vec::new()),
        at: Set(chrono::Utc::now()),
        ..Default::default()
    };
    let tx = account.write().await.unwrap();
    let key = row.id.clone().unwrap();
    note::Entity::insert(row)
        .exec_without_returning(&tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    key
}

/// Changes a note's title.
pub async fn retitle(world: &World, author: &str, note: Uuid, title: &str) {
    let account = world.account(author, world.a).await;
    let tx = account.write().await.unwrap();
    tx.execute_sql(
        "UPDATE note SET title = $2 WHERE id = $1",
        [note.into(), title.into()],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}
