//! What the role may do to the table as a whole, and whom it may become.

use super::super::{
    ground::{Ground, count},
    ownership::from,
    party::Party,
    refusal::Refusal,
    round::Round,
    seat::Way,
    step::Step,
    verdict::Verdict,
};
use crate::{
    AuditError,
    catalogue::{Column, Identity, Oid, Privilege, Relation, RelationKind},
    sql::{ident, literal, tidy},
};

/// Asks the server whether the role has a right.
async fn has(
    round: &Round<'_>,
    function: &str,
    object: Oid,
    right: &str,
) -> Result<Result<bool, Refusal>, AuditError> {
    let sql = format!(
        "SELECT pg_catalog.{function}({}::oid, {object}::oid, '{right}')",
        round.role
    );
    Ok(round
        .look(&sql)
        .await?
        .map(|answer| answer.text() == Some("t")))
}

/// The sequences that number a table's columns.
fn sequences<'a>(round: &Round<'a>, relation: &Relation) -> Vec<&'a Relation> {
    let mut found: Vec<&Relation> = round
        .stage
        .catalogue
        .relations
        .values()
        .filter(|it| it.kind == RelationKind::Sequence)
        .filter(|it| {
            it.owned_by.is_some_and(|(table, _)| table == relation.oid)
                || relation.columns.iter().any(|column| {
                    column.default.as_ref().is_some_and(|default| {
                        default.contains(&format!("nextval('{}'", it.name).replace('\'', "'"))
                    })
                })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Never by calling it: `setval` and `nextval` are not rolled back.
pub(super) async fn sequence(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let context = &round.stage.attacker.context;
    let mut verdicts = Vec::new();
    for sequence in sequences(round, relation) {
        verdicts.push(
            match has(round, "has_sequence_privilege", sequence.oid, "UPDATE").await? {
                Ok(true) => {
                    let sql = format!(
                        "SELECT setval({}, 1)",
                        literal(&sequence.name.to_string())
                    );
                    Verdict::breach(
                        round.shown(context, &[sql]),
                        format!(
                            "may set {} back, by its rights (it was not called, since no rollback undoes it)",
                            sequence.name
                        ),
                        "the server was asked for the right alone",
                    )
                }
                Ok(false) => Verdict::held(format!("no right to set {}", sequence.name)),
                Err(refusal) => Verdict::no_control(&refusal),
            },
        );
    }
    let numbered = relation.columns.iter().find(|column| {
        column.identity != Identity::No
            || column
                .default
                .as_ref()
                .is_some_and(|it| it.contains("nextval("))
    });
    // The numbers of the tenants themselves count tenants.
    if let Some(column) = numbered
        && round.stage.subject.root != Some(relation.oid)
        && !ground.made_up
    {
        for party in [&round.stage.attacker, &round.stage.victim] {
            verdicts.push(numbered_up_to(round, ground, column, party).await?);
        }
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("no sequence numbers it")))
}

/// Whether a tenant learns from the numbers of its own rows how many others have.
async fn numbered_up_to(
    round: &Round<'_>,
    ground: &Ground<'_>,
    column: &Column,
    party: &Party,
) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let sql = format!(
        "SELECT count(*), max(t.{}) FROM {}",
        tidy(&column.name),
        from(relation)
    );
    let Some(owned) = round.stage.owned_by(relation, party.tenant()) else {
        return Ok(Verdict::not_run("it cannot be told whose its rows are"));
    };
    let own = format!("{sql} WHERE {owned}");
    Ok(match round.one(Step::role(&party.context, own)).await? {
        Ok(answer) => match answer.rows.first().map(Vec::as_slice) {
            Some([Some(rows), Some(highest)]) => {
                if highest.parse::<i128>().ok() > rows.parse::<i128>().ok() {
                    Verdict::breach(
                        round.shown(&party.context, &[sql]),
                        format!(
                            "a tenant's {rows} rows are numbered up to {highest}: one sequence counts the rows of all"
                        ),
                        "the same statement is the control",
                    )
                } else {
                    Verdict::held(format!("{rows} rows are numbered up to {highest}"))
                }
            }
            _ => Verdict::not_run("the control did not reach: it read none of its own rows"),
        },
        Err(refusal) if refusal.is_privilege() => {
            Verdict::held(format!("no right to it: {refusal}"))
        }
        Err(refusal) => Verdict::no_control(&refusal),
    })
}

