use std::{any::Any, collections::HashMap, fmt, sync::Arc};

use cedar_policy::{
    Context, Effect, Entities, Entity, EntityTypeName, Policy, Request, RequestValidationError,
    RestrictedExpression, Schema,
};

use super::{
    CedarBuilder,
    builder::{FactsOf, RowsOf},
    facts::{Attribute, Facts, uid},
    rules::Rules,
    subject::{context, principal},
};
use crate::policy::{
    Decide, Decision, Fields, Question, Rows,
    decision::{Votes, report},
    statement::Veil,
    table::row,
};

/// Policies in Cedar's language about one kind of object: see [the module](super).
///
/// ```
/// use partywall::{
///     identity::{BuiltIn, Permissions},
///     policy::{Action, Decide, PolicyError, Question, RequestFacts, Subject, cedar::{CedarPolicy, Facts}},
/// };
/// use uuid::Uuid;
///
/// struct Note { id: Uuid, is_archived: bool }
///
/// let policy = CedarPolicy::<Note>::new(
///     "note",
///     r#"
///     @id("write")
///     permit (principal, action == Action::"update", resource)
///       when { principal.permissions.contains("note.write") };
///     @id("archived")
///     forbid (principal, action == Action::"update", resource) when { resource.archived };
///     "#,
/// )
/// .resource("Note", |note| Facts::of(note.id).with("archived", note.is_archived))
/// .build()?;
///
/// let note = Note { id: Uuid::now_v7(), is_archived: true };
/// let decision = policy.decide(&Question {
///     subject: &Subject::member(Uuid::now_v7(), Uuid::now_v7()).with_permissions(["note.write"]),
///     action: &Action::new("update", "PATCH"),
///     request: &RequestFacts::new("PATCH", "/notes/1"),
///     object: Some(&note),
/// });
/// assert_eq!(decision.reason(), "note: `update` is denied by `archived`");
/// # Ok::<(), PolicyError>(())
/// ```
pub struct CedarPolicy<M = ()> {
    pub(super) name: Arc<str>,
    pub(super) schema: Option<Schema>,
    pub(super) kind: EntityTypeName,
    pub(super) facts: Option<FactsOf<M>>,
    pub(super) rows: Option<RowsOf>,
    pub(super) access: Rules,
    pub(super) veiled: Vec<Veiled>,
    pub(super) permissions: Vec<String>,
    pub(super) shown: Vec<Policy>,
}

/// A field that is hidden or frozen where a policy matches.
#[derive(Debug)]
pub(super) struct Veiled {
    pub(super) field: Arc<str>,
    pub(super) veil: Veil,
    pub(super) rules: Rules,
}

/// Why nothing could be asked.
enum Unasked {
    /// The schema says that nobody of this kind may do this.
    Excluded,
    Failed(String),
}

impl<E: std::error::Error> From<E> for Unasked {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Failed(text)
    }
}

impl<M: Any + Send + Sync> CedarPolicy<M> {
    /// Begins a policy of Cedar policies. Without a `permit` it denies everything.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a policy exists once it is built, and then it has no mistake that could be found"
    )]
    pub fn new(name: impl Into<Arc<str>>, policies: impl Into<String>) -> CedarBuilder<M> {
        CedarBuilder::new(name.into(), policies.into())
    }

    /// The question in Cedar's words.
    fn asked(&self, question: &Question<'_>) -> Result<(Request, Entities), Unasked> {
        let schema = self.schema.as_ref();
        let (kind, facts) = principal(question.subject);
        let who = entity(&kind.parse()?, facts)?;
        let principal = who.uid();
        let facts = match (question.object, &self.facts) {
            (None, _) | (Some(_), None) => None,
            (Some(object), Some(facts)) => match object.downcast_ref() {
                Some(object) => Some(facts(object)),
                None => {
                    let kind = std::any::type_name::<M>();
                    let why = format!("it was asked about an object that is no `{kind}`");
                    return Err(Unasked::Failed(why));
                }
            },
        };
        let resource = match &facts {
            Some(facts) => uid(&self.kind, &facts.id),
            None => uid(&self.kind, ""),
        };
        let mut entities = vec![who];
        if let Some(facts) = facts {
            entities.push(entity(&self.kind, facts)?);
        }
        let action = uid(&"Action".parse()?, question.action.name());
        let context = values(context(question.action, question.request))?;
        let context = Context::from_pairs(context)?;
        let request = Request::new(principal, action, resource, context, schema);
        let request = request.map_err(|error| {
            let is_excluded = matches!(
                error,
                RequestValidationError::UndeclaredAction(_)
                    | RequestValidationError::InvalidPrincipalType(_)
                    | RequestValidationError::InvalidResourceType(_)
            );
            if is_excluded {
                Unasked::Excluded
            } else {
                error.into()
            }
        })?;
        Ok((request, Entities::from_entities(entities, schema)?))
    }

    fn votes(&self, question: &Question<'_>) -> Result<Votes, String> {
        match self.asked(question) {
            Ok((request, entities)) => {
                let has_object = question.object.is_some();
                self.access.votes(&request, &entities, has_object)
            }
            Err(Unasked::Excluded) => Ok(Votes::default()),
            Err(Unasked::Failed(why)) => Err(why),
        }
    }
}

