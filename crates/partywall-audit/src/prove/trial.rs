//! What the context has to hold: found by trying, since a function may make anything of it. Right is what
//! shows the attacker's own rows in most tables, and others' in fewest.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    attacks::tricks::{policy_functions, policy_tables},
    claims::{self, Claims},
    context::Context,
    ground::Ground,
    ownership::{is_array, of, of_others, owner_column},
    party::Party,
    reach::texts_in,
    round::Round,
    stage::Stage,
    step::Step,
    words::quoted,
};
use crate::{
    AuditError,
    catalogue::{Column, Oid, Privilege, Relation},
    sql::tidy,
    subject::With,
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
    /// Where it says so: the table, its tenant's column and the member's.
    member: Option<(Oid, i16, i16)>,
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

fn put(choices: &mut [Choice], slot: usize, choice: Choice) {
    if let Some(place) = choices.get_mut(slot) {
        *place = choice;
    }
}

/// Rows that the parties' contexts hang on: where they were made up to find the contexts, they have to be
/// there again when the tables are attacked.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) table: Oid,
    /// The tenant, and the values of the row.
    pub(super) rows: [(String, BTreeMap<i16, String>); 2],
}

/// Tables with own rows seen, and tables with others' not seen.
type Score = (usize, usize);

/// Finds both parties with their contexts.
pub(super) async fn find<'a>(
    round: &Round<'a>,
    slots: &Slots,
) -> Result<(Party, Party, Vec<Member>), AuditError> {
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
        member: None,
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
    let (attacker, victim) = trial.parties(&choices);
    let members = choices
        .iter()
        .filter_map(|choice| trial.pairs.get(choice.as_ref()?.0))
        .filter_map(|pair| {
            let (table, tenant, column) = pair.member?;
            let row = |tenant_key: &str, value: &str| {
                [(tenant, tenant_key.to_owned()), (column, value.to_owned())].into()
            };
            Some(Member {
                table,
                rows: [
                    (
                        attacker.tenant().to_owned(),
                        row(attacker.tenant(), &pair.values.0),
                    ),
                    (
                        victim.tenant().to_owned(),
                        row(victim.tenant(), &pair.values.1),
                    ),
                ],
            })
        })
        .collect();
    Ok((attacker, victim, members))
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
        .filter(|it| stage.harm.reading(it).is_none())
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
    let mut read: BTreeMap<String, &Relation> = BTreeMap::new();
    for table in tables {
        read.insert(table.name.to_string(), table);
        for other in policy_tables(round, table) {
            read.insert(other.name.to_string(), other);
        }
    }
    let mut pairs = Vec::new();
    for table in read.values() {
        for tenant in tenants_in(round, table) {
            for column in &table.columns {
                let may_name = matches!(column.type_category, 'S' | 'N' | 'U') && !is_array(column);
                if column.number == tenant.number || !may_name || pairs.len() >= 32 {
                    continue;
                }
                let Some(pair) = pair(round, table, tenant, column).await? else {
                    continue;
                };
                // Where one of them is of another tenant than was sampled, so is what names the tenant.
                let tenants = [&pair.attacker, &pair.victim].map(|it| it.tenant().to_owned());
                let sampled = [&round.stage.attacker, &round.stage.victim];
                if tenants
                    .iter()
                    .zip(sampled)
                    .any(|(it, sampled)| it != sampled.tenant())
                {
                    let [own, theirs] = tenants;
                    pairs.push(Pair {
                        values: (own, theirs),
                        member: None,
                        ..pair.clone()
                    });
                }
                pairs.push(pair);
            }
        }
    }
    Ok(pairs)
}

