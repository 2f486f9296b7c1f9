//! Updates and deletes, without WHERE and RETURNING: both would make PostgreSQL ask the SELECT policies too,
//! which hides an open UPDATE or DELETE policy.

use super::super::{
    draft::unique_columns,
    ground::{Ground, MOST},
    ownership::{from, typed},
    record::Record,
    refusal::Refusal,
    round::{Played, Round},
    step::{Answer, Step},
    verdict::Verdict,
};
use crate::{
    AuditError,
    catalogue::{Column, Identity, Privilege},
    sql::tidy,
};

/// What a blind write came to.
pub(super) enum Written {
    /// It reached others' rows, so many at least.
    Others(u64),
    /// It wrote so many rows, and none of others'.
    Own(u64),
    Refused(Refusal),
    /// It cannot be told.
    Unknown(String),
}

/// Writes as the attacker, and looks what became of others' rows: those that were there before, are not where
/// they were after the write, and are there again once it is undone. So what other sessions do meanwhile is
/// not taken for the attack's work.
pub(super) async fn blind(
    round: &Round<'_>,
    ground: &Ground<'_>,
    prepared: &[Step<'_>],
    sql: &str,
) -> Result<Written, AuditError> {
    let context = &round.stage.attacker.context;
    let Some(watched) = ground.watched() else {
        return Ok(Written::Unknown(
            "the victim's rows cannot be watched".to_owned(),
        ));
    };
    let standing = format!(
        "SELECT count(*) FROM {} WHERE {watched}",
        from(ground.relation)
    );
    let mut steps = prepared.to_vec();
    steps.push(Step::role(context, sql));
    steps.push(Step::eyes(standing.clone()));
    // Where a victim was named, the rows of others may be below the attacker.
    let allowed = match round.stage.is_named() {
        true => &ground.visible,
        false => &ground.own,
    };
    let own = ground.count_as_admin(round, allowed).await?;
    let played = round.play(&steps).await?;
    let own = own.max(ground.count_as_admin(round, allowed).await?);
    let after = match round.one(Step::eyes(standing)).await? {
        Ok(answer) => answer.count(),
        Err(refusal) => return Ok(Written::Unknown(refusal.to_string())),
    };
    Ok(written(played, prepared.len(), own, after))
}

fn written(played: Played, prepared: usize, own: Option<u64>, after: u64) -> Written {
    let mut played = played.into_iter();
    for step in played.by_ref().take(prepared) {
        if let Err(refusal) = step {
            return Written::Unknown(refusal.to_string());
        }
    }
    let affected = match played.next() {
        Some(Ok(Answer { affected, .. })) => affected,
        Some(Err(refusal)) => return Written::Refused(refusal),
        None => return Written::Unknown("it could not be sent".to_owned()),
    };
    let during = match played.next() {
        Some(Ok(answer)) => answer.count(),
        Some(Err(refusal)) => return Written::Unknown(refusal.to_string()),
        None => return Written::Unknown("nobody could look".to_owned()),
    };
    if after == 0 {
        return Written::Unknown("none of the victim's rows can be watched".to_owned());
    }
    let moved = after.saturating_sub(during);
    let beyond = own
        .filter(|own| *own <= MOST)
        .map_or(0, |own| affected.saturating_sub(own));
    match moved.max(beyond) {
        0 => Written::Own(affected),
        others => Written::Others(others),
    }
}

/// On a big table: the one row of the victim's, by a cursor, which does not ask the SELECT policies either.
async fn by_cursor(
    round: &Round<'_>,
    ground: &Ground<'_>,
    sql: &str,
) -> Result<Written, AuditError> {
    if !round.hand() {
        return Ok(Written::Unknown(format!(
            "about {:.0} rows are too many to be written, and only a superuser can point at one",
            ground.relation.rows
        )));
    }
    let context = &round.stage.attacker.context;
    let at = |row: &Record| super::super::record::at_places([row]);
    let mut affected = Vec::new();
    for row in [&ground.victim_row, &ground.own_row] {
        let Some(place) = at(row) else {
            return Ok(Written::Unknown(
                "the victim's rows cannot be watched".to_owned(),
            ));
        };
        let steps = [
            Step::role(context, "SELECT 1"),
            Step::admin(format!(
                "DECLARE victims NO SCROLL CURSOR FOR SELECT 1 FROM {} WHERE {place}",
                from(ground.relation)
            )),
            Step::admin("FETCH victims"),
            Step::still(format!("{sql} WHERE CURRENT OF victims")),
        ];
        match round.play(&steps).await?.pop() {
            Some(Ok(answer)) => affected.push(answer.affected),
            Some(Err(refusal)) => return Ok(Written::Refused(refusal)),
            None => return Ok(Written::Unknown("it could not be sent".to_owned())),
        }
    }
    Ok(match affected.as_slice() {
        [0, own] => Written::Own(*own),
        [others, ..] => Written::Others(*others),
        [] => Written::Unknown("it could not be sent".to_owned()),
    })
}

async fn write(
    round: &Round<'_>,
    ground: &Ground<'_>,
    prepared: &[Step<'_>],
    sql: &str,
) -> Result<Written, AuditError> {
    if ground.is_big() && !round.stage.how.intrusive {
        by_cursor(round, ground, sql).await
    } else {
        blind(round, ground, prepared, sql).await
    }
}

fn judge(
    round: &Round<'_>,
    ground: &Ground<'_>,
    sql: &str,
    did: &str,
    written: Written,
    privilege: Privilege,
) -> Verdict {
    let context = &round.stage.attacker.context;
    match written {
        Written::Others(rows) => Verdict::breach(
            round.shown(context, &[sql.to_owned()]),
            format!("{did} {rows} rows that are not the attacker's"),
            "the same statement is the control",
        ),
        Written::Own(0) => Verdict::not_run(format!(
            "the control did not reach: it {did} none of its own rows"
        )),
        Written::Own(rows) => Verdict::held(format!("{did} {rows} rows, all of its own")),
        Written::Refused(refusal) if refusal.is_privilege() && ground.lacks(round, privilege) => {
            Verdict::held(format!("no right to it: {refusal}"))
        }
        Written::Refused(refusal) => Verdict::no_control(&refusal),
        Written::Unknown(why) => Verdict::not_run(why),
    }
}

/// The columns that an UPDATE may set without being stopped by a constraint, the most harmless first.
pub(super) fn settable<'a>(round: &Round<'_>, ground: &Ground<'a>) -> Vec<&'a Column> {
    let relation = ground.relation;
    let may = |column: &&Column| {
        !column.generated
            && column.identity != Identity::Always
            && Some(column.number) != ground.tenant.map(|it| it.number)
            && (!round.stage.may(round.role, relation, Privilege::Update)
                || round
                    .stage
                    .may_column(round.role, relation, column.number, Privilege::Update))
    };
    let unique: Vec<i16> = unique_columns(relation, None).concat();
    let bound: Vec<i16> = relation
        .constraints
        .iter()
        .flat_map(|it| it.columns.iter().copied())
        .collect();
    let mut columns: Vec<&Column> = relation.columns.iter().filter(may).collect();
    columns.sort_by_key(|column| {
        (
            unique.contains(&column.number),
            bound.contains(&column.number),
            !column.not_null,
        )
    });
    columns
}

pub(super) async fn update(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let mut last = None;
    for column in settable(round, ground).into_iter().take(6) {
        let made = round
            .stage
            .types
            .make(column, &relation.name.to_string(), 7);
        let own = ground.own_row.value(column.number).map(str::to_owned);
        // Not DEFAULT, which may take a number. Itself last: to read a column asks the SELECT policies too.
        let mut values: Vec<String> = [made, own]
            .into_iter()
            .map(|it| it.map_or_else(|| "NULL".to_owned(), |it| typed(column, &it)))
            .collect();
        if round.stage.may_read(round.role, relation, column.number) {
            values.push(tidy(&column.name));
        }
        for value in values {
            let sql = format!(
                "UPDATE {} SET {} = {value}",
                relation.name,
                tidy(&column.name)
            );
            let written = write(round, ground, &[], &sql).await?;
            let again = matches!(
                &written,
                Written::Refused(refusal) if !refusal.is_privilege() && !refusal.is_no_answer()
            );
            let verdict = judge(round, ground, &sql, "changed", written, Privilege::Update);
            if !again {
                return Ok(verdict);
            }
            last = Some(verdict);
        }
    }
    Ok(last.unwrap_or_else(|| Verdict::absent("it has no column that an UPDATE could set")))
}

pub(super) async fn delete(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let relation = ground.relation;
    let sql = format!("DELETE FROM {}", relation.name);
    let written = write(round, ground, &[], &sql).await?;
    // Rows that are referred to cannot be deleted, which says nothing of the policies: without those that
    // refer, it can be told.
    if matches!(&written, Written::Refused(refusal) if refusal.is_constraint()) && round.can_make()
    {
        let children: Vec<Step<'_>> = round
            .stage
            .catalogue
            .relations
            .values()
            .filter(|child| child.is_table() && child.oid != relation.oid)
            .filter(|child| {
                child
                    .foreign_keys()
                    .any(|(_, there)| there.relation == relation.oid)
            })
            .filter(|child| child.rows < super::super::record::MANY)
            .filter(|child| round.stage.harm.making_rows(child).is_none())
            .map(|child| Step::maker(format!("DELETE FROM {}", child.name)))
            .collect();
        let again = write(round, ground, &children, &sql).await?;
        return Ok(judge(
            round,
            ground,
            &sql,
            "deleted",
            again,
            Privilege::Delete,
        ));
    }
    Ok(judge(
        round,
        ground,
        &sql,
        "deleted",
        written,
        Privilege::Delete,
    ))
}
