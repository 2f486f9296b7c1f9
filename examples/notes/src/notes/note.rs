use chrono::Utc;
use partywall::{Tx, Within as _, identity::RequestAccount, policy::Fields};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait as _, LoaderTrait as _,
    ModelTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, Query, extension::postgres::PgExpr as _},
};
use uuid::Uuid;

use super::{Change, Draft, Items, NoteView, tag::tag_replace};
use crate::models::{note, note_tag, tag};

/// Which part of a list is wanted.
#[derive(Debug)]
pub(crate) struct NoteQuery {
    pub(crate) search: Option<String>,
    pub(crate) tag: Option<String>,
    /// The last row of the page before.
    pub(crate) after: Option<Uuid>,
    pub(crate) limit: u64,
}

impl NoteQuery {
    /// Any of the columns holds what is searched for, whatever its case.
    pub(super) fn matching<C: ColumnTrait>(
        &self,
        columns: impl IntoIterator<Item = C>,
    ) -> Option<Condition> {
        let search = self.search.as_deref()?;
        let escaped = search
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        let pattern = format!("%{escaped}%");
        Some(columns.into_iter().fold(Condition::any(), |any, column| {
            let column = Expr::col((column.entity_name(), column));
            any.add(column.ilike(pattern.as_str()))
        }))
    }
}

/// A page of notes, the newest first.
pub(crate) async fn note_list(
    account: &RequestAccount,
    fields: &Fields,
    query: &NoteQuery,
) -> Result<Items<NoteView>, DbErr> {
    let db = account.read();
    let mut notes = note::Entity::find()
        .within(account.scope())
        .order_by_desc(note::Column::Id)
        .limit(query.limit + 1);
    if let Some(after) = query.after {
        notes = notes.filter(note::Column::Id.lt(after));
    }
    if let Some(matches) = query.matching([note::Column::Title, note::Column::Body]) {
        notes = notes.filter(matches);
    }
    if let Some(label) = &query.tag {
        let tagged = Query::select()
            .column((note_tag::Entity, note_tag::Column::NoteId))
            .from(note_tag::Entity)
            .inner_join(
                tag::Entity,
                Expr::col((tag::Entity, tag::Column::Id))
                    .equals((note_tag::Entity, note_tag::Column::TagId)),
            )
            .and_where(Expr::col((tag::Entity, tag::Column::Label)).eq(label.as_str()))
            .to_owned();
        notes = notes.filter(note::Column::Id.in_subquery(tagged));
    }
    let rows = notes.all(&db).await?;
    let (rows, next) = Items::<NoteView>::page(rows, query.limit, |note| note.id);
    let tags = rows
        .load_many_to_many(tag::Entity, note_tag::Entity, &db)
        .await?;
    let items = rows
        .into_iter()
        .zip(tags)
        .map(|(note, tags)| NoteView::new(note, tags, fields))
        .collect();
    Ok(Items { items, next })
}

/// A note with its tags.
pub(crate) async fn note_view(
    db: &impl ConnectionTrait,
    note: note::Model,
    fields: &Fields,
) -> Result<NoteView, DbErr> {
    let tags = note.find_related(tag::Entity).all(db).await?;
    Ok(NoteView::new(note, tags, fields))
}

/// Writes a note down.
pub(crate) async fn note_add(
    tx: &Tx,
    account: &RequestAccount,
    fields: &Fields,
    draft: Draft,
) -> Result<NoteView, DbErr> {
    let now = Utc::now();
    let row = note::ActiveModel {
        id: Set(Uuid::now_v7()),
        title: Set(draft.title),
        body: Set(draft.body),
        author: Set(account.actor().name().to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        remark: Set(draft.remark),
        ..Default::default()
    };
    let note = row.insert(tx).await?;
    tag_replace(tx, account.scope(), note.id, &draft.tags).await?;
    note_view(tx, note, fields).await
}

/// Changes a note.
pub(crate) async fn note_change(
    tx: &Tx,
    account: &RequestAccount,
    fields: &Fields,
    id: Uuid,
    change: Change,
) -> Result<NoteView, DbErr> {
    let mut row = note::ActiveModel {
        id: Set(id),
        updated_at: Set(Utc::now()),
        ..Default::default()
    };
    if let Some(title) = change.title {
        row.title = Set(title);
    }
    if let Some(body) = change.body {
        row.body = Set(body);
    }
    if let Some(remark) = change.remark {
        row.remark = Set(remark);
    }
    let note = row.update(tx).await?;
    if let Some(tags) = &change.tags {
        tag_replace(tx, account.scope(), id, tags).await?;
    }
    note_view(tx, note, fields).await
}

/// Removes a note, and its comments with it.
pub(crate) async fn note_remove(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
    note::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// Writes many notes down in one statement.
pub(crate) async fn note_add_many(tx: &Tx, author: &str, drafts: Vec<Draft>) -> Result<u64, DbErr> {
    let now = Utc::now();
    let rows = drafts.into_iter().map(|draft| note::ActiveModel {
        id: Set(Uuid::now_v7()),
        title: Set(draft.title),
        body: Set(draft.body),
        author: Set(author.to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    note::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await
}
