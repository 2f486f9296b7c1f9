//! What becomes of a tenant's rows, told to whoever may know.

mod browser;
mod cost;
mod hidden;
mod lost;
mod people;
mod permitted;
mod told;
mod triggers;

use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use partywall::{
    Db, Roles, Schema, Scope, Seal,
    db::{Change, Changes, Operation},
    testing::TestDb,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use uuid::Uuid;

use crate::models::{World, article, comment, country, post, post_tag, reaction, seal, tag};

/// The models of the tests, whose changes are announced but for the tags'.
fn schema_of(application: &str, seal: Seal) -> Schema {
    Schema::builder(Roles::named(application), seal)
        .model::<post::Entity>()
        .model::<comment::Entity>()
        .model::<reaction::Entity>()
        .model::<tag::Entity>()
        .model::<post_tag::Entity>()
        .model::<country::Entity>()
        .model::<article::Entity>()
        .announces::<post::Entity>()
        .announces::<comment::Entity>()
        .announces::<post_tag::Entity>()
        .announces::<country::Entity>()
        .announces::<article::Entity>()
        .build()
        .unwrap()
}

async fn world() -> World {
    let test = TestDb::new(&schema_of("herald", seal())).await.unwrap();
    World::on(test).await
}

/// What comes next; it has to come.
async fn next<S: Stream<Item = Change> + Unpin>(changes: &mut S) -> Change {
    tokio::time::timeout(Duration::from_secs(10), changes.next())
        .await
        .expect("nothing is told")
        .expect("the stream has ended")
}

/// The operation and the key of the row that is told of next.
async fn row(changes: &mut Changes) -> (Operation, Vec<String>) {
    match next(changes).await {
        Change::Row(row) => (row.operation(), row.key().to_vec()),
        other => panic!("no row is told of: {other:?}"),
    }
}

async fn id(changes: &mut Changes) -> (Operation, Uuid) {
    let (operation, key) = row(changes).await;
    (operation, key[0].parse().unwrap())
}

async fn posts(db: &Db, scope: &Scope) -> Changes {
    let posts = db.changes(scope).of::<post::Entity>();
    posts.subscribe().await.unwrap()
}

async fn post(db: &Db, scope: &Scope, slug: &str) -> Uuid {
    let row = post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(slug.to_owned()),
        title: Set("new".to_owned()),
        ..Default::default()
    };
    row.insert(&db.scoped(scope)).await.unwrap().id
}

/// Shows that nothing else was told: notifications keep the order of the commits, so a post that is
/// written now is the next to be heard of.
async fn nothing_but_a_marker(changes: &mut Changes, db: &Db, scope: &Scope) {
    let marker = post(db, scope, &Uuid::now_v7().to_string()).await;
    assert_eq!(id(changes).await, (Operation::Insert, marker));
}
