use serde_json::Value;

use super::super::shown::Shown;

/// Writes rows as CSV. The first line names the columns.
pub(super) struct Lines {
    columns: Vec<String>,
}

impl Lines {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns }
    }

    pub(super) fn header(&self) -> Vec<u8> {
        line(self.columns.iter().map(|name| guarded(name)))
    }

    pub(super) fn row(&self, row: &Shown) -> Vec<u8> {
        line(
            self.columns
                .iter()
                .map(|name| row.get(name).map_or_else(String::new, cell)),
        )
    }
}

fn line(cells: impl Iterator<Item = String>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Into memory nothing fails, and each line is written by itself.
    let _ = writer.write_record(cells.map(String::into_bytes));
    writer.into_inner().unwrap_or_default()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => guarded(text),
        // Begins with a bracket.
        Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A text that no spreadsheet takes for a formula. What somebody wrote into a row is opened by somebody
/// else, and `=HYPERLINK(…)` would run there (OWASP, CSV injection).
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::{super::super::Sight, *};

    #[derive(Serialize)]
    struct Note {
        title: String,
        stars: i32,
        tags: Vec<String>,
        author: Option<String>,
    }

    fn lines(title: &str, stars: i32) -> String {
        let note = Note {
            title: title.to_owned(),
            stars,
            tags: vec!["a".to_owned(), "b".to_owned()],
            author: None,
        };
        let shown = Shown::of(&note, &Sight::default()).unwrap();
        let lines = Lines::new(shown.names().map(str::to_owned).collect());
        let text = [lines.header(), lines.row(&shown)].concat();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_need_it() {
        let text = lines("a \"b\", c", -5);
        let expected =
            "title,stars,tags,author\r\n\"a \"\"b\"\", c\",-5,\"[\"\"a\"\",\"\"b\"\"]\",\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_formula_stays_a_text() {
        for text in ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "\nx"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        assert_eq!(guarded("a=1"), "a=1");
    }

    proptest! {
        #[test]
        fn a_reader_reads_what_was_written(title in "\\PC{0,30}") {
            let text = lines(&title, 1);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(&record[0], guarded(&title));
        }
    }
}
