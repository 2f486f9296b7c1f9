//! The settings that policies, and views that stand in for policies, take the tenant from.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    belonging::Belonging,
    evidence::{Comparison, With, columns_of_views},
    form::Form,
    given::Given,
    reading::Readings,
};
use crate::catalogue::{Catalogue, Oid};

/// What compares a column with a setting, and how the setting is read.
#[derive(Default)]
struct Readers<'a> {
    policies: BTreeSet<(Oid, &'a str)>,
    views: usize,
    forms: BTreeSet<Form>,
}

/// The settings and what speaks for each.
pub(super) fn contexts(
    catalogue: &Catalogue,
    given: &Given,
    readings: &Readings,
    comparisons: &BTreeMap<Oid, Vec<Comparison>>,
    belongings: &BTreeMap<Oid, Belonging>,
) -> BTreeMap<String, String> {
    if !given.contexts.is_empty() {
        let given = given.contexts.iter();
        return given
            .map(|name| (name.clone(), "given".to_owned()))
            .collect();
    }
    let mut found: BTreeMap<String, Readers<'_>> = BTreeMap::new();
    let tenants = |relation: &Oid| belongings.get(relation).is_some_and(Belonging::is_tenants);
    for (relation, comparisons) in comparisons.iter().filter(|(relation, _)| tenants(relation)) {
        for comparison in comparisons {
            for setting in &comparison.with.reads().settings {
                let readers = found.entry(setting.clone()).or_default();
                readers
                    .policies
                    .insert((*relation, comparison.policy.as_str()));
                if let With::Context { form, .. } = &comparison.with {
                    readers.forms.insert(form.clone());
                }
            }
        }
    }
    for (relation, column, reads) in columns_of_views(catalogue, readings) {
        let is_own = matches!(belongings.get(&relation),
            Some(Belonging::Root(own) | Belonging::Column(own) | Belonging::Person(own)) if *own == column);
        for setting in reads.settings.into_iter().filter(|_| is_own) {
            found.entry(setting).or_default().views += 1;
        }
    }
    found
        .into_iter()
        .map(|(name, readers)| (name, readers.because(catalogue)))
        .collect()
}

impl Readers<'_> {
    fn because(&self, catalogue: &Catalogue) -> String {
        let mut because = match (self.policies.len(), self.views) {
            (0, 1) => "a view compares a tenant's column with it".to_owned(),
            (0, views) => format!("views compare tenants' columns with it in {views} places"),
            (1, _) => "one policy compares a column with it".to_owned(),
            (policies, _) => format!("{policies} policies compare a column with it"),
        };
        let read = self.forms.iter().find_map(|form| match form {
            Form::Setting { path, .. } if !path.is_empty() => {
                Some(format!(", which holds JSON: `{}` in it", path.join(".")))
            }
            Form::Function(function) => {
                let function = catalogue.functions.get(function)?;
                Some(format!(", by {}", function.signature()))
            }
            Form::Setting { .. } | Form::Other => None,
        });
        because.push_str(&read.unwrap_or_default());
        because
    }
}
