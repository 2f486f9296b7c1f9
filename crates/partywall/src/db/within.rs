use sea_orm::{
    Condition, DeleteMany, EntityTrait, QueryFilter, Select, SelectTwo, SelectTwoMany, UpdateMany,
    sea_query::{Alias, Expr, ExprTrait, SimpleExpr},
};

use crate::{
    schema::{Owned, Ownership, PathBy, Scoped, Source},
    scope::{Scope, ScopeValue, Values},
};

/// Adds the scope's own filter to a query: `note::Entity::find().within(&scope)`.
///
/// Row-level security already sees to it that no other row is touched; the explicit
/// `tenant_id = $1` is for the planner. With it a prepared statement is planned for the tenant at
/// hand where tenants differ in size, and a Citus query goes to one shard. The model's
/// [base filter](Scoped::base_filter) is added as well.
///
/// A dimension that the scope lacks adds nothing here: PostgreSQL then refuses the query and names it.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a query of one entity")]
pub trait Within: Sized {
    /// The entity whose rows are read or written.
    type Entity;

    /// Adds the scope's filter and the model's base filter.
    #[must_use]
    fn within(self, scope: &Scope) -> Self
    where
        Self::Entity: Scoped,
    {
        let base = <Self::Entity as Scoped>::base_filter();
        let query = self.within_unfiltered(scope);
        match base {
            Some(base) => query.and_filter(base),
            None => query,
        }
    }

    /// Adds the scope's filter without the model's base filter: the other rows of the same owner.
    #[must_use]
    fn within_unfiltered(self, scope: &Scope) -> Self
    where
        Self::Entity: Scoped,
    {
        self.and_filter(scope_condition::<Self::Entity>(scope))
    }

    #[doc(hidden)]
    #[must_use]
    fn and_filter(self, condition: Condition) -> Self;
}

macro_rules! within {
    ($($query:ident<$first:ident $(, $second:ident)?>),+) => {$(
        impl<$first: EntityTrait $(, $second: EntityTrait)?> Within for $query<$first $(, $second)?> {
            type Entity = $first;

            fn and_filter(self, condition: Condition) -> Self {
                QueryFilter::filter(self, condition)
            }
        }
    )+};
}

within!(Select<E>, SelectTwo<E, F>, SelectTwoMany<E, F>, UpdateMany<E>, DeleteMany<E>);

/// The scope as a condition on an entity's columns.
pub(crate) fn scope_condition<E: Scoped>(scope: &Scope) -> Condition {
    let mut condition = Condition::all();
    let Ownership::Owned(all) = E::ownership() else {
        return condition;
    };
    for owned in all {
        if let (Some(column), Some(values)) = (column(&owned), scope.get(owned.dimension())) {
            let column = Expr::col((E::default(), Alias::new(column)));
            condition = condition.add(compare(column, values));
        }
    }
    condition
}

/// The column that holds the owner, where the table has one: its own, or the copy that the schema
/// gave it under the name that the path ends in.
fn column(owned: &Owned) -> Option<String> {
    match owned.source() {
        Source::Column { column, .. } => Some((*column).to_owned()),
        Source::Path {
            rest,
            by: PathBy::Column,
            ..
        } if owned.dimension() == "tenant" => rest.rsplit('.').next().map(str::to_owned),
        Source::Path { .. } => None,
    }
}

fn compare(column: Expr, values: &Values) -> SimpleExpr {
    match values {
        Values::One(value) => column.eq(value.to_parameter()),
        Values::List(list) => column.is_in(list.iter().map(ScopeValue::to_parameter)),
    }
}
