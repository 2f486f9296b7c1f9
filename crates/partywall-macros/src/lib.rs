//! `#[derive(Scoped)]`: the model says who owns its rows.
//!
//! Use it through the `partywall` crate, which re-exports it. The attribute and its rules are on
//! [`Scoped`](macro@Scoped).

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod attribute;
mod column;
mod expand;
mod suggest;
#[cfg(test)]
mod tests;

/// Says who owns the rows of a SeaORM entity: implements `partywall::schema::Scoped` for `Entity`.
///
/// It stands on the `Model` struct, beside `DeriveEntityModel`, in the compact format and in the
/// dense one (`#[sea_orm::model]`). `Entity`, `Column` and, for a path, `Relation` must be in scope,
/// as they are in the module of an entity.
///
/// `#[scoped(...)]` holds a list, and may be given more than once:
///
/// | entry | says |
/// |---|---|
/// | `tenant = "tenant_id"` | the row's tenant is in this field; any dimension's name can stand for `tenant` |
/// | `tenant = "post.tenant_id"` | the row has the tenant of the row that `Relation::Post` leads to |
/// | `tenant = "post.site.tenant_id"` | as above, through two relations |
/// | `exists` | the database looks the owner up along the paths, instead of keeping a copy of its column |
/// | `global` | nobody owns the rows: no dimension, no rights |
/// | `append_only` | the application login may read and insert |
/// | `read_only` | the application login may read |
/// | `base = "published"` | a function, `fn() -> Condition`, whose filter every scoped query gets |
///
/// A column is named by its field, so `#[sea_orm(column_name = …)]`, `#[sea_orm(enum_name = …)]`
/// and `rename_all` hold. A relation is named by its variant in snake case. In the dense format
/// SeaORM names the variant after the module of the target, `HasOne<super::post::Entity>`, unless
/// `relation_enum` says otherwise; the name of the field plays no part.
///
/// The type of an owner's field is `Uuid`, `i64` or `String`.
///
/// # Compile errors
///
/// A model that declares nothing, declares something twice or contradicts itself; a dimension whose
/// name is no lower-case identifier of at most 40 characters or is taken; a column that the model
/// does not have; an owner that may be null.
#[proc_macro_derive(Scoped, attributes(scoped))]
pub fn derive_scoped(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::expand(&input)
        .unwrap_or_else(|error| expand::refuse(&input, &error))
        .into()
}
