//! What the context has to hold: found by trying, since a function may make anything of it. Right is what
//! shows the attacker's own rows in most tables, and others' in fewest.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    attacks::tricks::{policy_functions, policy_tables},
    claims::{self, Claims},
    context::Context,
    ground::Ground,
    ownership::is_array,
    party::Party,
    reach::texts_in,
    round::Round,
    stage::Stage,
    step::Step,
    words::quoted,
};
use crate::{
    AuditError,
    catalogue::{Privilege, Relation},
    sql::tidy,
};

/// How many tables tell whether a context is right.
const PROBES: usize = 8;

/// How many contexts are tried.
const TRIALS: usize = 400;

/// Where the tenant goes.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    /// Settings.
    Settings(Vec<String>),
    /// Dimensions of Partywall's.
    Dimensions(Vec<String>),
}

impl Slots {
    fn names(&self) -> &[String] {
        match self {
            Self::Settings(names) | Self::Dimensions(names) => names,
        }
    }
}

/// Somebody of each tenant.
#[derive(Clone, Debug)]
struct Pair {
    attacker: Party,
    victim: Party,
    /// What each is known by.
    values: (String, String),
}

type Choice = Option<(usize, Option<Claims>)>;

struct Trial<'r, 'a> {
    round: &'r Round<'a>,
    slots: &'r Slots,
    pairs: Vec<Pair>,
    keys: BTreeSet<String>,
    /// How its own rows and others' are counted in each table.
    probes: Vec<(String, String)>,
    left: usize,
}

/// Tables with own rows seen, and tables with others' not seen.
type Score = (usize, usize);

/// Finds both parties with their contexts.
pub(super) async fn find<'a>(
    round: &Round<'a>,
    slots: &Slots,
) -> Result<(Party, Party), AuditError> {
    let stage = round.stage;
    let tables = probed(round);
    let mut probes = Vec::new();
    for table in &tables {
        if let Ok(ground) = Ground::prepare(round, table).await? {
            probes.push((
                ground.count(&ground.seen_own),
                ground.count(&ground.seen_foreign),
            ));
        }
    }
    let mut pairs = vec![Pair {
        attacker: stage.attacker.clone(),
        victim: stage.victim.clone(),
        values: (
            stage.attacker.tenant().to_owned(),
            stage.victim.tenant().to_owned(),
        ),
    }];
    pairs.extend(members(round, &tables).await?);
    let texts = texts(round, &tables);
    let mut trial = Trial {
        round,
        slots,
        pairs,
        keys: claims::keys(&texts),
        probes,
        left: TRIALS,
    };
    let choices = trial.search(uses_json(round, &tables)).await?;
    Ok(trial.parties(&choices))
}

/// The tables whose policies differ.
fn probed<'a>(round: &Round<'a>) -> Vec<&'a Relation> {
    let stage = round.stage;
    let mut seen: BTreeSet<Vec<&str>> = BTreeSet::new();
    let mut tables: Vec<&Relation> = stage
        .subject
        .tenant_tables(stage.catalogue)
        .filter(|it| it.row_security && !it.policies.is_empty() && !it.is_partition)
        .filter(|it| stage.may(round.role, it, Privilege::Select))
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables.retain(|table| {
        let texts = table
            .policies
            .iter()
            .flat_map(|it| [&it.using, &it.check])
            .flatten()
            .map(|it| it.text.as_str())
            .collect();
        seen.insert(texts)
    });
    tables.truncate(PROBES);
    tables
}

fn texts(round: &Round<'_>, tables: &[&Relation]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for table in tables {
        for expression in table
            .policies
            .iter()
            .flat_map(|it| [&it.using, &it.check])
            .flatten()
        {
            texts.extend(texts_in(&expression.tree));
        }
        for function in policy_functions(round, table) {
            texts.extend(quoted(&function.source));
            texts.extend(function.body.iter().flat_map(texts_in));
        }
    }
    texts
}

/// Whether the context may be a document: what is tried, not what is decided.
fn uses_json(round: &Round<'_>, tables: &[&Relation]) -> bool {
    tables.iter().any(|table| {
        table
            .policies
            .iter()
            .flat_map(|it| [&it.using, &it.check])
            .flatten()
            .any(|it| it.text.contains("json") || it.text.contains("->"))
            || policy_functions(round, table)
                .iter()
                .any(|it| it.source.contains("json") || it.body.is_some())
    })
}

