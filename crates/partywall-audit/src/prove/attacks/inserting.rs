//! Rows that are inserted in another's name, or moved to it.

use super::super::{
    draft::{Draft, Recipe, draft},
    ground::Ground,
    make::TRIES,
    ownership::typed,
    record::Record,
    refusal::Refusal,
    round::Round,
    step::Step,
    verdict::Verdict,
};
use crate::{
    AuditError,
    catalogue::{Column, Privilege},
    sql::tidy,
    subject::Belonging,
};

/// How an own row was inserted.
pub(super) enum Control {
    /// With this recipe, and with the tenant's column or without.
    Reached {
        recipe: Recipe,
        tenant_too: bool,
    },
    Refused(Refusal),
    /// It cannot be written at all.
    Unknown(String),
}

/// Whether a role may write a column in an INSERT.
pub(super) fn writable<'a>(
    round: &'a Round<'_>,
    ground: &'a Ground<'_>,
    tenant_too: bool,
) -> impl Fn(&Column) -> bool + 'a {
    let stage = round.stage;
    let any = stage.may(round.role, ground.relation, Privilege::Insert);
    move |column: &Column| {
        let is_tenant = Some(column.number) == ground.tenant.map(|it| it.number);
        (tenant_too || !is_tenant)
            && (!any
                || is_tenant
                || stage.may_column(
                    round.role,
                    ground.relation,
                    column.number,
                    Privilege::Insert,
                ))
    }
}

/// Inserts an own row.
pub(super) async fn control(round: &Round<'_>, ground: &Ground<'_>) -> Result<Control, AuditError> {
    let stage = round.stage;
    let context = &stage.attacker.context;
    let is_root = matches!(
        stage.subject.belonging(ground.relation.oid),
        Some(Belonging::Root(_))
    );
    let mut recipe = Recipe::of(round, ground.relation).await?;
    let mut tenant_too = true;
    let mut last = None;
    for _ in 0..TRIES {
        let tenant = Some(stage.attacker.tenant());
        let row = match draft(round, ground.relation, tenant, &recipe, 11, 0).await? {
            Ok(row) => row,
            Err(why) => return Ok(Control::Unknown(why)),
        };
        let may = writable(round, ground, tenant_too);
        let given = |column: &Column| may(column) && row.cells.contains_key(&column.number);
        if let Some(why) = stage.harm.leaving(ground.relation, &given) {
            return Ok(Control::Unknown(why));
        }
        let (sql, _) = row.insert(ground.relation, &may);
        match round.one(Step::role(context, sql)).await? {
            Ok(_) => return Ok(Control::Reached { recipe, tenant_too }),
            // The attacker's own tenant is there already: that is as far as an own row gets.
            Err(refusal) if is_root && refusal.is_constraint() => {
                return Ok(Control::Reached { recipe, tenant_too });
            }
            Err(refusal) => {
                if refusal.is_privilege() && tenant_too {
                    let fills = ground.tenant.is_some_and(|it| it.default.is_some());
                    tenant_too = !fills;
                    last = Some(refusal);
                    if fills {
                        continue;
                    }
                    break;
                }
                let again = recipe.learn(ground.relation, &refusal, &[&ground.own_row]);
                last = Some(refusal);
                if !again {
                    break;
                }
            }
        }
    }
    Ok(last.map_or_else(
        || Control::Unknown("no row was accepted".to_owned()),
        Control::Refused,
    ))
}

/// The reason for which a control that did not reach still tells that the attack holds, or not.
pub(super) fn refused(
    round: &Round<'_>,
    ground: &Ground<'_>,
    privilege: Privilege,
    refusal: &Refusal,
) -> Verdict {
    if refusal.is_privilege() && ground.lacks(round, privilege) {
        Verdict::held(format!("no right to it: {refusal}"))
    } else {
        Verdict::no_control(refusal)
    }
}

