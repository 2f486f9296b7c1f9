use csv::StringRecord;

use super::ImportError;

/// Which columns hold what.
pub(super) struct Columns {
    pub(super) title: usize,
    pub(super) body: usize,
    pub(super) all: usize,
}

impl Columns {
    /// Finds the columns by their headings, whatever their case.
    pub(super) fn find(
        headings: &StringRecord,
        title: &str,
        body: &str,
    ) -> Result<Self, ImportError> {
        let find = |wanted: &str| {
            let same =
                |heading: &str| heading.trim().to_lowercase() == wanted.trim().to_lowercase();
            headings
                .iter()
                .position(same)
                .ok_or_else(|| ImportError::MissingColumn {
                    wanted: wanted.to_owned(),
                    found: named(headings),
                })
        };
        Ok(Self {
            title: find(title)?,
            body: find(body)?,
            all: headings.len(),
        })
    }
}

fn named(headings: &StringRecord) -> String {
    let names: Vec<String> = headings
        .iter()
        .take(20)
        .map(|heading| format!("`{}`", heading.trim()))
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
