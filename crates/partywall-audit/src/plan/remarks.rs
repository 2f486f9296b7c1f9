use std::collections::BTreeMap;

/// Comments on tables. They are not what a map says: any two are equal.
#[derive(Clone, Debug, Default)]
pub(super) struct Remarks(BTreeMap<String, String>);

impl Remarks {
    pub(super) fn put(&mut self, table: &str, remark: String) {
        if !remark.is_empty() {
            self.0.insert(table.to_owned(), remark);
        }
    }

    pub(super) fn of(&self, table: &str) -> Option<&str> {
        self.0.get(table).map(String::as_str)
    }
}

impl PartialEq for Remarks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Remarks {}
