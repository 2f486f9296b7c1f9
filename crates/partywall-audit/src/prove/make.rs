use std::collections::BTreeMap;

use super::{
    draft::{Draft, Recipe, draft_with},
    record::{Record, records},
    round::Round,
    step::Step,
};
use crate::{AuditError, catalogue::Relation};

/// How often a row is written anew until the constraints let it in.
pub(super) const TRIES: usize = 6;

/// Makes up a row of a tenant's, or of nobody's, for as long as the round lasts.
///
/// # Errors
///
/// Why it could not be, in the inner result.
pub(super) async fn make(
    round: &Round<'_>,
    relation: &Relation,
    tenant: Option<&str>,
    number: u32,
    depth: u32,
) -> Result<Result<Draft, String>, AuditError> {
    make_with(round, relation, tenant, number, depth, &BTreeMap::new()).await
}

/// As [`make`], with some of its values.
pub(super) async fn make_with(
    round: &Round<'_>,
    relation: &Relation,
    tenant: Option<&str>,
    number: u32,
    depth: u32,
    preset: &BTreeMap<i16, String>,
) -> Result<Result<Draft, String>, AuditError> {
    if !round.can_make() {
        return Ok(Err(
            "rows can only be made up by a superuser, and not on a replica".to_owned(),
        ));
    }
    if !relation.is_table() {
        return Ok(Err(
            "it is no table that rows could be made up in".to_owned()
        ));
    }
    let mut recipe = Recipe::of(round, relation).await?;
    let mut template: Option<Vec<Record>> = None;
    let mut why = String::new();
    for _ in 0..TRIES {
        let row = match draft_with(round, relation, tenant, &recipe, number, depth, preset).await? {
            Ok(row) => row,
            Err(why) => return Ok(Err(why)),
        };
        if let Some(why) = unmakeable(round, relation, &row) {
            return Ok(Err(why));
        }
        let (sql, _) = row.insert(relation, &|_| true);
        match round.keep(&[Step::maker(sql)]).await?.pop() {
            Some(Err(refusal)) => {
                why = refusal.to_string();
                if template.is_none() {
                    template = Some(
                        records(round, relation, "true", 1)
                            .await?
                            .unwrap_or_default(),
                    );
                }
                let rows: Vec<&Record> = template.iter().flatten().collect();
                if !recipe.learn(relation, &refusal, &rows) {
                    break;
                }
            }
            _ => return Ok(Ok(row)),
        }
    }
    Ok(Err(format!("no row could be made up: {why}")))
}

/// Why a row is not made up: something that it sets off would stay, though no trigger runs.
pub(super) fn unmakeable(round: &Round<'_>, relation: &Relation, row: &Draft) -> Option<String> {
    let harm = &round.stage.harm;
    harm.making_rows(relation)
        .or_else(|| harm.leaving(relation, &|column| row.cells.contains_key(&column.number)))
}
