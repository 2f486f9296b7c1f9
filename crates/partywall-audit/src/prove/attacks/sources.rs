//! Triggers and rules that change others' rows beside what the attacker writes: of the table itself, and of
//! views and shared tables.

use std::collections::BTreeSet;

use super::{
    super::{
        draft::{Draft, draft},
        ground::{Ground, count},
        ownership::{from, owner_column, typed},
        record::{MANY, Record, at_places, records},
        round::Round,
        step::Step,
        verdict::Verdict,
    },
    calling::touches,
    inserting::{Control, writable},
    writing::settable,
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Column, Oid, Privilege, Relation, RelationKind},
    sql::tidy,
};

/// A statement, as it is sent and as it is shown.
type Statement = (String, String);

/// The tables that the triggers and rules of a relation name, by themselves or by what they call.
fn touched(round: &Round<'_>, relation: &Relation) -> BTreeSet<Oid> {
    let catalogue: &Catalogue = round.stage.catalogue;
    let mut found: BTreeSet<Oid> = relation
        .rules
        .iter()
        .flat_map(|it| it.touches.clone())
        .collect();
    for trigger in relation.triggers.iter().filter(|it| it.enabled) {
        let Some(function) = catalogue.functions.get(&trigger.function) else {
            continue;
        };
        let reached = round.stage.harm.reached(function);
        found.extend(
            catalogue
                .relations
                .values()
                .filter(|it| it.is_table())
                .filter(|it| touches(function, it) || reached.contains(&it.oid))
                .map(|it| it.oid),
        );
    }
    found
}

/// Writes own rows, and rows of what belongs to nobody, and looks what became of others'.
pub(super) async fn side_effect(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
) -> Result<Verdict, AuditError> {
    let own = of_table(round, ground, control).await?;
    let mut verdicts = Vec::new();
    for source in sources(round, ground.relation) {
        verdicts.push(of_source(round, ground, source).await?);
    }
    verdicts.push(own);
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| {
        Verdict::absent("no trigger and no rule of it touches a tenants' table")
    }))
}

/// What is watched while something is written: the rows of others, and a statement that counts them.
struct Watched<'a> {
    table: &'a Relation,
    standing: String,
    first: Record,
}

async fn watched<'a>(
    round: &Round<'a>,
    table: &'a Relation,
) -> Result<Option<Watched<'a>>, AuditError> {
    let Some(foreign) = round.stage.foreign(table) else {
        return Ok(None);
    };
    let theirs = records(round, table, &foreign, 100)
        .await?
        .unwrap_or_default();
    Ok(theirs
        .first()
        .cloned()
        .zip(at_places(&theirs))
        .map(|(first, at)| Watched {
            table,
            standing: count(&from(table), &at),
            first,
        }))
}

/// What a statement changed of the rows that are watched; whether it was sent at all.
async fn send(
    round: &Round<'_>,
    watched: &Watched<'_>,
    (sent, shown): &Statement,
) -> Result<(bool, Option<Verdict>), AuditError> {
    let context = &round.stage.attacker.context;
    let standing = || Step::eyes(watched.standing.clone());
    let played = round
        .play(&[Step::role(context, sent.clone()), standing()])
        .await?;
    let after = round.one(standing()).await?;
    Ok(match (played.as_slice(), after) {
        ([Ok(_), Ok(during)], Ok(after)) if during.count() < after.count() => (
            true,
            Some(Verdict::breach(
                round.shown(context, std::slice::from_ref(shown)),
                format!(
                    "changed {} rows of other tenants in {}",
                    after.count() - during.count(),
                    watched.table.name
                ),
                "the same statement is the control",
            )),
        ),
        ([Ok(_), ..], _) => (true, None),
        _ => (false, None),
    })
}

async fn of_table(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let tables: Vec<&Relation> = touched(round, relation)
        .iter()
        .filter(|oid| stage.subject.is_tenants(**oid))
        .filter_map(|oid| stage.catalogue.relations.get(oid))
        .collect();
    if tables.is_empty() {
        return Ok(Verdict::absent(
            "no trigger and no rule of it touches a tenants' table",
        ));
    }
    let own = match control {
        Control::Reached { recipe, .. } => {
            let tenant = Some(stage.attacker.tenant());
            draft(round, relation, tenant, recipe, 51, 0).await?.ok()
        }
        Control::Refused(_) | Control::Unknown(_) => None,
    };
    let tenant_too = match control {
        Control::Reached { tenant_too, .. } => *tenant_too,
        Control::Refused(_) | Control::Unknown(_) => true,
    };
    let may = writable(round, ground, tenant_too);
    let mut any = false;
    for table in tables {
        let Some(watched) = watched(round, table).await? else {
            continue;
        };
        let mut statements: Vec<Statement> = own
            .iter()
            .flat_map(|own| naming(round, ground, own, &watched))
            .map(|row| row.insert(relation, &may))
            .collect();
        statements.extend(of_rows(round, ground));
        for statement in &statements {
            let (sent, breach) = send(round, &watched, statement).await?;
            any |= sent;
            if let Some(breach) = breach {
                return Ok(breach);
            }
        }
    }
    Ok(if any {
        Verdict::held("wrote rows of its own, and no row of others' changed")
    } else {
        Verdict::not_run("the control did not reach: it wrote no row of its own")
    })
}

