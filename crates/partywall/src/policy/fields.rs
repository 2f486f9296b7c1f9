use std::{collections::BTreeSet, sync::Arc};

/// The fields that somebody may not see or not write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    hidden: BTreeSet<Arc<str>>,
    frozen: BTreeSet<Arc<str>>,
}

impl Fields {
    pub(super) fn hide(&mut self, field: &Arc<str>) {
        self.hidden.insert(field.clone());
    }

    pub(super) fn freeze(&mut self, field: &Arc<str>) {
        self.frozen.insert(field.clone());
    }

    /// Whether a field is absent on read and refused on write.
    #[must_use]
    pub fn hides(&self, field: &str) -> bool {
        self.hidden.contains(field)
    }

    /// Whether a field is frozen: shown, unless it is hidden as well, and refused on write.
    #[must_use]
    pub fn freezes(&self, field: &str) -> bool {
        self.frozen.contains(field)
    }

    /// Whether a field is refused on write, for either reason.
    #[must_use]
    pub fn refuses(&self, field: &str) -> bool {
        self.hides(field) || self.freezes(field)
    }

    /// The hidden fields, ascending.
    pub fn hidden(&self) -> impl Iterator<Item = &str> {
        self.hidden.iter().map(|field| &**field)
    }

    /// The frozen fields, ascending.
    pub fn frozen(&self) -> impl Iterator<Item = &str> {
        self.frozen.iter().map(|field| &**field)
    }
}
