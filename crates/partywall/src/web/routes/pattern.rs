use super::RoutesError;

/// The pattern of a path: `/tenants/{tenant}/notes/{note}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    Parameter(String),
}

/// What stands in a path in the place of each parameter, as it came: nothing is decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw(Vec<(String, String)>);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, RoutesError> {
        let refuse = |reason| RoutesError::Path {
            path: text.to_owned(),
            reason,
        };
        let rest = text
            .strip_prefix('/')
            .ok_or_else(|| refuse("it does not begin with `/`"))?;
        let segments = match rest {
            "" => Vec::new(),
            rest => rest
                .split('/')
                .map(|segment| Segment::parse(segment).map_err(refuse))
                .collect::<Result<_, _>>()?,
        };
        let pattern = Self {
            text: text.to_owned(),
            segments,
        };
        let mut names: Vec<_> = pattern.parameters().collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(refuse("it has a parameter twice"));
        }
        Ok(pattern)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The names of the parameters, from left to right.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(name.as_str()),
            Segment::Fixed(_) => None,
        })
    }

    pub(super) fn has(&self, parameter: &str) -> bool {
        self.parameters().any(|name| name == parameter)
    }

    /// The parameter that the path ends in: what an address names, rather than what it is below.
    pub(super) fn last_parameter(&self) -> Option<&str> {
        match self.segments.last() {
            Some(Segment::Parameter(name)) => Some(name),
            Some(Segment::Fixed(_)) | None => None,
        }
    }

    /// The pattern without the names of its parameters. Two patterns of one shape are one to a router.
    pub(super) fn shape(&self) -> String {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Fixed(text) => format!("/{text}"),
                Segment::Parameter(_) => "/{}".to_owned(),
            })
            .collect()
    }

    /// Reads the parameters out of a path that the router has matched.
    pub(super) fn read(&self, path: &str) -> Raw {
        let texts = path.strip_prefix('/').unwrap_or(path).split('/');
        Raw(self
            .segments
            .iter()
            .zip(texts)
            .filter_map(|(segment, text)| match segment {
                Segment::Parameter(name) => Some((name.clone(), text.to_owned())),
                Segment::Fixed(_) => None,
            })
            .collect())
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        match text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(name) if is_name(name) => Ok(Self::Parameter(name.to_owned())),
            Some(_) => Err("a parameter is `{name}`, of lower-case letters and `_`"),
            None if text.is_empty() => Err("it has an empty segment"),
            None if text.contains(['{', '}', '*', ':']) => {
                Err("a segment is fixed or one whole parameter")
            }
            None => Ok(Self::Fixed(text.to_owned())),
        }
    }
}

impl Raw {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str())
    }

    pub(super) fn into_pairs(self) -> Vec<(String, String)> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_read_as_they_came() {
        let pattern = Pattern::parse("/tenants/{tenant}/notes/{note}").unwrap();
        let raw = pattern.read("/tenants/acme/notes/%30;x");
        assert_eq!(raw.get("tenant"), Some("acme"));
        assert_eq!(raw.get("note"), Some("%30;x"));
        assert_eq!(raw.get("other"), None);
        assert_eq!(pattern.shape(), "/tenants/{}/notes/{}");
        assert_eq!(pattern.last_parameter(), Some("note"));
        assert_eq!(Pattern::parse("/").unwrap().shape(), "");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "", "notes", "/a//b", "/a/", "/{}", "/{A}", "/{*rest}", "/a{b}", "/{a}b", "/:a",
            "/{a}/{a}",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
        assert!(Pattern::parse("/a/{b}/c").is_ok());
    }

    proptest! {
        #[test]
        fn reading_never_fails(text in ".*", path in ".*") {
            if let Ok(pattern) = Pattern::parse(&text) {
                let raw = pattern.read(&path);
                prop_assert!(raw.0.len() <= pattern.parameters().count());
            }
        }
    }
}
