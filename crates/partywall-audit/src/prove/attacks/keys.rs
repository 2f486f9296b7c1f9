//! What keys and constraints tell of others' rows: PostgreSQL checks them without policies.

use super::{
    super::{
        draft::{Draft, Recipe, draft, unique_columns},
        ground::Ground,
        ownership::{from, typed},
        record::{Record, records},
        refusal::Refusal,
        round::Round,
        step::{Answer, Step},
        verdict::Verdict,
        words::mentions,
    },
    inserting::{Control, refused, writable},
    writing::settable,
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Constraint, Index, Privilege, Reference, Relation},
    check::keys::{is_surrogate, tells_nothing},
    sql::tidy,
};

/// The recipe of the control, or the verdict where there is none.
fn recipe<'c>(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &'c Control,
) -> Result<(&'c Recipe, bool), Verdict> {
    match control {
        Control::Reached { recipe, tenant_too } => Ok((recipe, *tenant_too)),
        Control::Refused(refusal) => Err(refused(round, ground, Privilege::Insert, refusal)),
        Control::Unknown(why) => Err(Verdict::not_run(why.clone())),
    }
}

/// Sends an own row, with its constraints checked at once.
async fn sent(
    round: &Round<'_>,
    ground: &Ground<'_>,
    row: &Draft,
    tenant_too: bool,
) -> Result<(Result<Answer, Refusal>, String), AuditError> {
    let (sql, shown) = row.insert(ground.relation, &writable(round, ground, tenant_too));
    let context = &round.stage.attacker.context;
    let steps = [
        Step::role(context, "SET CONSTRAINTS ALL IMMEDIATE"),
        Step::still(sql),
    ];
    let answer = round.play(&steps).await?.pop();
    Ok((answer.unwrap_or_else(|| Ok(Answer::default())), shown))
}