/// The columns of a table that name a tenant: its own, those that refer to the tenants, and those that a
/// policy compares with a tenant's.
fn tenants_in<'a>(round: &Round<'_>, table: &'a Relation) -> Vec<&'a Column> {
    let subject = round.stage.subject;
    let mut numbers: Vec<i16> = owner_column(subject, table).into_iter().collect();
    numbers.extend(
        table
            .foreign_keys()
            .filter(|(own, there)| Some(there.relation) == subject.root && own.columns.len() == 1)
            .flat_map(|(own, _)| own.columns.iter().copied()),
    );
    numbers.extend(
        subject
            .comparisons
            .values()
            .flatten()
            .filter_map(|comparison| match &comparison.with {
                With::Column {
                    relation, column, ..
                } => (*relation == table.oid).then_some(*column),
                With::Context { .. } => None,
            }),
    );
    let mut seen = BTreeSet::new();
    let mut found = numbers
        .into_iter()
        .filter(|number| seen.insert(*number))
        .filter_map(|number| table.column(number))
        .filter(|column| !is_array(column))
        .collect::<Vec<_>>();
    if found.is_empty() {
        // What is of the tenants' own type may name one.
        let root = subject
            .root
            .and_then(|root| round.stage.catalogue.relations.get(&root));
        let key = root.and_then(|root| root.column(owner_column(subject, root)?));
        found.extend(
            table
                .columns
                .iter()
                .filter(|it| key.is_some_and(|key| key.type_oid == it.type_oid)),
        );
    }
    found
}

