use sea_orm::{ColumnTrait, EntityTrait, IdenStatic as _, Iterable as _, PrimaryKeyToColumn as _};

use super::{super::typed::Typed, Op};
use crate::web::resource::ResourceError;

/// Parameters of a list that are no filters.
pub(super) const RESERVED: [&str; 9] = [
    "search",
    "sort",
    "limit",
    "cursor",
    "count",
    "fields",
    "format",
    "tenant",
    "tenant_id",
];

/// What may be asked of a list: filters, search, order and the size of a page. What is not declared
/// here is refused with 400.
///
/// ```
/// # mod note {
/// #     use partywall::Scoped;
/// #     use sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
/// #     #[sea_orm(table_name = "note")]
/// #     #[scoped(tenant = "tenant_id")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key, auto_increment = false)]
/// #         pub id: Uuid,
/// #         pub tenant_id: Uuid,
/// #         pub title: String,
/// #         pub created_at: DateTimeUtc,
/// #     }
/// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
/// #     pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use partywall::web::resource::{List, Op};
///
/// let list = List::<note::Entity>::new()
///     .filter("id", note::Column::Id, Op::ONE_OF)
///     .filter("created_at", note::Column::CreatedAt, Op::RANGE)
///     .search([note::Column::Title])
///     .sort("created_at", note::Column::CreatedAt)
///     .default_sort("-created_at")
///     .page(20, 100);
/// # let _ = list;
/// ```
///
/// # Which of these find their rows by an index
///
/// Under row-level security PostgreSQL uses an index only for comparisons that it knows to leak
/// nothing: those of texts, whole numbers, times, booleans and UUIDs. Those of `numeric` and of enums,
/// and all that match patterns ([`Op::Contains`], [`Op::StartsWith`], the search), look at each row of
/// the tenant, whatever index there is: 500 to 1,000 times slower on a million rows. Filter and sort
/// large tables by columns of the first kind.
///
/// NULL counts as greater than any value, as it does for PostgreSQL.
#[derive(Clone, Debug)]
pub struct List<E: EntityTrait> {
    pub(super) filters: Vec<Filter<E::Column>>,
    pub(super) search: Vec<E::Column>,
    pub(super) sorts: Vec<Sorted<E::Column>>,
    pub(super) default_sort: Option<String>,
    pub(super) limit: u64,
    pub(super) max_limit: u64,
}

/// A filter that is declared.
#[derive(Clone, Debug)]
pub(super) struct Filter<C> {
    pub(super) name: &'static str,
    pub(super) column: C,
    pub(super) ops: Vec<Op>,
}

/// A name to sort by.
#[derive(Clone, Debug)]
pub(super) struct Sorted<C> {
    pub(super) name: &'static str,
    pub(super) column: C,
}

pub(super) fn typed(column: &impl ColumnTrait) -> Option<Typed> {
    Typed::of(column.def().get_column_type())
}

/// The columns of the primary key.
pub(in crate::web::resource) fn key_columns<E: EntityTrait>() -> Vec<E::Column> {
    E::PrimaryKey::iter().map(|key| key.into_column()).collect()
}

impl<E: EntityTrait> Default for List<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: EntityTrait> List<E> {
    /// A list without filters, in the order of the primary key, 20 rows a page and 100 at most.
    #[must_use]
    pub fn new() -> Self {
        Self {
            filters: Vec::new(),
            search: Vec::new(),
            sorts: Vec::new(),
            default_sort: None,
            limit: 20,
            max_limit: 100,
        }
    }

    /// Lets a column be filtered by. A filter may be declared in parts; its comparisons add up.
    #[must_use]
    pub fn filter(
        mut self,
        name: &'static str,
        column: E::Column,
        ops: impl IntoIterator<Item = Op>,
    ) -> Self {
        self.filters.push(Filter {
            name,
            column,
            ops: ops.into_iter().collect(),
        });
        self
    }

    /// The columns of text that `search` looks in: each of its words must be in one of them, whatever
    /// its case.
    #[must_use]
    pub fn search(mut self, columns: impl IntoIterator<Item = E::Column>) -> Self {
        self.search.extend(columns);
        self
    }

    /// Lets the list be sorted by a column.
    #[must_use]
    pub fn sort(mut self, name: &'static str, column: E::Column) -> Self {
        self.sorts.push(Sorted { name, column });
        self
    }

    /// The order where none is asked for: `-created_at,title`. Rows that are equal in it, or in any
    /// other, are in the order of the primary key.
    #[must_use]
    pub fn default_sort(mut self, sort: impl Into<String>) -> Self {
        self.default_sort = Some(sort.into());
        self
    }

    /// How many rows a page has where the request does not say, and at most.
    #[must_use]
    pub fn page(mut self, rows: u64, at_most: u64) -> Self {
        (self.limit, self.max_limit) = (rows, at_most);
        self
    }

    /// Whether the declarations agree with one another and with the columns.
    ///
    /// # Errors
    ///
    /// [`ResourceError`], naming what is at odds.
    pub fn check(&self) -> Result<(), ResourceError> {
        let mut seen = Vec::new();
        for filter in &self.filters {
            check_name(filter.name)?;
            let unfit = |op: Op| ResourceError::Filter {
                parameter: op.parameter(filter.name),
                column: filter.column.as_str(),
            };
            for op in filter.ops.iter().copied() {
                let parameter = op.parameter(filter.name);
                if seen.contains(&parameter) {
                    return Err(ResourceError::Twice(parameter));
                }
                seen.push(parameter);
                let typed = typed(&filter.column);
                let fits = match op {
                    Op::IsNull => true,
                    Op::Contains | Op::StartsWith => typed.is_some_and(|typed| typed.is_text()),
                    Op::Eq | Op::Ne | Op::Lt | Op::Lte | Op::Gt | Op::Gte | Op::In => {
                        typed.is_some()
                    }
                };
                if !fits {
                    return Err(unfit(op));
                }
            }
        }
        for column in &self.search {
            if !typed(column).is_some_and(|typed| typed.is_text()) {
                return Err(ResourceError::Search(column.as_str()));
            }
        }
        let mut names: Vec<&str> = Vec::new();
        for sort in &self.sorts {
            if names.contains(&sort.name) {
                return Err(ResourceError::Twice(sort.name.to_owned()));
            }
            names.push(sort.name);
            if typed(&sort.column).is_none() {
                return Err(ResourceError::Sort(sort.column.as_str()));
            }
        }
        if let Some(column) = key_columns::<E>().iter().find(|key| typed(*key).is_none()) {
            return Err(ResourceError::Sort(column.as_str()));
        }
        for term in self.default_sort.iter().flat_map(|sort| sort.split(',')) {
            let name = term.strip_prefix('-').unwrap_or(term);
            if !names.contains(&name) {
                return Err(ResourceError::DefaultSort(name.to_owned()));
            }
        }
        if self.limit == 0 || self.limit > self.max_limit {
            return Err(ResourceError::Page);
        }
        Ok(())
    }
}

fn check_name(name: &'static str) -> Result<(), ResourceError> {
    if RESERVED.contains(&name) || name.contains("__") || name.is_empty() {
        Err(ResourceError::Reserved(name))
    } else {
        Ok(())
    }
}
