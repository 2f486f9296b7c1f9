//! What the policies trust besides the context: other settings, functions, tables.

use std::collections::BTreeSet;

use super::{
    super::{
        context::Context,
        ground::Ground,
        reach::{functions_in, relations_in, texts_in},
        round::Round,
        step::Step,
        verdict::Verdict,
        words::{mentions, quoted},
    },
    contexts::try_all,
};
use crate::{
    AuditError,
    catalogue::{Function, Oid, Relation, Volatility},
    sql::is_setting_name,
};

/// The functions that the policies of a table call, and those that these name.
pub(in crate::prove) fn policy_functions<'a>(
    round: &Round<'a>,
    relation: &Relation,
) -> Vec<&'a Function> {
    let all = &round.stage.catalogue.functions;
    let mut found: BTreeSet<Oid> = relation
        .policies
        .iter()
        .flat_map(|policy| [&policy.using, &policy.check])
        .flatten()
        .flat_map(|expression| functions_in(&expression.tree))
        .filter(|oid| all.contains_key(oid))
        .collect();
    let mut ahead: Vec<Oid> = found.iter().copied().collect();
    while let Some(function) = ahead.pop().and_then(|oid| all.get(&oid)) {
        let called: Vec<Oid> = match &function.body {
            Some(tree) => functions_in(tree).into_iter().collect(),
            None => all
                .values()
                .filter(|it| mentions(&function.source, &it.name.name))
                .map(|it| it.oid)
                .collect(),
        };
        ahead.extend(
            called
                .into_iter()
                .filter(|it| all.contains_key(it) && found.insert(*it)),
        );
    }
    found.iter().filter_map(|oid| all.get(oid)).collect()
}

/// The other tables that the policies of a table read, themselves or by their functions.
pub(in crate::prove) fn policy_tables<'a>(
    round: &Round<'a>,
    relation: &Relation,
) -> Vec<&'a Relation> {
    let all = &round.stage.catalogue.relations;
    let mut found: BTreeSet<Oid> = relation
        .policies
        .iter()
        .flat_map(|policy| [&policy.using, &policy.check])
        .flatten()
        .flat_map(|expression| relations_in(&expression.tree))
        .collect();
    for function in policy_functions(round, relation) {
        found.extend(
            all.values()
                .filter(|it| it.is_table() && super::calling::touches(function, it))
                .map(|it| it.oid),
        );
    }
    found.remove(&relation.oid);
    let mut tables: Vec<&Relation> = found
        .iter()
        .filter_map(|oid| all.get(oid))
        .filter(|it| it.is_table() && it.name.schema != "partywall")
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
}

/// Sets every other setting that the policies read to what may open them.
pub(super) async fn flag(round: &Round<'_>, ground: &Ground<'_>) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let relation = ground.relation;
    let Context::Settings(own) = &stage.attacker.context else {
        return Ok(Verdict::absent("the policies read the one sealed context"));
    };
    let trees = || {
        relation
            .policies
            .iter()
            .flat_map(|policy| [&policy.using, &policy.check])
            .flatten()
            .map(|expression| &expression.tree)
    };
    let functions = policy_functions(round, relation);
    let texts: BTreeSet<String> = trees()
        .flat_map(texts_in)
        .chain(functions.iter().flat_map(|it| quoted(&it.source)))
        .collect();
    let mut settings: BTreeSet<String> = trees()
        .flat_map(|tree| stage.subject.readings.of_node(tree).settings)
        .chain(
            texts
                .iter()
                .filter(|it| is_setting_name(it))
                .map(|it| it.to_lowercase()),
        )
        .filter(|name| name.contains('.'))
        .collect();
    settings.retain(|name| own.iter().all(|(known, _)| known != name));
    let values: BTreeSet<&str> = ["on", "true", "1", "yes", "t", "admin"]
        .into_iter()
        .chain(
            texts
                .iter()
                .map(String::as_str)
                .filter(|it| !is_setting_name(it) && it.chars().all(|c| !c.is_control())),
        )
        .take(16)
        .collect();
    let contexts: Vec<Context> = settings
        .iter()
        .flat_map(|name| {
            values.iter().map(|value| {
                let mut pairs = own.clone();
                pairs.push((name.clone(), (*value).to_owned()));
                Context::Settings(pairs)
            })
        })
        .collect();
    try_all(
        round,
        ground,
        &contexts,
        &ground.seen_foreign,
        "its policies read no other setting",
    )
    .await
}

/// Plans a statement as the victim, and executes it as the attacker.
pub(super) async fn prepared(
    round: &Round<'_>,
    ground: &Ground<'_>,
) -> Result<Verdict, AuditError> {
    let stage = round.stage;
    let frozen = policy_functions(round, ground.relation)
        .into_iter()
        .any(|it| {
            it.volatility == Volatility::Immutable
                && stage
                    .subject
                    .readings
                    .of_function(it.oid)
                    .is_none_or(|reads| !reads.settings.is_empty() || !reads.relations.is_empty())
        });
    if !frozen {
        return Ok(Verdict::absent(
            "its policies call no function that claims to be immutable",
        ));
    }
    let (own, theirs) = (&stage.attacker.context, &stage.victim.context);
    let run = |condition: &str| {
        let sql = ground.count(condition);
        [
            format!("PREPARE partywall_prove AS {sql}"),
            "EXECUTE partywall_prove".to_owned(),
        ]
    };
    // Prepared statements outlive what is rolled back.
    let forget = || async {
        round
            .one(Step::role(own, "DEALLOCATE partywall_prove"))
            .await
    };
    let _ = forget().await?;
    let [prepare, execute] = run(&ground.seen_victim);
    let attacked = round
        .play(&[
            Step::role(theirs, prepare.clone()),
            Step::next(execute.clone()),
            Step::role(own, execute.clone()),
        ])
        .await?;
    let _ = forget().await?;
    let [prepare_own, execute_own] = run(&ground.seen_own);
    let controlled = round
        .play(&[Step::role(own, prepare_own), Step::next(execute_own)])
        .await?;
    let _ = forget().await?;
    let reached = match controlled.last() {
        Some(Ok(answer)) if answer.count() > 0 => {
            format!("read {} of its own rows the same way", answer.count())
        }
        Some(Err(refusal)) => return Ok(Verdict::no_control(refusal)),
        _ => {
            return Ok(Verdict::not_run(
                "the control did not reach: it read none of its own rows",
            ));
        }
    };
    Ok(match attacked.get(2) {
        Some(Ok(answer)) if answer.count() > 0 => {
            let mut lines = vec![prepare, execute.clone()];
            lines.extend(own.shown());
            lines.push(execute);
            Verdict::breach(
                round.shown(theirs, &lines),
                format!(
                    "read {} rows of other tenants by a plan of the victim's",
                    answer.count()
                ),
                reached,
            )
        }
        Some(Ok(_)) => Verdict::held(reached),
        Some(Err(refusal)) => Verdict::held(format!("{reached}; refused: {refusal}")),
        None => Verdict::not_run("the victim's statement could not be executed"),
    })
}
