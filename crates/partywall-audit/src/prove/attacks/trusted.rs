//! Tables that the policies trust: written, or shadowed.

use super::{
    super::{
        context::Context,
        draft::Draft,
        ground::Ground,
        ownership::{held, typed},
        record::{Record, records},
        round::Round,
        step::Step,
        verdict::Verdict,
    },
    tricks::{policy_functions, policy_tables},
};
use crate::{
    AuditError,
    catalogue::{Column, Privilege, Relation},
    sql::{ident, tidy},
    subject::With,
};

/// A row of a table that the policies trust: the attacker's own, and the column that says whose.
async fn trusted(
    round: &Round<'_>,
    ground: &Ground<'_>,
    table: &Relation,
) -> Result<Option<(Record, i16)>, AuditError> {
    let stage = round.stage;
    let compared = stage
        .subject
        .comparisons
        .get(&ground.relation.oid)
        .into_iter()
        .flatten()
        .find_map(|comparison| match &comparison.with {
            With::Column {
                relation, column, ..
            } => (*relation == table.oid).then_some(*column),
            With::Context { .. } => None,
        });
    let key_type = ground.tenant.map(|it| it.type_oid);
    let fits = |column: &i16| {
        key_type.is_none() || table.column(*column).map(|it| it.type_oid) == key_type
    };
    let column = super::super::ownership::owner_column(stage.subject, table)
        .or(compared)
        .filter(fits)
        .or_else(|| {
            let same = |it: &&crate::catalogue::Column| Some(it.type_oid) == key_type;
            table.columns.iter().find(same).map(|it| it.number)
        });
    let Some(at) = column.and_then(|it| table.column(it)) else {
        return Ok(None);
    };
    let own = super::super::ownership::of(
        at,
        &format!("t.{}", tidy(&at.name)),
        &stage.attacker.tenants,
    );
    let rows = records(round, table, &own, 50).await?.unwrap_or_default();
    let said: Vec<String> = stage
        .attacker
        .context
        .pairs()
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    // The attacker's own membership, not another's in the same tenant.
    let is_own = |row: &&Record| {
        row.values
            .iter()
            .filter(|(column, _)| **column != at.number)
            .filter_map(|(_, value)| value.as_deref())
            .any(|value| value.len() > 2 && said.iter().any(|said| said.contains(value)))
    };
    let row = rows.iter().find(is_own).or_else(|| rows.first());
    Ok(row.map(|row| (row.clone(), at.number)))
}

/// The same row, for the victim's tenant.
fn for_victim(round: &Round<'_>, table: &Relation, row: &Record, tenant: i16) -> Draft {
    let stage = round.stage;
    let mut draft = Draft::default();
    for column in &table.columns {
        let value = row.value(column.number).map(str::to_owned);
        let alone = table.indexes.iter().any(|index| {
            index.unique
                && index.columns.len() == 1
                && index
                    .columns
                    .iter()
                    .all(|it| it.column == Some(column.number))
        });
        if column.number == tenant {
            draft.set(column.number, Some(held(column, stage.victim.tenant())));
        } else if alone && stage.types.can_differ(column) {
            draft.set(column.number, stage.types.make(column, "for the victim", 1));
        } else {
            draft.set(column.number, value);
        }
    }
    draft
}

/// The attacker's context, by the names that a new row has in the place of its own.
fn renamed(context: &Context, row: &Record, draft: &Draft, tenant: i16) -> Context {
    let Context::Settings(pairs) = context else {
        return context.clone();
    };
    let pairs = pairs
        .iter()
        .map(|(name, value)| {
            let new = row
                .values
                .iter()
                .find(|(column, known)| known.as_ref() == Some(value) && **column != tenant)
                .and_then(|(column, _)| draft.value(*column));
            (name.clone(), new.unwrap_or(value).to_owned())
        })
        .collect();
    Context::Settings(pairs)
}

