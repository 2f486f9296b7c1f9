/// How a filter compares. The parameter carries it as a suffix, `created_at__gte`; [`Op::Eq`] has
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Op {
    /// Equal: `author=ann`.
    Eq,
    /// Not equal, or NULL: `author__ne=ann`.
    Ne,
    /// Before: `created_at__lt=2026-01-31`.
    Lt,
    /// Before, or equal.
    Lte,
    /// After.
    Gt,
    /// After, or equal.
    Gte,
    /// One of several, with commas between: `id__in=…,…`.
    In,
    /// Holds a text, whatever its case. No index helps: see [`List`](super::List).
    Contains,
    /// Begins with a text, whatever its case. No index helps.
    StartsWith,
    /// Is NULL, or is not: `note__is_null=true`.
    IsNull,
}

impl Op {
    /// Equal, and one of several.
    pub const ONE_OF: [Self; 2] = [Self::Eq, Self::In];

    /// The four that compare by order.
    pub const RANGE: [Self; 4] = [Self::Lt, Self::Lte, Self::Gt, Self::Gte];

    pub(super) const ALL: [Self; 10] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::In,
        Self::Contains,
        Self::StartsWith,
        Self::IsNull,
    ];

    /// The name that the parameter carries.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::In => "in",
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::IsNull => "is_null",
        }
    }

    /// The parameter of a filter: `created_at__gte`.
    #[must_use]
    pub fn parameter(self, filter: &str) -> String {
        match self {
            Self::Eq => filter.to_owned(),
            Self::Ne
            | Self::Lt
            | Self::Lte
            | Self::Gt
            | Self::Gte
            | Self::In
            | Self::Contains
            | Self::StartsWith
            | Self::IsNull => format!("{filter}__{}", self.name()),
        }
    }

    /// The filter and the comparison that a parameter names.
    pub(super) fn split(parameter: &str) -> Option<(&str, Self)> {
        let Some((filter, name)) = parameter.rsplit_once("__") else {
            return Some((parameter, Self::Eq));
        };
        let op = Self::ALL.into_iter().find(|op| op.name() == name)?;
        // One spelling each.
        (op != Self::Eq).then_some((filter, op))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_names_its_filter_and_comparison() {
        for op in Op::ALL {
            assert_eq!(Op::split(&op.parameter("at")), Some(("at", op)));
        }
        assert_eq!(Op::split("at__eq"), None);
        assert_eq!(Op::split("at__like"), None);
        assert_eq!(Op::split("at__"), None);
    }
}
