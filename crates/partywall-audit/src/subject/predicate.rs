//! The condition that keeps a table to its tenant, as SQL.

use std::collections::BTreeMap;

use super::{Belonging, Form, Subject, With};
use crate::{
    catalogue::{Catalogue, Column, Policy, Relation, RelationKind},
    sql::{literal, tidy},
};

impl Subject {
    /// How the tenant is written in most policies, of the settings that were taken.
    pub(crate) fn main_form(&self, catalogue: &Catalogue) -> Option<Form> {
        self.compared_form(catalogue).or_else(|| {
            let name = self.contexts.first()?.clone();
            Some(Form::Setting {
                name,
                path: Vec::new(),
            })
        })
    }

    /// What tenants' columns are compared with in most policies. `None` where they are only looked up.
    pub(crate) fn compared_form(&self, catalogue: &Catalogue) -> Option<Form> {
        let mut votes: BTreeMap<&Form, usize> = BTreeMap::new();
        for (oid, comparisons) in &self.comparisons {
            let Some(relation) = catalogue.relations.get(oid) else {
                continue;
            };
            for comparison in comparisons {
                let says_tenant = self.tenant_column(*oid) == Some(comparison.column)
                    && relation
                        .column(comparison.column)
                        .is_some_and(|column| self.says_tenant(relation, column));
                if says_tenant
                    && let With::Context { form, reads } = &comparison.with
                    && *form != Form::Other
                    && reads
                        .settings
                        .iter()
                        .any(|setting| self.contexts.contains(setting))
                {
                    *votes.entry(form).or_default() += 1;
                }
            }
        }
        let most = votes
            .into_iter()
            .max_by_key(|(form, count)| (*count, std::cmp::Reverse(*form)));
        most.map(|(form, _)| form.clone())
    }

    /// The condition that a row is the tenant's: its column compared with the context or, without a column, the
    /// same of the row that it refers to. `None` where it cannot be told whose the rows are, or by what.
    pub(crate) fn predicate(&self, catalogue: &Catalogue, relation: &Relation) -> Option<String> {
        self.predicate_by(catalogue, relation, &self.main_form(catalogue)?)
    }

    /// The same, with the context written in a form of its own.
    pub(crate) fn predicate_by(
        &self,
        catalogue: &Catalogue,
        relation: &Relation,
        form: &Form,
    ) -> Option<String> {
        self.condition(catalogue, relation, &tidy(&relation.name.name), form, 0)
    }

    fn condition(
        &self,
        catalogue: &Catalogue,
        relation: &Relation,
        alias: &str,
        form: &Form,
        depth: usize,
    ) -> Option<String> {
        // No chain is as long as this, unless it goes in a circle.
        const DEEPEST: usize = 16;
        match self.belonging(relation.oid)? {
            Belonging::Root(number) | Belonging::Column(number) | Belonging::Person(number) => {
                let column = relation.column(*number)?;
                let name = if depth == 0 {
                    tidy(&column.name)
                } else {
                    format!("{alias}.{}", tidy(&column.name))
                };
                let partitioned = relation.kind == RelationKind::Partitioned;
                let value = value(catalogue, form, column, partitioned)?;
                Some(if column.type_category == 'A' {
                    format!("{value} = ANY ({name})")
                } else {
                    format!("{name} = {value}")
                })
            }
            Belonging::Parent { constraint, parent } if depth < DEEPEST => {
                let parent = catalogue.relations.get(parent)?;
                let (constraint, reference) = relation
                    .foreign_keys()
                    .find(|(key, _)| key.oid == *constraint)?;
                let above = self.alias(catalogue, relation, depth);
                let mut joins: Vec<String> = Vec::new();
                for (own, theirs) in constraint.columns.iter().zip(&reference.columns) {
                    joins.push(format!(
                        "{above}.{} = {alias}.{}",
                        tidy(&parent.column(*theirs)?.name),
                        tidy(&relation.column(*own)?.name)
                    ));
                }
                joins.push(self.condition(catalogue, parent, &above, form, depth + 1)?);
                Some(format!(
                    "EXISTS (SELECT 1 FROM {} AS {above} WHERE {})",
                    parent.name,
                    joins.join(" AND ")
                ))
            }
            Belonging::Parent { .. } | Belonging::Global | Belonging::Undecided(_) => None,
        }
    }

    /// A name for the parent in a sub-select that no table has, so that nothing is hidden by it.
    fn alias(&self, catalogue: &Catalogue, relation: &Relation, depth: usize) -> String {
        let taken = |name: &str| {
            relation.name.name == name
                || catalogue.relations.values().any(|it| it.name.name == name)
        };
        let mut name = if depth == 0 {
            "parent".to_owned()
        } else {
            format!("parent_{depth}")
        };
        while taken(&name) {
            name.push('_');
        }
        name
    }
}

/// The value of the context, of the type of a column.
fn value(catalogue: &Catalogue, form: &Form, column: &Column, partitioned: bool) -> Option<String> {
    match form {
        Form::Setting { name, path } => {
            let mut value = format!("NULLIF(current_setting({}, true), '')", literal(name));
            if let [keys @ .., last] = path.as_slice() {
                value.push_str("::jsonb");
                for key in keys {
                    value.push_str(&format!(" -> {}", literal(key)));
                }
                value = format!("({value} ->> {})", literal(last));
            }
            let of = column
                .type_name
                .strip_suffix("[]")
                .unwrap_or(&column.type_name);
            let is_text = column.type_category == 'S' || is_text(of);
            Some(if is_text {
                value
            } else {
                format!("{value}::{of}")
            })
        }
        Form::Function(function) => {
            let call = format!("{}()", catalogue.functions.get(function)?.name);
            // Once for each statement; only a plain call prunes partitions.
            Some(if partitioned {
                call
            } else {
                format!("(SELECT {call})")
            })
        }
        Form::Other => None,
    }
}

/// A text needs no cast, and one to a shorter type would cut it.
fn is_text(type_name: &str) -> bool {
    type_name == "text" || type_name.starts_with("character")
}

/// `ALTER POLICY … USING (…) WITH CHECK (…)`, of the parts that a policy has.
pub(crate) fn alter_policy(
    relation: &Relation,
    policy: &Policy,
    using: Option<&str>,
    check: Option<&str>,
) -> String {
    let mut sql = format!("ALTER POLICY {} ON {}", tidy(&policy.name), relation.name);
    if let Some(using) = using {
        sql.push_str(&format!(" USING ({using})"));
    }
    if let Some(check) = check {
        sql.push_str(&format!(" WITH CHECK ({check})"));
    }
    sql.push(';');
    sql
}
