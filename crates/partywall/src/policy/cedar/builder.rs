use std::{any::Any, collections::BTreeSet, str::FromStr as _, sync::Arc};

use cedar_policy::{
    Effect, EntityTypeName, Policy, PolicyId, PolicySet, Schema, SchemaFragment, ValidationMode,
    Validator,
};
use sea_orm::{Condition, sea_query::IntoCondition};

use super::{
    CedarPolicy, Facts, PRELUDE,
    open::permissions,
    policy::Veiled,
    rules::{Rule, Rules},
};
use crate::policy::{PolicyError, Question, statement::Veil};

pub(super) type FactsOf<M> = Box<dyn Fn(&M) -> Facts + Send + Sync>;
pub(super) type RowsOf = Box<dyn Fn(&Question<'_>) -> Option<Condition> + Send + Sync>;
type Source = Box<dyn std::error::Error + Send + Sync>;

/// A policy in Cedar's language that is being put together.
#[must_use = "it decides nothing before it is built"]
pub struct CedarBuilder<M = ()> {
    name: Arc<str>,
    policies: String,
    schema: Option<String>,
    kind: String,
    facts: Option<FactsOf<M>>,
    rows: Option<RowsOf>,
}

impl<M> std::fmt::Debug for CedarBuilder<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("CedarBuilder");
        shown.field("name", &self.name).finish_non_exhaustive()
    }
}

impl<M: Any + Send + Sync> CedarBuilder<M> {
    pub(super) fn new(name: Arc<str>, policies: String) -> Self {
        Self {
            name,
            policies,
            schema: None,
            kind: "Resource".to_owned(),
            facts: None,
            rows: None,
        }
    }

    /// A schema in Cedar's own syntax, to which [`PRELUDE`] is added. The policies are validated by
    /// it, and what is asked as well.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The type of the resource and what Cedar is told of an object.
    pub fn resource(
        mut self,
        kind: impl Into<String>,
        facts: impl Fn(&M) -> Facts + Send + Sync + 'static,
    ) -> Self {
        self.kind = kind.into();
        self.facts = Some(Box::new(facts));
        self
    }

    /// The type of the resource alone: for policies that do not look at the object.
    pub fn resource_type(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// The rows of a list where the policies look at the resource, which is where Cedar itself cannot
    /// tell: what the policies say, said again in SQL. Nothing is no row.
    pub fn rows<C: IntoCondition>(
        mut self,
        rows: impl Fn(&Question<'_>) -> Option<C> + Send + Sync + 'static,
    ) -> Self {
        self.rows = Some(Box::new(move |question| {
            rows(question).map(IntoCondition::into_condition)
        }));
        self
    }

    /// Reads the policies, validates them by the schema, and makes the policy.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for what cannot be read or is not valid, two policies of one `@id`, a template,
    /// a `permit` for a field, and policies that look at a resource of which nothing is told.
    pub fn build(self) -> Result<CedarPolicy<M>, PolicyError> {
        let fail = |source: Source| PolicyError::Policies {
            policy: self.name.to_string(),
            source,
        };
        if self.name.is_empty() {
            return Err(PolicyError::Nameless);
        }
        let kind = EntityTypeName::from_str(&self.kind).map_err(|error| fail(error.into()))?;
        let set = self.policies.parse().map_err(|error| {
            let error: cedar_policy::ParseErrors = error;
            fail(error.into())
        })?;
        let rules = named(&self.name, &set)?;
        let whole = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))
            .map_err(|error| fail(error.into()))?;
        let schema = self.schema.as_deref().map(schema).transpose();
        let schema = schema.map_err(fail)?;
        if let Some(schema) = &schema {
            validate(schema, &whole, &kind).map_err(fail)?;
        }
        let asking = rules.iter().find(|rule| rule.asks_object());
        if let (None, Some(rule)) = (&self.facts, asking) {
            let error = PolicyError::Unusable(
                "the policy looks at the resource and nothing is told of it: add `resource`",
            );
            return Err(error.within(&self.name, rule.policy.id().as_ref()));
        }
        let (mut access, mut veiled) = (Vec::new(), Vec::new());
        for rule in &rules {
            let fields = fields(&rule.policy);
            if fields.is_empty() {
                access.push(rule);
            }
            for (veil, field) in fields {
                if rule.policy.effect() == Effect::Permit || field.is_empty() {
                    let error = PolicyError::Unusable(
                        "only a `forbid` hides or freezes a field, and it names the field",
                    );
                    return Err(error.within(&self.name, rule.policy.id().as_ref()));
                }
                veiled.push(Veiled {
                    field: field.into(),
                    veil,
                    rules: Rules::of([rule]).map_err(|error| fail(error.into()))?,
                });
            }
        }
        let mut named = BTreeSet::new();
        for rule in &rules {
            let json = rule.policy.to_json().map_err(|error| fail(error.into()))?;
            permissions(&json, &mut named);
        }
        Ok(CedarPolicy {
            access: Rules::of(access).map_err(|error| fail(error.into()))?,
            veiled,
            permissions: named.into_iter().collect(),
            shown: rules.into_iter().map(|rule| rule.policy).collect(),
            name: self.name,
            schema,
            kind,
            facts: self.facts,
            rows: self.rows,
        })
    }
}