pub(super) async fn insert(
    round: &Round<'_>,
    ground: &Ground<'_>,
    control: &Control,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let context = &stage.attacker.context;
    let recipe = match control {
        Control::Reached { recipe, .. } => recipe.clone(),
        Control::Refused(refusal) => {
            return Ok(refused(round, ground, Privilege::Insert, refusal));
        }
        Control::Unknown(why) => return Ok(Verdict::not_run(why.clone())),
    };
    let stranger = stranger(round, ground);
    let tenant = stranger.as_deref().unwrap_or_else(|| stage.victim.tenant());
    let row = match draft(round, relation, Some(tenant), &recipe, 12, 0).await? {
        Ok(row) => row,
        Err(why) => return Ok(Verdict::not_run(format!("in the victim's name: {why}"))),
    };
    let (sql, shown) = row.insert(relation, &writable(round, ground, true));
    let mut steps = vec![Step::role(context, sql)];
    if let Some(theirs) = landed(round, ground, tenant, &row) {
        steps.push(Step::eyes(theirs));
    }
    let mut played = round.play(&steps).await?.into_iter();
    let reached = "inserted a row of its own the same way";
    let breach = || {
        Verdict::breach(
            round.shown(context, std::slice::from_ref(&shown)),
            "inserted a row that is another tenant's",
            reached,
        )
    };
    Ok(match (played.next(), played.next()) {
        (Some(Ok(_)), Some(Ok(answer))) if answer.count() == 0 => {
            Verdict::held(format!("{reached}; what it wrote became its own"))
        }
        (Some(Ok(_)), _) => breach(),
        (Some(Err(refusal)), _) if refusal.is_no_answer() => Verdict::not_run(refusal.to_string()),
        (Some(Err(refusal)), _) if refusal.is_constraint() => Verdict::not_run(format!(
            "the policies let the row in, and {refusal} stopped this one"
        )),
        (Some(Err(refusal)), _) => {
            Verdict::held(format!("{reached}; the attack was refused: {refusal}"))
        }
        (None, _) => Verdict::not_run("it could not be sent"),
    })
}

/// For the table of the tenants: a tenant that is nobody's.
fn stranger(round: &Round<'_>, ground: &Ground<'_>) -> Option<String> {
    let stage = round.stage;
    let Belonging::Root(key) = stage.subject.belonging(ground.relation.oid)? else {
        return None;
    };
    let key = ground.relation.column(*key)?;
    stage.types.make(key, "a tenant that nobody knows", 1)
}

/// Whether a row that was inserted is the victim's: a trigger may have put it right.
fn landed(round: &Round<'_>, ground: &Ground<'_>, tenant: &str, row: &Draft) -> Option<String> {
    let relation = ground.relation;
    let owned = round.stage.owned_by(relation, tenant)?;
    let key = relation.primary_key()?;
    let record = Record {
        place: None,
        values: key
            .iter()
            .map(|column| (*column, row.value(*column).map(str::to_owned)))
            .collect(),
    };
    let is = record.is(relation, key)?;
    Some(ground.count(&format!("{owned} AND {is}")))
}

