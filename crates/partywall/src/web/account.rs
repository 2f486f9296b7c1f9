use axum::extract::{FromRef, FromRequestParts, OriginalUri, Query};
use http::{HeaderName, request::Parts};

use super::{
    Problem,
    authenticated::{authenticated, tenant_in_path},
    routes::Admitted,
};
use crate::identity::{Authenticated, Error, Identity, RequestAccount};

/// The account that a page was made for; a request that would act as another one is refused.
const EXPECTED_ACCOUNT: HeaderName = HeaderName::from_static("expected-account");

/// Selects a tenant for programs, beside the path.
const TENANT_HEADER: HeaderName = HeaderName::from_static("x-tenant");

impl<S> FromRequestParts<S> for RequestAccount
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = Problem;

    /// The account in the tenant that the path names (`{tenant}`, an id or a slug), or else the
    /// session's current one.
    ///
    /// 401 without a session or key; 404 for a tenant that is unknown or not the visitor's; 403 for
    /// members of a suspended one; 400 where the query (`tenant`, `tenant_id`) or the header
    /// `X-Tenant` names another tenant; 409 where the header `Expected-Account` names another account.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // The check before the endpoint has found it, and looked at everything else.
        if let Some(admitted) = parts.extensions.get::<Admitted>() {
            return Ok(admitted.account.clone());
        }
        let found = authenticated(parts, state).await?;
        let account = found.account()?;
        let is_named = tenant_in_path(parts, state).await.is_some();
        check(parts, &account, is_named).await?;
        Ok(account)
    }
}

/// Whatever else a request says of its tenant or account is the same, and what the staff does is
/// written down. `is_named` is whether the request names its tenant outside of header and query.
pub(super) async fn check(
    parts: &Parts,
    account: &RequestAccount,
    is_named: bool,
) -> Result<(), Problem> {
    if is_named || has_selector(parts) {
        check_selectors(parts, account)?;
    }
    if let Some(expected) = parts.headers.get(EXPECTED_ACCOUNT) {
        let own = account.id().map(|id| id.to_string());
        if own.as_deref() != expected.to_str().ok() {
            return Err(Error::StaleAccount.into());
        }
    }
    // Inside of a nested router the address lacks what it was nested at.
    let whole = parts.extensions.get::<OriginalUri>().map(|whole| &whole.0);
    let path = whole.unwrap_or(&parts.uri).path();
    let access = format!("{} {path}", parts.method);
    Ok(account.note_staff_access(&access).await?)
}

impl<S> FromRequestParts<S> for Authenticated
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    type Rejection = Problem;

    /// Who asks, and what they are in the tenant that the path names, be it open or not: for
    /// [bringing a deleted one back](Authenticated::tenant_restore).
    ///
    /// 401 without a session or key; 400 where the query or the header `X-Tenant` names another
    /// tenant.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = authenticated(parts, state).await?;
        if let Ok(account) = found.account_of_closed() {
            check_selectors(parts, &account)?;
        }
        Ok(found.as_ref().clone())
    }
}

fn has_selector(parts: &Parts) -> bool {
    parts.headers.contains_key(TENANT_HEADER)
}

/// Whatever else in the request names a tenant names the same one.
fn check_selectors(parts: &Parts, account: &RequestAccount) -> Result<(), Problem> {
    let is_same = |text: &str| account.tenant().is_named(text);
    let header = parts.headers.get_all(TENANT_HEADER);
    let headers_agree = header.iter().all(|value| value.to_str().is_ok_and(is_same));
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query_agrees = query.is_ok_and(|Query(pairs)| {
        pairs
            .iter()
            .filter(|(name, _)| name == "tenant" || name == "tenant_id")
            .all(|(_, value)| is_same(value))
    });
    if headers_agree && query_agrees {
        Ok(())
    } else {
        Err(Error::TwoTenants.into())
    }
}
