//! Views and materialized views over the table.

use std::collections::BTreeSet;

use super::{
    super::{
        ground::{Ground, count},
        reach::{shown_as, views_of},
        record::Record,
        round::Round,
        step::Step,
        verdict::Verdict,
    },
    interference::{digest, judge, without_context},
    reading::pair,
    through,
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
        if !verdict.is_breach()
            && let Some(breach) = unset(round, ground, view).await?
        {
            verdict = breach;
        }
        if !verdict.is_breach()
            && let Some(written) = through::through(round, ground, view).await?
        {
            verdict = Verdict::worst([written, verdict]).unwrap_or_else(|| Verdict::absent(""));
        }
        match &mut verdict.outcome {
            Outcome::NotRun { why } => *why = format!("{}: {why}", view.name),
            Outcome::Breach { what, .. } => *what = format!("{}: {what}", view.name),
            Outcome::Held | Outcome::Absent => {}
        }
        verdicts.push(verdict);
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("no view reads it")))
}

/// A view that shows tenants' rows to whoever has no context.
async fn unset(
    round: &Round<'_>,
    ground: &Ground<'_>,
    view: &Relation,
) -> Result<Option<Verdict>, AuditError> {
    let may = round.stage.may(round.role, view, Privilege::Select);
    if view.kind != RelationKind::View || !may || round.stage.harm.reading(view).is_some() {
        return Ok(None);
    }
    let ask = digest(&view.name.to_string());
    let context = without_context(round, ground, &ask).await?;
    Ok(context.map(|context| {
        Verdict::breach(
            round.shown(&context, &[ask]),
            "without a context it answers another way than without the rows of tenants",
            "the same statement is the control",
        )
    }))
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
    if let Some(kept) = kept_below(round, view) {
        return kept_rows(round, view, kept, lacks).await;
    }
    let ask = digest(&view.name.to_string());
    judge(round, ground, &ask, &ask, &ask, lacks).await
}

/// The materialized view that a view is or, whatever else it reads, has its rows from.
fn kept_below<'a>(round: &Round<'a>, view: &'a Relation) -> Option<&'a Relation> {
    let mut seen = BTreeSet::from([view.oid]);
    let mut ahead = vec![view];
    while let Some(next) = ahead.pop() {
        if next.kind == RelationKind::MaterializedView {
            return Some(next);
        }
        let reads = next.view.iter().flat_map(|it| &it.reads);
        ahead.extend(
            reads
                .filter(|oid| seen.insert(**oid))
                .filter_map(|oid| round.stage.catalogue.relations.get(oid)),
        );
    }
    None
}

/// A materialized view holds what was true when it was made, so it cannot be asked again.
async fn kept_rows(
    round: &Round<'_>,
    view: &Relation,
    kept: &Relation,
    lacks: bool,
) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    let sql = count(&format!("{} AS t", view.name), "true");
    let hold = round
        .look(&count(&format!("{} AS t", kept.name), "true"))
        .await?;
    Ok(match round.one(Step::role(context, sql.clone())).await? {
        // A view may choose among them; one that shows all does not.
        Ok(answer)
            if answer.count() > 0
                && (view.oid == kept.oid
                    || matches!(&hold, Ok(hold) if hold.count() <= answer.count())) =>
        {
            Verdict::breach(
                round.shown(context, &[sql]),
                format!(
                    "read {} rows of a materialized view, which no policy holds back, made of every tenant's rows",
                    answer.count()
                ),
                "the same statement is the control",
            )
        }
        Ok(answer) if answer.count() > 0 => {
            Verdict::not_run("whose the rows of the materialized view below are cannot be told")
        }
        Ok(_) => Verdict::not_run("the materialized view is empty"),
        Err(refusal) if lacks && refusal.is_privilege() => {
            Verdict::held(format!("no right to it: {refusal}"))
        }
        Err(refusal) => Verdict::no_control(&refusal),
    })
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
