use std::fmt;

use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        RefOr,
        path::{Parameter, ParameterIn},
        schema::Schema,
    },
};

/// The shape of a body, for the document that describes the routes.
#[derive(Clone)]
pub struct Body {
    /// Its type: `application/json`.
    pub content_type: &'static str,
    name: String,
    schema: fn() -> RefOr<Schema>,
    parts: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// The shape of a query.
#[derive(Clone)]
pub struct Query(fn() -> Vec<Parameter>);

impl Body {
    /// That of a type, as JSON.
    #[must_use]
    pub fn json<T: ToSchema>() -> Self {
        Self::of::<T>("application/json")
    }

    /// That of a type, in another form: `Body::of::<SignIn>("application/x-www-form-urlencoded")`.
    #[must_use]
    pub fn of<T: ToSchema>(content_type: &'static str) -> Self {
        Self {
            content_type,
            name: T::name().into_owned(),
            schema: T::schema,
            parts: T::schemas,
        }
    }

    pub(in crate::web) fn made_by(
        content_type: &'static str,
        name: &str,
        schema: fn() -> RefOr<Schema>,
    ) -> Self {
        Self {
            content_type,
            name: name.to_owned(),
            schema,
            parts: |_| {},
        }
    }

    /// Under another name, for a shape that is made of others: all of one make would have one name.
    #[must_use]
    pub(in crate::web) fn called(mut self, name: String) -> Self {
        self.name = name;
        self
    }

    /// The name of its schema.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its schema.
    #[must_use]
    pub fn schema(&self) -> RefOr<Schema> {
        (self.schema)()
    }

    /// The schemas that it refers to, with their names.
    #[must_use]
    pub fn parts(&self) -> Vec<(String, RefOr<Schema>)> {
        let mut parts = Vec::new();
        (self.parts)(&mut parts);
        parts
    }
}

impl Query {
    /// That of a type.
    #[must_use]
    pub fn of<T: IntoParams>() -> Self {
        Self(|| T::into_params(|| Some(ParameterIn::Query)))
    }

    /// That which a function tells.
    #[must_use]
    pub fn with(parameters: fn() -> Vec<Parameter>) -> Self {
        Self(parameters)
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        (self.0)()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} as {})", self.name, self.content_type)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.parameters().into_iter().map(|p| p.name).collect();
        f.debug_tuple("Query").field(&names).finish()
    }
}
