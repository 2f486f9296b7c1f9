use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use partywall::{Db, Scope, ScopedDb, TENANT};
use sea_orm::{DbErr, EntityTrait as _, QueryOrder as _};
use uuid::Uuid;

use super::{Token, cookie, session::session_find};
use crate::{
    app::App,
    models::{PERSON, membership, person, tenant},
    web::Problem,
};

/// Somebody is signed in. Anybody else is refused with 401.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) person: person::Model,
    pub(crate) token: Token,
}

/// Somebody is signed in and a member of the tenant in the path; everything else is not found.
#[derive(Clone, Debug)]
pub(crate) struct InTenant {
    pub(crate) person: person::Model,
    pub(crate) tenant: tenant::Model,
    pub(crate) scope: Scope,
    pub(crate) db: ScopedDb,
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = cookie::token(&parts.headers).ok_or(Problem::Anonymous)?;
        let id = session_find(&app.db, &token)
            .await?
            .ok_or(Problem::Anonymous)?;
        let scope = Scope::trusted([PERSON.is(id)]);
        let person = person::Entity::find().one(&app.db.scoped(&scope)).await?;
        Ok(Self {
            person: person.ok_or(Problem::Anonymous)?,
            token,
        })
    }
}

impl FromRequestParts<App> for InTenant {
    type Rejection = Problem;

    /// The one place that vouches for a tenant's scope: session, person, membership.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let SignedIn { person, .. } = SignedIn::from_request_parts(parts, app).await?;
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::NotFound)?;
        let (_, wanted) = path
            .iter()
            .find(|(name, _)| *name == "tenant")
            .ok_or(Problem::NotFound)?;
        let id = Uuid::try_parse(wanted).ok();
        let tenant = tenant_list(&app.db, person.id)
            .await?
            .into_iter()
            .find(|tenant| tenant.slug == wanted || Some(tenant.id) == id)
            .ok_or(Problem::NotFound)?;
        let scope = Scope::trusted([TENANT.is(tenant.id)]);
        let db = app.db.scoped(&scope);
        Ok(Self {
            person,
            tenant,
            scope,
            db,
        })
    }
}

/// The tenants that a person is a member of, by name.
pub(crate) async fn tenant_list(db: &Db, person: Uuid) -> Result<Vec<tenant::Model>, DbErr> {
    let memberships = membership::Entity::find()
        .all(&db.scoped(&Scope::trusted([PERSON.is(person)])))
        .await?;
    let mine = memberships
        .into_iter()
        .map(|membership| membership.tenant_id);
    tenant::Entity::find()
        .order_by_asc(tenant::Column::Name)
        .all(&db.scoped(&Scope::trusted([TENANT.any_of(mine)])))
        .await
}
