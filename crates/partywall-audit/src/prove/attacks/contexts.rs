//! Reads without a context, and with contexts that are not what they should be.

use super::{
    super::{
        context::Context,
        fresh::Fresh,
        ground::Ground,
        ownership::owner_column,
        refusal::Refusal,
        round::Round,
        step::{Answer, Step},
        verdict::Verdict,
    },
    reading::judge,
};
use crate::{AuditError, catalogue::Privilege};

/// The control of all of these: in its own context the attacker reads its own rows.
async fn control(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Result<Answer, Refusal>, AuditError> {
    let sql = ground.count(&ground.seen_own);
    round
        .one(Step::role(&round.stage.attacker.context, sql))
        .await
}

/// Tries contexts one after the other, up to the first that reaches something.
pub(super) async fn try_all(
    round: &Round<'_>,
    ground: &Ground<'_>,
    contexts: &[Context],
    condition: &str,
    nothing: &str,
) -> Result<Verdict, AuditError> {
    let control = control(round, ground).await?;
    let lacks = ground.lacks(round, Privilege::Select);
    let sql = ground.count(condition);
    let mut verdicts = Vec::new();
    for context in contexts {
        let attack = round.one(Step::role(context, sql.clone())).await?;
        let verdict = judge(round, context, &sql, &attack, &control, lacks);
        if verdict.is_breach() {
            return Ok(verdict);
        }
        verdicts.push(verdict);
    }
    let tried = verdicts.len();
    Ok(match Verdict::worst(verdicts) {
        Some(mut verdict) => {
            if tried > 1 && verdict.is_held() {
                verdict.control = format!(
                    "{}; {tried} contexts were tried",
                    verdict
                        .control
                        .split("; the attack")
                        .next()
                        .unwrap_or_default()
                );
            }
            verdict
        }
        None => Verdict::absent(nothing),
    })
}

/// On a session that never had a context: it was asked before any was set.
pub(super) async fn none(
    round: &Round<'_>,
    ground: &Ground<'_>,
    fresh: Option<&Fresh>,
) -> Result<Verdict, AuditError> {
    let fresh = match fresh {
        Some(Fresh::Asked { answer, statement }) => (answer, statement),
        Some(Fresh::NotAsked(why)) => return Ok(Verdict::not_run(why.clone())),
        None => return Ok(Verdict::not_run("it was not asked on a fresh session")),
    };
    let control = control(round, ground).await?;
    let lacks = ground.lacks(round, Privilege::Select);
    let mut verdict = judge(
        round,
        &Context::Settings(round.start().settings.clone()),
        fresh.1,
        fresh.0,
        &control,
        lacks,
    );
    if let crate::Outcome::Breach { what, .. } = &mut verdict.outcome {
        *what = what.replace("other tenants", "tenants");
    }
    Ok(verdict)
}

/// After a transaction that set the context, and with an empty one.
pub(super) async fn empty(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let context = &round.stage.attacker.context;
    // So that the session had one.
    let _ = round.one(Step::role(context, "SELECT 1")).await?;
    let contexts = [Context::NONE, context.with("")];
    let mut verdict = try_all(round, ground, &contexts, &ground.seen_any, "").await?;
    if let crate::Outcome::Breach { what, .. } = &mut verdict.outcome {
        *what = what.replace("other tenants", "tenants");
    }
    Ok(verdict)
}

pub(super) async fn malformed(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    // None of them names the victim: a list of tenants is a good context to some.
    let values = [
        "garbage",
        "' OR '1'='1",
        "{",
        "{}",
        "[]",
        "null",
        "*",
        ",",
        "0",
        "-1",
        "true",
        "\u{fffd}",
    ];
    let mut contexts: Vec<Context> = values
        .iter()
        .map(|value| stage.attacker.context.with(value))
        .collect();
    if let (Some((seal, now)), Context::Entered { shown, .. }) =
        (&stage.seal, &stage.victim.context)
        && let Some(json) = shown.strip_prefix("sealed: ")
    {
        let as_shown = |text: String, kind: &str| Context::Entered {
            text,
            shown: format!("{kind}: {json}"),
        };
        contexts.push(as_shown(seal.forge(json, now + 3_600), "forged"));
        contexts.push(as_shown(seal.seal(json, now - 3_600), "expired"));
        contexts.push(as_shown(json.to_owned(), "unsealed"));
        if let Context::Entered { text, .. } = &stage.attacker.context {
            // The attacker's own seal on the victim's scope.
            let mac = text.split('.').next().unwrap_or_default();
            let rest = seal.seal(json, now + 3_600);
            let rest = rest.split_once('.').map_or("", |(_, rest)| rest);
            contexts.push(as_shown(format!("{mac}.{rest}"), "sealed for another"));
        }
    }
    try_all(round, ground, &contexts, &ground.seen_victim, "").await
}

/// Texts that match the victim's context where it is compared as a pattern.
pub(super) async fn pattern(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let victim = round.stage.victim.tenant();
    let shorter: String = {
        let length = victim.chars().count();
        victim.chars().take(length.saturating_sub(1)).collect()
    };
    let values: Vec<String> = ["%".to_owned(), ".*".to_owned(), format!("{shorter}_")]
        .into_iter()
        .chain(prefixes(victim))
        .collect();
    let contexts: Vec<Context> = values
        .iter()
        .filter_map(|value| swapped(round, value))
        .collect();
    try_all(
        round,
        ground,
        &contexts,
        &ground.seen_victim,
        "the context is not the tenant's key",
    )
    .await
}

/// Prefixes of a text, the longest first.
fn prefixes(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    (1..chars.len())
        .rev()
        .map(|length| chars.iter().take(length).collect())
        .take(8)
        .collect()
}

pub(super) async fn other_case(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let victim = round.stage.victim.tenant();
    // An uuid in the other case is the same uuid.
    let is_text = ground
        .tenant
        .is_some_and(|column| column.type_category == 'S' || column.type_name.ends_with("citext"));
    let swap: String = victim
        .chars()
        .flat_map(|c| -> Vec<char> {
            if c.is_lowercase() {
                c.to_uppercase().collect()
            } else {
                c.to_lowercase().collect()
            }
        })
        .collect();
    let contexts: Vec<Context> = if is_text && swap != victim {
        swapped(round, &swap).into_iter().collect()
    } else {
        Vec::new()
    };
    try_all(
        round,
        ground,
        &contexts,
        &ground.seen_victim,
        "the tenant's key is no text that has cases",
    )
    .await
}

/// The attacker's context with something else in the place of its tenant's key. None where that is not in it.
fn swapped(round: &Round<'_>, other: &str) -> Option<Context> {
    let attacker = &round.stage.attacker;
    let Context::Settings(pairs) = &attacker.context else {
        return None;
    };
    let mut changed = false;
    let pairs = pairs
        .iter()
        .map(|(name, value)| {
            let is_key = value == attacker.tenant();
            changed |= is_key;
            let value = if is_key { other } else { value };
            (name.clone(), value.to_owned())
        })
        .collect();
    changed.then_some(Context::Settings(pairs))
}

/// One of several settings left over from the victim, on a connection that is shared.
pub(super) async fn stale(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let (Context::Settings(own), Context::Settings(theirs)) =
        (&stage.attacker.context, &stage.victim.context)
    else {
        return Ok(Verdict::absent("there is one setting"));
    };
    // How many tables' tenants a setting is compared with: another setting may hold the same by chance.
    let uses = |name: &str| {
        let relations = &stage.catalogue.relations;
        let tables = relations.values().filter(|table| {
            let tenant = owner_column(stage.subject, table);
            let all = stage.subject.comparisons.get(&table.oid);
            all.into_iter()
                .flatten()
                .any(|it| Some(it.column) == tenant && it.with.reads().settings.contains(name))
        });
        tables.count()
    };
    let keys: Vec<&str> = own
        .iter()
        .zip(theirs)
        .filter(|((_, own), (_, theirs))| {
            stage.attacker.tenants.contains(own) && stage.victim.tenants.contains(theirs)
        })
        .map(|((name, _), _)| name.as_str())
        .filter(|name| uses(name) > 0)
        .collect();
    if keys.len() < 2 {
        return Ok(Verdict::absent("one setting alone holds the tenant's key"));
    }
    // What most tables are protected by is the context; the others are what is forgotten.
    let main = keys
        .iter()
        .max_by_key(|name| (uses(name), std::cmp::Reverse(**name)))
        .copied();
    let contexts: Vec<Context> = keys
        .iter()
        .filter(|name| Some(**name) != main)
        .map(|stale| {
            Context::Settings(
                own.iter()
                    .zip(theirs)
                    .map(|(own, theirs)| if own.0 == *stale { theirs } else { own })
                    .cloned()
                    .collect(),
            )
        })
        .collect();
    try_all(round, ground, &contexts, &ground.seen_victim, "").await
}