/// Members of both tenants, by every column that may name them in the tables that the policies read.
async fn members(round: &Round<'_>, tables: &[&Relation]) -> Result<Vec<Pair>, AuditError> {
    let stage = round.stage;
    let mut read: BTreeMap<String, &Relation> = BTreeMap::new();
    for table in tables {
        read.insert(table.name.to_string(), table);
        for other in policy_tables(round, table) {
            read.insert(other.name.to_string(), other);
        }
    }
    let mut pairs = Vec::new();
    for table in read.values() {
        let Some(tenant) = stage
            .subject
            .tenant_column(table.oid)
            .and_then(|it| table.column(it))
            .filter(|it| !is_array(it))
        else {
            continue;
        };
        for column in &table.columns {
            let may_name = matches!(column.type_category, 'S' | 'N' | 'U') && !is_array(column);
            if column.number == tenant.number || !may_name || pairs.len() >= 24 {
                continue;
            }
            let found = pair(round, table, (&tenant.name, &column.name)).await?;
            pairs.extend(found);
        }
    }
    Ok(pairs)
}

/// Somebody who is a member of one tenant alone, where there is such a one.
async fn pair(
    round: &Round<'_>,
    table: &Relation,
    (tenant, column): (&str, &str),
) -> Result<Option<Pair>, AuditError> {
    let stage = round.stage;
    let (tenant, column) = (tidy(tenant), tidy(column));
    let of = |party: &Party| {
        let owned = stage.owned_by(table, party.tenant())?;
        Some(format!(
            "SELECT t.{column}::text FROM {} AS t WHERE {owned} AND t.{column} IS NOT NULL \
             ORDER BY EXISTS (SELECT 1 FROM {} AS o WHERE o.{column} = t.{column} AND o.{tenant} <> t.{tenant}), 1 LIMIT 1",
            table.name, table.name
        ))
    };
    let mut values = Vec::new();
    for party in [&stage.attacker, &stage.victim] {
        let Some(sql) = of(party) else {
            return Ok(None);
        };
        let Ok(answer) = round.look(&sql).await? else {
            return Ok(None);
        };
        let Some(value) = answer.text() else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT DISTINCT t.{tenant}::text FROM {} AS t WHERE t.{column}::text = {} LIMIT 1000",
            table.name,
            crate::sql::literal(value)
        );
        let mut tenants = round.look(&sql).await?.unwrap_or_default().column();
        tenants.retain(|it| it != party.tenant());
        tenants.sort();
        tenants.insert(0, party.tenant().to_owned());
        values.push((value.to_owned(), tenants));
    }
    let mut values = values.into_iter();
    Ok(match (values.next(), values.next()) {
        (Some((own, own_tenants)), Some((theirs, their_tenants)))
            if own != theirs && !own_tenants.contains(&stage.victim.tenants.concat()) =>
        {
            Some(Pair {
                attacker: Party {
                    tenants: own_tenants,
                    context: Context::NONE,
                },
                victim: Party {
                    tenants: their_tenants,
                    context: Context::NONE,
                },
                values: (own, theirs),
            })
        }
        _ => None,
    })
}

impl Trial<'_, '_> {
    async fn search(&mut self, json: bool) -> Result<Vec<Choice>, AuditError> {
        let slots = self.slots.names().len();
        let mut options: Vec<(usize, Option<Claims>)> = Vec::new();
        for at in 0..self.pairs.len() {
            options.push((at, None));
            if json && matches!(self.slots, Slots::Settings(_)) {
                options.extend(Claims::all(&self.keys).into_iter().map(|it| (at, Some(it))));
            }
        }
        let everywhere: Vec<Choice> = vec![Some((0, None)); slots];
        if self.probes.is_empty() {
            return Ok(everywhere);
        }
        let mut best = (self.score(&everywhere).await?, everywhere.clone());
        let perfect = (self.probes.len(), self.probes.len());
        if best.0 == perfect {
            return Ok(best.1);
        }
        for slot in 0..slots {
            for option in &options {
                let mut choices: Vec<Choice> = vec![None; slots];
                if let Some(choice) = choices.get_mut(slot) {
                    *choice = Some(option.clone());
                }
                self.better(&mut best, choices, false).await?;
                if best.0 == perfect {
                    break;
                }
            }
        }
        if best.0.0 == 0 && slots >= 2 {
            // Several that only count together.
            for first in &options {
                for second in &options {
                    let mut choices: Vec<Choice> = vec![Some(second.clone()); slots];
                    if let Some(choice) = choices.first_mut() {
                        *choice = Some(first.clone());
                    }
                    self.better(&mut best, choices, false).await?;
                }
            }
        }
        if best.0.0 == 0 {
            return Ok(everywhere);
        }
        for slot in 0..slots {
            if best.1.get(slot).is_some_and(Option::is_some) {
                continue;
            }
            for option in &options {
                let mut choices = best.1.clone();
                if let Some(choice) = choices.get_mut(slot) {
                    *choice = Some(option.clone());
                }
                if self.better(&mut best, choices, true).await? {
                    break;
                }
            }
        }
        Ok(best.1)
    }

