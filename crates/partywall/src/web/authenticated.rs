use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use http::{header::AUTHORIZATION, request::Parts};

use super::{ClientAddress, Problem, SessionCookie};
use crate::identity::{ApiKey, Authenticated, Error, Identity, TenantSelector};

/// The parameter of a path that says the tenant: `/tenants/{tenant}/notes`.
pub(super) const TENANT_PARAMETER: &str = "tenant";

/// Finds out who asks and what they are in the tenant that the path names, once for each request:
/// all extractors share the answer.
pub(super) async fn authenticated<S>(
    parts: &mut Parts,
    state: &S,
) -> Result<Arc<Authenticated>, Problem>
where
    S: Send + Sync,
    Identity: FromRef<S>,
{
    if let Some(known) = parts.extensions.get::<Arc<Authenticated>>() {
        return Ok(known.clone());
    }
    let identity = Identity::from_ref(state);
    let path = tenant_in_path(parts, state).await;
    let tenant = path
        .as_deref()
        .map_or(TenantSelector::Current, TenantSelector::parse);
    authenticate(parts, &identity, tenant).await
}

/// Finds out who asks and what they are in a tenant, and keeps it for the extractors.
pub(super) async fn authenticate(
    parts: &mut Parts,
    identity: &Identity,
    tenant: TenantSelector<'_>,
) -> Result<Arc<Authenticated>, Problem> {
    let address = ClientAddress::of(parts, identity).map(|ClientAddress(address)| address);
    let bearer = parts.headers.get(AUTHORIZATION);
    let session = SessionCookie::read(&parts.headers);
    let found = match (bearer, session) {
        (Some(_), Some(_)) => return Err(Error::TwoCredentials.into()),
        (None, Some(token)) => identity.authenticate(&token, tenant, address).await?,
        (Some(bearer), None) => {
            let key = bearer
                .to_str()
                .ok()
                .and_then(|text| text.strip_prefix("Bearer "))
                .and_then(ApiKey::parse)
                .ok_or(Error::Anonymous)?;
            identity.authenticate_key(&key, tenant, address).await?
        }
        (None, None) => return Err(Error::Anonymous.into()),
    };
    let found = Arc::new(found);
    parts.extensions.insert(found.clone());
    Ok(found)
}

/// What the path says for the tenant, where it has such a part. What cannot be decoded is a slug that
/// nobody has.
pub(super) async fn tenant_in_path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    let has_parameter = parts
        .extensions
        .get::<axum::extract::MatchedPath>()
        .is_some_and(|path| path.as_str().contains(&format!("{{{TENANT_PARAMETER}}}")));
    match RawPathParams::from_request_parts(parts, state).await {
        Ok(path) => path
            .iter()
            .find(|(name, _)| *name == TENANT_PARAMETER)
            .map(|(_, value)| value.to_owned()),
        Err(_) => has_parameter.then(|| "\u{0}".to_owned()),
    }
}
