use sea_orm::{Condition, EntityTrait};

use super::{Ownership, Rights};
use crate::value::Kind;

/// A SeaORM entity that says who owns its rows. Made by `#[derive(Scoped)]`.
///
/// Everything that Partywall runs for an entity asks for this trait, so a model that does not say
/// who owns it does not compile:
///
/// ```
/// mod note {
///     use partywall::Scoped;
///     use sea_orm::entity::prelude::*;
///
///     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Scoped)]
///     #[sea_orm(table_name = "note")]
///     #[scoped(tenant = "tenant_id")]
///     pub struct Model {
///         #[sea_orm(primary_key, auto_increment = false)]
///         pub id: Uuid,
///         pub tenant_id: Uuid,
///         pub title: String,
///     }
///
///     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
///     pub enum Relation {}
///
///     impl ActiveModelBehavior for ActiveModel {}
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say who owns its rows",
    note = "add `#[derive(Scoped)]` and one of `#[scoped(tenant = \"tenant_id\")]`, `#[scoped(tenant = \"parent.tenant_id\")]`, `#[scoped(global)]` to its model"
)]
pub trait Scoped: EntityTrait {
    /// Who owns the rows.
    fn ownership() -> Ownership;

    /// What the application login may do with the rows of its scope.
    #[must_use]
    fn rights() -> Rights {
        Rights::ReadWrite
    }

    /// A filter that every [`within`](crate::Within::within) adds to the scope's, as a custom
    /// manager does elsewhere: `deleted_at IS NULL`, `published`. It is a convenience and not part
    /// of the wall.
    #[must_use]
    fn base_filter() -> Option<Condition> {
        None
    }

    /// Column names with the kind of Rust value that each becomes.
    #[doc(hidden)]
    fn kinds() -> Vec<(&'static str, Kind)>;
}
