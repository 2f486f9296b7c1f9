//! The bodies of functions: statements of SQL, and PL/pgSQL's around them.

use std::collections::BTreeMap;

use super::{
    names::{Names, text},
    phrase::{self, Part},
    query::{Around, Outcome, path, position},
};
use crate::catalogue::Function;

/// What a function does.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) outcome: Outcome,
    /// Whether it does more than can be read: it makes statements while it runs, or is in another language.
    pub(super) opaque: bool,
}

/// Statements that reach no rows, whatever they are made of.
const HARMLESS: [&str; 11] = [
    "listen",
    "unlisten",
    "notify",
    "set",
    "reset",
    "close",
    "discard",
    "lock",
    "analyze",
    "refresh",
    "deallocate",
];

impl Names<'_> {
    /// Looks through a function.
    pub(super) fn body(&self, function: &Function) -> Body {
        let known = match function.language.as_str() {
            "sql" | "plpgsql" => phrase::read(text(function)),
            _ => None,
        };
        let Some(parts) = known else {
            return Body {
                outcome: Outcome::default(),
                opaque: true,
            };
        };
        if function.language == "plpgsql" {
            return self.procedure(&parts);
        }
        let mut body = Body::default();
        for statement in phrase::split(sql_body(&parts, function.body.is_some()), |part| {
            *part == Part::Semicolon
        }) {
            let statement = match statement {
                [first, rest @ ..] if first.is("return") => rest,
                _ => statement,
            };
            let found = self.statement(statement, &Around::default());
            body.outcome.implied.extend(found.implied.clone());
            body.outcome.absorb(found);
        }
        body
    }

    fn procedure(&self, parts: &[Part]) -> Body {
        let chunks = phrase::split(parts, |part| *part == Part::Semicolon);
        let mut names = self.clone();
        // What a variable holds may hang on another variable.
        for _ in 0..4 {
            let mut walk = Walk::new(&names);
            chunks.iter().for_each(|chunk| walk.chunk(chunk));
            let held: Vec<String> = walk
                .variables
                .iter()
                .filter(|(_, assigned)| !assigned.is_empty() && assigned.iter().all(|held| *held))
                .map(|(name, _)| name.clone())
                .collect();
            let before = names.held.len();
            names.held.extend(held);
            if names.held.len() == before {
                break;
            }
        }
        let mut walk = Walk::new(&names);
        chunks.iter().for_each(|chunk| walk.chunk(chunk));
        walk.body
    }
}

/// The statements of a body that was parsed when the function was made, or all.
pub(super) fn sql_body(parts: &[Part], is_definition: bool) -> &[Part] {
    if !is_definition {
        return parts;
    }
    let atomic = parts.windows(2).position(
        |pair| matches!(pair, [begin, atomic] if begin.is("begin") && atomic.is("atomic")),
    );
    match atomic {
        Some(at) => parts.get(at + 2..).unwrap_or(&[]),
        None => parts.get(position(parts, 0, &["return"])..).unwrap_or(&[]),
    }
}

/// A walk through the statements of a PL/pgSQL body.
struct Walk<'n, 'a> {
    names: &'n Names<'a>,
    body: Body,
    declares: bool,
    /// For each variable, whether each assignment gives it the context's tenant.
    variables: BTreeMap<String, Vec<bool>>,
}

impl<'n, 'a> Walk<'n, 'a> {
    fn new(names: &'n Names<'a>) -> Self {
        Self {
            names,
            body: Body::default(),
            declares: false,
            variables: BTreeMap::new(),
        }
    }

    fn query(&mut self, parts: &[Part]) -> Outcome {
        let found = self.names.statement(parts, &Around::default());
        self.body.outcome.absorb(found.clone());
        found
    }

    fn assign(&mut self, name: &str, holds: bool) {
        self.variables
            .entry(name.to_owned())
            .or_default()
            .push(holds);
    }