/// Refers to rows of the victim's: where that comes out another way than referring to nothing, it tells
/// that they are there, and keeps the victim from deleting them.
pub(super) async fn reference(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let keys: Vec<(&Constraint, &Reference)> = relation
        .foreign_keys()
        .filter(|(own, there)| {
            // Whoever owns rows is no row of an owner's: a person, where people are the tenants of their own rows.
            let to_owner = stage
                .subject
                .tenant_column(there.relation)
                .is_some_and(|column| there.columns == [column]);
            stage.subject.is_tenants(there.relation)
                && !to_owner
                && !own
                    .columns
                    .iter()
                    .all(|column| Some(*column) == ground.tenant.map(|it| it.number))
        })
        .collect();
    if keys.is_empty() {
        return Ok(Verdict::absent(
            "it refers to no other table of the tenants'",
        ));
    }
    let (recipe, tenant_too) = match recipe(round, ground, control) {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let own = draft(
        round,
        relation,
        Some(stage.attacker.tenant()),
        recipe,
        21,
        0,
    )
    .await?;
    let own = match own {
        Ok(row) => row,
        Err(why) => return Ok(Verdict::not_run(why)),
    };
    let mut verdicts = Vec::new();
    for (key, there) in keys {
        let Some(parent) = stage.catalogue.relations.get(&there.relation) else {
            continue;
        };
        verdicts.push(refer(round, ground, (key, there, parent), &own, tenant_too).await?);
    }
    Ok(Verdict::worst(verdicts)
        .unwrap_or_else(|| Verdict::absent("it refers to no other table of the tenants'")))
}

async fn refer(
    round: &Round<'_>,
    ground: &Ground<'_>,
    (key, there, parent): (&Constraint, &Reference, &Relation),
    own: &Draft,
    tenant_too: bool,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let tenant = ground.tenant.map(|it| it.number);
    let Some(theirs) = stage.owned_by(parent, stage.victim.tenant()) else {
        return Ok(Verdict::not_run(format!(
            "it cannot be told whose rows {} has",
            parent.name
        )));
    };
    // Where the key keeps the tenant, a number that the attacker has as well would be its own row.
    let theirs = match stage.own(parent) {
        Some(own) => format!(
            "{theirs} AND {}",
            unlike(tenant, (key, there, parent), &own)
        ),
        None => theirs,
    };
    let mut found = records(round, parent, &theirs, 1)
        .await?
        .unwrap_or_default();
    if found.is_empty() && round.can_make() {
        let made = super::super::make::make(round, parent, Some(stage.victim.tenant()), 22, 0);
        if let Err(why) = made.await? {
            return Ok(Verdict::not_run(format!("{}: {why}", parent.name)));
        }
        found = records(round, parent, &theirs, 1)
            .await?
            .unwrap_or_default();
    }
    let Some(theirs) = found.into_iter().next() else {
        return Ok(Verdict::not_run(format!(
            "the victim has no row in {}",
            parent.name
        )));
    };
    // The row stays the attacker's: of the key, only what is not the tenant's column is the victim's.
    let mut to_theirs = own.clone();
    let mut to_nothing = own.clone();
    for (column, above) in key.columns.iter().zip(&there.columns) {
        if Some(*column) == tenant {
            continue;
        }
        let Some(above) = parent.column(*above) else {
            continue;
        };
        to_theirs.set(*column, theirs.value(above.number).map(str::to_owned));
        to_nothing.set(
            *column,
            stage.types.make(above, "nothing that anybody has", 1),
        );
    }
    let (controlled, _) = sent(round, ground, own, tenant_too).await?;
    let (attacked, shown) = sent(round, ground, &to_theirs, tenant_too).await?;
    let (random, _) = sent(round, ground, &to_nothing, tenant_too).await?;
    let reached = format!("referred to its own row of {} the same way", parent.name);
    let name = tidy(&key.name);
    Ok(match (controlled, attacked, random) {
        (Err(refusal), ..) => Verdict::no_control(&refusal),
        (_, Err(refusal), _) | (_, _, Err(refusal)) if refusal.is_no_answer() => {
            Verdict::not_run(refusal.to_string())
        }
        (_, Ok(_), random) => Verdict::breach(
            round.shown(&stage.attacker.context, &[shown]),
            match random {
                Ok(_) => format!("referred to the victim's row of {} by {name}", parent.name),
                Err(random) => format!(
                    "referred to the victim's row of {} by {name}, where a key that nobody has gives {random}",
                    parent.name
                ),
            },
            reached,
        ),
        (_, Err(attack), Ok(_)) => Verdict::held(format!("{reached}; refused: {attack}")),
        (_, Err(attack), Err(random)) if attack.code == random.code => Verdict::held(format!(
            "{reached}; the victim's key and one that nobody has are refused alike: {attack}"
        )),
        (_, Err(attack), Err(random)) => Verdict::breach(
            round.shown(&stage.attacker.context, &[shown]),
            format!("the victim's key gives {attack}, and one that nobody has gives {random}"),
            reached,
        ),
    })
}

/// The row `t` differs from all of the attacker's in what of a key is not the tenant's.
fn unlike(
    tenant: Option<i16>,
    (key, there, parent): (&Constraint, &Reference, &Relation),
    own: &str,
) -> String {
    let names: Vec<String> = key
        .columns
        .iter()
        .zip(&there.columns)
        .filter(|(column, _)| Some(**column) != tenant)
        .filter_map(|(_, above)| parent.column(*above))
        .map(|above| format!("t.{}", tidy(&above.name)))
        .collect();
    let (list, present) = (names.join(", "), names.join(" IS NOT NULL AND "));
    if names.is_empty() {
        return "true".to_owned();
    }
    format!(
        "({list}) NOT IN (SELECT {list} FROM {} WHERE {own} AND {present} IS NOT NULL)",
        from(parent)
    )
}

/// The indexes that hold values of all tenants apart from each other.
fn across<'a>(catalogue: &Catalogue, ground: &Ground<'a>) -> Vec<&'a Index> {
    let tenant = ground.tenant.map(|it| it.number);
    let relation = ground.relation;
    // A column that refers to the tenants, or to a row of theirs, tells whose it is as well.
    let tells = |column: i16| {
        Some(column) == tenant
            || (tenant.is_none()
                && relation
                    .foreign_keys()
                    .any(|(own, _)| own.columns.contains(&column)))
    };
    relation
        .indexes
        .iter()
        .filter(|index| (index.unique || index.exclusion) && index.valid)
        .filter(|index| !index.columns.iter().any(|it| it.column.is_some_and(tells)))
        .filter(|index| !tells_nothing(relation, index))
        .filter(|index| {
            // Nobody's value is guessed, and nothing is told by one that is taken.
            !index.columns.iter().all(|it| {
                let column = it.column.and_then(|it| relation.column(it));
                column.is_some_and(|it| is_surrogate(catalogue, relation, it))
            })
        })
        .collect()
}

