//! What a session without any context sees. It has to be asked first of all: once a transaction has set a
//! setting, it is empty for the rest of the session, and no longer unset.

use super::{
    context::Context,
    ground::Ground,
    refusal::Refusal,
    round::Round,
    step::{Answer, Step},
};
use crate::{AuditError, catalogue::Relation};

/// What came of it.
#[derive(Debug)]
pub(super) enum Fresh {
    Asked {
        answer: Result<Answer, Refusal>,
        statement: String,
    },
    NotAsked(String),
}

pub(super) async fn ask<'a>(
    round: &Round<'a>,
    relation: &'a Relation,
) -> Result<Fresh, AuditError> {
    let ground = match Ground::prepare(round, relation).await? {
        Ok(ground) => ground,
        Err(why) => return Ok(Fresh::NotAsked(why)),
    };
    let statement = ground.count(&ground.seen_any);
    let answer = round
        .one(Step::role(&Context::NONE, statement.clone()))
        .await?;
    Ok(Fresh::Asked { answer, statement })
}
