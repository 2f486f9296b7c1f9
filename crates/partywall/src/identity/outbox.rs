use chrono::Utc;
use sea_orm::{ActiveValue::Set, EntityTrait as _};
use uuid::Uuid;

use super::{EmailAddress, Error, model::outbox};
use crate::db::Tx;

/// A mail to be sent. It is written in the transaction that it tells of, so it is sent if and only
/// if that is committed.
#[derive(Clone, Debug)]
pub(super) struct Mail<'a> {
    pub(super) to: &'a EmailAddress,
    pub(super) subject: String,
    pub(super) body: String,
}

/// Queues a mail. The transaction's scope holds the [address](EmailAddress::rows).
pub(super) async fn mail_queue(tx: &Tx, mail: Mail<'_>) -> Result<(), Error> {
    let row = outbox::ActiveModel {
        id: Set(Uuid::now_v7()),
        recipient: Set(mail.to.key().to_owned()),
        address: Set(mail.to.as_typed().to_owned()),
        subject: Set(mail.subject),
        body: Set(mail.body),
        created_at: Set(Utc::now()),
        due_at: Set(Utc::now()),
        sent_at: Set(None),
        attempts: Set(0),
    };
    outbox::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}