/// The text of what an index asks of columns in its expressions and its condition, and in columns that are
/// made of others.
fn asked(relation: &Relation, index: &Index) -> String {
    let is_plain = !index.partial && index.columns.iter().all(|it| it.column.is_some());
    let generated = index
        .columns
        .iter()
        .filter_map(|it| relation.column(it.column?))
        .filter(|it| it.generated)
        .filter_map(|it| it.default.clone());
    let own = (!is_plain).then(|| index.definition.clone());
    own.into_iter().chain(generated).collect()
}

/// Inserts an own row with a unique value of the victim's: where that comes out another way than one that
/// nobody has, it tells that the victim has it.
pub(super) async fn collide(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let indexes = across(stage.catalogue, ground);
    if indexes.is_empty() {
        return Ok(Verdict::absent(
            "no key spans the tenants but those of numbers and uuids that the server gives",
        ));
    }
    if stage.subject.root == Some(relation.oid) {
        return Ok(Verdict::absent("it is the table of the tenants themselves"));
    }
    let (recipe, tenant_too) = match recipe(round, ground, control) {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let own = draft(
        round,
        relation,
        Some(stage.attacker.tenant()),
        recipe,
        31,
        0,
    )
    .await?;
    let own = match own {
        Ok(row) => row,
        Err(why) => return Ok(Verdict::not_run(why)),
    };
    let (controlled, _) = sent(round, ground, &own, tenant_too).await?;
    if let Err(refusal) = controlled {
        return Ok(Verdict::no_control(&refusal));
    }
    let mut verdicts = Vec::new();
    for index in &indexes {
        let mut taken = own.clone();
        let asked = asked(relation, index);
        for column in &relation.columns {
            let in_index = index
                .columns
                .iter()
                .any(|it| it.column == Some(column.number));
            let refers = relation
                .foreign_keys()
                .any(|(own, _)| own.columns.contains(&column.number));
            let is_tenant = Some(column.number) == ground.tenant.map(|it| it.number);
            if in_index || (mentions(&asked, &column.name) && !refers && !is_tenant) {
                let value = ground.victim_row.value(column.number).map(str::to_owned);
                taken.set(column.number, value);
            }
        }
        let (attacked, shown) = sent(round, ground, &taken, tenant_too).await?;
        let reached = "inserted a row with values that nobody has";
        verdicts.push(match attacked {
            Err(refusal) if refusal.constraint.as_ref() == Some(&index.name) => Verdict::breach(
                round.shown(&stage.attacker.context, &[shown]),
                format!("{refusal} tells that another tenant has this value"),
                reached,
            ),
            Err(refusal) if refusal.is_no_answer() => Verdict::not_run(refusal.to_string()),
            Err(refusal) if refusal.is_constraint() => Verdict::not_run(refusal.to_string()),
            _ => Verdict::held(reached),
        });
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("no key spans the tenants")))
}

