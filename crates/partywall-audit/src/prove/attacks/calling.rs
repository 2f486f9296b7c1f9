//! Functions that the role may call, with keys of the victim's.

use super::{
    super::{
        ground::Ground, ownership::from, reach::relations_in, record::Record, round::Round,
        step::Step, verdict::Verdict, words::mentions,
    },
    interference::{digest, judge},
};
use crate::{
    AuditError, Outcome,
    catalogue::{Function, Relation, Volatility},
    sql::literal,
};

/// How many ways of filling in a function's arguments are tried.
const WAYS: usize = 6;

pub(super) async fn functions(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let catalogue = round.stage.catalogue;
    let mut functions: Vec<&Function> = catalogue
        .functions
        .values()
        .filter(|it| !it.is_trigger && matches!(it.kind, 'f' | 'p') && it.extension.is_none())
        .filter(|it| it.name.schema != "partywall")
        .filter(|it| {
            // What is behind other functions and views is reached with the rights of the one who owns the first.
            touches(it, ground.relation)
                || (it.security_definer
                    && round.stage.harm.reached(it).contains(&ground.relation.oid))
        })
        .collect();
    functions.sort_by_key(|it| it.signature());
    let mut verdicts = Vec::new();
    for function in functions {
        let mut verdict = one(round, ground, function).await?;
        match &mut verdict.outcome {
            Outcome::NotRun { why } => *why = format!("{}: {why}", function.signature()),
            Outcome::Breach { what, .. } => *what = format!("{}: {what}", function.signature()),
            Outcome::Held | Outcome::Absent => {}
        }
        verdicts.push(verdict);
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("no function touches it")))
}

/// Whether a function's body names a table.
pub(super) fn touches(function: &Function, relation: &Relation) -> bool {
    match &function.body {
        Some(tree) => relations_in(tree).contains(&relation.oid),
        None => mentions(&function.source, &relation.name.name),
    }
}

async fn one(
    round: &Round<'_>,
    ground: &Ground<'_>,
    function: &Function,
) -> Result<Verdict, AuditError> {
    let catalogue = round.stage.catalogue;
    let lacks = !catalogue.may_call(round.role, function);
    if function.kind == 'p' && lacks {
        return Ok(Verdict::held("no right to it: the role may not call it"));
    }
    // What may not be called is called all the same: that it is refused is the proof.
    if !lacks && let Some(why) = round.stage.harm.calling(function) {
        return Ok(Verdict::not_run(why));
    }
    let mut verdicts = Vec::new();
    for way in ways(ground, function) {
        let call = |row: &Record, tenant: &str| {
            let arguments: Option<Vec<String>> = way
                .iter()
                .map(|argument| argument.text(row, tenant))
                .collect();
            let mut arguments = arguments?;
            if function.variadic
                && let Some(last) = arguments.last_mut()
            {
                last.insert_str(0, "VARIADIC ");
            }
            Some(format!("{}({})", function.name, arguments.join(", ")))
        };
        let stage = round.stage;
        let (Some(attack), Some(control)) = (
            call(&ground.victim_row, stage.victim.tenant()),
            call(&ground.own_row, stage.attacker.tenant()),
        ) else {
            continue;
        };
        let changed = changes(round, ground, function, &attack).await?;
        if changed.as_ref().is_some_and(Verdict::is_breach) {
            return Ok(changed.unwrap_or_else(|| Verdict::absent("")));
        }
        if function.kind == 'p' {
            verdicts.extend(changed);
            continue;
        }
        let verdict = judge(
            round,
            ground,
            &digest(&attack),
            &digest(&control),
            &format!("SELECT * FROM {attack}"),
            lacks,
        )
        .await?;
        if verdict.is_breach() {
            return Ok(verdict);
        }
        verdicts.push(verdict);
    }
    // One way in which its own rows were reached is control enough for the others.
    if let Some(held) = verdicts.iter().find(|verdict| verdict.is_held()) {
        return Ok(held.clone());
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| {
        Verdict::not_run("its arguments cannot be taken from a row of the table")
    }))
}

/// Whether a call changes rows that are not the attacker's.
async fn changes(
    round: &Round<'_>,
    ground: &Ground<'_>,
    function: &Function,
    call: &str,
) -> Result<Option<Verdict>, AuditError> {
    if function.volatility != Volatility::Volatile || round.stage.read_only {
        return Ok(None);
    }
    let Some(watched) = ground.watched() else {
        return Ok(None);
    };
    let context = &round.stage.attacker.context;
    // Inside of a transaction that a client began, a procedure that ends it is refused.
    let verb = if function.kind == 'p' {
        "CALL"
    } else {
        "SELECT"
    };
    let sql = format!("{verb} {call}");
    let standing = format!(
        "SELECT count(*) FROM {} WHERE {watched}",
        from(ground.relation)
    );
    let played = round
        .play(&[
            Step::role(context, sql.clone()),
            Step::eyes(standing.clone()),
        ])
        .await?;
    let after = round.one(Step::eyes(standing)).await?;
    Ok(match (played.as_slice(), after) {
        ([Ok(_), Ok(during)], Ok(after)) if during.count() < after.count() => {
            Some(Verdict::breach(
                round.shown(context, &[sql]),
                format!(
                    "it changed {} rows that are not the attacker's",
                    after.count() - during.count()
                ),
                "the same statement is the control",
            ))
        }
        ([Err(refusal)], _) => Some(Verdict::not_run(refusal.to_string())),
        _ => None,
    })
}