/// An own row as it is, and with each of its columns, in turn, naming the victim's row.
fn naming(
    round: &Round<'_>,
    ground: &Ground<'_>,
    own: &Draft,
    watched: &Watched<'_>,
) -> Vec<Draft> {
    let table = watched.table;
    let owner = owner_column(round.stage.subject, table);
    let key = table.primary_key().unwrap_or_default();
    let mut rows = vec![own.clone()];
    for column in &ground.relation.columns {
        let naming = key
            .iter()
            .filter(|it| owner != Some(**it))
            .filter_map(|it| table.column(*it))
            .find(|it| it.type_oid == column.type_oid);
        if let Some(naming) = naming
            && Some(column.number) != ground.tenant.map(|it| it.number)
        {
            let mut row = own.clone();
            let value = watched.first.value(naming.number);
            row.set(column.number, value.map(str::to_owned));
            rows.push(row);
        }
    }
    rows
}

/// Updates and deletes of all that the policies let it write.
fn of_rows(round: &Round<'_>, ground: &Ground<'_>) -> Vec<Statement> {
    let relation = ground.relation;
    let may = |privilege| round.stage.may(round.role, relation, privilege);
    let mut statements = Vec::new();
    if ground.is_big() && !round.stage.how.intrusive {
        return Vec::new();
    }
    if may(Privilege::Update) {
        // Each column that it may, since a trigger can be for one.
        for column in settable(round, ground).into_iter().take(6) {
            let made = round
                .stage
                .types
                .make(column, &relation.name.to_string(), 52);
            let own = ground.own_row.value(column.number).map(str::to_owned);
            for value in [made, own].into_iter().flatten() {
                let (name, value) = (tidy(&column.name), typed(column, &value));
                statements.push(format!("UPDATE {} SET {name} = {value}", relation.name));
            }
        }
    }
    if may(Privilege::Delete) {
        statements.push(format!("DELETE FROM {}", relation.name));
    }
    statements.into_iter().map(|it| (it.clone(), it)).collect()
}

/// The views and shared tables that the role may write, and whose triggers and rules touch a table.
fn sources<'a>(round: &Round<'a>, table: &Relation) -> Vec<&'a Relation> {
    let stage = round.stage;
    let writes = [Privilege::Insert, Privilege::Update, Privilege::Delete];
    let mut found: Vec<&Relation> = stage
        .catalogue
        .relations
        .values()
        .filter(|it| it.kind == RelationKind::View || it.is_table())
        .filter(|it| !stage.subject.is_tenants(it.oid) && it.rows < MANY)
        .filter(|it| !it.rules.is_empty() || !it.triggers.is_empty())
        .filter(|it| writes.iter().any(|right| stage.may(round.role, it, *right)))
        .filter(|it| touched(round, it).contains(&table.oid))
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

async fn of_source(
    round: &Round<'_>,
    ground: &Ground<'_>,
    source: &Relation,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    if let Some(why) = stage.harm.changing(source) {
        return Ok(Verdict::not_run(format!("{}: {why}", source.name)));
    }
    let Some(watched) = watched(round, ground.relation).await? else {
        return Ok(Verdict::not_run("the victim's rows cannot be watched"));
    };
    let mut any = false;
    for sql in statements(round, ground, source, &watched.first) {
        let (sent, breach) = send(round, &watched, &(sql.clone(), sql)).await?;
        any |= sent;
        if let Some(breach) = breach {
            return Ok(breach);
        }
    }
    Ok(if any {
        Verdict::held(format!(
            "wrote {}, and no row of others' changed",
            source.name
        ))
    } else {
        Verdict::not_run(format!(
            "the control did not reach: {} was not written",
            source.name
        ))
    })
}

/// Rows of a shared relation that name a victim's row or its tenant in one of the columns, or in none.
fn statements(
    round: &Round<'_>,
    ground: &Ground<'_>,
    source: &Relation,
    theirs: &Record,
) -> Vec<String> {
    let stage = round.stage;
    let relation = ground.relation;
    let named: Vec<&Column> = relation
        .primary_key()
        .unwrap_or_default()
        .iter()
        .copied()
        .chain(ground.tenant.map(|it| it.number))
        .filter_map(|it| relation.column(it))
        .collect();
    let values = |column: &Column| -> Vec<String> {
        let made = stage.types.make(column, &source.name.to_string(), 53);
        let of_theirs = named
            .iter()
            .filter(|it| it.type_oid == column.type_oid)
            .filter_map(|it| theirs.value(it.number).map(str::to_owned));
        made.into_iter()
            .chain(of_theirs)
            .map(|value| typed(column, &value))
            .collect()
    };
    let columns = |privilege: Privilege| -> Vec<&Column> {
        source
            .columns
            .iter()
            .filter(|it| !it.generated)
            .filter(|it| stage.may_column(round.role, source, it.number, privilege))
            .collect()
    };
    let mut statements = Vec::new();
    let given = columns(Privilege::Insert);
    let is_given = |column: &Column| given.iter().any(|it| it.number == column.number);
    if !given.is_empty() && stage.harm.leaving(source, &is_given).is_none() {
        let names: Vec<String> = given.iter().map(|it| tidy(&it.name)).collect();
        // The first value is made up; each further one is tried in one row.
        for at in 0..3 {
            let row: Vec<String> = given
                .iter()
                .map(|column| {
                    let values = values(column);
                    let value = values.get(at).or(values.last());
                    value.cloned().unwrap_or_else(|| "NULL".to_owned())
                })
                .collect();
            statements.push(format!(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
                source.name,
                names.join(", "),
                row.join(", ")
            ));
        }
    }
    for column in columns(Privilege::Update).into_iter().take(6) {
        let value = values(column).into_iter().next();
        let value = value.unwrap_or_else(|| "NULL".to_owned());
        let name = tidy(&column.name);
        statements.push(format!("UPDATE {} SET {name} = {value}", source.name));
    }
    if stage.may(round.role, source, Privilege::Delete) {
        statements.push(format!("DELETE FROM {}", source.name));
    }
    statements.dedup();
    statements
}