/// Takes over the victim's row by INSERT … ON CONFLICT DO UPDATE, on each of its keys.
pub(super) async fn upsert(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
) -> Result<Verdict, AuditError> {
    let mut verdicts = Vec::new();
    for index in ground.relation.indexes.iter().filter(|index| {
        index.unique
            && index.valid
            && !index.partial
            && index.columns.iter().all(|it| it.column.is_some())
    }) {
        verdicts.push(take_over(round, ground, control, index).await?);
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("it has no unique key")))
}

async fn take_over(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
    index: &Index,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let context = &stage.attacker.context;
    let (recipe, tenant_too) = match recipe(round, ground, control) {
        Ok(found) => found,
        Err(verdict) => return Ok(verdict),
    };
    let columns: Vec<i16> = index.columns.iter().filter_map(|it| it.column).collect();
    // Without another column, the key is set to what it is.
    let unique = unique_columns(relation, None).concat();
    let tenant = ground.tenant.map(|it| it.number);
    let set = settable(round, ground)
        .into_iter()
        .find(|column| !unique.contains(&column.number))
        .or_else(|| {
            let mut own = columns.iter().filter(|it| Some(**it) != tenant);
            relation.column(*own.next()?)
        });
    let Some(set) = set else {
        return Ok(Verdict::absent(
            "it has no column beside its tenant's that could be set",
        ));
    };
    let base = draft(
        round,
        relation,
        Some(stage.attacker.tenant()),
        recipe,
        41,
        0,
    )
    .await?;
    let base = match base {
        Ok(row) => row,
        Err(why) => return Ok(Verdict::not_run(why)),
    };
    let onto = |row: &Record| {
        let mut draft = base.clone();
        for column in &columns {
            draft.set(*column, row.value(*column).map(str::to_owned));
        }
        let tail = format!(
            " ON CONFLICT ({}) DO UPDATE SET {} = excluded.{}",
            relation.column_list(&columns),
            tidy(&set.name),
            tidy(&set.name)
        );
        let (sql, shown) = draft.insert(relation, &writable(round, ground, tenant_too));
        (sql + &tail, shown + &tail)
    };
    let controlled = round
        .one(Step::role(context, onto(&ground.own_row).0))
        .await?;
    let (attack, shown) = onto(&ground.victim_row);
    let Some(watched) = ground.watched() else {
        return Ok(Verdict::not_run("the victim's rows cannot be watched"));
    };
    let standing = format!("SELECT count(*) FROM {} WHERE {watched}", from(relation));
    let mut played = round
        .play(&[Step::role(context, attack), Step::eyes(standing.clone())])
        .await?
        .into_iter();
    let after = round.one(Step::eyes(standing)).await?;
    let reached = "took over its own row the same way";
    let lacks_update =
        ground.lacks(round, Privilege::Update) || ground.lacks(round, Privilege::Select);
    Ok(match (controlled, played.next(), played.next(), after) {
        (_, Some(Ok(_)), Some(Ok(during)), Ok(after)) if during.count() < after.count() => {
            Verdict::breach(
                round.shown(context, &[shown]),
                "changed the victim's row",
                reached,
            )
        }
        (_, Some(Err(refusal)), ..) if refusal.is_no_answer() => {
            Verdict::not_run(refusal.to_string())
        }
        (Err(control), Some(Err(refusal)), ..) if refusal.is_privilege() && lacks_update => {
            Verdict::held(format!("no right to it: {control}"))
        }
        (Err(control), ..) => Verdict::no_control(&control),
        (_, Some(Err(refusal)), ..) => {
            Verdict::held(format!("{reached}; the attack was refused: {refusal}"))
        }
        (_, Some(Ok(_)), Some(Ok(_)), Ok(_)) => Verdict::held(reached),
        (_, _, Some(Err(refusal)), _) | (.., Err(refusal)) => Verdict::not_run(refusal.to_string()),
        _ => Verdict::not_run("it could not be sent"),
    })
}

