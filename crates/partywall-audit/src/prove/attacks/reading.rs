//! Reads, counts and joins, of the table itself and of its partitions.

use super::super::{
    context::Context,
    ground::{Ground, MOST, count},
    ownership::{at, from},
    refusal::Refusal,
    round::Round,
    step::{Answer, Step},
    verdict::Verdict,
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Privilege, Relation},
    sql::tidy,
};

/// Decides on an attack that counts others' rows, by its control, which counts own rows the same way.
pub(super) fn judge(
    round: &Round<'_>,
    context: &Context,
    statement: &str,
    attack: &Result<Answer, Refusal>,
    control: &Result<Answer, Refusal>,
    lacks: bool,
) -> Verdict {
    let reached = |answer: &Answer| match answer.count() {
        more if more > MOST => format!("more than {MOST} rows"),
        1 => "1 row".to_owned(),
        count => format!("{count} rows"),
    };
    let own = match control {
        Ok(answer) => format!("read {} of its own the same way", reached(answer)),
        Err(refusal) => format!("its own rows: {refusal}"),
    };
    match (attack, control) {
        (Ok(answer), _) if answer.count() > 0 => Verdict::breach(
            round.shown(context, &[statement.to_owned()]),
            format!("read {} of other tenants", reached(answer)),
            own,
        ),
        (Err(refusal), _) if refusal.is_no_answer() => Verdict::not_run(refusal.to_string()),
        (Err(_), Err(control)) if lacks && control.is_privilege() => {
            Verdict::held(format!("no right to it: {control}"))
        }
        (_, Err(refusal)) => Verdict::no_control(refusal),
        (_, Ok(answer)) if answer.count() == 0 => {
            Verdict::not_run("the control did not reach: it read none of its own rows")
        }
        (Ok(_), Ok(_)) => Verdict::held(own),
        (Err(refusal), Ok(_)) => Verdict::held(format!("{own}; the attack was refused: {refusal}")),
    }
}

/// Sends two statements, each by itself, and judges.
pub(super) async fn pair(
    round: &Round<'_>,
    context: &Context,
    attack: &str,
    control: &str,
    lacks: bool,
) -> Result<Verdict, AuditError> {
    let attacked = round.one(Step::role(context, attack)).await?;
    let own = &round.stage.attacker.context;
    let controlled = round.one(Step::role(own, control)).await?;
    Ok(judge(round, context, attack, &attacked, &controlled, lacks))
}

/// As [`pair`], of a table that the attacker has rows in: where it reads others' and none of its own, whose a
/// row is was told wrongly.
async fn own_too(
    round: &Round<'_>,
    ground: &Ground<'_>,
    attack: &str,
    control: &str,
    lacks: bool,
) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    let verdict = pair(round, context, attack, control, lacks).await?;
    if verdict.is_breach() && ground.relation.is_table() {
        let own = round.one(Step::role(context, control)).await?;
        if matches!(own, Ok(answer) if answer.count() == 0) {
            return Ok(Verdict::not_run(
                "the control did not reach: it read rows that are not its own, and none that are",
            ));
        }
    }
    Ok(verdict)
}

pub(super) async fn read(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let readable: Vec<String> = relation
        .columns
        .iter()
        .filter(|column| round.stage.may_read(round.role, relation, column.number))
        .map(|column| at("t", column))
        .collect();
    let columns = if readable.is_empty() || readable.len() == relation.columns.len() {
        "*".to_owned()
    } else {
        readable.join(", ")
    };
    let sql = |condition: &str| {
        format!(
            "SELECT count(*) FROM (SELECT {columns} FROM {} WHERE {condition} LIMIT {}) AS found",
            from(relation),
            MOST + 1
        )
    };
    own_too(
        round,
        ground,
        &sql(&ground.seen_foreign),
        &sql(&ground.seen_own),
        ground.lacks(round, Privilege::Select),
    )
    .await
}

/// Counts all rows that it sees, whatever their tenant: more than are its own or nobody's is a breach.
pub(super) async fn count_all(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    let sql = if ground.is_big() {
        count(&from(ground.relation), "true")
    } else {
        format!("SELECT count(*) FROM {}", from(ground.relation))
    };
    // Before and after: others work on the table meanwhile.
    let before = ground.count_as_admin(round, &ground.visible).await?;
    let seen = round.one(Step::role(context, sql.clone())).await?;
    let after = ground.count_as_admin(round, &ground.visible).await?;
    let (Some(before), Some(after)) = (before, after) else {
        return Ok(Verdict::not_run(
            "the rows that are its own could not be counted",
        ));
    };
    let most = before.max(after);
    Ok(match seen {
        Ok(answer) if most > MOST => {
            let _ = answer;
            Verdict::not_run(format!("the attacker has more than {MOST} rows of its own"))
        }
        Ok(answer) if answer.count() > most => Verdict::breach(
            round.shown(context, &[sql]),
            format!(
                "counted {} rows, of which {most} are its own or nobody's",
                answer.count()
            ),
            format!("{most} rows are its own or nobody's"),
        ),
        Ok(answer) if answer.count() == 0 => {
            Verdict::not_run("the control did not reach: it counted none of its own rows")
        }
        Ok(answer) => Verdict::held(format!(
            "counted {} rows, and {most} are its own or nobody's",
            answer.count()
        )),
        Err(refusal) if refusal.is_no_answer() => Verdict::not_run(refusal.to_string()),
        Err(refusal) if refusal.is_privilege() && ground.lacks(round, Privilege::Select) => {
            Verdict::held(format!("no right to it: {refusal}"))
        }
        Err(refusal) => Verdict::no_control(&refusal),
    })
}

