//! Writes through views: a view that reads as its owner writes as its owner, too.

use std::collections::BTreeMap;

use super::{
    super::{
        draft::{Draft, Recipe, draft, unique_columns},
        ground::Ground,
        make::TRIES,
        ownership::{held, typed},
        reach::shown_as,
        record::Record,
        round::Round,
        step::Step,
        verdict::Verdict,
    },
    writing::{Written, blind},
};
use crate::{
    AuditError,
    catalogue::{Column, Privilege, Relation, RelationKind},
    sql::tidy,
};

/// How many columns are tried to be set.
const COLUMNS: usize = 4;

/// Deletes, changes, gives away and inserts through a view. None where the role may write nothing there.
pub(super) async fn through(
    round: &Round<'_>,
    ground: &Ground<'_>,
    view: &Relation,
) -> Result<Option<Verdict>, AuditError> {
    let stage = round.stage;
    let may = |privilege| stage.may(round.role, view, privilege);
    let writes = [Privilege::Delete, Privilege::Update, Privilege::Insert];
    if view.kind != RelationKind::View || stage.read_only || !writes.into_iter().any(may) {
        return Ok(None);
    }
    let harm = stage.harm.changing(view);
    if let Some(why) = harm.or_else(|| stage.harm.changing(ground.relation)) {
        return Ok(Some(Verdict::not_run(why)));
    }
    let mut verdicts = Vec::new();
    if may(Privilege::Delete) {
        let sql = format!("DELETE FROM {}", view.name);
        verdicts.extend(written(round, ground, &sql, "deleted").await?);
    }
    if may(Privilege::Update) {
        for sql in updates(round, ground, view) {
            verdicts.extend(written(round, ground, &sql, "changed").await?);
        }
        verdicts.extend(moved(round, ground, view).await?);
    }
    if may(Privilege::Insert) {
        verdicts.extend(inserted(round, ground, view).await?);
    }
    // What is refused for another reason says nothing, and another statement may.
    Ok(Verdict::worst(
        verdicts
            .into_iter()
            .filter(|it| it.is_breach() || it.is_held()),
    ))
}

/// What a statement without WHERE came to; none where it was refused or reached nothing.
async fn written(
    round: &Round<'_>,
    ground: &Ground<'_>,
    sql: &str,
    did: &str,
) -> Result<Option<Verdict>, AuditError> {
    if ground.is_big() && !round.stage.how.intrusive {
        return Ok(None);
    }
    let context = &round.stage.attacker.context;
    Ok(match blind(round, ground, &[], sql).await? {
        Written::Others(rows) => Some(Verdict::breach(
            round.shown(context, &[sql.to_owned()]),
            format!("through it, {did} {rows} rows that are not the attacker's"),
            "the same statement is the control",
        )),
        Written::Own(rows) if rows > 0 => Some(Verdict::held(format!(
            "through it, {did} {rows} rows, all of its own"
        ))),
        Written::Own(_) | Written::Refused(_) | Written::Unknown(_) => None,
    })
}

/// The columns of a view that the role may write, with those of the table that they show.
fn shown<'v>(
    round: &Round<'_>,
    ground: &Ground<'_>,
    view: &'v Relation,
    privilege: Privilege,
) -> BTreeMap<i16, &'v Column> {
    let stage = round.stage;
    ground
        .relation
        .columns
        .iter()
        .filter(|column| !column.generated)
        .filter_map(|column| {
            let name = shown_as(stage.catalogue, view, ground.relation.oid, column.number)?;
            let shown = view.column_named(&name)?;
            let may = stage.may_column(round.role, view, shown.number, privilege);
            may.then_some((column.number, shown))
        })
        .collect()
}

fn updates(round: &Round<'_>, ground: &Ground<'_>, view: &Relation) -> Vec<String> {
    let relation = ground.relation;
    let tenant = ground.tenant.map(|it| it.number);
    let keys: Vec<i16> = relation
        .constraints
        .iter()
        .flat_map(|it| it.columns.iter().copied())
        .collect();
    let mut columns: Vec<(i16, &Column)> = shown(round, ground, view, Privilege::Update)
        .into_iter()
        .filter(|(number, _)| Some(*number) != tenant)
        .collect();
    columns.sort_by_key(|(number, _)| keys.contains(number));
    columns
        .into_iter()
        .take(COLUMNS)
        .map(|(number, shown)| {
            let made = relation.column(number).and_then(|column| {
                let value = round.stage.types.make(column, &view.name.to_string(), 8)?;
                Some(typed(column, &value))
            });
            let value = made.unwrap_or_else(|| "NULL".to_owned());
            format!("UPDATE {} SET {} = {value}", view.name, tidy(&shown.name))
        })
        .collect()
}

