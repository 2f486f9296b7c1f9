//! What a function that policies ask answers where there is no context.

use super::{Wall, way::Literal};
use crate::{
    catalogue::Oid,
    expression::{Constant, Term, bare},
    subject::Form,
};

impl Wall<'_> {
    /// Whether a function without arguments answers somebody's tenant although nobody set a context: policies
    /// that compare with it are open by what it does.
    pub(crate) fn stands_in(&self, function: Oid) -> bool {
        let call = Term::Call(function, Vec::new());
        self.ways().values(&call).iter().any(|(way, value)| {
            let nobody = matches!(bare(value), Term::Constant(it) if it.is_nobody())
                || self.is_session(value);
            !nobody && way.literals().any(|literal| self.is_without(literal))
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

    /// Whether something holds where a setting has no value, or an empty one.
    fn is_without(&self, literal: &Literal) -> bool {
        let empty = |term: &Term| matches!(bare(term), Term::Constant(Constant::Text(text)) if text.is_empty());
        let term = if let Literal::Null(term) = literal {
            term
        } else if let Literal::Equal { left, right, .. } = literal
            && empty(right)
        {
            left
        } else {
            return false;
        };
        !self.library.facts(term).settings.is_empty()
    }
}
