/// What is known of a condition: logic of Kleene's, with two ways not to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    No,
    Yes,
    /// The object could tell.
    Open,
    /// Nothing will tell.
    Unclear,
}

impl Truth {
    pub(super) fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Yes => Self::No,
            Self::Open | Self::Unclear => self,
        }
    }

    pub(super) fn all(terms: impl IntoIterator<Item = Self>) -> Self {
        terms
            .into_iter()
            .fold(Self::Yes, |so_far, term| match (so_far, term) {
                (Self::No, _) | (_, Self::No) => Self::No,
                (Self::Open, _) | (_, Self::Open) => Self::Open,
                (Self::Unclear, _) | (_, Self::Unclear) => Self::Unclear,
                (Self::Yes, Self::Yes) => Self::Yes,
            })
    }

    pub(super) fn any(terms: impl IntoIterator<Item = Self>) -> Self {
        Self::all(terms.into_iter().map(Self::not)).not()
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
