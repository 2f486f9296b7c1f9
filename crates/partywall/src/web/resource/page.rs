use serde::Serialize;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// The cursor of the page after this one; null on the last.
    pub next: Option<String>,
    /// The cursor of the page before this one; null on the first.
    pub prev: Option<String>,
    /// How many rows the whole list has, where `count=true` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Several rows, in the body of a bulk call and in its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct Items<T> {
    /// The rows.
    pub items: Vec<T>,
}

/// A change that says what it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Identified<T> {
    /// The row's id.
    pub(super) id: String,
    /// What changes of it.
    #[serde(flatten)]
    pub(super) change: T,
}
