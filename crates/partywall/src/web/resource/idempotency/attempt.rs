use std::time::Duration;

use chrono::Utc;
use http::StatusCode;
use sea_orm::{ActiveValue::Set, EntityTrait as _, FromQueryResult};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{key::IdempotencyKey, model};
use crate::{
    db::{Sql as _, Tx},
    identity::{Actor, RequestAccount},
    web::{
        Problem,
        resource::{Call, Connection, Outcome, Sight},
    },
};

/// A request with a key, of which nothing is known yet.
#[derive(Debug)]
pub(in crate::web::resource) struct Attempt {
    handle: String,
    fingerprint: String,
    /// The row that stood there and is too old.
    expired: Option<Uuid>,
}

/// What a key stands for.
#[derive(Debug)]
pub(in crate::web::resource) enum Claimed {
    /// Something that was not done yet.
    New(Attempt),
    /// Something that was done, with the answer that was given.
    Done(Outcome),
}

#[derive(FromQueryResult)]
struct Found {
    claimed: bool,
    id: Option<Uuid>,
    fingerprint: Option<String>,
    status: Option<i16>,
    location: Option<String>,
    etag: Option<String>,
    body: Option<Vec<u8>>,
    is_expired: Option<bool>,
}

const CLAIM: &str = "SELECT * FROM partywall.idempotency_claim($1, $2)";

impl Claimed {
    /// Takes a key for this transaction. It is bound to the tenant, to who asks and to the endpoint: the
    /// same key of somebody else is another one.
    ///
    /// 409 while another request with the key is under way, 422 where the key stood for another request.
    pub(in crate::web::resource) async fn by(
        tx: &Tx,
        account: &RequestAccount,
        call: &Call<'_>,
        key: &IdempotencyKey,
        sight: &Sight,
    ) -> Result<Self, Problem> {
        let actor = match account.actor() {
            Actor::Member { account, .. } => format!("account {account}"),
            Actor::Staff { entry, .. } => format!("staff {entry}"),
            Actor::Key { key, .. } => format!("key {key}"),
        };
        let tenant = account.tenant().id.to_string();
        let parts = [
            tenant.as_str(),
            &actor,
            call.method.as_str(),
            call.path,
            &key.0,
        ];
        let hash = hash(&parts.map(str::as_bytes));
        let lock: [u8; 8] = hash.first_chunk().copied().unwrap_or_default();
        let attempt = Attempt {
            handle: hex(&hash),
            fingerprint: hex(&self::hash(&[call.query.as_bytes(), call.body])),
            expired: None,
        };
        let parameters = [
            i64::from_be_bytes(lock).into(),
            attempt.handle.as_str().into(),
        ];
        let found: Found = tx.one(CLAIM, parameters).await?;
        if !found.claimed {
            return Err(under_way());
        }
        let Some(id) = found.id else {
            return Ok(Self::New(attempt));
        };
        if found.is_expired == Some(true) {
            let expired = Some(id);
            return Ok(Self::New(Attempt { expired, ..attempt }));
        }
        if found.fingerprint.as_ref() != Some(&attempt.fingerprint) {
            let detail = "this `Idempotency-Key` was used for another request: send a new one";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "idempotency_key_reused", detail));
        }
        let status = found.status.and_then(|status| u16::try_from(status).ok());
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        Ok(Self::Done(Outcome {
            status: status.unwrap_or(StatusCode::OK),
            location: found.location,
            etag: found.etag,
            body: covered(&found.body.unwrap_or_default(), sight),
            is_replayed: true,
        }))
    }
}

impl Attempt {
    /// Remembers the answer, in the transaction of what it tells of.
    pub(in crate::web::resource) async fn keep(
        self,
        db: &Connection<'_>,
        outcome: &Outcome,
        time: Duration,
    ) -> Result<(), Problem> {
        if let Some(id) = self.expired {
            model::Entity::delete_by_id(id).exec(db).await?;
        }
        let time = chrono::TimeDelta::from_std(time).unwrap_or(chrono::TimeDelta::days(1));
        let row = model::ActiveModel {
            id: Set(Uuid::now_v7()),
            handle: Set(self.handle),
            fingerprint: Set(self.fingerprint),
            status: Set(i16::try_from(outcome.status.as_u16()).unwrap_or_default()),
            location: Set(outcome.location.clone()),
            etag: Set(outcome.etag.clone()),
            body: Set(outcome.body.clone()),
            expires_at: Set(Utc::now() + time),
            ..Default::default()
        };
        let kept = model::Entity::insert(row).exec_without_returning(db).await;
        match (kept, db.take_violated()) {
            (Ok(_), _) => Ok(()),
            // Whoever did not take the lock: a process of another version, say.
            (Err(_), Some(_)) => Err(under_way()),
            (Err(error), None) => Err(error.into()),
        }
    }
}

fn under_way() -> Problem {
    let detail = "a request with this `Idempotency-Key` is under way: wait for its answer";
    Problem::new(StatusCode::CONFLICT, "idempotency_key_in_use", detail).with_retry_after(1)
}

/// An answer without what has been hidden from who asks since it was given.
fn covered(body: &[u8], sight: &Sight) -> Vec<u8> {
    use serde_json::Value;
    fn cover(value: &mut Value, sight: &Sight) {
        if let Value::Object(fields) = value {
            fields.retain(|name, _| !sight.hides(name));
        }
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    let before = value.clone();
    match value.get_mut("items") {
        Some(Value::Array(items)) => items.iter_mut().for_each(|item| cover(item, sight)),
        Some(_) | None => cover(&mut value, sight),
    }
    if value == before {
        // As it was, with its fields in their order.
        body.to_vec()
    } else {
        serde_json::to_vec(&value).unwrap_or_default()
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hidden_since_is_not_told_again() {
        let sight = Sight::new(|name| name == "price", |_| false);
        let told = |body: &str| String::from_utf8(covered(body.as_bytes(), &sight)).unwrap();
        assert_eq!(told(r#"{"title":"a","price":1}"#), r#"{"title":"a"}"#);
        assert_eq!(told(r#"{"items":[{"price":1}]}"#), r#"{"items":[{}]}"#);
        assert_eq!(told(r#"{"title":"a","id":1}"#), r#"{"title":"a","id":1}"#);
        assert_eq!(told(""), "");
    }
}