/// Writes itself into a table that the policies trust, and reads.
pub(super) async fn self_grant(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let mut verdicts = Vec::new();
    for table in policy_tables(round, ground.relation) {
        let Some((row, tenant)) = trusted(round, ground, table).await? else {
            continue;
        };
        if let Some(why) = stage.harm.changing(table) {
            verdicts.push(Verdict::not_run(why));
            continue;
        }
        let draft = for_victim(round, table, &row, tenant);
        let may_any = stage.may(round.role, table, Privilege::Insert);
        let may = |column: &Column| {
            !may_any || stage.may_column(round.role, table, column.number, Privilege::Insert)
        };
        let given = |column: &Column| may(column) && draft.cells.contains_key(&column.number);
        if let Some(why) = stage.harm.leaving(table, &given) {
            verdicts.push(Verdict::not_run(why));
            continue;
        }
        let (insert, shown) = draft.insert(table, &may);
        let Some(column) = table.column(tenant) else {
            continue;
        };
        let update = format!(
            "UPDATE {} SET {} = {}",
            table.name,
            tidy(&column.name),
            typed(column, &held(column, stage.victim.tenant()))
        );
        let read = ground.count(&ground.seen_victim);
        let mut refusals = Vec::new();
        // Where the new row has a new name, such as a token, it is used under that.
        let renamed = renamed(context, &row, &draft, tenant);
        for (sent, shown) in [(insert, shown), (update.clone(), update)] {
            let played = round
                .play(&[
                    Step::role(context, sent),
                    Step::role(&renamed, read.clone()),
                ])
                .await?;
            match played.as_slice() {
                [Ok(_), Ok(answer)] if answer.count() > 0 => {
                    let mut statements = vec![shown];
                    if renamed != *context {
                        statements.extend(renamed.shown());
                    }
                    statements.push(read);
                    return Ok(Verdict::breach(
                        round.shown(context, &statements),
                        format!(
                            "wrote itself into {}, and read {} rows of the victim's",
                            table.name,
                            answer.count()
                        ),
                        "without that it read none of them",
                    ));
                }
                [Ok(_), Ok(_)] => refusals.push("it wrote, and read nothing more".to_owned()),
                [Ok(_), Err(refusal)] | [Err(refusal)] => refusals.push(refusal.to_string()),
                _ => {}
            }
        }
        refusals.dedup();
        verdicts.push(Verdict::held(format!(
            "{}: {}",
            table.name,
            refusals.join("; ")
        )));
    }
    Ok(Verdict::worst(verdicts)
        .unwrap_or_else(|| Verdict::absent("its policies trust no other table")))
}

/// Puts a temporary table in the way of one that a policy's function looks up by its bare name.
pub(super) async fn shadow(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    let functions = policy_functions(round, ground.relation);
    let mut verdicts = Vec::new();
    for table in policy_tables(round, ground.relation) {
        let by_text = functions.iter().any(|function| {
            function.body.is_none()
                && function.sets("search_path").is_none()
                && super::calling::touches(function, table)
        });
        if !by_text {
            continue;
        }
        let Some((row, tenant)) = trusted(round, ground, table).await? else {
            continue;
        };
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("{} {}", ident(&column.name), column.type_name))
            .collect();
        let name = ident(&table.name.name);
        let draft = for_victim(round, table, &row, tenant);
        let names: Vec<String> = table.columns.iter().map(|it| ident(&it.name)).collect();
        let values: Vec<String> = table
            .columns
            .iter()
            .map(|column| match draft.value(column.number) {
                Some(value) => typed(column, value),
                None => "NULL".to_owned(),
            })
            .collect();
        let statements = [
            format!("CREATE TEMPORARY TABLE {name} ({})", columns.join(", ")),
            format!(
                "INSERT INTO pg_temp.{name} ({}) VALUES ({})",
                names.join(", "),
                values.join(", ")
            ),
            format!("GRANT SELECT ON pg_temp.{name} TO PUBLIC"),
            ground.count(&ground.seen_victim),
        ];
        let mut steps = vec![Step::role(context, "SELECT 1")];
        steps.extend(statements.iter().map(Step::next));
        let played = round.play(&steps).await?;
        verdicts.push(match played.last() {
            Some(Ok(answer)) if played.len() == steps.len() && answer.count() > 0 => {
                Verdict::breach(
                    round.shown(context, &statements),
                    format!(
                        "shadowed {}, and read {} rows of the victim's",
                        table.name,
                        answer.count()
                    ),
                    "without that it read none of them",
                )
            }
            Some(Err(refusal)) => Verdict::held(format!("refused: {refusal}")),
            _ => Verdict::held(format!(
                "put a temporary table in the way of {}, and read nothing more",
                table.name
            )),
        });
    }
    Ok(Verdict::worst(verdicts)
        .unwrap_or_else(|| Verdict::absent("its policies look no table up by its bare name")))
}
