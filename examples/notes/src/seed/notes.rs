use chrono::{TimeDelta, Utc};
use partywall::Tx;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, Condition, DbErr, EntityTrait as _,
    QueryFilter as _,
};
use uuid::Uuid;

use super::samples::SampleNote;
use crate::models::{comment, note, note_tag, tag};

/// Adds a note with its tags and comments.
pub(super) async fn add(
    tx: &Tx,
    tenant: Uuid,
    age: usize,
    sample: &SampleNote,
) -> Result<(), DbErr> {
    let hours = i64::try_from(age).unwrap_or_default() * 29 + 3;
    let written = Utc::now() - TimeDelta::hours(hours);
    let row = note::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant),
        title: Set(sample.title.to_owned()),
        body: Set(sample.body.to_owned()),
        author: Set(sample.author.to_owned()),
        created_at: Set(written),
        updated_at: Set(written),
        remark: Set(sample.remark.map(str::to_owned)),
    };
    let note = row.insert(tx).await?;
    for (n, (author, body)) in sample.comments.iter().enumerate() {
        let minutes = i64::try_from(n).unwrap_or_default() * 17 + 12;
        let comment = comment::ActiveModel {
            id: Set(Uuid::now_v7()),
            note_id: Set(note.id),
            author: Set((*author).to_owned()),
            body: Set((*body).to_owned()),
            created_at: Set(written + TimeDelta::minutes(minutes)),
            // The people come after the notes.
            author_id: Set(None),
        };
        comment.insert(tx).await?;
    }
    for label in sample.tags {
        let tag = find_or_add_tag(tx, tenant, label).await?;
        note_tag::ActiveModel {
            note_id: Set(note.id),
            tag_id: Set(tag),
        }
        .insert(tx)
        .await?;
    }
    Ok(())
}

async fn find_or_add_tag(tx: &Tx, tenant: Uuid, label: &str) -> Result<Uuid, DbErr> {
    let known = Condition::all()
        .add(tag::Column::TenantId.eq(tenant))
        .add(tag::Column::Label.eq(label));
    if let Some(known) = tag::Entity::find().filter(known).one(tx).await? {
        return Ok(known.id);
    }
    let row = tag::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant),
        label: Set(label.to_owned()),
    };
    Ok(row.insert(tx).await?.id)
}