    /// Takes what is better, or as good where that counts too.
    async fn better(
        &mut self,
        best: &mut (Score, Vec<Choice>),
        choices: Vec<Choice>,
        or_equal: bool,
    ) -> Result<bool, AuditError> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        let score = self.score(&choices).await?;
        let better = score > best.0 || (or_equal && score == best.0);
        if better {
            *best = (score, choices);
        }
        Ok(better)
    }

    async fn score(&self, choices: &[Choice]) -> Result<Score, AuditError> {
        let (attacker, _) = self.parties(choices);
        let mut score = (0, 0);
        for (own, foreign) in &self.probes {
            let played = self
                .round
                .play(&[
                    Step::role(&attacker.context, own.clone()),
                    Step::next(foreign.clone()),
                ])
                .await?;
            if let [Ok(own), Ok(foreign)] = played.as_slice() {
                score.0 += usize::from(own.count() > 0);
                score.1 += usize::from(foreign.count() == 0);
            }
        }
        Ok(score)
    }

    fn parties(&self, choices: &[Choice]) -> (Party, Party) {
        let pair = |choice: &Choice| self.pairs.get(choice.as_ref()?.0).cloned();
        // Members of several tenants own the rows of each.
        let widest = choices
            .iter()
            .filter_map(pair)
            .max_by_key(|pair| pair.attacker.tenants.len());
        let Some(widest) = widest.or_else(|| self.pairs.first().cloned()) else {
            return (
                self.round.stage.attacker.clone(),
                self.round.stage.victim.clone(),
            );
        };
        let make = |of: &dyn Fn(&Pair) -> String, party: Party| Party {
            context: context(self.round.stage, self.slots, &self.filled(choices, of)),
            ..party
        };
        (
            make(&|pair| pair.values.0.clone(), widest.attacker.clone()),
            make(&|pair| pair.values.1.clone(), widest.victim),
        )
    }

    fn filled(&self, choices: &[Choice], of: &dyn Fn(&Pair) -> String) -> Vec<(String, String)> {
        let role = self.round.role_name();
        self.slots
            .names()
            .iter()
            .zip(choices)
            .filter_map(|(name, choice)| {
                let (at, claims) = choice.as_ref()?;
                let value = of(self.pairs.get(*at)?);
                let value = match claims {
                    Some(claims) => claims.document(&self.keys, &value, role),
                    None => value,
                };
                Some((name.clone(), value))
            })
            .collect()
    }
}

/// A context of what each slot holds.
pub(super) fn context(stage: &Stage<'_>, slots: &Slots, filled: &[(String, String)]) -> Context {
    match slots {
        Slots::Settings(_) => Context::Settings(filled.to_vec()),
        Slots::Dimensions(_) => {
            let json: serde_json::Map<String, serde_json::Value> = filled
                .iter()
                .map(|(name, value)| {
                    let name = name.strip_prefix("partywall.").unwrap_or(name);
                    (name.to_owned(), value.clone().into())
                })
                .collect();
            let json = serde_json::Value::Object(json).to_string();
            match &stage.seal {
                // Good for as long as all attacks may take.
                Some((seal, now)) => Context::Entered {
                    text: seal.seal(&json, now + 86_400),
                    shown: format!("sealed: {json}"),
                },
                None => Context::Entered {
                    text: json.clone(),
                    shown: json,
                },
            }
        }
    }
}
