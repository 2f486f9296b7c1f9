//! How often the server is waited for: what rides along is seen not to cost a trip of its own.

use partywall::{
    Config, Db, Sql,
    identity::{AuditEntry, Identity, RequestAccount, Settings, TenantSelector},
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, ModelTrait};
use uuid::Uuid;

use crate::{
    identity::world::{self, World as People, id, permissions, token},
    models::{World, post},
    wire::Wire,
};

fn row() -> post::ActiveModel {
    post::ActiveModel {
        id: Set(Uuid::now_v7()),
        slug: Set(Uuid::now_v7().to_string()),
        title: Set("new".to_owned()),
        ..Default::default()
    }
}

const BUMP: &str = "UPDATE post SET views = views + 1";

/// What an operation costs once its statements are prepared.
macro_rules! trips {
    ($wire:expr, $work:expr) => {{
        $work;
        let (_, trips) = $wire.count(async { $work }).await;
        trips
    }};
}

#[tokio::test]
async fn a_transaction_costs_a_round_trip_for_each_statement() {
    let world = World::new().await;
    let wire = Wire::start();
    let url = wire.url(&world.test.url("blog_app"));
    let db = Db::connect(Config::new(world.test.schema(), &url).unwrap())
        .await
        .unwrap();
    let scope = &world.a.scope;
    let one = trips!(wire, {
        db.scoped(scope).execute_sql(BUMP, []).await.unwrap();
    });
    let committed = trips!(wire, {
        let tx = db.begin(scope).await.unwrap();
        row().insert(&tx).await.unwrap();
        tx.commit().await.unwrap();
    });
    let committing = trips!(wire, {
        let tx = db.begin(scope).await.unwrap();
        row().insert(&tx.committing()).await.unwrap();
    });
    let two_committed = trips!(wire, {
        let tx = db.begin(scope).await.unwrap();
        tx.execute_sql(BUMP, []).await.unwrap();
        row().insert(&tx).await.unwrap();
        tx.commit().await.unwrap();
    });
    let two_committing = trips!(wire, {
        let tx = db.begin(scope).await.unwrap();
        let inner = tx.nested().unwrap();
        inner.execute_sql(BUMP, []).await.unwrap();
        drop(inner);
        row().insert(&tx.committing()).await.unwrap();
    });
    assert_eq!(
        [one, committed, committing, two_committed, two_committing],
        [1, 2, 1, 3, 2]
    );
    // Each of SeaORM's verbs is one statement.
    for verb in ["insert", "update", "delete", "many"] {
        let trips = trips!(wire, {
            let known = row().insert(&db.scoped(scope)).await.unwrap();
            let tx = db.begin(scope).await.unwrap().committing();
            match verb {
                "insert" => drop(row().insert(&tx).await.unwrap()),
                "update" => {
                    let mut known: post::ActiveModel = known.into();
                    known.title = Set("changed".to_owned());
                    drop(known.update(&tx).await.unwrap());
                }
                "delete" => drop(known.delete(&tx).await.unwrap()),
                _ => {
                    let rows = post::Entity::insert_many([row(), row()]);
                    rows.exec(&tx).await.unwrap();
                }
            }
        });
        assert_eq!(trips, 2, "{verb}, and the row made for it");
    }
}

/// A request finds out who asks, and then reads or writes: two round trips, and three where a row is
/// looked at before it is changed.
#[tokio::test]
async fn a_request_costs_two_or_three() {
    let people = People::new().await;
    let wire = Wire::start();
    let login = |name: &str| wire.url(&people.test.url(name));
    let config = Config::new(&world::schema(), &login("people_app"))
        .unwrap()
        .identity_login(&login("people_identity"))
        .unwrap();
    let settings = Settings::new("http://127.0.0.1:8080", "notes@example.com");
    let identity = Identity::new(Db::connect(config).await.unwrap(), permissions(), settings);
    let bob = token("bob");
    let asks = async || -> RequestAccount {
        let tenant = TenantSelector::Id(people.a);
        let found = identity.authenticate(&bob, tenant, None).await.unwrap();
        found.account().unwrap()
    };
    let entry = || AuditEntry::new("note.written");
    let look = "SELECT name FROM identity.account WHERE id = $1";
    let bobs = || [id("bob in a").into()];

    let authenticated = trips!(wire, drop(asks().await));
    let read = trips!(wire, {
        let account = asks().await;
        account.read().rows(look, bobs()).await.unwrap();
    });
    let written = trips!(wire, {
        let account = asks().await;
        let tx = account.write().await.unwrap();
        account.audit(&tx.committing(), entry()).await.unwrap();
    });
    let changed = trips!(wire, {
        let account = asks().await;
        let tx = account.write().await.unwrap();
        tx.rows(look, bobs()).await.unwrap();
        account.audit(&tx.committing(), entry()).await.unwrap();
    });
    let with_commit = trips!(wire, {
        let account = asks().await;
        let tx = account.write().await.unwrap();
        tx.rows(look, bobs()).await.unwrap();
        account.audit(&tx, entry()).await.unwrap();
        tx.commit().await.unwrap();
    });
    assert_eq!(
        [authenticated, read, written, changed, with_commit],
        [1, 2, 2, 3, 4]
    );
    // The control: what each transaction did is there.
    let audited = "SELECT count(*) FROM identity.audit WHERE action = 'note.written'";
    assert_eq!(people.count(audited).await, 6);
}