/// Gives own rows to the victim. First all of them, then, where a constraint stops that, one by a cursor,
/// together with what it refers to.
pub(super) async fn give_away(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let context = &stage.attacker.context;
    let Some(column) = ground.tenant else {
        return give_by_parent(round, ground).await;
    };
    let stranger = stranger(round, ground);
    let victim = stranger.as_deref().unwrap_or_else(|| stage.victim.tenant());
    let set = |tenant: &str| {
        format!(
            "UPDATE {} SET {} = {}",
            relation.name,
            tidy(&column.name),
            typed(column, &super::super::ownership::held(column, tenant))
        )
    };
    // The control moves its own rows to itself.
    let control = set(stage.attacker.tenant());
    let mut one_by_one = ground.is_big() && !stage.how.intrusive;
    let mut controlled = if one_by_one {
        by_cursor(round, ground, &control).await?
    } else {
        round.one(Step::role(context, control.clone())).await?
    };
    // Where the policies hold nothing back, the statement takes others' rows, and their keys collide.
    if matches!(&controlled, Err(refusal) if refusal.is_constraint()) {
        one_by_one = true;
        controlled = by_cursor(round, ground, &control).await?;
    }
    let reached = match controlled {
        Ok(answer) if answer.affected == 0 => {
            return Ok(Verdict::not_run(
                "the control did not reach: it could set the tenant of none of its own rows",
            ));
        }
        Ok(_) => "set the tenant of its own rows to its own the same way",
        Err(refusal) if refusal.is_privilege() => {
            let attack = round.one(Step::role(context, set(victim))).await?;
            let lacks = !stage.may(round.role, relation, Privilege::Update)
                || !stage.may_column(round.role, relation, column.number, Privilege::Update);
            return Ok(match attack {
                Err(attack) if attack.is_privilege() && lacks => {
                    Verdict::held(format!("no right to it: {attack}"))
                }
                _ => Verdict::no_control(&refusal),
            });
        }
        Err(refusal) => return Ok(Verdict::no_control(&refusal)),
    };
    let breach = |sql: String, rows: u64| {
        Verdict::breach(
            round.shown(context, &[sql]),
            format!("moved {rows} of its own rows to another tenant"),
            reached,
        )
    };
    let sql = set(victim);
    let answer = if one_by_one {
        by_cursor(round, ground, &sql).await?
    } else {
        round.one(Step::role(context, sql.clone())).await?
    };
    let refusal = match answer {
        Ok(answer) if answer.affected > 0 => return Ok(breach(sql, answer.affected)),
        Ok(_) => return Ok(Verdict::not_run("it reached no row, and its control did")),
        Err(refusal) if refusal.is_constraint() => refusal,
        Err(refusal) if refusal.is_no_answer() => {
            return Ok(Verdict::not_run(refusal.to_string()));
        }
        Err(refusal) => {
            return Ok(Verdict::held(format!(
                "{reached}; the attack was refused: {refusal}"
            )));
        }
    };
    // A constraint is asked after the policies: they let the row through. One row that no constraint holds back
    // shows it.
    let row = draft(round, relation, Some(victim), &Recipe::default(), 13, 0)
        .await?
        .unwrap_or_default();
    let keys: Vec<i16> = relation
        .foreign_keys()
        .flat_map(|(own, _)| own.columns.iter().copied())
        .chain(super::super::draft::unique_columns(relation, None).concat())
        .collect();
    let sets: Vec<String> = relation
        .columns
        .iter()
        .filter(|it| it.number == column.number || keys.contains(&it.number))
        .filter(|it| stage.may_column(round.role, relation, it.number, Privilege::Update))
        .filter_map(|it| {
            let value = row.cells.get(&it.number)?.value.as_deref();
            let value = value.map_or_else(|| "NULL".to_owned(), |value| typed(it, value));
            Some(format!("{} = {value}", tidy(&it.name)))
        })
        .collect();
    let sql = format!("UPDATE {} SET {}", relation.name, sets.join(", "));
    if round.can_make() && !sets.is_empty() {
        // A row that nothing refers to.
        let own = Some(stage.attacker.tenant());
        let recipe = Recipe::default();
        if let Ok(made) = draft(round, relation, own, &recipe, 14, 0).await?
            && super::super::make::unmakeable(round, relation, &made).is_none()
        {
            let (make, _) = made.insert(relation, &|_| true);
            let key = relation.primary_key().unwrap_or_default();
            let record = Record {
                place: None,
                values: made
                    .cells
                    .iter()
                    .map(|(column, filled)| (*column, filled.value.clone()))
                    .collect(),
            };
            if let Some(is) = record.is(relation, key) {
                let cursor = format!(
                    "DECLARE own NO SCROLL CURSOR FOR SELECT 1 FROM {} WHERE {is}",
                    super::super::ownership::from(relation)
                );
                let steps = [
                    Step::maker(make),
                    Step::role(context, "SELECT 1"),
                    Step::admin(cursor),
                    Step::admin("FETCH own"),
                    Step::still(format!("{sql} WHERE CURRENT OF own")),
                ];
                if let Some(Ok(answer)) = round.play(&steps).await?.get(4)
                    && answer.affected > 0
                {
                    return Ok(breach(sql, answer.affected));
                }
            }
        }
    }
    Ok(Verdict::not_run(format!(
        "the policies let the row through, and {refusal} stopped it"
    )))
}

