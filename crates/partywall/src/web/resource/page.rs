use std::borrow::Cow;

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        AllOfBuilder, ArrayBuilder, ObjectBuilder, Ref, RefOr,
        schema::{Schema, Type},
    },
};

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Items<T> {
    /// The rows.
    pub items: Vec<T>,
}

/// A change that says what it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Identified<T> {
    /// The row's id.
    pub(super) id: String,
    /// What changes of it.
    #[serde(flatten)]
    pub(super) change: T,
}

/// By derivation the shape of the items would be named, and be nowhere.
impl<T: ToSchema> PartialSchema for Items<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        ObjectBuilder::new()
            .description(Some(
                "Several rows, in the body of a bulk call and in its answer.",
            ))
            .property("items", items)
            .required("items")
            .into()
    }
}

impl<T: ToSchema> ToSchema for Items<T> {
    fn name() -> Cow<'static, str> {
        format!("{}Items", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T: ToSchema> PartialSchema for Identified<T> {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The row's id."));
        let which = ObjectBuilder::new().property("id", id).required("id");
        AllOfBuilder::new()
            .description(Some("A change that says what it changes."))
            .item(which)
            .item(Ref::from_schema_name(T::name()))
            .into()
    }
}

/// Of each resource, its own.
impl<T: ToSchema> ToSchema for Identified<T> {
    fn name() -> Cow<'static, str> {
        format!("Identified{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}
