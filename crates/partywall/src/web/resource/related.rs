use std::{any::TypeId, collections::HashMap, sync::OnceLock};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, EntityTrait, ExprTrait as _,
    QueryFilter as _, QuerySelect as _, QueryTrait as _, Statement, Value,
    sea_query::{Alias, Expr},
};

use super::{
    Choice, Connection,
    list::key_columns,
    typed::{Typed, exact},
};
use crate::{
    db::Within as _,
    schema::Scoped,
    scope::Scope,
    web::{FieldError, Problem},
};

/// The [choices](Choice) of an input, to be looked up inside the scope: one query for each kind of row.
#[derive(Debug, Default)]
#[must_use = "choices that are not returned are not looked up"]
pub struct Related<'a> {
    wanted: Vec<Wanted<'a>>,
}

#[derive(Debug)]
struct Wanted<'a> {
    field: String,
    /// As the database writes it; none for what is no id.
    id: Option<(String, Value)>,
    found: &'a OnceLock<Value>,
    kind: Kind,
    among: Option<Condition>,
}

#[derive(Clone, Copy, Debug)]
struct Kind {
    entity: TypeId,
    query: fn(&Scope, Vec<Value>, Option<Condition>) -> Option<Statement>,
}

/// The ids among `ids` that the scope has, as texts.
fn query<E: EntityTrait + Scoped>(
    scope: &Scope,
    ids: Vec<Value>,
    among: Option<Condition>,
) -> Option<Statement> {
    let column = key_columns::<E>().into_iter().next()?;
    let text = Expr::col(column.as_column_ref()).cast_as(Alias::new("text"));
    let found = E::find()
        .within(scope)
        .select_only()
        .expr_as(text, "id")
        .filter(column.is_in(ids))
        .filter(among.unwrap_or_else(Condition::all));
    Some(found.build(sea_orm::DbBackend::Postgres))
}

impl<'a> Related<'a> {
    /// Nothing is referred to.
    pub fn none() -> Self {
        Self::default()
    }

    /// A field that refers to a row.
    pub fn one<E: EntityTrait + Scoped>(self, field: &str, choice: &'a Choice<E>) -> Self {
        self.add(field.to_owned(), choice)
    }

    /// A field that may refer to a row.
    pub fn maybe<E: EntityTrait + Scoped>(
        self,
        field: &str,
        choice: Option<&'a Choice<E>>,
    ) -> Self {
        match choice {
            Some(choice) => self.one(field, choice),
            None => self,
        }
    }

    /// A field that refers to several rows.
    pub fn all<E: EntityTrait + Scoped>(
        mut self,
        field: &str,
        choices: impl IntoIterator<Item = &'a Choice<E>>,
    ) -> Self {
        for (n, choice) in choices.into_iter().enumerate() {
            self = self.add(format!("{field}[{n}]"), choice);
        }
        self
    }

    /// Narrows what the field that was named last may refer to: to rows that are open, say. Others are
    /// as if they were not there.
    pub fn among(mut self, condition: Condition) -> Self {
        if let Some(last) = self.wanted.last_mut() {
            last.among = Some(condition);
        }
        self
    }

    fn add<E: EntityTrait + Scoped>(mut self, field: String, choice: &'a Choice<E>) -> Self {
        let keys = key_columns::<E>();
        let typed = match keys.as_slice() {
            [key] => Typed::of(key.def().get_column_type()),
            _ => {
                tracing::error!(
                    entity = E::default().table_name(),
                    "what is chosen by its id has one column for it"
                );
                None
            }
        };
        let value = typed.and_then(|typed| typed.parse(choice.text()));
        let id = value.and_then(|value| Some((exact(value.clone()).ok()??, value)));
        self.wanted.push(Wanted {
            field,
            id,
            found: choice.found(),
            kind: Kind {
                entity: TypeId::of::<E>(),
                query: query::<E>,
            },
            among: None,
        });
        self
    }

    /// The same as part of a list: `note` becomes `[2].note`.
    pub(super) fn inside(mut self, place: &str) -> Self {
        for wanted in &mut self.wanted {
            wanted.field = format!("{place}.{}", wanted.field);
        }
        self
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.wanted.extend(other.wanted);
        self
    }

    /// Looks everything up. What is missing, foreign, or no id at all is the same error.
    pub(super) async fn find(
        self,
        db: &Connection<'_>,
        scope: &Scope,
    ) -> Result<Vec<FieldError>, Problem> {
        let mut groups: HashMap<(TypeId, Option<usize>), Vec<&Wanted<'_>>> = HashMap::new();
        let mut errors = Vec::new();
        for (n, wanted) in self.wanted.iter().enumerate() {
            // A narrowed field is asked for by itself.
            let group = (wanted.kind.entity, wanted.among.as_ref().map(|_| n));
            groups.entry(group).or_default().push(wanted);
        }
        let mut is_found = vec![];
        for group in groups.into_values() {
            let Some(first) = group.first() else { continue };
            let ids: Vec<Value> = group
                .iter()
                .filter_map(|wanted| Some(wanted.id.as_ref()?.1.clone()))
                .collect();
            if ids.is_empty() {
                continue;
            }
            let rows = match (first.kind.query)(scope, ids, first.among.clone()) {
                Some(statement) => db.query_all_raw(statement).await?,
                None => Vec::new(),
            };
            let there = rows
                .iter()
                .map(|row| row.try_get_by_index(0))
                .collect::<Result<Vec<String>, _>>()?;
            for wanted in group {
                if let Some((text, value)) = &wanted.id
                    && there.contains(text)
                {
                    let _ = wanted.found.set(value.clone());
                    is_found.push(wanted.field.as_str());
                }
            }
        }
        for wanted in &self.wanted {
            if !is_found.contains(&wanted.field.as_str()) {
                errors.push(FieldError::no_such(wanted.field.clone()));
            }
        }
        Ok(errors)
    }
}
