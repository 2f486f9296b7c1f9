//! What tenants are called here: the names of the columns that say whose a row is, and the table that they
//! refer to.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    evidence::{Comparison, With},
    form::Form,
    noun::{Noun, Weight},
};
use crate::catalogue::{Column, Oid, Relation};

/// The table of the tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) relation: Oid,
    /// The column that others refer to.
    pub(super) key: i16,
    pub(super) because: String,
}

/// What tenants are called here.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// Names of columns and what speaks for each; the first is the most common.
    pub(super) names: Vec<(String, String)>,
    pub(super) root: Option<Root>,
    /// The settings that columns of these names are compared with.
    pub(super) settings: BTreeSet<String>,
    /// The values of the session that they are compared with themselves, and the settings that those read.
    values: BTreeSet<Form>,
    plain: BTreeSet<String>,
}

/// The tables that are looked at, and what their policies compare.
pub(super) struct Tables<'a> {
    pub(super) all: Vec<&'a Relation>,
    pub(super) comparisons: &'a BTreeMap<Oid, Vec<Comparison>>,
}

impl<'a> Tables<'a> {
    /// The columns of a table that its policies compare with the context, each once.
    pub(super) fn compared(&self, relation: &'a Relation) -> Vec<&'a Column> {
        let mut numbers: Vec<i16> = Vec::new();
        for comparison in self.comparisons.get(&relation.oid).into_iter().flatten() {
            if !numbers.contains(&comparison.column) {
                numbers.push(comparison.column);
            }
        }
        numbers
            .into_iter()
            .filter_map(|number| relation.column(number))
            .collect()
    }

    pub(super) fn get(&self, oid: Oid) -> Option<&'a Relation> {
        self.all
            .iter()
            .copied()
            .find(|relation| relation.oid == oid)
    }
}

impl Family {
    pub(super) fn of(tables: &Tables<'_>, given: &[String]) -> Self {
        let names: Vec<(String, String)> = if given.is_empty() {
            inferred(tables)
        } else {
            given
                .iter()
                .map(|name| (name.clone(), "given".to_owned()))
                .collect()
        };
        let root = root(tables, &names);
        let mut it = Self {
            names,
            root,
            settings: BTreeSet::new(),
            values: BTreeSet::new(),
            plain: BTreeSet::new(),
        };
        if given.is_empty() {
            it.weigh_types(tables);
        }
        it.compared(tables);
        it
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|(own, _)| own == name)
    }

    /// The column of a table that is called so; the most common name first.
    pub(super) fn column<'a>(&self, relation: &'a Relation) -> Option<&'a Column> {
        self.names.iter().find_map(|(name, _)| {
            relation
                .column_named(name)
                .filter(|column| can_tell(column))
        })
    }

    /// A name whose columns never hold what the root's key holds is another thing's name.
    fn weigh_types(&mut self, tables: &Tables<'_>) {
        let Some(key) = self
            .root
            .as_ref()
            .and_then(|root| tables.get(root.relation)?.column(root.key))
        else {
            return;
        };
        self.names.retain(|(name, _)| {
            tables
                .all
                .iter()
                .filter_map(|relation| relation.column_named(name))
                .any(|column| holds(column, key))
        });
    }

    /// Whether tenants' columns are compared with this value of the session as well.
    pub(super) fn is_compared(&self, with: &With) -> bool {
        let With::Context { form, .. } = with else {
            return false;
        };
        self.values.contains(form)
            || matches!(form, Form::Setting { name, path } if path.is_empty() && self.plain.contains(name))
    }

    fn compared(&mut self, tables: &Tables<'_>) {
        for relation in &tables.all {
            for comparison in tables.comparisons.get(&relation.oid).into_iter().flatten() {
                let named = relation
                    .column(comparison.column)
                    .is_some_and(|column| self.has(&column.name));
                let is_root = self.root.as_ref().is_some_and(|root| {
                    root.relation == relation.oid && root.key == comparison.column
                });
                if !named && !is_root {
                    continue;
                }
                let reads = comparison.with.reads();
                self.settings.extend(reads.settings.iter().cloned());
                if let With::Context { form, .. } = &comparison.with {
                    if *form != Form::Other {
                        self.values.insert(form.clone());
                    }
                    // What looks a table up reads who asks, and finds the tenant there.
                    if reads.relations.is_empty() {
                        self.plain.extend(reads.settings.iter().cloned());
                    }
                }
            }
        }
    }
}

/// Whether a column's type can tell tenants apart.
pub(super) fn can_tell(column: &Column) -> bool {
    // Numbers, strings, arrays, enumerations, and what has no category of its own, as uuid.
    matches!(column.type_category, 'N' | 'S' | 'A' | 'E' | 'U')
        && !matches!(
            column.type_name.as_str(),
            "json" | "jsonb" | "xml" | "bytea" | "money"
        )
}

/// Whether a column can hold what a key holds, or several of it.
pub(super) fn holds(column: &Column, key: &Column) -> bool {
    column.type_oid == key.type_oid
        || column.type_category == key.type_category
            && (column.type_category != 'U' || column.type_kind == 'd' || key.type_kind == 'd')
        || column.type_name.strip_suffix("[]").is_some_and(|element| {
            element == key.type_name || column.type_category == 'A' && key.type_category == 'S'
        })
}

#[derive(Default)]
struct Votes {
    tables: usize,
    compared: usize,
    names: BTreeMap<String, usize>,
}