    /// What stands between two semicolons.
    fn chunk(&mut self, parts: &[Part]) {
        let Some(first) = parts.first() else { return };
        let rest = parts.get(1..).unwrap_or(&[]);
        // `#variable_conflict use_column`, `<<label>>`
        if first.is_operator("#") || first.is_operator("<<") {
            self.chunk(parts.get(3..).unwrap_or(&[]));
        } else if first.is("declare") {
            self.declares = true;
            self.chunk(rest);
        } else if first.is("begin") {
            self.declares = false;
            self.chunk(rest);
        } else if self.declares {
            self.declaration(parts);
        } else if first.is_any(&["loop", "else", "exception", "then"]) {
            self.chunk(rest);
        } else if first.is_any(&["if", "elsif", "elseif", "when", "while"]) {
            let end = position(parts, 1, &["then", "loop"]);
            let condition = parts.get(1..end).unwrap_or(&[]);
            self.query(condition);
            let then = parts.get(end + 1..).unwrap_or(&[]);
            if first.is_any(&["if", "elsif", "elseif"])
                && then
                    .first()
                    .is_some_and(|it| it.is("return") || raises(then))
            {
                self.guard(condition);
            }
            self.chunk(then);
        } else if first.is("case") {
            let end = position(parts, 1, &["when"]);
            self.query(parts.get(1..end).unwrap_or(&[]));
            self.chunk(parts.get(end..).unwrap_or(&[]));
        } else if first.is_any(&["for", "foreach"]) {
            self.repeat(parts);
        } else if first.is("execute") {
            self.dynamic(rest);
        } else if first.is("return") {
            self.returns(rest);
        } else if first.is("open") {
            let at = position(parts, 1, &["for"]);
            self.chunk(parts.get(at + 1..).unwrap_or(&[]));
        } else if first.is("perform") {
            let mut select = vec![Part::Word {
                text: "select".to_owned(),
                quoted: false,
            }];
            select.extend_from_slice(rest);
            self.query(&select);
        } else if phrase::begins_query(parts) || first.is_any(&["truncate", "copy"]) {
            self.sql(parts);
        } else {
            self.assignment(parts);
        }
    }

    /// `name type := expression`, or a cursor.
    fn declaration(&mut self, parts: &[Part]) {
        if let Some(at) = parts.iter().position(|part| part.is("cursor")) {
            let at = position(parts, at, &["for", "is"]);
            self.query(parts.get(at + 1..).unwrap_or(&[]));
            return;
        }
        let value = parts
            .iter()
            .position(|part| part.is_operator(":=") || part.is_operator("=") || part.is("default"));
        if let (Some(name), Some(at)) = (parts.first().and_then(Part::word), value) {
            let expression = parts.get(at + 1..).unwrap_or(&[]);
            self.query(expression);
            let holds = self.holds(expression);
            self.assign(name, holds);
        }
    }

    fn assignment(&mut self, parts: &[Part]) {
        let sign = parts
            .iter()
            .position(|part| part.is_operator(":=") || part.is_operator("="));
        let expression = match sign {
            Some(at) => parts.get(at + 1..).unwrap_or(&[]),
            None => parts,
        };
        self.query(expression);
        if let (Some(name), Some(_)) = (parts.first().and_then(Part::word), sign) {
            let holds = self.holds(expression);
            self.assign(name, holds);
        }
    }

    fn holds(&self, expression: &[Part]) -> bool {
        if self.names.is_context(expression) {
            return true;
        }
        let query = match expression {
            [single] => single.query().unwrap_or(expression),
            _ => expression,
        };
        self.names.statement(query, &Around::default()).is_bound()
    }

    /// A statement of SQL, with INTO in it.
    fn sql(&mut self, parts: &[Part]) {
        let (plain, targets) = without_into(parts);
        let list = match plain.first() {
            Some(first) if first.is("select") => {
                let end = position(&plain, 1, &["from", "where"]);
                plain.get(1..end).unwrap_or(&[]).to_vec()
            }
            _ => Vec::new(),
        };
        let found = self.query(&plain);
        let fresh = plain.first().is_some_and(|first| first.is("insert"))
            && found
                .scans
                .first()
                .is_some_and(|scan| scan.bound && self.names.subject.root == Some(scan.relation));
        let values = phrase::split(&list, |part| *part == Part::Comma);
        for (at, target) in targets.iter().enumerate() {
            let holds = fresh
                || found.is_bound()
                || (found.scans.is_empty()
                    && values
                        .get(at)
                        .is_some_and(|value| self.names.is_context(value)));
            self.assign(target, holds);
        }
    }