pub(super) async fn truncate(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let mut verdicts = vec![truncate_one(round, ground.relation).await?];
    // The right to a partition is asked for by itself.
    let partitions = super::reading::below(round.stage.catalogue, ground.relation);
    for partition in partitions.into_iter().filter(|it| it.is_table()) {
        if round.stage.may(round.role, partition, Privilege::Truncate) {
            verdicts.push(truncate_one(round, partition).await?);
        }
    }
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("there is nothing to empty")))
}

async fn truncate_one(round: &Round<'_>, relation: &Relation) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    let sql = format!("TRUNCATE {}", relation.name);
    let may = match has(round, "has_table_privilege", relation.oid, "TRUNCATE").await? {
        Ok(may) => may,
        Err(refusal) => return Ok(Verdict::no_control(&refusal)),
    };
    if may && !round.stage.how.intrusive {
        return Ok(Verdict::breach(
            round.shown(context, &[sql]),
            "may empty the table, by its rights (it was not sent, since it locks the whole table)",
            "the server was asked for the right alone",
        ));
    }
    // Without the right it is refused before any lock is taken.
    let all = sql.clone() + " CASCADE";
    Ok(match round.one(Step::role(context, sql.clone())).await? {
        Ok(_) => Verdict::breach(
            round.shown(context, &[sql]),
            "emptied the table",
            "the same statement is the control",
        ),
        Err(refusal) if refusal.is_privilege() && !may => {
            Verdict::held(format!("no right to it: {refusal}"))
        }
        Err(_) if may => match round.one(Step::role(context, all.clone())).await? {
            Ok(_) => Verdict::breach(
                round.shown(context, &[all]),
                "emptied the table and those that refer to it",
                "the same statement is the control",
            ),
            Err(refusal) => Verdict::not_run(refusal.to_string()),
        },
        Err(refusal) => Verdict::not_run(refusal.to_string()),
    })
}

pub(super) async fn set_role(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let roles = &stage.catalogue.roles;
    let context = &stage.attacker.context;
    if round.way == Way::LoginSetRole {
        return Ok(Verdict::not_run(
            "SET ROLE asks for the login's memberships, and the login is not the role",
        ));
    }
    let become_ = |role: &str| format!("SET LOCAL ROLE {}", ident(role));
    let read = |condition: &str| count(&from(ground.relation), condition);
    let control = round
        .play(&[
            Step::role(context, become_(round.role_name())),
            Step::next(read(&ground.seen_own)),
        ])
        .await?;
    let reached = match control.as_slice() {
        [Ok(_), Ok(answer)] => {
            format!("became itself, and read {} of its own rows", answer.count())
        }
        [Ok(_), Err(refusal)] => format!("became itself, and had no right to read: {refusal}"),
        _ => {
            return Ok(Verdict::not_run(
                "the control did not reach: it could not become itself",
            ));
        }
    };
    let mut others: Vec<Oid> = roles
        .reachable(round.role)
        .iter()
        .copied()
        .filter(|it| *it != round.role)
        .collect();
    // Where nobody is within reach, that it cannot become the owner is worth a try.
    if others.is_empty() && ground.relation.owner != round.role {
        others.push(ground.relation.owner);
    }
    others.sort_by_key(|it| roles.name(*it).to_owned());
    let mut tried = Vec::new();
    for other in others {
        let name = roles.name(other);
        let statements = [become_(name), read(&ground.seen_foreign)];
        let [become_it, read_it] = statements.clone();
        let played = round
            .play(&[Step::role(context, become_it), Step::next(read_it)])
            .await?;
        match played.as_slice() {
            [Ok(_), Ok(answer)] if answer.count() > 0 => {
                return Ok(Verdict::breach(
                    round.shown(context, &statements),
                    format!(
                        "became {name}, and read {} rows of other tenants",
                        answer.count()
                    ),
                    reached,
                ));
            }
            [Ok(_), Ok(_)] => tried.push(format!("as {name} it read none of others'")),
            [Ok(_), Err(refusal)] => tried.push(format!("as {name}: {refusal}")),
            [Err(refusal)] => tried.push(refusal.to_string()),
            _ => return Ok(Verdict::not_run("it could not be sent")),
        }
    }
    let tried = tried.join("; ");
    Ok(if tried.is_empty() {
        Verdict::absent("there is no other role that it could become")
    } else {
        Verdict::held(format!("{reached}; {tried}"))
    })
}