/// Reaches rows by a join with a table that refers to it or that it refers to.
pub(super) async fn join(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let lacks = ground.lacks(round, Privilege::Select);
    let mut held = None;
    for joined in neighbours(round, relation) {
        let verdict = own_too(
            round,
            ground,
            &count(&joined, &ground.seen_foreign),
            &count(&joined, &ground.seen_own),
            lacks,
        )
        .await?;
        if verdict.is_breach() {
            return Ok(verdict);
        }
        if verdict.is_held() {
            held.get_or_insert(verdict);
        }
    }
    // With what an attacker brings along, since the policies of the other table may hold.
    let joined = format!("(VALUES (1)) AS other (one) CROSS JOIN {}", from(relation));
    let verdict = own_too(
        round,
        ground,
        &count(&joined, &ground.seen_foreign),
        &count(&joined, &ground.seen_own),
        lacks,
    )
    .await?;
    Ok(match held {
        Some(held) if !verdict.is_breach() => held,
        _ => verdict,
    })
}

/// Joins of the table `t` with its neighbours by foreign keys that the role may read.
fn neighbours(round: &Round<'_>, relation: &Relation) -> Vec<String> {
    let catalogue = round.stage.catalogue;
    let mut joins = Vec::new();
    let mut add = |other: &Relation, pairs: Vec<(Option<&str>, Option<&str>)>| {
        let on: Option<Vec<String>> = pairs
            .into_iter()
            .map(|(there, here)| Some(format!("other.{} = t.{}", tidy(there?), tidy(here?))))
            .collect();
        if let Some(on) = on
            && other.oid != relation.oid
            && round.stage.may(round.role, other, Privilege::Select)
            && round.stage.harm.reading(other).is_none()
        {
            joins.push(format!(
                "{} AS other JOIN {} ON {}",
                other.name,
                from(relation),
                on.join(" AND ")
            ));
        }
    };
    let name = |of: &'_ Relation, column: i16| of.column(column).map(|it| it.name.clone());
    for (own, there) in relation.foreign_keys() {
        if let Some(other) = catalogue.relations.get(&there.relation) {
            let names: Vec<_> = there
                .columns
                .iter()
                .zip(&own.columns)
                .map(|(there, here)| (name(other, *there), name(relation, *here)))
                .collect();
            add(
                other,
                names
                    .iter()
                    .map(|(a, b)| (a.as_deref(), b.as_deref()))
                    .collect(),
            );
        }
    }
    for other in catalogue.relations.values() {
        for (own, there) in other
            .foreign_keys()
            .filter(|(_, there)| there.relation == relation.oid)
        {
            let names: Vec<_> = own
                .columns
                .iter()
                .zip(&there.columns)
                .map(|(there, here)| (name(other, *there), name(relation, *here)))
                .collect();
            add(
                other,
                names
                    .iter()
                    .map(|(a, b)| (a.as_deref(), b.as_deref()))
                    .collect(),
            );
        }
    }
    joins.truncate(4);
    joins
}

/// The partitions of a table and the tables that inherit from it, in order of their names.
pub(super) fn below<'a>(catalogue: &'a Catalogue, relation: &Relation) -> Vec<&'a Relation> {
    let mut below = Vec::new();
    let mut ahead = vec![relation.oid];
    while let Some(parent) = ahead.pop() {
        for child in catalogue
            .relations
            .values()
            .filter(|child| child.parents.contains(&parent))
        {
            ahead.push(child.oid);
            below.push(child);
        }
    }
    below.sort_by(|a, b| a.name.cmp(&b.name));
    below
}

/// Reads each partition, and each table that inherits, by its own name.
pub(super) async fn partitions(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let below = below(round.stage.catalogue, ground.relation);
    let mut verdicts = Vec::new();
    for child in below {
        // Columns are found by name: a partition may number them in another order.
        let sql = |condition: &str| count(&from(child), condition);
        let verdict = pair(
            round,
            &round.stage.attacker.context,
            &sql(&ground.seen_foreign),
            &sql(&ground.seen_own),
            !round.stage.may(round.role, child, Privilege::Select),
        )
        .await?;
        let held = verdict.is_held();
        let verdict = if let crate::Outcome::NotRun { why } = &verdict.outcome {
            Verdict::not_run(format!("{}: {why}", child.name))
        } else {
            verdict
        };
        verdicts.push((held, verdict));
    }
    // That one partition held and another has no rows of the attacker's is enough of a control.
    let any_held = verdicts.iter().any(|(held, _)| *held);
    let verdicts = verdicts.into_iter().map(|(_, verdict)| verdict).filter(|verdict| {
        !any_held
            || !matches!(&verdict.outcome, crate::Outcome::NotRun { why } if why.contains("none of its own"))
    });
    Ok(Verdict::worst(verdicts).unwrap_or_else(|| Verdict::absent("it has no partitions")))
}
