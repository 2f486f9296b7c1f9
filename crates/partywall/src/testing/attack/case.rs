use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::Value;

/// How an endpoint is used rightly.
#[derive(Clone, Debug, Default)]
pub struct Case {
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) credentials: Option<HeaderMap>,
    pub(super) body: Bytes,
    pub(super) any_member: Option<String>,
}

impl Case {
    /// A request without a query and a body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands for a parameter of the path. Without this it is the target's
    /// [value](super::Target::value).
    #[must_use]
    pub fn parameter(mut self, name: &str, value: impl Into<String>) -> Self {
        self.parameters.insert(name.to_owned(), value.into());
        self
    }

    /// The query, without the question mark.
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// A body of JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body of a form.
    #[must_use]
    pub fn form(self, body: impl Into<String>) -> Self {
        self.body("application/x-www-form-urlencoded", body.into())
    }

    /// A body.
    #[must_use]
    pub fn body(mut self, kind: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        self.body = body.into();
        self
    }

    /// Says that a member may use it whatever else they may do, and why: the attempt without a
    /// permission is not made, and the report says so.
    #[must_use]
    pub fn any_member(mut self, why: &str) -> Self {
        self.any_member = Some(why.to_owned());
        self
    }

    /// Who uses it rightly, where it is not [`Caller::Member`](super::Caller::Member).
    #[must_use]
    pub fn sent_by(mut self, credentials: HeaderMap) -> Self {
        self.credentials = Some(credentials);
        self
    }
}
