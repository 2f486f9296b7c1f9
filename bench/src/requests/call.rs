use std::fmt;

use super::{connection::Answer, site::Visitor};
use crate::{outcome::Outcome, people::town};

pub(crate) const NOTES: &str = "/tenants/{tenant}/notes";
pub(super) const DRAFTS: &str = "/tenants/{tenant}/drafts";
pub(super) const COMMENT: &str = "/tenants/{tenant}/topics/{topic}/comments/{comment}";

/// How many notes a list shows.
pub(super) const PAGE: u64 = 50;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// The tenant's first fifty notes.
    List,
    /// A new draft.
    Create,
    /// A comment below its topic.
    Show,
    /// The same, with another text.
    Change,
}

/// A request as it is sent, and what its answer has to be.
pub(super) struct Asked {
    pub(super) request: String,
    status: u16,
    /// What the answer holds, and how often.
    text: String,
    times: usize,
}

impl Call {
    pub(super) fn all() -> [Self; 4] {
        [Self::List, Self::Show, Self::Create, Self::Change]
    }

    /// Writes the request of a visitor. All ways get the same, those without access control as well.
    pub(super) fn ask(self, visitor: &Visitor) -> Outcome<Asked> {
        let tenant = visitor.tenant.to_string();
        let mark = fastrand::u64(..);
        let (method, path, json) = match self {
            Self::List => ("GET", NOTES.to_owned(), None),
            Self::Create => (
                "POST",
                DRAFTS.to_owned(),
                Some(format!(
                    r#"{{"title":"Draft {mark}","body":"Some hundred characters of text, as people write them down when they have something to remember"}}"#
                )),
            ),
            Self::Show => ("GET", comment(visitor.number)?, None),
            Self::Change => (
                "PUT",
                comment(visitor.number)?,
                Some(format!(r#"{{"body":"A remark, {mark}"}}"#)),
            ),
        };
        let path = path.replace("{tenant}", &tenant);
        let cookie = &visitor.token;
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: __Host-session={cookie}\r\n"
        );
        if let Some(json) = &json {
            let length = json.len();
            request += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        }
        request += "\r\n";
        request += json.as_deref().unwrap_or_default();
        let (status, text, times) = match self {
            // Each note's title says whose it is.
            Self::List => (200, format!(r#" of tenant {}","#, visitor.number), PAGE),
            Self::Create => (201, format!(r#""Draft {mark}""#), 1),
            Self::Show => (200, r#""body":"A remark"#.to_owned(), 1),
            Self::Change => (200, format!(r#""A remark, {mark}""#), 1),
        };
        Ok(Asked {
            request,
            status,
            text,
            times: usize::try_from(times)?,
        })
    }
}

fn comment(number: u64) -> Outcome<String> {
    let (topic, comment) = (town::id("topic", number)?, town::id("comment", number)?);
    Ok(COMMENT
        .replace("{topic}", &topic.to_string())
        .replace("{comment}", &comment.to_string()))
}

impl Asked {
    /// Looks that the answer is the whole answer, and nobody else's.
    pub(super) fn check(&self, answer: &Answer<'_>) -> Outcome {
        let times = answer.body.matches(&self.text).count();
        let records = answer.body.matches(r#"{"id":"#).count();
        if answer.status == self.status && times == self.times && records == self.times {
            return Ok(());
        }
        let (Answer { status, body }, request) = (answer, &self.request);
        let (wanted, text) = (self.times, &self.text);
        Err(format!("{records} records and {times} × `{text}` instead of {wanted}: {status} {body} to {request}").into())
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::List => "list of 50",
            Self::Create => "create",
            Self::Show => "retrieve under a parent",
            Self::Change => "update under a parent",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(number: usize, tenant: u64) -> String {
        let note = |n| format!(r#"{{"id":"{n}","title":"Note {n} of tenant {tenant}","body":""}}"#);
        let notes: Vec<String> = (0..number).map(note).collect();
        format!("[{}]", notes.join(","))
    }

    fn is_right(status: u16, body: &str) -> bool {
        let visitor = Visitor::of(3, 0).unwrap();
        let asked = Call::List.ask(&visitor).unwrap();
        asked.check(&Answer { status, body }).is_ok()
    }

    #[test]
    fn another_answer_is_an_error() {
        let own = Visitor::of(3, 0).unwrap().number;
        assert!(is_right(200, &notes(50, own)));
        assert!(!is_right(200, &notes(49, own)));
        assert!(!is_right(200, &notes(51, own)));
        assert!(!is_right(200, &notes(50, own * 10 + 1)));
        let with_a_foreign_one = notes(50, own).replace("Note 7 of tenant", "Note 7 of tenant 1");
        assert!(!is_right(200, &with_a_foreign_one));
        let with_one_more = notes(50, own).replace("]", r#",{"id":"x","title":"foreign"}]"#);
        assert!(!is_right(200, &with_one_more));
        assert!(!is_right(500, &notes(50, own)));
        assert!(!is_right(200, "[]"));
    }
}
