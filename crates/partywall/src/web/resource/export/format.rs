use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::web::{FieldError, Problem};

/// How a list is written out as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated values (RFC 4180) with a line of names.
    Csv,
    /// JSON, a row in each line.
    JsonLines,
}

impl Format {
    /// What the parameter `format` asks for; none for a page in JSON.
    pub(in crate::web::resource) fn named(name: &str) -> Result<Option<Self>, Problem> {
        match name {
            "csv" => Ok(Some(Self::Csv)),
            "jsonl" => Ok(Some(Self::JsonLines)),
            "json" => Ok(None),
            _ => {
                let detail = "this is `json`, `csv` or `jsonl`";
                let status = StatusCode::BAD_REQUEST;
                let error = FieldError::new("format", "invalid", detail);
                let told = "the query cannot be understood";
                Err(Problem::new(status, "invalid_query", told).with_errors([error]))
            }
        }
    }

    /// What the header `Accept` asks for first of what there is; none for a page in JSON.
    pub(in crate::web::resource) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut kinds = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(|kind| {
                kind.split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_lowercase()
            });
        kinds.find_map(|kind| match kind.as_str() {
            "text/csv" => Some(Some(Self::Csv)),
            "application/x-ndjson" | "application/jsonl" => Some(Some(Self::JsonLines)),
            "application/json" | "application/*" | "*/*" => Some(None),
            _ => None,
        })?
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/x-ndjson",
        })
    }

    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_kind_counts() {
        let accepted = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            Format::accepted(&HeaderMap::from_iter([(header::ACCEPT, value)]))
        };
        assert_eq!(accepted("text/csv"), Some(Format::Csv));
        assert_eq!(accepted("Text/CSV; q=1"), Some(Format::Csv));
        assert_eq!(
            accepted("application/x-ndjson, */*"),
            Some(Format::JsonLines)
        );
        assert_eq!(accepted("text/html, application/json, text/csv"), None);
        assert_eq!(accepted("*/*"), None);
        assert_eq!(Format::accepted(&HeaderMap::new()), None);
        assert_eq!(Format::named("csv"), Ok(Some(Format::Csv)));
        assert_eq!(
            Format::named("xml").unwrap_err().status(),
            StatusCode::BAD_REQUEST
        );
    }
}