/// Somebody who is a member of one tenant alone, where there is such a one.
async fn pair(
    round: &Round<'_>,
    table: &Relation,
    tenant: &Column,
    column: &Column,
) -> Result<Option<Pair>, AuditError> {
    let stage = round.stage;
    let number = column.number;
    let (at, column) = (tidy(&tenant.name), tidy(&column.name));
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for party in [&stage.attacker, &stage.victim] {
        // Whoever attacks is a member of more, perhaps: the victim is of a tenant beyond, and its own there.
        let own: &[String] = found.first().map_or(&[], |(_, tenants)| tenants);
        let value_of = async |owned: &str, order: &str| -> Result<_, AuditError> {
            let sql = format!(
                "SELECT t.{column}::text, t.{at}::text FROM {0} AS t WHERE {owned} AND t.{column} IS NOT NULL \
                 ORDER BY EXISTS (SELECT 1 FROM {0} AS o WHERE o.{column} = t.{column} AND {order}), 1, 2 LIMIT 1",
                table.name
            );
            let answer = round.look(&sql).await?.unwrap_or_default();
            Ok(match answer.rows.into_iter().next().as_deref() {
                Some([Some(value), Some(tenant)]) => Some((value.clone(), tenant.clone())),
                _ => None,
            })
        };
        let elsewhere = format!("o.{at} <> t.{at}");
        let owned = of(tenant, &format!("t.{at}"), &[party.tenant().to_owned()]);
        let mut known = None;
        if !own.iter().any(|it| it == party.tenant()) {
            known = value_of(&owned, &elsewhere).await?;
        }
        if known.is_none() && !own.is_empty() && own.iter().any(|it| it == party.tenant()) {
            let beyond = of_others(tenant, &format!("t.{at}"), own);
            let within = of(tenant, &format!("o.{at}"), own);
            known = value_of(&beyond, &within).await?;
        }
        let Some((value, own_tenant)) = known else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT DISTINCT t.{at}::text FROM {} AS t WHERE t.{column}::text = {} LIMIT 1000",
            table.name,
            crate::sql::literal(&value)
        );
        let mut tenants = round.look(&sql).await?.unwrap_or_default().column();
        tenants.retain(|it| *it != own_tenant && !own.contains(it));
        tenants.sort();
        tenants.insert(0, own_tenant);
        found.push((value, tenants));
    }
    let party = |tenants: Vec<String>| Party {
        tenants,
        context: Context::NONE,
    };
    let mut found = found.into_iter();
    Ok(found.next().zip(found.next()).map(|(own, theirs)| Pair {
        attacker: party(own.1),
        victim: party(theirs.1),
        values: (own.0, theirs.0),
        member: Some((table.oid, tenant.number, number)),
    }))
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
        for prefer_members in [false, true] {
            if best.0 != perfect {
                let choices = self.informed(prefer_members);
                self.better(&mut best, choices).await?;
            }
        }
        for slot in 0..slots {
            for option in &options {
                let mut choices: Vec<Choice> = vec![None; slots];
                put(&mut choices, slot, Some(option.clone()));
                if best.0 != perfect {
                    self.better(&mut best, choices).await?;
                }
            }
        }
        if best.0.0 == 0 && slots >= 2 {
            // Several that only count together.
            for first in &options {
                for second in &options {
                    let mut choices: Vec<Choice> = vec![Some(second.clone()); slots];
                    put(&mut choices, 0, Some(first.clone()));
                    self.better(&mut best, choices).await?;
                }
            }
        }
        if best.0.0 == 0 {
            return Ok(everywhere);
        }
        // One after the other, until nothing is better.
        for _ in 0..2 {
            for slot in 0..slots {
                let others: Vec<Choice> = options.iter().cloned().map(Some).chain([None]).collect();
                for option in others {
                    let mut choices = best.1.clone();
                    put(&mut choices, slot, option);
                    if best.0 != perfect {
                        self.better(&mut best, choices).await?;
                    }
                }
            }
        }
        // A setting that made no difference may for a table that was not looked at: it holds the tenant too.
        for slot in 0..slots {
            if best.1.get(slot).is_some_and(Option::is_none) {
                let mut choices = best.1.clone();
                put(&mut choices, slot, Some((0, None)));
                if self.score(&choices).await? == best.0 {
                    best.1 = choices;
                }
            }
        }
        Ok(best.1)
    }

    /// What the policies compare each setting with.
    fn informed(&self, prefer_members: bool) -> Vec<Choice> {
        let subject = self.round.stage.subject;
        let compares = |table: Oid, column: i16, setting: &String| {
            subject.comparisons.get(&table).is_some_and(|all| {
                all.iter().any(|it| {
                    it.column == column
                        && matches!(&it.with, With::Context { reads, .. } if reads.settings.contains(setting))
                })
            })
        };
        let of = |setting: &String| {
            let is_tenants = self.round.stage.catalogue.relations.values().any(|table| {
                owner_column(subject, table)
                    .is_some_and(|column| compares(table.oid, column, setting))
            });
            let member = self.pairs.iter().position(|pair| {
                pair.member
                    .is_some_and(|(table, _, column)| compares(table, column, setting))
            });
            match member {
                Some(member) if prefer_members || !is_tenants => (member, None),
                _ => (0, None),
            }
        };
        self.slots
            .names()
            .iter()
            .map(|name| Some(of(name)))
            .collect()
    }

    /// Takes what is better.
    async fn better(
        &mut self,
        best: &mut (Score, Vec<Choice>),
        choices: Vec<Choice>,
    ) -> Result<(), AuditError> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let (attacker, victim) = self.parties(&choices);
        // Whoever is a member of the victim's tenant attacks nobody there.
        if victim.tenants.is_empty() || attacker.tenants.contains(&victim.tenant().to_owned()) {
            return Ok(());
        }
        let score = self.score(&choices).await?;
        if score > best.0 {
            *best = (score, choices);
        }
        Ok(())
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
        let stage = self.round.stage;
        let pairs: Vec<&Pair> = choices
            .iter()
            .filter_map(|choice| self.pairs.get(choice.as_ref()?.0))
            .collect();
        // Whoever is known by several things is whom all of them mean.
        let tenants = |of: &dyn Fn(&Pair) -> Party, otherwise: &Party| {
            let mut all = pairs.iter().map(|pair| of(pair).tenants);
            let first = all.next().unwrap_or_else(|| otherwise.tenants.clone());
            all.fold(first, |mut known, other| {
                known.retain(|it| other.contains(it));
                known
            })
        };
        let party = |tenants: Vec<String>, of: &dyn Fn(&Pair) -> String| Party {
            tenants,
            context: context(stage, self.slots, &self.filled(choices, of)),
        };
        (
            party(
                tenants(&|pair| pair.attacker.clone(), &stage.attacker),
                &|pair| pair.values.0.clone(),
            ),
            party(
                tenants(&|pair| pair.victim.clone(), &stage.victim),
                &|pair| pair.values.1.clone(),
            ),
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
