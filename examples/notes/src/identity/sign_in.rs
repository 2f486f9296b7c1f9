use partywall::Scope;
use sea_orm::EntityTrait as _;

use super::{Token, session::session_open};
use crate::{
    app::App,
    models::{EMAIL, credential},
    web::Problem,
};

/// Checks an address and its password.
///
/// The credential is read in the scope of the one address that was typed in, so no mistake here
/// reads another's.
pub(crate) async fn sign_in(app: &App, email: &str, password: &str) -> Result<Token, Problem> {
    let email = email.trim().to_lowercase();
    let credential = match is_address(&email) {
        true => {
            let scope = Scope::trusted([EMAIL.is(email)]);
            credential::Entity::find()
                .one(&app.db.scoped(&scope))
                .await?
        }
        false => None,
    };
    let hash = credential
        .as_ref()
        .map(|credential| credential.password_hash.as_str());
    let good = app.passwords.verify(password, hash).await;
    match credential {
        Some(credential) if good => Ok(session_open(&app.db, credential.person_id).await?),
        Some(_) | None => Err(Problem::WrongPassword),
    }
}

/// Whether it can be an address at all: PostgreSQL has no NUL in a text.
fn is_address(email: &str) -> bool {
    !email.is_empty() && email.len() <= 254 && !email.contains('\0')
}
