use std::net::IpAddr;

use chrono::{DateTime, Utc};

/// What a policy may know of a request. Never its body and never its cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    method: String,
    path: String,
    address: Option<IpAddr>,
    at: DateTime<Utc>,
    parameters: Vec<(String, String)>,
    is_secure: bool,
}

impl RequestFacts {
    /// A request by a method for a path, now, from nowhere, not encrypted.
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            address: None,
            at: Utc::now(),
            parameters: Vec::new(),
            is_secure: false,
        }
    }

    /// Says where it comes from. An IPv4 address inside of an IPv6 one is taken out.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<Option<IpAddr>>) -> Self {
        self.address = address.into().map(|address| address.to_canonical());
        self
    }

    /// Says when it came.
    #[must_use]
    pub fn with_time(mut self, at: DateTime<Utc>) -> Self {
        self.at = at;
        self
    }

    /// Adds a parameter of the path.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Says whether it was encrypted on its way.
    #[must_use]
    pub fn with_secure(mut self, is_secure: bool) -> Self {
        self.is_secure = is_secure;
        self
    }

    /// The method of HTTP.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path as it came, without the query. It can be written in several ways (`%61` is `a`): a
    /// statement about a part of it asks for the [parameter](Self::parameter).
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where it comes from, if that is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// When it came.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// A parameter of the path by its name, decoded: what a handler reads.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        all.find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The parameters of the path, in their order.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it was encrypted on its way.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }
}