/// Deletes rows of shared tables that the victim's rows refer to, and that take them along.
pub(super) async fn cascade(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let mut verdicts = Vec::new();
    for (own, there) in relation.foreign_keys() {
        let changes = there.on_delete.changes() || there.on_update.changes();
        if stage.subject.is_tenants(there.relation) || !changes {
            continue;
        }
        let Some(parent) = stage.catalogue.relations.get(&there.relation) else {
            continue;
        };
        if let Some(why) = stage.harm.changing(parent) {
            verdicts.push(Verdict::not_run(why));
            continue;
        }
        let set: Vec<String> = own
            .columns
            .iter()
            .filter_map(|it| relation.column(*it))
            .map(|it| format!("t.{} IS NOT NULL", tidy(&it.name)))
            .collect();
        let referring = format!("{} AND {}", ground.foreign, set.join(" AND "));
        let row = records(round, relation, &referring, 1)
            .await?
            .unwrap_or_default()
            .into_iter()
            .next();
        let row = row.unwrap_or_else(|| ground.victim_row.clone());
        let key = Record {
            place: None,
            values: there
                .columns
                .iter()
                .zip(&own.columns)
                .map(|(there, own)| (*there, row.value(*own).map(str::to_owned)))
                .collect(),
        };
        let (Some(is), Some(watched)) = (key.is(parent, &there.columns), ground.watched()) else {
            verdicts.push(Verdict::not_run(format!(
                "the victim's row refers to none of {}",
                parent.name
            )));
            continue;
        };
        let mut ways = Vec::new();
        if there.on_delete.changes() {
            let sql = format!("DELETE FROM {} WHERE {is}", from(parent));
            ways.push((sql, "deleted", Privilege::Delete));
        }
        let column = there.columns.first().and_then(|it| parent.column(*it));
        if let (true, Some(column)) = (there.on_update.changes(), column)
            && let Some(value) = stage.types.make(column, "renamed", 54)
        {
            let (name, value) = (tidy(&column.name), typed(column, &value));
            let sql = format!("UPDATE {} SET {name} = {value} WHERE {is}", from(parent));
            ways.push((sql, "renamed", Privilege::Update));
        }
        for way in ways {
            verdicts.push(taken_along(round, ground, parent, &watched, way).await?);
        }
    }
    Ok(Verdict::worst(verdicts)
        .unwrap_or_else(|| Verdict::absent("it hangs on no shared table's rows")))
}

/// Whether what is done to a row of a shared table changes rows of others.
async fn taken_along(
    round: &Round<'_>,
    ground: &Ground<'_>,
    parent: &Relation,
    watched: &str,
    (sql, did, privilege): (String, &str, Privilege),
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let standing = format!(
        "SELECT count(*) FROM {} WHERE {watched}",
        from(ground.relation)
    );
    let mut played = round
        .play(&[
            Step::role(context, sql.clone()),
            Step::eyes(standing.clone()),
        ])
        .await?
        .into_iter();
    let after = round.one(Step::eyes(standing)).await?;
    Ok(match (played.next(), played.next(), after) {
        (Some(Ok(_)), Some(Ok(during)), Ok(after)) if during.count() < after.count() => {
            Verdict::breach(
                round.shown(context, &[sql]),
                format!(
                    "{did} a row of {}, and with it changed {} rows that are not the attacker's",
                    parent.name,
                    after.count() - during.count()
                ),
                "the same statement is the control",
            )
        }
        (Some(Err(refusal)), ..)
            if refusal.is_privilege() && !stage.may(round.role, parent, privilege) =>
        {
            Verdict::held(format!("no right to it: {refusal}"))
        }
        (Some(Err(refusal)), ..) if refusal.is_constraint() => {
            Verdict::held(format!("refused: {refusal}"))
        }
        (Some(Err(refusal)), ..) => Verdict::no_control(&refusal),
        (Some(Ok(answer)), ..) if answer.affected == 0 => Verdict::held(format!(
            "the policies of {} let nothing there be {did}",
            parent.name
        )),
        _ => Verdict::held(format!(
            "{did} the row of {}, which took nothing along",
            parent.name
        )),
    })
}
