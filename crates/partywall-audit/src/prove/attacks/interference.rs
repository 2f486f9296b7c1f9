//! Whether an answer hangs on others' rows: it is asked for with them, and again without them.

use super::super::{
    context::Context,
    ground::Ground,
    ownership::from,
    record::at_places,
    refusal::Refusal,
    round::{Played, Round},
    step::Step,
    verdict::Verdict,
};
use crate::AuditError;

/// A digest of all rows of something, so that no row is shown.
pub(super) fn digest(of: &str) -> String {
    format!(
        "SELECT count(*) || ':' || md5(coalesce(string_agg(md5(v::text), '' ORDER BY md5(v::text)), '')) FROM {of} AS v"
    )
}

/// What an answer hangs on.
enum Hangs {
    OnThem,
    NotOnThem,
    /// It answers differently each time.
    Erratic,
    Refused(Refusal),
    Unknown(String),
}

/// Asks twice, takes rows away, and asks again. Triggers and foreign keys do not run: it is all undone.
async fn hangs(
    round: &Round<'_>,
    ground: &Ground<'_>,
    context: &Context,
    ask: &str,
    rows: &str,
) -> Result<Hangs, AuditError> {
    if !round.can_make() {
        return Ok(Hangs::Unknown(
            "only a superuser can take the victim's rows away and ask again, and not on a replica"
                .to_owned(),
        ));
    }
    if let Some(why) = round.stage.harm.making_rows(ground.relation) {
        return Ok(Hangs::Unknown(why));
    }
    let steps = [
        Step::role(context, ask),
        Step::role(context, ask),
        Step::maker(format!(
            "DELETE FROM {} WHERE {rows}",
            from(ground.relation)
        )),
        Step::role(context, ask),
    ];
    Ok(compare(round.play(&steps).await?))
}

fn compare(played: Played) -> Hangs {
    let mut texts = Vec::new();
    for (at, answer) in played.into_iter().enumerate() {
        match answer {
            Ok(answer) if at == 2 => {
                if answer.affected == 0 {
                    return Hangs::Unknown("no row could be taken away".to_owned());
                }
            }
            Ok(answer) => texts.push(answer.text().unwrap_or_default().to_owned()),
            Err(refusal) if at == 2 => return Hangs::Unknown(refusal.to_string()),
            // Without the rows it fails, where it did not with them.
            Err(_) if at == 3 => return Hangs::OnThem,
            Err(refusal) => return Hangs::Refused(refusal),
        }
    }
    match texts.as_slice() {
        [first, second, _] if first != second => Hangs::Erratic,
        [first, _, third] if first != third => Hangs::OnThem,
        [_, _, _] => Hangs::NotOnThem,
        _ => Hangs::Unknown("it could not be sent".to_owned()),
    }
}

/// Decides by what the answer to `attack` hangs on others' rows, and the answer to `control` on own ones.
pub(super) async fn judge(
    round: &Round<'_>,
    ground: &Ground<'_>,
    attack: &str,
    control: &str,
    shown: &str,
    lacks: bool,
) -> Result<Verdict, AuditError> {
    let (theirs, own) = if ground.is_big() {
        let at = |row| at_places([row]).unwrap_or_else(|| "false".to_owned());
        (at(&ground.victim_row), at(&ground.own_row))
    } else {
        (ground.foreign.clone(), ground.own.clone())
    };
    let context = &round.stage.attacker.context;
    let hangs_on_own = hangs(round, ground, context, control, &own).await?;
    let reached = if matches!(hangs_on_own, Hangs::OnThem) {
        "its answer hangs on rows of its own"
    } else {
        "its answer does not hang on rows of its own"
    };
    let on_theirs = hangs(round, ground, context, attack, &theirs).await?;
    Ok(match (on_theirs, hangs_on_own) {
        (Hangs::OnThem, _) => Verdict::breach(
            round.shown(&round.stage.attacker.context, &[shown.to_owned()]),
            "its answer is another one without the rows of other tenants",
            reached,
        ),
        (Hangs::Refused(refusal), Hangs::Refused(control)) if lacks && refusal.is_privilege() => {
            Verdict::held(format!("no right to it: {control}"))
        }
        (Hangs::Refused(refusal), _) if refusal.is_no_answer() => {
            Verdict::not_run(refusal.to_string())
        }
        (_, Hangs::Refused(refusal)) => Verdict::no_control(&refusal),
        (Hangs::Unknown(why), _) | (_, Hangs::Unknown(why)) => Verdict::not_run(why),
        (Hangs::Erratic, _) | (_, Hangs::Erratic) => {
            Verdict::not_run("it answers differently each time")
        }
        (_, Hangs::NotOnThem) => Verdict::not_run(format!("the control did not reach: {reached}")),
        (Hangs::NotOnThem, Hangs::OnThem) => Verdict::held(reached),
        (Hangs::Refused(refusal), Hangs::OnThem) => {
            Verdict::held(format!("{reached}; the attack was refused: {refusal}"))
        }
    })
}

/// The context of those, if any, in which an answer hangs on tenants' rows though it speaks for no tenant.
pub(super) async fn without_context(
    round: &Round<'_>,
    ground: &Ground<'_>,
    ask: &str,
) -> Result<Option<Context>, AuditError> {
    let own = &round.stage.attacker.context;
    let rows = format!("({} OR {})", ground.own, ground.foreign);
    for context in [Context::NONE, own.with("")] {
        if ground.is_big() || context == *own {
            continue;
        }
        if let Hangs::OnThem = hangs(round, ground, &context, ask, &rows).await? {
            return Ok(Some(context));
        }
    }
    Ok(None)
}
