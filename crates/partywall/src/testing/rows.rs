use std::any::Any;

use sea_orm::{EntityTrait, QueryFilter};

use crate::{
    db::ScopedDb,
    policy::{Action, Decide, Question, RequestFacts, Rows, Subject},
};

/// Asserts that a policy's [`rows`](Decide::rows) are those that it allows one by one: for
/// [`Rule::row`](crate::policy::Rule::row), which says the same in Rust and in SQL.
///
/// Reads all rows of `E` in the view and those that the policy's condition chooses, and asks the
/// policy about each. A column that is NULL can make SQL choose fewer than Rust; more is never right.
///
/// # Panics
///
/// When the two differ, and when the view has no row, since then nothing was shown.
pub async fn assert_rows_agree<E>(
    view: &ScopedDb,
    policy: &dyn Decide,
    subject: &Subject,
    action: &Action,
) where
    E: EntityTrait,
    E::Model: Any + Send + Sync + PartialEq,
{
    let request = RequestFacts::new(action.method(), "/");
    let question = Question {
        subject,
        action,
        request: &request,
        object: None,
    };
    let all = E::find().all(view).await.expect("the rows can be read");
    assert!(!all.is_empty(), "there is no row: insert some first");
    let chosen = match policy.rows(&question) {
        Rows::All => all.clone(),
        Rows::None => Vec::new(),
        Rows::Where(condition) => {
            let chosen = E::find().filter(condition).all(view).await;
            chosen.expect("the policy's condition is one for this table")
        }
    };
    for row in &all {
        let decision = policy.decide(&question.about(row));
        assert_eq!(
            chosen.contains(row),
            decision.is_allowed(),
            "the list and the single decision differ for {row:?} and {subject:?}: {decision}"
        );
    }
}