    fn repeat(&mut self, parts: &[Part]) {
        let begin = position(parts, 1, &["in"]);
        let end = position(parts, begin, &["loop"]);
        let over = parts.get(begin + 1..end).unwrap_or(&[]);
        let over = match over {
            [first, rest @ ..] if first.is_any(&["reverse", "array"]) => rest,
            _ => over,
        };
        let holds = if let [first, rest @ ..] = over
            && first.is("execute")
        {
            self.dynamic(rest);
            false
        } else {
            self.query(over).is_bound()
        };
        for name in parts
            .get(1..begin)
            .unwrap_or(&[])
            .iter()
            .filter_map(Part::word)
        {
            self.assign(name, holds);
        }
        self.chunk(parts.get(end + 1..).unwrap_or(&[]));
    }

    fn returns(&mut self, parts: &[Part]) {
        match parts {
            [query, execute, rest @ ..] if query.is("query") && execute.is("execute") => {
                self.dynamic(rest)
            }
            [query, rest @ ..] if query.is("query") => self.sql(rest),
            [next, rest @ ..] if next.is("next") => {
                self.query(rest);
            }
            _ => {
                self.query(parts);
            }
        }
    }

    /// A statement that is made while the function runs: only its first word may be known.
    fn dynamic(&mut self, parts: &[Part]) {
        let mut first = None;
        let mut look = |parts: &[Part]| {
            for part in parts {
                if let (Part::Text(text), None) = (part, &first) {
                    first = Some(text.clone());
                }
            }
        };
        look(parts);
        phrase::groups(parts, &mut look);
        let harmless = first
            .as_deref()
            .and_then(phrase::read)
            .is_some_and(|statement| {
                phrase::split(&statement, |part| *part == Part::Semicolon)
                    .iter()
                    .all(|each| each.first().is_none_or(|word| word.is_any(&HARMLESS)))
            });
        self.body.opaque |= !harmless;
        self.query(parts);
    }

    /// `IF name IS DISTINCT FROM context THEN RAISE`: afterwards the name is the context's. With `<>` it
    /// would not be: without a context nothing is raised.
    fn guard(&mut self, condition: &[Part]) {
        if let [not, rest @ ..] = condition
            && not.is("not")
        {
            let mut facts = Vec::new();
            self.names
                .conditions(rest, &[], &[], &Around::default(), &mut facts);
            for path in facts.into_iter().flat_map(|fact| fact.implied) {
                if let Some(name) = path.last() {
                    self.assign(name, true);
                }
            }
            return;
        }
        let distinct = condition.windows(3).position(|words| {
            matches!(words, [is, distinct, from] if is.is("is") && distinct.is("distinct") && from.is("from"))
        });
        let Some(at) = distinct else { return };
        let (left, right) = (
            condition.get(..at).unwrap_or(&[]),
            condition.get(at + 3..).unwrap_or(&[]),
        );
        for (name, other) in [(left, right), (right, left)] {
            let (path, end) = path(name, 0);
            let own = match name {
                [Part::Parameter(name)] => Some(name.clone()),
                _ => path.last().filter(|_| end == name.len()).cloned(),
            };
            if let Some(own) = own
                && self.names.is_context(other)
            {
                self.assign(&own, true);
            }
        }
    }
}

fn raises(then: &[Part]) -> bool {
    matches!(then, [raise, level, ..] if raise.is("raise")
        && !level.is_any(&["notice", "warning", "info", "log", "debug"]))
        || matches!(then, [raise] if raise.is("raise"))
}

/// A statement without its INTO, and the variables that INTO names.
fn without_into(parts: &[Part]) -> (Vec<Part>, Vec<String>) {
    let into = parts.iter().enumerate().position(|(at, part)| {
        part.is("into")
            && !at
                .checked_sub(1)
                .and_then(|before| parts.get(before))
                .is_some_and(|before| before.is_any(&["insert", "merge"]))
    });
    let Some(begin) = into else {
        return (parts.to_vec(), Vec::new());
    };
    let mut targets = Vec::new();
    let mut at = begin + 1;
    if parts.get(at).is_some_and(|part| part.is("strict")) {
        at += 1;
    }
    loop {
        let (name, end) = path(parts, at);
        at = end;
        let Some(name) = name.into_iter().next() else {
            break;
        };
        targets.push(name);
        if parts.get(at) != Some(&Part::Comma) {
            break;
        }
        at += 1;
    }
    let mut plain = parts.get(..begin).unwrap_or(&[]).to_vec();
    plain.extend_from_slice(parts.get(at..).unwrap_or(&[]));
    (plain, targets)
}
