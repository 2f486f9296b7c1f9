use std::{any::Any, fmt, marker::PhantomData, str::FromStr, sync::Arc};

use futures_util::future::BoxFuture;
use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait, FromQueryResult as _, IdenStatic as _,
    Iterable as _, PrimaryKeyToColumn as _, PrimaryKeyTrait, QueryResult, Value,
    sea_query::{Expr, SelectStatement, TableRef},
};
use uuid::Uuid;

use super::super::Problem;
use crate::{
    db::scope_condition,
    identity::RequestAccount,
    schema::{Rights, Scoped},
    scope::Scope,
};

/// What was found for a part of a path.
pub(super) type Thing = Arc<dyn Any + Send + Sync>;

/// What a parameter of a path stands for: `{note}` in `/tenants/{tenant}/notes/{note}`.
///
/// `{tenant}` needs no declaration.
#[derive(Clone)]
pub struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// A row of the scope.
    Row {
        level: Arc<dyn Level>,
        under: Option<&'static str>,
    },
    /// Something that a function finds.
    Found(Arc<Find>),
    /// An id that is only read: whether something has it is the handler's business.
    Id,
    /// A text, which is the handler's business.
    Text,
}

pub(super) type Find =
    dyn Fn(RequestAccount, Uuid) -> BoxFuture<'static, Result<Thing, Problem>> + Send + Sync;

/// A key that has one way to be written. Any other spelling of it is nobody's.
pub trait CanonicalId: Into<Value> + Send + Sync + 'static {
    /// Its form, as JSON Schema names it: `uuid`.
    const FORMAT: &'static str;

    /// Reads the one spelling.
    fn parse(text: &str) -> Option<Self>;
}

fn canonical<T: FromStr + ToString>(text: &str) -> Option<T> {
    text.parse().ok().filter(|id: &T| id.to_string() == text)
}

macro_rules! canonical {
    ($($id:ty = $format:literal),+) => {$(
        impl CanonicalId for $id {
            const FORMAT: &'static str = $format;

            fn parse(text: &str) -> Option<Self> {
                canonical(text)
            }
        }
    )+};
}

canonical!(Uuid = "uuid", i16 = "int32", i32 = "int32", i64 = "int64");

impl Parameter {
    /// A row of the scope, by its primary key. A row that is missing, foreign or filtered out by the
    /// model's [base filter](Scoped::base_filter) is 404, and so is a key in any but its canonical form.
    ///
    /// The handler finds it with [`Found`](super::Found).
    #[must_use]
    pub fn row<E>(name: &'static str) -> Self
    where
        E: EntityTrait + Scoped,
        E::Model: Send + Sync + 'static,
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType: CanonicalId,
    {
        Self::of::<E>(name, None, None)
    }

    /// A row that belongs to the row of another parameter: `column` holds its key. The whole chain is
    /// read in one query, and a row of another parent is 404.
    #[must_use]
    pub fn row_under<E>(name: &'static str, parent: &'static str, column: E::Column) -> Self
    where
        E: EntityTrait + Scoped,
        E::Model: Send + Sync + 'static,
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType: CanonicalId,
    {
        Self::of::<E>(name, Some(parent), Some(column))
    }

    fn of<E>(name: &'static str, under: Option<&'static str>, column: Option<E::Column>) -> Self
    where
        E: EntityTrait + Scoped,
        E::Model: Send + Sync + 'static,
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType: CanonicalId,
    {
        let level = Arc::new(Row::<E> {
            column,
            entity: PhantomData,
        });
        Self {
            name,
            kind: Kind::Row { level, under },
        }
    }

    /// Something that a function finds by its id, for the account that asks: a member, an invitation.
    /// Whatever it cannot find is its error, [`Problem::not_found`] as a rule.
    ///
    /// Where the function needs a permission to look, it looks without asking for it: whether the
    /// account may do something is asked when it is known to be there.
    #[must_use]
    pub fn found<F, O, T, P>(name: &'static str, find: F) -> Self
    where
        F: Fn(RequestAccount, Uuid) -> O + Send + Sync + 'static,
        O: Future<Output = Result<T, P>> + Send + 'static,
        T: Any + Send + Sync,
        P: Into<Problem>,
    {
        let find = move |account, id| -> BoxFuture<'static, Result<Thing, Problem>> {
            let found = find(account, id);
            Box::pin(async move {
                match found.await {
                    Ok(thing) => Ok(Arc::new(thing) as Thing),
                    Err(problem) => Err(problem.into()),
                }
            })
        };
        Self {
            name,
            kind: Kind::Found(Arc::new(find)),
        }
    }

    /// An id that names no row of the scope: one of a person's own sessions. Nobody looks it up, so it
    /// needs no tenant; in any but its canonical form it is 404. The handler reads it with axum's
    /// `Path<Uuid>` and answers for what is not there.
    #[must_use]
    pub fn id(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Id,
        }
    }