/// What an argument is filled with.
#[derive(Clone, Debug)]
enum Argument {
    /// The value of a column of a row of the table.
    Column(i16, String),
    /// The same, as the only member of an array, or as a text.
    In(i16, String),
    AsText(i16),
    /// The tenant's key.
    Tenant(String),
    /// The same for everybody.
    Constant(String),
}

impl Argument {
    fn text(&self, row: &Record, tenant: &str) -> Option<String> {
        Some(match self {
            Self::Column(column, type_name) => {
                format!("{}::{type_name}", literal(row.value(*column)?))
            }
            Self::In(column, type_name) => {
                format!("ARRAY[{}]::{type_name}[]", literal(row.value(*column)?))
            }
            Self::AsText(column) => format!("{}::text", literal(row.value(*column)?)),
            Self::Tenant(type_name) => format!("{}::{type_name}", literal(tenant)),
            Self::Constant(text) => text.clone(),
        })
    }
}

/// The ways in which a function's arguments can be filled from a row of the table.
fn ways(ground: &Ground<'_>, function: &Function) -> Vec<Vec<Argument>> {
    let relation = ground.relation;
    let key = relation.primary_key().unwrap_or_default();
    let tenant = ground.tenant.map(|it| it.number);
    let names: Vec<String> = function
        .arguments
        .split(',')
        .map(|argument| argument.trim().to_lowercase())
        .collect();
    let mut ways: Vec<Vec<Argument>> = vec![Vec::new()];
    for (at, type_oid) in function.argument_types.iter().enumerate() {
        let mut columns: Vec<_> = relation
            .columns
            .iter()
            .filter(|column| column.type_oid == *type_oid)
            .collect();
        let name = names.get(at).map_or("", String::as_str);
        columns.sort_by_key(|column| {
            let is_tenant = Some(column.number) == tenant;
            (
                !mentions(name, &column.name),
                is_tenant != name.contains("tenant"),
                is_tenant,
                !key.contains(&column.number),
                column.number,
            )
        });
        let mut filled: Vec<Argument> = columns
            .into_iter()
            .take(WAYS)
            .map(|column| {
                if Some(column.number) == tenant && !super::super::ownership::is_array(column) {
                    Argument::Tenant(column.type_name.clone())
                } else {
                    Argument::Column(column.number, column.type_name.clone())
                }
            })
            .collect();
        let key_first = || {
            let keys = relation
                .columns
                .iter()
                .filter(|it| key.contains(&it.number));
            keys.filter(|it| Some(it.number) != tenant).chain(
                relation
                    .columns
                    .iter()
                    .filter(|it| Some(it.number) == tenant),
            )
        };
        if let Some(element) = element(*type_oid) {
            filled.extend(
                key_first()
                    .filter(|it| it.type_oid == element)
                    .map(|it| Argument::In(it.number, it.type_name.clone())),
            );
        }
        // A key is often given as a text.
        if *type_oid == TEXT {
            filled.truncate(WAYS - 2);
            filled.extend(key_first().take(2).map(|it| Argument::AsText(it.number)));
        }
        if filled.is_empty() {
            filled.extend(constant(*type_oid).map(|text| Argument::Constant(text.to_owned())));
        }
        ways = ways
            .iter()
            .flat_map(|way| {
                filled.iter().map(|argument| {
                    let mut way = way.clone();
                    way.push(argument.clone());
                    way
                })
            })
            .take(WAYS)
            .collect();
    }
    ways
}

/// `pg_type.oid` of `text`.
const TEXT: u32 = 25;

/// The members' type of one of PostgreSQL's own arrays of what keys are made of.
fn element(array: u32) -> Option<u32> {
    Some(match array {
        2951 => 2950,
        1005 => 21,
        1007 => 23,
        1016 => 20,
        1009 => 25,
        1015 => 1043,
        _ => return None,
    })
}

/// Something for an argument of one of PostgreSQL's own types.
fn constant(type_oid: u32) -> Option<&'static str> {
    Some(match type_oid {
        16 => "true",
        20 | 21 | 23 | 1700 => "1",
        25 | 1043 => "''",
        1082 => "'2000-01-01'::date",
        114 | 3802 => "'{}'",
        1114 | 1184 => "'2000-01-01'::timestamptz",
        _ => return None,
    })
}
