//! The audit log of a tenant, a page at a time.

use axum::extract::{Query, rejection::QueryRejection};
use partywall::identity::{AuditQuery, RequestAccount, model::audit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::Problem;
use crate::notes::{Items, time};

#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct EntryView {
    id: Uuid,
    pub(super) at: String,
    pub(super) action: String,
    /// Who did it.
    actor: Option<Uuid>,
    actor_account: Option<Uuid>,
    pub(super) actor_name: String,
    /// As whom.
    pub(super) subject: Option<Uuid>,
    pub(super) target: Option<String>,
    pub(super) detail: Value,
    pub(super) address: Option<String>,
}

impl From<audit::Model> for EntryView {
    fn from(entry: audit::Model) -> Self {
        Self {
            id: entry.id,
            at: time(entry.at),
            action: entry.action,
            actor: entry.actor_user,
            actor_account: entry.actor_account,
            actor_name: entry.actor_name,
            subject: entry.subject_user,
            target: entry.target,
            detail: entry.detail,
            address: entry.address,
        }
    }
}

/// Which entries: after the `next` of another page, of one kind, by one person.
#[derive(Default, Deserialize, IntoParams)]
pub(super) struct Wanted {
    after: Option<String>,
    action: Option<String>,
    user: Option<String>,
    limit: Option<String>,
}

const LIMIT: u64 = 50;
const MOST: u64 = 200;

pub(super) async fn entries(
    account: &RequestAccount,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Items<EntryView>, Problem> {
    let wanted = wanted.map_err(|_| Problem::invalid("the query cannot be read"))?;
    let (mut query, limit) = wanted.0.check()?;
    query.limit = limit + 1;
    let rows = account.audit_find(&query).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > shown;
    let items: Vec<_> = rows.into_iter().take(shown).map(EntryView::from).collect();
    let next = items.last().filter(|_| has_more);
    let next = next.map(|entry| entry.id.to_string());
    Ok(Items { items, next })
}

impl Wanted {
    fn check(self) -> Result<(AuditQuery, u64), Problem> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let id = |text: Option<String>, message: &'static str| {
            let id = given(text).map(|text| Uuid::try_parse(&text)).transpose();
            id.map_err(|_| Problem::invalid(message))
        };
        let limit = match given(self.limit) {
            None => LIMIT,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| Problem::invalid(format!("`limit` is a number from 1 to {MOST}")))?,
        };
        let query = AuditQuery {
            before: id(self.after, "`after` is not the `next` of a list")?,
            action: given(self.action).map(|action| action.replace('\0', "")),
            user: id(self.user, "`user` is not the id of a person")?,
            ..AuditQuery::default()
        };
        Ok((query, limit))
    }
}