    /// A text that names no row: `{permission}`. Nobody looks it up; the handler reads it with axum's
    /// `Path`.
    #[must_use]
    pub fn text(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Text,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The form of its keys; none for a text.
    pub(in crate::web) fn format(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Row { level, .. } => Some(level.format()),
            Kind::Found(_) | Kind::Id => Some(Uuid::FORMAT),
            Kind::Text => None,
        }
    }

    /// Whether nothing is looked up for it.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self.kind, Kind::Id | Kind::Text)
    }

    pub(super) fn is_row(&self) -> bool {
        matches!(self.kind, Kind::Row { .. })
    }

    /// Whether something is looked up for it, by us or by a function.
    pub(super) fn is_thing(&self) -> bool {
        matches!(self.kind, Kind::Row { .. } | Kind::Found(_))
    }
}

/// A table that a row of a path is in.
pub(super) trait Level: Send + Sync {
    fn table(&self) -> TableRef;
    fn table_name(&self) -> String;
    fn format(&self) -> &'static str;
    /// The key, as an expression.
    fn key(&self) -> Expr;
    /// What holds the parent's key.
    fn parent_key(&self) -> Option<Expr>;
    /// Reads a key. None for what is none.
    fn parse_key(&self, text: &str) -> Option<Value>;
    /// The scope, and the model's own filter.
    fn filter(&self, scope: &Scope) -> Condition;
    /// Selects the columns, each under its name with a prefix.
    fn select(&self, query: &mut SelectStatement, prefix: &str);
    fn read(&self, row: &QueryResult, prefix: &str) -> Result<Thing, DbErr>;
    /// Whether the application may change the rows, and so may lock them.
    fn is_writable(&self) -> bool;
}

struct Row<E: EntityTrait> {
    column: Option<E::Column>,
    entity: PhantomData<fn() -> E>,
}

impl<E> Level for Row<E>
where
    E: EntityTrait + Scoped,
    E::Model: Send + Sync + 'static,
    <E::PrimaryKey as PrimaryKeyTrait>::ValueType: CanonicalId,
{
    fn table(&self) -> TableRef {
        E::default().table_ref()
    }

    fn table_name(&self) -> String {
        E::default().table_name().to_owned()
    }

    fn format(&self) -> &'static str {
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType::FORMAT
    }

    fn key(&self) -> Expr {
        let mut keys = E::PrimaryKey::iter();
        match keys.next() {
            Some(key) => Expr::col((E::default(), key.into_column())),
            None => Expr::value(Value::Bool(None)),
        }
    }

    fn parent_key(&self) -> Option<Expr> {
        let column = self.column?;
        Some(Expr::col((E::default(), column)))
    }

    fn parse_key(&self, text: &str) -> Option<Value> {
        CanonicalId::parse(text)
            .map(|key: <E::PrimaryKey as PrimaryKeyTrait>::ValueType| key.into())
    }

    fn filter(&self, scope: &Scope) -> Condition {
        let condition = scope_condition::<E>(scope);
        match E::base_filter() {
            Some(base) => condition.add(base),
            None => condition,
        }
    }

    fn select(&self, query: &mut SelectStatement, prefix: &str) {
        for column in E::Column::iter() {
            let name = format!("{prefix}{}", column.as_str());
            let value = column.select_as(Expr::col((E::default(), column)));
            query.expr_as(value, name);
        }
    }

    fn read(&self, row: &QueryResult, prefix: &str) -> Result<Thing, DbErr> {
        Ok(Arc::new(E::Model::from_query_result(row, prefix)?))
    }

    fn is_writable(&self) -> bool {
        E::rights() == Rights::ReadWrite
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Row { level, under: None } => {
                write!(
                    f,
                    "Parameter({}: a row of {})",
                    self.name,
                    level.table_name()
                )
            }
            Kind::Row {
                level,
                under: Some(parent),
            } => write!(
                f,
                "Parameter({}: a row of {} under {parent})",
                self.name,
                level.table_name()
            ),
            Kind::Found(_) => write!(f, "Parameter({}: found)", self.name),
            Kind::Id => write!(f, "Parameter({}: an id)", self.name),
            Kind::Text => write!(f, "Parameter({}: a text)", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = "0190d6c2-5a4b-7c3d-8e2f-123456789abc";
        assert!(<Uuid as CanonicalId>::parse(id).is_some());
        for other in [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            id.replacen('0', "%30", 1),
            format!("{id} "),
            String::new(),
        ] {
            assert!(<Uuid as CanonicalId>::parse(&other).is_none(), "{other}");
        }
        assert_eq!(<i64 as CanonicalId>::parse("7"), Some(7));
        for other in ["+7", "07", "7.0", " 7", "-0", "9223372036854775808"] {
            assert!(<i64 as CanonicalId>::parse(other).is_none(), "{other}");
        }
    }
}
