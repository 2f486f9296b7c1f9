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