/// The names, the most common first.
fn inferred(tables: &Tables<'_>) -> Vec<(String, String)> {
    let mut votes: BTreeMap<Noun, Votes> = BTreeMap::new();
    for relation in &tables.all {
        let compared = tables.compared(relation);
        let mut here: BTreeSet<Noun> = BTreeSet::new();
        for column in relation.columns.iter().filter(|column| can_tell(column)) {
            let Some(noun) = Noun::of_column(&column.name) else {
                continue;
            };
            let vote = votes.entry(noun).or_default();
            *vote.names.entry(column.name.clone()).or_default() += 1;
            vote.tables += usize::from(here.insert(noun));
            vote.compared += usize::from(compared.iter().any(|it| it.number == column.number));
        }
    }
    let accepted = votes
        .iter()
        .filter(|(noun, votes)| speaks(tables, **noun, votes))
        .max_by_key(|(noun, votes)| {
            (
                noun.weight,
                votes.compared > 0,
                votes.tables,
                std::cmp::Reverse(noun.rank()),
            )
        });
    if let Some((_, votes)) = accepted {
        let mut names: Vec<(&String, &usize)> = votes.names.iter().collect();
        names.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        return names
            .into_iter()
            .map(|(name, count)| {
                let because = if votes.compared > 0 {
                    format!(
                        "{} a column of this name, and policies compare it with the context",
                        have(*count)
                    )
                } else {
                    format!("{} a column of this name", have(*count))
                };
                (name.clone(), because)
            })
            .collect();
    }
    compared_names(tables)
}

fn have(count: usize) -> String {
    match count {
        1 => "one table has".to_owned(),
        count => format!("{count} tables have"),
    }
}

/// Whether there is enough to take a noun for the tenant's.
fn speaks(tables: &Tables<'_>, noun: Noun, votes: &Votes) -> bool {
    if votes.compared > 0 {
        return true;
    }
    let own = tables
        .all
        .iter()
        .find(|relation| Noun::of_table(&relation.name.name) == Some(noun));
    // Where its own table is a tenant's, it is not the tenant.
    let below = own.is_some_and(|own| {
        own.columns
            .iter()
            .filter_map(|column| Noun::of_column(&column.name))
            .any(|other| other != noun && other.weight == Weight::Tenant)
    });
    if below {
        return false;
    }
    let others = tables.all.len().saturating_sub(usize::from(own.is_some()));
    let most = votes.tables * 2 > others;
    match noun.weight {
        Weight::Tenant if noun.word == "tenant" => true,
        Weight::Tenant => own.is_some() || votes.tables > 1,
        Weight::Party => own.is_some() && votes.tables > 1 && most,
        Weight::Person => votes.tables > 1 && most,
    }
}

/// Where nothing is called as tenants are: what policies compare, but columns that are only ever compared beside
/// a more common one, as a second dimension is.
fn compared_names(tables: &Tables<'_>) -> Vec<(String, String)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut together: Vec<BTreeSet<&str>> = Vec::new();
    for relation in &tables.all {
        let names: BTreeSet<&str> = tables
            .compared(relation)
            .into_iter()
            .map(|column| column.name.as_str())
            .collect();
        for name in &names {
            *counts.entry(name).or_default() += 1;
        }
        together.push(names);
    }
    let leads = |name: &str| {
        together.iter().any(|names| {
            names.contains(name)
                && names
                    .iter()
                    .all(|other| *other == name || counts.get(other) <= counts.get(name))
        })
    };
    let mut names: Vec<(&str, usize)> = counts
        .iter()
        .filter(|(name, _)| **name != "id" && leads(name))
        .map(|(name, count)| (*name, *count))
        .collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    names
        .into_iter()
        .map(|(name, _)| {
            (
                name.to_owned(),
                "policies compare it with the context".to_owned(),
            )
        })
        .collect()
}

/// The table that columns of these names refer to or, without a foreign key, that is called as they are.
fn root(tables: &Tables<'_>, names: &[(String, String)]) -> Option<Root> {
    let named = |relation: &Relation, number: i16| {
        relation
            .column(number)
            .is_some_and(|column| names.iter().any(|(name, _)| *name == column.name))
    };
    let mut targets: BTreeMap<(Oid, i16), usize> = BTreeMap::new();
    for relation in &tables.all {
        for (constraint, reference) in relation.foreign_keys() {
            let ([own], [theirs]) = (constraint.columns.as_slice(), reference.columns.as_slice())
            else {
                continue;
            };
            // A table that has such a column beside its key is a tenant's, not the tenants'.
            let itself = tables.get(reference.relation).is_none_or(|target| {
                named(target, *theirs)
                    && target
                        .foreign_keys()
                        .any(|(key, _)| key.columns == [*theirs])
            });
            if named(relation, *own) && !itself {
                *targets.entry((reference.relation, *theirs)).or_default() += 1;
            }
        }
    }
    let referred = targets
        .iter()
        .max_by_key(|(target, count)| (**count, std::cmp::Reverse(**target)));
    if let Some((&(relation, key), count)) = referred {
        let because = match count {
            1 => "a tenant column refers to it".to_owned(),
            count => format!("{count} tenant columns refer to it"),
        };
        return Some(Root {
            relation,
            key,
            because,
        });
    }
    let noun = names.iter().find_map(|(name, _)| Noun::of_column(name))?;
    tables.all.iter().find_map(|relation| {
        let called = Noun::of_table(&relation.name.name) == Some(noun);
        let [key] = *relation.primary_key()? else {
            return None;
        };
        called.then(|| Root {
            relation: relation.oid,
            key,
            because: "it is called as the tenant columns are".to_owned(),
        })
    })
}
