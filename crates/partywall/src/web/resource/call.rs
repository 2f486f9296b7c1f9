use http::{HeaderMap, Method};

/// A request, as far as an action reads it: after the granted check.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path of the address, as it was sent.
    pub path: &'a str,
    /// The query of the address, as it was sent, without the question mark.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body; empty for what has none.
    pub body: &'a [u8],
}
