use std::fmt::Write as _;

use super::Routes;

impl<S> Routes<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// All endpoints as a table in Markdown, for people who audit them: commit it, and a test that
    /// compares it shows every change of who may do what.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows: Vec<_> = self
            .endpoints()
            .map(|endpoint| {
                let access = endpoint.access().map(ToString::to_string);
                (
                    endpoint.path().to_owned(),
                    endpoint.method().to_string(),
                    endpoint.name().unwrap_or_default().to_owned(),
                    access.unwrap_or_default(),
                )
            })
            .collect();
        rows.sort();
        let mut text = "| path | method | name | who |\n|---|---|---|---|\n".to_owned();
        for (path, method, name, who) in rows {
            // Writing to a text does not fail.
            let _ = writeln!(text, "| `{path}` | {method} | {name} | {who} |");
        }
        for bare in self.bare_routers() {
            let _ = writeln!(text, "| `{}` | any | | unchecked: {} |", bare.at, bare.why);
        }
        text
    }
}