/// Gives own rows to the victim.
async fn moved(
    round: &Round<'_>,
    ground: &Ground<'_>,
    view: &Relation,
) -> Result<Option<Verdict>, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let Some(tenant) = ground.tenant else {
        return Ok(None);
    };
    let columns = shown(round, ground, view, Privilege::Update);
    let Some(column) = columns.get(&tenant.number) else {
        return Ok(None);
    };
    if ground.is_big() && !stage.how.intrusive {
        return Ok(None);
    }
    let alone = vec![format!(
        "{} = {}",
        tidy(&column.name),
        typed(tenant, &held(tenant, stage.victim.tenant()))
    )];
    // And with what the victim's row refers to, where a key keeps the tenant, and a number that nobody has.
    let mut together = alone.clone();
    let unique = unique_columns(ground.relation, None).concat();
    for (number, shown) in &columns {
        let is_kept = ground
            .relation
            .foreign_keys()
            .any(|(own, _)| own.columns.contains(number) && own.columns.contains(&tenant.number));
        let Some(column) = ground.relation.column(*number) else {
            continue;
        };
        let value = if *number == tenant.number {
            None
        } else if is_kept {
            ground.victim_row.value(*number).map(str::to_owned)
        } else if unique.contains(number) {
            stage.types.make(column, "moved through a view", 16)
        } else {
            None
        };
        if let Some(value) = value {
            together.push(format!("{} = {}", tidy(&shown.name), typed(column, &value)));
        }
    }
    let mut last = None;
    for sets in [alone, together] {
        let sql = format!("UPDATE {} SET {}", view.name, sets.join(", "));
        last = match round.one(Step::role(context, sql.clone())).await? {
            Ok(answer) if answer.affected > 0 => {
                return Ok(Some(Verdict::breach(
                    round.shown(context, &[sql]),
                    format!(
                        "through it, moved {} of its own rows to another tenant",
                        answer.affected
                    ),
                    "the same statement is the control",
                )));
            }
            Err(refusal) if refusal.is_constraint() || refusal.is_no_answer() => None,
            Err(refusal) => Some(Verdict::held(format!("moving a row through it: {refusal}"))),
            Ok(_) => None,
        };
    }
    Ok(last)
}

/// Inserts a row in the victim's name.
async fn inserted(
    round: &Round<'_>,
    ground: &Ground<'_>,
    view: &Relation,
) -> Result<Option<Verdict>, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let context = &stage.attacker.context;
    let columns = shown(round, ground, view, Privilege::Insert);
    if !ground
        .tenant
        .is_some_and(|it| columns.contains_key(&it.number))
    {
        return Ok(None);
    }
    let victim = stage.victim.tenant();
    let mut recipe = Recipe::of(round, relation).await?;
    for _ in 0..TRIES {
        let Ok(row) = draft(round, relation, Some(victim), &recipe, 15, 0).await? else {
            return Ok(None);
        };
        let given =
            |it: &Column| columns.contains_key(&it.number) && row.cells.contains_key(&it.number);
        if stage.harm.leaving(relation, &given).is_some() {
            return Ok(None);
        }
        let sql = insert(view, &columns, relation, &row);
        let owned = stage.owned_by(relation, victim).and_then(|owned| {
            let key = relation.primary_key()?;
            let record = Record {
                place: None,
                values: key
                    .iter()
                    .map(|it| (*it, row.value(*it).map(str::to_owned)))
                    .collect(),
            };
            let given = key.iter().all(|it| columns.contains_key(it));
            let is = if given {
                record.is(relation, key)?
            } else {
                "true".to_owned()
            };
            Some(ground.count(&format!("{owned} AND {is}")))
        });
        let Some(owned) = owned else {
            return Ok(None);
        };
        let before = round.one(Step::eyes(owned.clone())).await?;
        let steps = [Step::role(context, sql.clone()), Step::eyes(owned)];
        let played = round.play(&steps).await?;
        match (played.as_slice(), before) {
            ([Ok(_), Ok(during)], Ok(before)) if during.count() > before.count() => {
                return Ok(Some(Verdict::breach(
                    round.shown(context, &[sql]),
                    "through it, inserted a row that is another tenant's",
                    "the same statement is the control",
                )));
            }
            ([Err(refusal)], _) if refusal.is_constraint() => {
                if !recipe.learn(relation, refusal, &[&ground.own_row]) {
                    return Ok(None);
                }
            }
            ([Err(refusal)], _) => {
                return Ok(Some(Verdict::held(format!(
                    "inserting through it: {refusal}"
                ))));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn insert(
    view: &Relation,
    columns: &BTreeMap<i16, &Column>,
    relation: &Relation,
    row: &Draft,
) -> String {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (number, shown) in columns {
        if let (Some(column), Some(filled)) = (relation.column(*number), row.cells.get(number)) {
            names.push(tidy(&shown.name));
            values.push(match &filled.value {
                Some(value) => typed(column, value),
                None => "NULL".to_owned(),
            });
        }
    }
    format!(
        "INSERT INTO {} ({}) VALUES ({})",
        view.name,
        names.join(", "),
        values.join(", ")
    )
}
