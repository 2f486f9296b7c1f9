use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};

/// What is wrong with an answer that has to be the one that nothing gives.
pub(super) fn differs(
    status: StatusCode,
    answer: &Response<Bytes>,
    nothing: &Response<Bytes>,
) -> Option<String> {
    if answer.status() != status {
        return Some(format!("wanted {}", status.as_u16()));
    }
    let (answer, nothing) = (telling(answer), telling(nothing));
    (answer != nothing)
        .then(|| format!("it differs from the answer for nothing: {answer:?} {nothing:?}"))
}

/// An answer without what differs from request to request.
fn telling(answer: &Response<Bytes>) -> (StatusCode, Vec<(String, String)>, String) {
    let id = answer.headers().get("x-request-id");
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or("no id");
    let is_own = |name: &http::HeaderName| *name == header::DATE || name == "x-request-id";
    (
        answer.status(),
        headers(answer.headers(), is_own),
        String::from_utf8_lossy(answer.body()).replace(id, ""),
    )
}

fn headers(all: &HeaderMap, is_own: impl Fn(&http::HeaderName) -> bool) -> Vec<(String, String)> {
    let mut headers: Vec<_> = all
        .iter()
        .filter(|(name, _)| !is_own(name))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        })
        .collect();
    headers.sort();
    headers
}
