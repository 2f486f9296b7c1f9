//! What the policies trust besides the context: other settings, functions, tables.

use std::collections::BTreeSet;

use super::{
    super::{
        context::Context,
        draft::Draft,
        ground::{Ground, count},
        ownership::{from, held, typed},
        reach::{functions_in, relations_in, texts_in},
        record::{Record, records},
        round::Round,
        step::Step,
        verdict::Verdict,
        words::{is_setting, mentions, quoted},
    },
    contexts::try_all,
};
use crate::{
    AuditError,
    catalogue::{Function, Oid, Privilege, Relation, Volatility},
    sql::{ident, tidy},
    subject::With,
};

/// The functions that the policies of a table call, and those that these name.
pub(in crate::prove) fn policy_functions<'a>(
    round: &Round<'a>,
    relation: &Relation,
) -> Vec<&'a Function> {
    let all = &round.stage.catalogue.functions;
    let mut found: BTreeSet<Oid> = relation
        .policies
        .iter()
        .flat_map(|policy| [&policy.using, &policy.check])
        .flatten()
        .flat_map(|expression| functions_in(&expression.tree))
        .filter(|oid| all.contains_key(oid))
        .collect();
    let mut ahead: Vec<Oid> = found.iter().copied().collect();
    while let Some(function) = ahead.pop().and_then(|oid| all.get(&oid)) {
        let called: Vec<Oid> = match &function.body {
            Some(tree) => functions_in(tree).into_iter().collect(),
            None => all
                .values()
                .filter(|it| mentions(&function.source, &it.name.name))
                .map(|it| it.oid)
                .collect(),
        };
        ahead.extend(
            called
                .into_iter()
                .filter(|it| all.contains_key(it) && found.insert(*it)),
        );
    }
    found.iter().filter_map(|oid| all.get(oid)).collect()
}

/// The other tables that the policies of a table read, themselves or by their functions.
pub(in crate::prove) fn policy_tables<'a>(
    round: &Round<'a>,
    relation: &Relation,
) -> Vec<&'a Relation> {
    let all = &round.stage.catalogue.relations;
    let mut found: BTreeSet<Oid> = relation
        .policies
        .iter()
        .flat_map(|policy| [&policy.using, &policy.check])
        .flatten()
        .flat_map(|expression| relations_in(&expression.tree))
        .collect();
    for function in policy_functions(round, relation) {
        found.extend(
            all.values()
                .filter(|it| it.is_table() && super::calling::touches(function, it))
                .map(|it| it.oid),
        );
    }
    found.remove(&relation.oid);
    let mut tables: Vec<&Relation> = found
        .iter()
        .filter_map(|oid| all.get(oid))
        .filter(|it| it.is_table() && it.name.schema != "partywall")
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
}

/// Sets every other setting that the policies read to what may open them.
pub(super) async fn flag(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let Context::Settings(own) = &stage.attacker.context else {
        return Ok(Verdict::absent("the policies read the one sealed context"));
    };
    let trees = || {
        relation
            .policies
            .iter()
            .flat_map(|policy| [&policy.using, &policy.check])
            .flatten()
            .map(|expression| &expression.tree)
    };
    let functions = policy_functions(round, relation);
    let texts: BTreeSet<String> = trees()
        .flat_map(texts_in)
        .chain(functions.iter().flat_map(|it| quoted(&it.source)))
        .collect();
    let mut settings: BTreeSet<String> = trees()
        .flat_map(|tree| stage.subject.readings.of_node(tree).settings)
        .chain(
            texts
                .iter()
                .filter(|it| is_setting(it))
                .map(|it| it.to_lowercase()),
        )
        .filter(|name| name.contains('.'))
        .collect();
    settings.retain(|name| own.iter().all(|(known, _)| known != name));
    let values: BTreeSet<&str> = ["on", "true", "1", "yes", "t", "admin"]
        .into_iter()
        .chain(
            texts
                .iter()
                .map(String::as_str)
                .filter(|it| !is_setting(it) && it.chars().all(|c| !c.is_control())),
        )
        .take(16)
        .collect();
    let contexts: Vec<Context> = settings
        .iter()
        .flat_map(|name| {
            values.iter().map(|value| {
                let mut pairs = own.clone();
                pairs.push((name.clone(), (*value).to_owned()));
                Context::Settings(pairs)
            })
        })
        .collect();
    try_all(
        round,
        ground,
        &contexts,
        &ground.seen_foreign,
        "its policies read no other setting",
    )
    .await
}

/// Plans a statement as the victim, and executes it as the attacker.
pub(super) async fn prepared(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let frozen = policy_functions(round, ground.relation)
        .into_iter()
        .any(|it| {
            it.volatility == Volatility::Immutable
                && stage
                    .subject
                    .readings
                    .of_function(it.oid)
                    .is_none_or(|reads| !reads.settings.is_empty() || !reads.relations.is_empty())
        });
    if !frozen {
        return Ok(Verdict::absent(
            "its policies call no function that claims to be immutable",
        ));
    }
    let (own, theirs) = (&stage.attacker.context, &stage.victim.context);
    let run = |condition: &str| {
        let sql = ground.count(condition);
        [
            format!("PREPARE partywall_prove AS {sql}"),
            "EXECUTE partywall_prove".to_owned(),
        ]
    };
    // Prepared statements outlive what is rolled back.
    let forget = || async {
        round
            .one(Step::role(own, "DEALLOCATE partywall_prove"))
            .await
    };
    let _ = forget().await?;
    let [prepare, execute] = run(&ground.seen_victim);
    let attacked = round
        .play(&[
            Step::role(theirs, prepare.clone()),
            Step::next(execute.clone()),
            Step::role(own, execute.clone()),
        ])
        .await?;
    let _ = forget().await?;
    let [prepare_own, execute_own] = run(&ground.seen_own);
    let controlled = round
        .play(&[Step::role(own, prepare_own), Step::next(execute_own)])
        .await?;
    let _ = forget().await?;
    let reached = match controlled.last() {
        Some(Ok(answer)) if answer.count() > 0 => {
            format!("read {} of its own rows the same way", answer.count())
        }
        Some(Err(refusal)) => return Ok(Verdict::no_control(refusal)),
        _ => {
            return Ok(Verdict::not_run(
                "the control did not reach: it read none of its own rows",
            ));
        }
    };
    Ok(match attacked.get(2) {
        Some(Ok(answer)) if answer.count() > 0 => {
            let mut lines = vec![prepare, execute.clone()];
            lines.extend(own.shown());
            lines.push(execute);
            Verdict::breach(
                round.shown(theirs, &lines),
                format!(
                    "read {} rows of other tenants by a plan of the victim's",
                    answer.count()
                ),
                reached,
            )
        }
        Some(Ok(_)) => Verdict::held(reached),
        Some(Err(refusal)) => Verdict::held(format!("{reached}; refused: {refusal}")),
        None => Verdict::not_run("the victim's statement could not be executed"),
    })
}

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
            } if *relation == table.oid => Some(*column),
            _ => None,
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
        if let Some(why) = super::calling::unwritable(round, table) {
            verdicts.push(Verdict::not_run(why));
            continue;
        }
        let draft = for_victim(round, table, &row, tenant);
        let may_any = stage.may(round.role, table, Privilege::Insert);
        let (insert, shown) = draft.insert(table, &|column| {
            !may_any || stage.may_column(round.role, table, column.number, Privilege::Insert)
        });
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
