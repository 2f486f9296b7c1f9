use chrono::Utc;
use partywall::{Tx, Within as _, identity::RequestAccount};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DbErr, EntityTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{CommentDraft, CommentView, Items, NoteQuery};
use crate::models::comment;

/// A note's comments, the oldest first.
pub(crate) async fn comment_list(
    account: &RequestAccount,
    note: Uuid,
    query: &NoteQuery,
) -> Result<Items<CommentView>, DbErr> {
    let mut comments = comment::Entity::find()
        .within(account.scope())
        .filter(comment::Column::NoteId.eq(note))
        .order_by_asc(comment::Column::Id)
        .limit(query.limit + 1);
    if let Some(after) = query.after {
        comments = comments.filter(comment::Column::Id.gt(after));
    }
    if let Some(matches) = query.matching([comment::Column::Body]) {
        comments = comments.filter(matches);
    }
    let rows = comments.all(&account.read()).await?;
    let (rows, next) = Items::<CommentView>::page(rows, query.limit, |comment| comment.id);
    Ok(Items {
        items: rows.into_iter().map(CommentView::from).collect(),
        next,
    })
}

/// Adds a comment. The keys refuse one to a foreign note as they refuse one to no note at all.
pub(crate) async fn comment_add(
    tx: &Tx,
    account: &RequestAccount,
    note: Uuid,
    draft: CommentDraft,
) -> Result<CommentView, DbErr> {
    let row = comment::ActiveModel {
        note_id: Set(note),
        ..comment_new(account, draft)
    };
    Ok(row.insert(tx).await?.into())
}

/// A comment of somebody's that is not under a note yet.
pub(crate) fn comment_new(account: &RequestAccount, draft: CommentDraft) -> comment::ActiveModel {
    comment::ActiveModel {
        id: Set(Uuid::now_v7()),
        author: Set(account.actor().name().to_owned()),
        body: Set(draft.body),
        created_at: Set(Utc::now()),
        author_id: Set(account.id()),
        ..Default::default()
    }
}

/// Removes a comment.
pub(crate) async fn comment_remove(tx: &Tx, id: Uuid) -> Result<(), DbErr> {
    comment::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}
