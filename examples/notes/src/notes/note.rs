use chrono::Utc;
use partywall::{ScopedDb, Tx, Within as _};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    ColumnTrait, Condition, DbErr, EntityTrait as _, IntoActiveModel as _, LoaderTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, TransactionTrait as _,
    sea_query::{Expr, ExprTrait as _, Query, extension::postgres::PgExpr as _},
};
use uuid::Uuid;

use super::{Change, Draft, Items, NoteView, tag::tag_replace};
use crate::{
    identity::InTenant,
    models::{note, note_tag, tag},
    web::Problem,
};

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
    tenant: &InTenant,
    query: &NoteQuery,
) -> Result<Items<NoteView>, DbErr> {
    let mut notes = note::Entity::find()
        .within(&tenant.scope)
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
    let rows = notes.all(&tenant.db).await?;
    let (rows, next) = Items::<NoteView>::page(rows, query.limit, |note| note.id);
    let tags = rows
        .load_many_to_many(tag::Entity, note_tag::Entity, &tenant.db)
        .await?;
    let items = rows
        .into_iter()
        .zip(tags)
        .map(|(note, tags)| NoteView::new(note, tags))
        .collect();
    Ok(Items { items, next })
}

/// A note with its tags.
pub(crate) async fn note_find(db: &ScopedDb, id: Uuid) -> Result<NoteView, Problem> {
    let found = note::Entity::find()
        .filter(note::Column::Id.eq(id))
        .find_with_related(tag::Entity)
        .all(db)
        .await?;
    let (note, tags) = found.into_iter().next().ok_or(Problem::NotFound)?;
    Ok(NoteView::new(note, tags))
}

pub(super) async fn note_exists(db: &ScopedDb, id: Uuid) -> Result<(), Problem> {
    let found = note::Entity::find()
        .filter(note::Column::Id.eq(id))
        .one(db)
        .await?;
    found.map(drop).ok_or(Problem::NotFound)
}

/// Writes a note down.
pub(crate) async fn note_add(tenant: &InTenant, draft: Draft) -> Result<NoteView, Problem> {
    let tx = tenant.db.begin().await?;
    let now = Utc::now();
    let row = note::ActiveModel {
        id: Set(Uuid::now_v7()),
        title: Set(draft.title),
        body: Set(draft.body),
        author: Set(tenant.person.name.clone()),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let note = row.insert(&tx).await?;
    tag_replace(&tx, &tenant.scope, note.id, &draft.tags).await?;
    tx.commit().await?;
    note_find(&tenant.db, note.id).await
}

/// Changes a note.
pub(crate) async fn note_change(
    tenant: &InTenant,
    id: Uuid,
    change: Change,
) -> Result<NoteView, Problem> {
    let tx = tenant.db.begin().await?;
    let note = note::Entity::find()
        .filter(note::Column::Id.eq(id))
        .one(&tx)
        .await?;
    let mut note = note.ok_or(Problem::NotFound)?.into_active_model();
    if let Some(title) = change.title {
        note.title = Set(title);
    }
    if let Some(body) = change.body {
        note.body = Set(body);
    }
    note.updated_at = Set(Utc::now());
    note.update(&tx).await?;
    if let Some(tags) = &change.tags {
        tag_replace(&tx, &tenant.scope, id, tags).await?;
    }
    tx.commit().await?;
    note_find(&tenant.db, id).await
}

/// Removes a note, and its comments with it.
pub(crate) async fn note_remove(db: &ScopedDb, id: Uuid) -> Result<(), Problem> {
    let removed = note::Entity::delete_many()
        .filter(note::Column::Id.eq(id))
        .exec(db)
        .await?
        .rows_affected;
    if removed == 0 {
        Err(Problem::NotFound)
    } else {
        Ok(())
    }
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