pub(super) async fn trigger(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let context = &round.stage.attacker.context;
    let statements = [
        "CREATE FUNCTION pg_temp.steal() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
            .to_owned(),
        format!(
            "CREATE TRIGGER steal BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION pg_temp.steal()",
            relation.name
        ),
    ];
    let may = match has(round, "has_table_privilege", relation.oid, "TRIGGER").await? {
        Ok(may) => may,
        Err(refusal) => return Ok(Verdict::no_control(&refusal)),
    };
    if !may {
        return Ok(Verdict::held("no right to it, as has_table_privilege says"));
    }
    if !round.stage.how.intrusive {
        return Ok(Verdict::breach(
            round.shown(context, &statements),
            "may put a trigger on the table, by its rights (none was made, since that locks the whole table)",
            "the server was asked for the right alone",
        ));
    }
    let [function, trigger] = statements.clone();
    let played = round
        .play(&[Step::role(context, function), Step::next(trigger)])
        .await?;
    Ok(match played.last() {
        Some(Ok(_)) if played.len() == 2 => Verdict::breach(
            round.shown(context, &statements),
            "put a trigger on the table, which runs with every tenant's rights",
            "the same statement is the control",
        ),
        Some(Err(refusal)) => Verdict::not_run(refusal.to_string()),
        _ => Verdict::not_run("it could not be sent"),
    })
}

pub(super) async fn alter(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let roles = &round.stage.catalogue.roles;
    let context = &round.stage.attacker.context;
    let owner = roles.name(relation.owner);
    if !roles.is_superuser(round.role) && !roles.reachable(round.role).contains(&relation.owner) {
        return Ok(Verdict::held(format!(
            "it is not its owner {}, and no member of it",
            tidy(owner)
        )));
    }
    let mut statements = Vec::new();
    if round.role != relation.owner {
        statements.push(format!("SET LOCAL ROLE {}", ident(owner)));
    }
    statements.push(format!(
        "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
        relation.name
    ));
    if !round.stage.how.intrusive {
        return Ok(Verdict::breach(
            round.shown(context, &statements),
            "may switch row-level security off, as its owner or a member of it (it was not sent, since it locks the whole table)",
            "the catalogues were asked for the right alone",
        ));
    }
    statements.push(count(&from(relation), &ground.seen_foreign));
    let mut steps = vec![Step::role(context, "SELECT 1")];
    steps.extend(statements.iter().map(Step::next));
    let played = round.play(&steps).await?;
    Ok(match played.last() {
        Some(Ok(answer)) if played.len() == steps.len() => Verdict::breach(
            round.shown(context, &statements),
            format!(
                "switched row-level security off, and read {} rows of other tenants",
                answer.count()
            ),
            "the same statements are the control",
        ),
        Some(Err(refusal)) => Verdict::not_run(refusal.to_string()),
        _ => Verdict::not_run("it could not be sent"),
    })
}

/// `pg_type.oid` of `oid`, the type of columns that name large objects; `lo` is a domain over it.
const OID: Oid = 26;

pub(super) async fn large_object(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    let columns: Vec<_> = ground
        .relation
        .columns
        .iter()
        .filter(|column| {
            column.type_oid == OID || column.type_name == "lo" || column.type_name.ends_with(".lo")
        })
        .collect();
    let mut verdicts = Vec::new();
    for column in columns {
        let number = |value: Option<&str>| value?.parse::<u32>().ok().filter(|it| *it != 0);
        let (Some(theirs), Some(own)) = (
            number(ground.victim_row.value(column.number)),
            number(ground.own_row.value(column.number)),
        ) else {
            verdicts.push(Verdict::not_run(format!(
                "no large object was sampled for `{}`",
                column.name
            )));
            continue;
        };
        let read = |of: u32| format!("SELECT length(pg_catalog.lo_get({of}))");
        let control = round.one(Step::role(context, read(own))).await?;
        let attack = round.one(Step::role(context, read(theirs))).await?;
        verdicts.push(match (attack, control) {
            (Ok(answer), _) => Verdict::breach(
                round.shown(context, &[read(theirs)]),
                format!(
                    "read {} bytes of another tenant's large object",
                    answer.count()
                ),
                "read its own large object the same way",
            ),
            (Err(refusal), Err(_)) if refusal.is_privilege() => {
                Verdict::held(format!("no right to read any: {refusal}"))
            }
            (Err(refusal), Ok(_)) => Verdict::held(format!(
                "read its own large object the same way; refused: {refusal}"
            )),
            (Err(_), Err(refusal)) => Verdict::no_control(&refusal),
        });
    }
    Ok(Verdict::worst(verdicts)
        .unwrap_or_else(|| Verdict::absent("it has no column for large objects")))
}
