//! What happens beside the attacker's own statement: a function in a view's filter, triggers and rules.

use std::collections::BTreeSet;

use super::super::{
    ground::{Ground, count},
    ownership::from,
    record::records,
    round::Round,
    step::Step,
    verdict::Verdict,
};
use crate::{
    AuditError,
    catalogue::{Oid, Privilege, Relation},
    sql::tidy,
};

/// Smuggles a cheap function into the filter of a view: it sees rows before the view's own filter does.
pub(super) async fn peek(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let mut verdicts = Vec::new();
    for view in super::super::reach::views_of(stage.catalogue, ground.relation) {
        let Some(own) = &view.view else { continue };
        // Where the role reads the table itself, its policies stand before any function.
        let filters = !own.security_invoker
            && !own.security_barrier
            && view.kind == crate::catalogue::RelationKind::View
            && !stage.may(round.role, ground.relation, Privilege::Select);
        if !filters || !stage.may(round.role, view, Privilege::Select) {
            continue;
        }
        if let Some(why) = stage.harm.reading(view) {
            verdicts.push(Verdict::not_run(format!("{}: {why}", view.name)));
            continue;
        }
        let Some(column) = view
            .columns
            .iter()
            .find(|it| it.type_category == 'S')
            .or(view.columns.first())
        else {
            continue;
        };
        let statements = [
            // By an index the view's own filter would come first.
            "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; \
             SET LOCAL enable_bitmapscan = off; SET LOCAL partywall_prove.seen = '0'"
                .to_owned(),
            "CREATE FUNCTION pg_temp.peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS \
             'BEGIN PERFORM set_config(''partywall_prove.seen'', \
             (current_setting(''partywall_prove.seen'')::bigint + 1)::text, true); RETURN true; END'"
                .to_owned(),
            format!(
                "SELECT count(*) FROM {} AS t WHERE pg_temp.peek(t.{}::text)",
                view.name,
                tidy(&column.name)
            ),
            "SELECT current_setting('partywall_prove.seen')".to_owned(),
        ];
        let mut steps = vec![Step::role(context, "SELECT 1")];
        steps.extend(statements.iter().map(Step::next));
        let played = round.play(&steps).await?;
        let numbers: Vec<u64> = played
            .iter()
            .map(|it| it.as_ref().map_or(0, super::super::step::Answer::count))
            .collect();
        verdicts.push(match (numbers.as_slice(), played.last()) {
            (_, Some(Err(refusal))) if refusal.is_privilege() => {
                Verdict::held(format!("{}: refused: {refusal}", view.name))
            }
            (_, Some(Err(refusal))) => Verdict::no_control(refusal),
            ([_, _, _, shown, seen], _) if seen > shown => Verdict::breach(
                round.shown(context, &statements),
                format!(
                    "{}: a function saw {seen} rows, where the view shows {shown}",
                    view.name
                ),
                format!("the view shows {shown} rows"),
            ),
            ([_, _, _, 0, _], _) => Verdict::not_run(format!(
                "the control did not reach: {} shows none of its own rows",
                view.name
            )),
            ([_, _, _, shown, seen], _) => Verdict::held(format!(
                "{}: a function saw {seen} rows, and the view shows {shown}",
                view.name
            )),
            _ => Verdict::not_run("it could not be sent"),
        });
    }
    Ok(Verdict::worst(verdicts)
        .unwrap_or_else(|| Verdict::absent("no view alone stands between the role and the table")))
}

/// What of other tables is watched while an own row is written.
pub(super) async fn side_effect(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &super::inserting::Control,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let context = &stage.attacker.context;
    let mut touched: BTreeSet<Oid> = relation
        .rules
        .iter()
        .flat_map(|it| it.touches.clone())
        .collect();
    for trigger in relation.triggers.iter().filter(|it| it.enabled) {
        let Some(function) = stage.catalogue.functions.get(&trigger.function) else {
            continue;
        };
        touched.extend(
            stage
                .catalogue
                .relations
                .values()
                .filter(|it| it.is_table() && super::calling::touches(function, it))
                .map(|it| it.oid),
        );
    }
    let tables: Vec<&Relation> = touched
        .iter()
        .filter(|oid| stage.subject.is_tenants(**oid))
        .filter_map(|oid| stage.catalogue.relations.get(oid))
        .collect();
    if tables.is_empty() {
        return Ok(Verdict::absent(
            "no trigger and no rule of it touches a tenants' table",
        ));
    }
    let super::inserting::Control::Reached { recipe, tenant_too } = control else {
        return Ok(Verdict::not_run(
            "the control did not reach: it inserted no row of its own",
        ));
    };
    let own = super::super::draft::draft(
        round,
        relation,
        Some(stage.attacker.tenant()),
        recipe,
        51,
        0,
    );
    let own = match own.await? {
        Ok(row) => row,
        Err(why) => return Ok(Verdict::not_run(why)),
    };
    for table in tables {
        let Some(foreign) = stage.foreign(table) else {
            continue;
        };
        let theirs = records(round, table, &foreign, 100)
            .await?
            .unwrap_or_default();
        let (Some(first), Some(watched)) =
            (theirs.first(), super::super::record::at_places(&theirs))
        else {
            continue;
        };
        let standing = count(&from(table), &watched);
        // An own row with each of its columns, in turn, naming the victim's row.
        let key = table.primary_key().unwrap_or_default();
        let mut rows = vec![own.clone()];
        for column in &relation.columns {
            let naming = key
                .iter()
                .filter(|it| {
                    super::super::ownership::owner_column(stage.subject, table) != Some(**it)
                })
                .filter_map(|it| table.column(*it))
                .find(|it| it.type_oid == column.type_oid);
            if let Some(naming) = naming
                && Some(column.number) != ground.tenant.map(|it| it.number)
            {
                let mut row = own.clone();
                row.set(column.number, first.value(naming.number).map(str::to_owned));
                rows.push(row);
            }
        }
        for row in rows {
            let (sent, shown) = row.insert(
                relation,
                &super::inserting::writable(round, ground, *tenant_too),
            );
            let played = round
                .play(&[Step::role(context, sent), Step::eyes(standing.clone())])
                .await?;
            let after = round.one(Step::eyes(standing.clone())).await?;
            if let ([Ok(_), Ok(during)], Ok(after)) = (played.as_slice(), after)
                && during.count() < after.count()
            {
                return Ok(Verdict::breach(
                    round.shown(context, &[shown]),
                    format!(
                        "changed {} rows of other tenants in {}",
                        after.count() - during.count(),
                        table.name
                    ),
                    "inserted a row of its own the same way",
                ));
            }
        }
    }
    Ok(Verdict::held(
        "inserted a row of its own, and no row of others' changed",
    ))
}
