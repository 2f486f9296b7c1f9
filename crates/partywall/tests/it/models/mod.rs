//! The models of the tests: sites with posts, comments and tags, in two tenants.

pub mod article;
pub mod attachment;
pub mod comment;
pub mod country;
pub mod event;
pub mod invoice;
pub mod post;
pub mod post_tag;
pub mod reaction;
pub mod revision;
pub mod tag;

use partywall::{Dimension, Roles, Schema, Scope, Seal, SealKey, TENANT, testing::TestDb};
use sea_orm::{ActiveModelTrait, ActiveValue::Set};
use uuid::Uuid;

pub const AUTHOR: Dimension<i64> = Dimension::new("author");

pub fn seal() -> Seal {
    Seal::on(SealKey::new(&[7; 32]).unwrap())
}

pub fn schema_with(seal: Seal) -> Schema {
    Schema::builder(Roles::named("blog"), seal)
        .model::<post::Entity>()
        .model::<comment::Entity>()
        .model::<reaction::Entity>()
        .model::<tag::Entity>()
        .model::<post_tag::Entity>()
        .model::<country::Entity>()
        .model::<attachment::Entity>()
        .model::<article::Entity>()
        .model::<revision::Entity>()
        .model::<event::Entity>()
        .model::<invoice::Entity>()
        .build()
        .unwrap()
}

pub fn schema() -> Schema {
    schema_with(seal())
}

/// A database with two tenants, each with three posts, two comments on the first, and two tags.
pub struct World {
    pub test: TestDb,
    pub a: Tenant,
    pub b: Tenant,
}

pub struct Tenant {
    pub id: Uuid,
    pub scope: Scope,
    pub posts: Vec<Uuid>,
    pub comments: Vec<Uuid>,
    pub tags: Vec<Uuid>,
}

impl World {
    /// Gives back what the hardening takes away, so that the wall is seen to hold without it.
    pub async fn let_everybody_set(&self) {
        let grant = "GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO PUBLIC";
        self.test.as_superuser(grant).await.unwrap();
    }

    pub async fn new() -> Self {
        Self::on(TestDb::new(&schema()).await.unwrap()).await
    }

    pub async fn on(test: TestDb) -> Self {
        let a = Tenant::seed(&test, "a").await;
        let b = Tenant::seed(&test, "b").await;
        Self { test, a, b }
    }
}

impl Tenant {
    pub async fn seed(test: &TestDb, name: &str) -> Self {
        let id = Uuid::now_v7();
        let scope = Scope::trusted([TENANT.is(id)]);
        let db = test.as_scope(&scope);
        let mut posts = Vec::new();
        for n in 0..3 {
            let post = post::ActiveModel {
                id: Set(Uuid::now_v7()),
                slug: Set(format!("post-{n}")),
                title: Set(format!("{name} {n}")),
                ..Default::default()
            };
            posts.push(post.insert(&db).await.unwrap().id);
        }
        let mut comments = Vec::new();
        for n in 0..2 {
            let comment = comment::ActiveModel {
                id: Set(Uuid::now_v7()),
                post_id: Set(posts[0]),
                body: Set(format!("{name} comment {n}")),
            };
            comments.push(comment.insert(&db).await.unwrap().id);
        }
        let mut tags = Vec::new();
        for label in ["red", "blue"] {
            let tag = tag::ActiveModel {
                id: Set(Uuid::now_v7()),
                label: Set(label.to_owned()),
                ..Default::default()
            };
            let tag = tag.insert(&db).await.unwrap().id;
            post_tag::ActiveModel {
                post_id: Set(posts[0]),
                tag_id: Set(tag),
            }
            .insert(&db)
            .await
            .unwrap();
            tags.push(tag);
        }
        Self {
            id,
            scope,
            posts,
            comments,
            tags,
        }
    }

    /// The tenant's rows of one author.
    pub fn author(&self, author: i64) -> Scope {
        self.scope.narrow([AUTHOR.is(author)]).unwrap()
    }

    /// An article of one author.
    pub async fn article(&self, test: &TestDb, author: i64, title: &str) -> article::Model {
        article::ActiveModel {
            state: Set(article::State::Published),
            title: Set(title.to_owned()),
            ..Default::default()
        }
        .insert(&test.as_scope(&self.author(author)))
        .await
        .unwrap()
    }

    /// A reaction to, and a file attached to, the first comment.
    pub async fn deepen(&self, test: &TestDb) -> (Uuid, Uuid) {
        let db = test.as_scope(&self.scope);
        let reaction = reaction::ActiveModel {
            id: Set(Uuid::now_v7()),
            comment_id: Set(self.comments[0]),
            emoji: Set("+1".to_owned()),
        };
        let attachment = attachment::ActiveModel {
            id: Set(Uuid::now_v7()),
            comment_id: Set(self.comments[0]),
            name: Set("plan.pdf".to_owned()),
        };
        (
            reaction.insert(&db).await.unwrap().id,
            attachment.insert(&db).await.unwrap().id,
        )
    }
}
