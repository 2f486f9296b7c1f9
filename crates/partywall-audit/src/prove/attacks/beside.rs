//! What a function in a view's filter sees.

use super::super::{ground::Ground, round::Round, step::Step, verdict::Verdict};
use crate::{
    AuditError,
    catalogue::{Oid, Privilege, RelationKind},
    sql::tidy,
};

/// `pg_type.oid` of `boolean`.
const BOOLEAN: Oid = 16;

/// Smuggles a cheap function into the filter of a view: it sees rows before the view's own filter does.
pub(super) async fn peek(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let mut verdicts = claimed(round, ground).await?;
    for view in super::super::reach::views_of(stage.catalogue, ground.relation) {
        let Some(own) = &view.view else { continue };
        // Where policies hold for the view's owner, they stand before any function.
        let filters = !own.security_invoker
            && !own.security_barrier
            && view.kind == RelationKind::View
            && (stage.catalogue.is_exempt(view.owner, ground.relation)
                || !stage.may(round.role, ground.relation, Privilege::Select));
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

/// Puts functions that claim to be leakproof into a filter of the table: they see rows before its policies do.
async fn claimed(round: &Round<'_>, ground: &Ground<'_>) -> Result<Vec<Verdict>, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let relation = ground.relation;
    let mut verdicts = Vec::new();
    // The server counts calls for a superuser alone.
    if !round.hand() || ground.is_big() || !stage.may(round.role, relation, Privilege::Select) {
        return Ok(verdicts);
    }
    let functions = stage.catalogue.functions.values().filter(|it| {
        it.leakproof
            && it.kind == 'f'
            && it.returns == BOOLEAN
            && it.extension.is_none()
            && stage.catalogue.may_call(round.role, it)
    });
    for function in functions {
        let column = relation.columns.iter().find(|column| {
            function.argument_types == [column.type_oid]
                && stage.may_read(round.role, relation, column.number)
        });
        let Some(column) = column else { continue };
        if let Some(why) = stage.harm.calling(function) {
            verdicts.push(Verdict::not_run(why));
            continue;
        }
        let filtered = format!(
            "SELECT count(*) FROM {} AS t WHERE {}(t.{}) IS NOT NULL",
            relation.name,
            function.name,
            tidy(&column.name)
        );
        let statements = [
            // By an index the policy's own condition would come first.
            "SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; \
             SET LOCAL enable_bitmapscan = off"
                .to_owned(),
            filtered,
        ];
        let [unordered, filter] = statements.clone();
        let calls = format!(
            "SELECT coalesce(sum(calls), 0)::text FROM pg_catalog.pg_stat_xact_user_functions WHERE funcid = {}",
            function.oid
        );
        let steps = [
            Step::admin("SET LOCAL track_functions = 'all'"),
            Step::admin(calls.clone()),
            Step::role(context, unordered),
            Step::next(filter),
            Step::admin(calls),
        ];
        let played = round.play(&steps).await?;
        let visible = ground.count_as_admin(round, &ground.visible).await?;
        let name = function.signature();
        verdicts.push(match (played.as_slice(), visible) {
            ([_, Ok(before), _, Ok(_), Ok(after)], Some(visible)) => {
                let seen = after.count().saturating_sub(before.count());
                if seen > visible {
                    Verdict::breach(
                        round.shown(context, &statements),
                        format!(
                            "{name} saw {seen} rows, of which {visible} are its own or nobody's"
                        ),
                        format!("{visible} rows are its own or nobody's"),
                    )
                } else {
                    Verdict::held(format!("{name} saw {seen} rows, all its own or nobody's"))
                }
            }
            _ => Verdict::not_run(format!("{name} could not be put into a filter")),
        });
    }
    Ok(verdicts)
}
