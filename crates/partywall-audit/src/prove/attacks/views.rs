//! Views and materialized views over the table.

use super::{
    super::{
        ground::{Ground, count},
        reach::{shown_as, views_of},
        record::Record,
        round::Round,
        step::Step,
        verdict::Verdict,
    },
    interference::{digest, judge},
    reading::pair,
};
use crate::{
    AuditError, Outcome,
    catalogue::{Privilege, Relation, RelationKind},
    sql::tidy,
};

pub(super) async fn views(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let mut verdicts = Vec::new();
    for view in views_of(round.stage.catalogue, ground.relation) {
        let mut verdict = one(round, ground, view).await?;
        match &mut verdict.outcome {
            Outcome::NotRun { why } => *why = format!("{}: {why}", view.name),
            Outcome::Breach { what, .. } => *what = format!("{}: {what}", view.name),
            Outcome::Held | Outcome::Absent => {}
        }
        verdicts.push(verdict);
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("no view reads it")))
}

async fn one(
    round: &Round<'_>,
    ground: &Ground<'_>,
    view: &Relation,
) -> Result<Verdict, AuditError> {
    if let Some(why) = round.stage.harm.reading(view) {
        return Ok(Verdict::not_run(why));
    }
    let context = &round.stage.attacker.context;
    let lacks = !round.stage.may(round.role, view, Privilege::Select);
    if let Some((foreign, own)) = conditions(round, ground, view) {
        let from = format!("{} AS t", view.name);
        let verdict = pair(
            round,
            context,
            &count(&from, &foreign),
            &count(&from, &own),
            lacks,
        )
        .await?;
        if !matches!(verdict.outcome, Outcome::NotRun { .. }) {
            return Ok(verdict);
        }
    }
    if view.kind == RelationKind::MaterializedView {
        // It holds what was true when it was made, so it cannot be asked again.
        let sql = count(&format!("{} AS t", view.name), "true");
        return Ok(match round.one(Step::role(context, sql.clone())).await? {
            Ok(answer) if answer.count() > 0 => Verdict::breach(
                round.shown(context, &[sql]),
                format!(
                    "read {} rows of a materialized view, which no policy holds back, made of every tenant's rows",
                    answer.count()
                ),
                "the same statement is the control",
            ),
            Ok(_) => Verdict::not_run("the materialized view is empty"),
            Err(refusal) if lacks && refusal.is_privilege() => {
                Verdict::held(format!("no right to it: {refusal}"))
            }
            Err(refusal) => Verdict::no_control(&refusal),
        });
    }
    let ask = digest(&view.name.to_string());
    judge(round, ground, &ask, &ask, &ask, lacks).await
}

/// A row of the view `t` is others', or the attacker's, by the tenant's column or the key that it shows.
fn conditions(round: &Round<'_>, ground: &Ground<'_>, view: &Relation) -> Option<(String, String)> {
    let relation = ground.relation;
    let catalogue = round.stage.catalogue;
    if let Some(column) = ground.tenant {
        let shown = shown_as(catalogue, view, relation.oid, column.number).or_else(|| {
            let same = view.column_named(&column.name)?;
            (same.type_oid == column.type_oid).then(|| same.name.clone())
        });
        if let Some(shown) = shown {
            let (old, new) = (
                format!("t.{}", tidy(&column.name)),
                format!("t.{}", tidy(&shown)),
            );
            return Some((
                ground.foreign.replace(&old, &new),
                ground.own.replace(&old, &new),
            ));
        }
    }
    let key = relation.primary_key()?;
    let shown: Option<Vec<String>> = key
        .iter()
        .map(|column| shown_as(catalogue, view, relation.oid, *column))
        .collect();
    let shown = shown?;
    let is = |row: &Record| -> Option<String> {
        let parts: Option<Vec<String>> = key
            .iter()
            .zip(&shown)
            .map(|(column, name)| {
                let value =
                    super::super::ownership::typed(relation.column(*column)?, row.value(*column)?);
                Some(format!("t.{} = {value}", tidy(name)))
            })
            .collect();
        parts.map(|parts| parts.join(" AND "))
    };
    Some((is(&ground.victim_row)?, is(&ground.own_row)?))
}
