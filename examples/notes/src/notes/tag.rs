use partywall::{Scope, Tx, Within as _};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use crate::models::{note_tag, tag};

/// The tags that some note carries, by name.
pub(crate) async fn tag_list(
    db: &impl ConnectionTrait,
    scope: &Scope,
) -> Result<Vec<String>, DbErr> {
    let used = Query::select()
        .column(note_tag::Column::TagId)
        .from(note_tag::Entity)
        .to_owned();
    let tags = tag::Entity::find()
        .within(scope)
        .filter(tag::Column::Id.in_subquery(used))
        .order_by_asc(tag::Column::Label)
        .all(db)
        .await?;
    Ok(tags.into_iter().map(|tag| tag.label).collect())
}

/// Gives a note exactly these tags, making those that are new.
pub(super) async fn tag_replace(
    tx: &Tx,
    scope: &Scope,
    note: Uuid,
    labels: &[String],
) -> Result<(), DbErr> {
    note_tag::Entity::delete_many()
        .filter(note_tag::Column::NoteId.eq(note))
        .exec(tx)
        .await?;
    if labels.is_empty() {
        return Ok(());
    }
    let rows = labels.iter().map(|label| tag::ActiveModel {
        id: Set(Uuid::now_v7()),
        label: Set(label.clone()),
        ..Default::default()
    });
    tag::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::columns([tag::Column::TenantId, tag::Column::Label])
                .do_nothing()
                .to_owned(),
        )
        .exec_without_returning(tx)
        .await?;
    let tags = tag::Entity::find()
        .within(scope)
        .filter(tag::Column::Label.is_in(labels))
        .all(tx)
        .await?;
    let links = tags.into_iter().map(|tag| note_tag::ActiveModel {
        note_id: Set(note),
        tag_id: Set(tag.id),
    });
    note_tag::Entity::insert_many(links)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