fn entity(kind: &EntityTypeName, facts: Facts) -> Result<Entity, Unasked> {
    let attributes: HashMap<_, _> = values(facts.attributes)?.into_iter().collect();
    Ok(Entity::new(
        uid(kind, facts.id),
        attributes,
        Default::default(),
    )?)
}

fn values(
    attributes: Vec<(String, Attribute)>,
) -> Result<Vec<(String, RestrictedExpression)>, Unasked> {
    let each = attributes.into_iter();
    each.map(|(name, value)| value.0.map(|value| (name, value)))
        .collect::<Result<_, _>>()
        .map_err(Unasked::Failed)
}

impl<M: Any + Send + Sync> Decide for CedarPolicy<M> {
    fn decide(&self, question: &Question<'_>) -> Decision {
        let action = question.action.name();
        match self.votes(question) {
            Ok(votes) => votes.decide(&self.name, action),
            Err(why) => Decision::failing(&self.name, action, why),
        }
    }

    fn rows(&self, question: &Question<'_>) -> Rows {
        let question = Question {
            object: None,
            ..*question
        };
        let decision = self.decide(&question);
        if decision.is_allowed() {
            return Rows::All;
        }
        let told = self.rows.as_ref().filter(|_| decision.needs_object());
        told.and_then(|rows| rows(&question))
            .map_or(Rows::None, |condition| Rows::all([Rows::Where(condition)]))
    }

    fn fields(&self, question: &Question<'_>) -> Fields {
        let mut fields = Fields::default();
        if self.veiled.is_empty() {
            return fields;
        }
        let asked = self.asked(question);
        let failed = |why: &str| {
            report(&self.name, question.action.name(), why);
            true
        };
        for Veiled { field, veil, rules } in &self.veiled {
            let applies = match &asked {
                Ok((request, entities)) => rules
                    .votes(request, entities, question.object.is_some())
                    .map_or_else(
                        |why| failed(&why),
                        |votes| !(votes.denies.is_empty() && votes.open_denies.is_empty()),
                    ),
                Err(Unasked::Excluded) => true,
                Err(Unasked::Failed(why)) => failed(why),
            };
            match veil {
                Veil::Hidden if applies => fields.hide(field),
                Veil::Frozen if applies => fields.freeze(field),
                Veil::Hidden | Veil::Frozen => {}
            }
        }
        fields
    }

    fn permissions(&self) -> Vec<String> {
        self.permissions.clone()
    }

    fn table(&self) -> String {
        let mut text = format!("## {}\n\n", self.name);
        row(&mut text, &["policy", "effect", "text"]);
        row(&mut text, &["---"; 3]);
        for policy in &self.shown {
            let effect = match policy.effect() {
                Effect::Permit => "allow",
                Effect::Forbid => "deny",
            };
            let source = policy.to_cedar().unwrap_or_default();
            let words: Vec<_> = source.split_whitespace().collect();
            let source = format!("`{}`", words.join(" "));
            row(&mut text, &[policy.id().as_ref(), effect, &source]);
        }
        text
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl<M> fmt::Debug for CedarPolicy<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.shown.iter().map(|one| one.id().to_string()).collect();
        let mut shown = f.debug_struct("CedarPolicy");
        shown.field("name", &self.name).field("policies", &names);
        shown.finish_non_exhaustive()
    }
}
