use std::{any::Any, collections::BTreeSet, fmt, sync::Arc};

use super::{
    Decide, Decision, Effect, Fields, PolicyBuilder, Principal, Question, Rows,
    decision::Votes,
    rule::{Case, Object},
    statement::{FieldRule, Statement, Veil},
    table::table,
    truth::Truth,
};

/// Statements about one kind of object: see [the room](super).
///
/// `M` is the type of the objects that it looks at, a SeaORM model in general. An object of another
/// type is a mistake of the application's: the decision is a denial that [failed](Decision::failed).
pub struct Policy<M = ()> {
    pub(super) name: Arc<str>,
    pub(super) statements: Vec<Statement<M>>,
    pub(super) fields: Vec<FieldRule<M>>,
}

impl<M> Policy<M> {
    /// Begins a policy. Without a statement it denies everything.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a policy exists once it is built, and then it has no mistake that could be found"
    )]
    pub fn new(name: impl Into<Arc<str>>) -> PolicyBuilder<M> {
        PolicyBuilder::new(name.into())
    }

    /// The principals that its statements and fields name.
    fn principals(&self) -> impl Iterator<Item = &Principal> {
        let statements = self.statements.iter().map(|statement| &statement.principal);
        statements.chain(self.fields.iter().map(|rule| &rule.principal))
    }

    fn asks_object(&self) -> bool {
        let statements = self.statements.iter().map(|statement| &statement.rule);
        let fields = self.fields.iter().map(|field| &field.rule);
        let mut rules = statements.chain(fields).flatten();
        rules.any(super::Rule::asks_object)
    }
}

impl<M: Any + Send + Sync> Decide for Policy<M> {
    fn decide(&self, question: &Question<'_>) -> Decision {
        let action = question.action.name();
        let case = Case::<M>::of(question);
        if matches!(case.object, Object::Foreign) && self.asks_object() {
            let why = format!(
                "it was asked about an object that is no `{}`",
                std::any::type_name::<M>()
            );
            return Decision::failing(&self.name, action, why);
        }
        let mut votes = Votes::default();
        for statement in &self.statements {
            let list = match (statement.effect, statement.matches(&case)) {
                (_, Truth::No) | (Effect::Allow, Truth::Unclear) => continue,
                (Effect::Allow, Truth::Yes) => &mut votes.allows,
                (Effect::Allow, Truth::Open) => &mut votes.open_allows,
                (Effect::Deny, Truth::Yes | Truth::Unclear) => &mut votes.denies,
                (Effect::Deny, Truth::Open) => &mut votes.open_denies,
            };
            list.push(statement.name.clone());
        }
        votes.decide(&self.name, action)
    }

    fn rows(&self, question: &Question<'_>) -> Rows {
        let case = Case::<M>::of(question);
        let of = |effect| self.statements.iter().filter(move |s| s.effect == effect);
        let allowed = Rows::any(of(Effect::Allow).map(|s| s.rows(&case, true)));
        let spared = of(Effect::Deny).map(|s| s.rows(&case, false));
        Rows::all(std::iter::once(allowed).chain(spared))
    }

    fn fields(&self, question: &Question<'_>) -> Fields {
        let case = Case::<M>::of(question);
        let mut fields = Fields::default();
        for rule in self.fields.iter().filter(|rule| rule.applies(&case)) {
            match rule.veil {
                Veil::Hidden => fields.hide(&rule.field),
                Veil::Frozen => fields.freeze(&rule.field),
            }
        }
        fields
    }

    fn permissions(&self) -> Vec<String> {
        let all: BTreeSet<_> = self.principals().flat_map(Principal::permissions).collect();
        all.into_iter().map(str::to_owned).collect()
    }

    fn table(&self) -> String {
        table(self)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl<M> fmt::Debug for Policy<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.statements.iter().map(|one| &*one.name).collect();
        let mut shown = f.debug_struct("Policy");
        shown.field("name", &self.name).field("statements", &names);
        shown.finish_non_exhaustive()
    }
}
