//! What a function that policies ask answers where there is no context.

use std::collections::BTreeSet;

use super::{
    Wall,
    ties::is_column,
    way::{Literal, Way},
};
use crate::{
    catalogue::{Oid, Policy, Relation},
    expression::{Constant, Term, bare},
    subject::Form,
};

impl Wall<'_> {
    /// Whether a function without arguments answers somebody's tenant although nobody set a context: policies
    /// that compare with it are open by what it does.
    fn stands_in(&self, function: Oid) -> bool {
        let call = Term::Call(function, Vec::new());
        self.ways().values(&call).iter().any(|(way, value)| {
            let nobody = matches!(bare(value), Term::Constant(it) if it.is_nobody())
                || self.is_session(value);
            !nobody
                && way
                    .literals()
                    .any(|literal| self.without(literal).is_some())
        })
    }

    /// The setting that a function answers where there is a context.
    pub(crate) fn setting_of(&self, function: Oid) -> Option<Form> {
        let call = Term::Call(function, Vec::new());
        let body = &self.library.routine(function)?.result;
        let values = self.ways().values(body.as_ref().unwrap_or(&call));
        values.iter().find_map(|(_, value)| {
            let facts = self.library.facts(value);
            let read = facts.settings.first()?;
            let alone = facts.settings.len() == 1
                && facts.columns.is_empty()
                && facts.relations.is_empty()
                && facts.functions.is_empty();
            alone.then(|| Form::Setting {
                name: read.name.clone(),
                path: read.path.clone(),
            })
        })
    }

    /// Whether the same comparison with a function is as open as it was, whichever policy makes it.
    pub(crate) fn is_at_fault(&self, function: Oid) -> bool {
        self.stands_in(function) || self.falls_back_in(function).is_some()
    }

    /// The setting that a policy takes the tenant from, and another that it takes it from while that one has no
    /// value.
    pub(crate) fn falls_back(
        &self,
        relation: &Relation,
        policy: &Policy,
    ) -> Option<(String, String)> {
        let tenant = self.subject.tenant_column(relation.oid)?;
        let through = [false, true]
            .into_iter()
            .filter_map(|check| self.through(relation, policy, check));
        let mut values = Vec::new();
        for through in through {
            for way in &through.ways {
                for literal in way.literals() {
                    let Literal::Equal { left, right, .. } = literal else {
                        continue;
                    };
                    let value = match (is_column(left, tenant), is_column(right, tenant)) {
                        (true, false) => right,
                        (false, true) => left,
                        _ => continue,
                    };
                    if let Term::Call(function, arguments) = bare(value)
                        && arguments.is_empty()
                        && let Some(settings) = self.falls_back_in(*function)
                    {
                        return Some(settings);
                    }
                    values.push((way.clone(), value.clone()));
                }
            }
        }
        self.instead(&values)
    }

    fn falls_back_in(&self, function: Oid) -> Option<(String, String)> {
        let body = self.library.routine(function)?.result.as_ref()?;
        self.instead(&self.ways().values(body))
    }

    /// Of what the tenant can be taken from, a setting that has no value on a way, and the one that is read there.
    /// What a request's token says is in several settings of one hand.
    fn instead(&self, values: &[(Way, Term)]) -> Option<(String, String)> {
        let own = |value: &Term| {
            let facts = self.library.facts(value);
            let names = facts.setting_names();
            let alone = facts.columns.is_empty() && facts.relations.is_empty();
            match names.iter().next() {
                Some(name) if alone && names.len() == 1 => Some((*name).to_owned()),
                _ => None,
            }
        };
        let all: BTreeSet<String> = values.iter().filter_map(|(_, value)| own(value)).collect();
        values.iter().find_map(|(way, value)| {
            let other = own(value)?;
            let of_a_token =
                |first: &str| other.starts_with("request.") && first.starts_with("request.");
            let first = way
                .literals()
                .filter_map(|literal| self.without(literal))
                .find(|first| *first != other && all.contains(first) && !of_a_token(first))?;
            Some((first, other))
        })
    }

    /// The setting that has no value, or an empty one, where something holds.
    fn without(&self, literal: &Literal) -> Option<String> {
        let empty = |term: &Term| matches!(bare(term), Term::Constant(Constant::Text(text)) if text.is_empty());
        let term = if let Literal::Null(term) = literal {
            term
        } else if let Literal::Equal { left, right, .. } = literal
            && empty(right)
        {
            left
        } else {
            return None;
        };
        let facts = self.library.facts(term);
        Some(facts.settings.first()?.name.clone())
    }
}