async fn by_cursor(
    round: &Round<'_>,
    ground: &Ground<'_>,
    sql: &str,
) -> Result<Result<super::super::step::Answer, Refusal>, AuditError> {
    let context = &round.stage.attacker.context;
    let place = super::super::record::at_places([&ground.own_row]).unwrap_or_default();
    let steps = [
        Step::role(context, "SELECT 1"),
        Step::role(
            context,
            format!(
                "DECLARE own NO SCROLL CURSOR FOR SELECT 1 FROM {} WHERE {place}",
                super::super::ownership::from(ground.relation)
            ),
        ),
        Step::still("FETCH own"),
        Step::still(format!("{sql} WHERE CURRENT OF own")),
    ];
    Ok(round
        .play(&steps)
        .await?
        .pop()
        .unwrap_or_else(|| Ok(super::super::step::Answer::default())))
}

/// A row whose parent says whose it is, moved to a parent of the victim's.
async fn give_by_parent(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let context = &stage.attacker.context;
    let Some(Belonging::Parent { constraint, .. }) = stage.subject.belonging(relation.oid) else {
        return Ok(Verdict::absent("no column says whose its rows are"));
    };
    let Some((own, _)) = relation
        .foreign_keys()
        .find(|(own, _)| own.oid == *constraint)
    else {
        return Ok(Verdict::absent("no column says whose its rows are"));
    };
    let set = |row: &Record| {
        let sets: Option<Vec<String>> = own
            .columns
            .iter()
            .map(|it| {
                let column = relation.column(*it)?;
                let value = typed(column, row.value(*it)?);
                Some(format!("{} = {value}", tidy(&column.name)))
            })
            .collect();
        sets.map(|sets| format!("UPDATE {} SET {}", relation.name, sets.join(", ")))
    };
    let (Some(attack), Some(control)) = (set(&ground.victim_row), set(&ground.own_row)) else {
        return Ok(Verdict::not_run("a row without a parent was sampled"));
    };
    if ground.is_big() && !stage.how.intrusive {
        return Ok(Verdict::not_run("its rows are too many to be moved all"));
    }
    let controlled = round.one(Step::role(context, control)).await?;
    let attacked = round.one(Step::role(context, attack.clone())).await?;
    let reached = "set the parent of its own rows to its own the same way";
    Ok(match (attacked, controlled) {
        (Ok(answer), _) if answer.affected > 0 => Verdict::breach(
            round.shown(context, &[attack]),
            format!(
                "moved {} of its own rows to another tenant",
                answer.affected
            ),
            reached,
        ),
        (Err(attack), Err(control)) if attack.is_privilege() => {
            refused(round, ground, Privilege::Update, &control)
        }
        (_, Err(refusal)) => Verdict::no_control(&refusal),
        (_, Ok(answer)) if answer.affected == 0 => Verdict::not_run(
            "the control did not reach: it could set the parent of none of its own rows",
        ),
        (Err(refusal), _) if refusal.is_no_answer() || refusal.is_constraint() => {
            Verdict::not_run(refusal.to_string())
        }
        (Err(refusal), _) => Verdict::held(format!("{reached}; the attack was refused: {refusal}")),
        (Ok(_), _) => Verdict::held(reached),
    })
}