/// The policies by the names that they give themselves.
fn named(name: &str, set: &PolicySet) -> Result<Vec<Rule>, PolicyError> {
    if set.templates().next().is_some() {
        return Err(PolicyError::Unusable(
            "a template with a slot applies to nobody: write the policy out",
        )
        .within(name, "template"));
    }
    let mut rules = Vec::new();
    let mut known = BTreeSet::new();
    for policy in set.policies() {
        let id = policy.annotation("id").unwrap_or(policy.id().as_ref());
        let error = match known.insert(id.to_owned()) {
            _ if id.is_empty() => Some(PolicyError::Nameless),
            true => None,
            false => Some(PolicyError::Duplicate),
        };
        if let Some(error) = error {
            return Err(error.within(name, id));
        }
        let rule = Rule::of(policy.new_id(PolicyId::new(id)));
        rules.push(rule.map_err(|source| PolicyError::Policies {
            policy: name.to_owned(),
            source,
        })?);
    }
    rules.sort_by(|one, other| {
        let (one, other): (&str, &str) = (one.policy.id().as_ref(), other.policy.id().as_ref());
        one.cmp(other)
    });
    Ok(rules)
}

fn fields(policy: &Policy) -> Vec<(Veil, &str)> {
    let hidden = policy.annotation("hide").map(|field| (Veil::Hidden, field));
    let frozen = policy.annotation("freeze");
    let frozen = frozen.map(|field| (Veil::Frozen, field));
    hidden.into_iter().chain(frozen).collect()
}

fn schema(text: &str) -> Result<Schema, Source> {
    let fragments = [PRELUDE, text].map(SchemaFragment::from_cedarschema_str);
    let mut read = Vec::new();
    for fragment in fragments {
        let (fragment, warnings) = fragment?;
        for warning in warnings {
            tracing::warn!(%warning, "a Cedar schema");
        }
        read.push(fragment);
    }
    Ok(Schema::from_schema_fragments(read)?)
}

fn validate(schema: &Schema, policies: &PolicySet, kind: &EntityTypeName) -> Result<(), Source> {
    if !schema.entity_types().any(|known| known == kind) {
        return Err(format!("the schema has no entity type `{kind}`: declare it").into());
    }
    let result = Validator::new(schema.clone()).validate(policies, ValidationMode::default());
    for warning in result.validation_warnings() {
        tracing::warn!(%warning, "a Cedar policy");
    }
    if result.validation_passed() {
        Ok(())
    } else {
        Err(result.into())
    }
}
