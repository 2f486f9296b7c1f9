use crate::sql::tidy;

/// The condition of a policy, to be said of another table: it asks of its row for the tenant's column alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Text(String),
    /// The tenant's column of the row.
    Column {
        /// Whether it is in a sub-select, where it needs the table's name.
        inside: bool,
    },
}

/// A word of SQL, or what is between words.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Other(&'a str),
}

impl Template {
    /// Takes a condition apart. `None` if it asks for more of the row than its tenant, or has alternatives:
    /// what those are for is not known.
    pub(super) fn of(text: &str, table: &str, columns: &[&str], tenant: &str) -> Option<Self> {
        let text = without_parentheses(text);
        let (table, tenant) = (tidy(table), tidy(tenant));
        let columns: Vec<String> = columns.iter().map(|column| tidy(column)).collect();
        let tokens = tokens(text);
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut selects: Vec<bool> = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let inside = selects.contains(&true);
            let before = tokens.get(..at).and_then(last);
            let behind = tokens.get(at + 1..).unwrap_or_default();
            match token {
                Token::Other("(") => selects.push(matches!(
                    first(behind),
                    Some(Token::Word("SELECT" | "WITH" | "VALUES"))
                )),
                Token::Other(")") => {
                    selects.pop();
                }
                Token::Word("OR" | "NOT" | "IS" | "CASE" | "COALESCE") if !inside => return None,
                Token::Word(word) if *word == table && before != Some(&Token::Other(".")) => {
                    // A sub-select's own tables have other names (`ruleutils.c` sees to it).
                    let column = match behind {
                        [Token::Other("."), Token::Word(column), ..] => *column == tenant,
                        _ => inside && before == Some(&Token::Word("AS")),
                    };
                    if !column || !inside {
                        return None;
                    }
                    if matches!(behind, [Token::Other("."), ..]) {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                        pieces.push(Piece::Column { inside: true });
                        at += 3;
                        continue;
                    }
                }
                Token::Word(word)
                    if !inside
                        && columns.iter().any(|column| column == word)
                        && !matches!(before, Some(Token::Other("." | ":")))
                        && !matches!(first(behind), Some(Token::Other("." | "("))) =>
                {
                    if *word != tenant {
                        return None;
                    }
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Column { inside: false });
                    at += 1;
                    continue;
                }
                Token::Word(_) | Token::Other(_) => {}
            }
            let (Token::Word(text) | Token::Other(text)) = token;
            plain.push_str(text);
            at += 1;
        }
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Column { .. }))
            .then_some(Self(pieces))
    }

    /// Of another table's column, as SQL. `None` where a sub-select would take its name for another's.
    pub(super) fn fill(&self, table: &str, column: &str) -> Option<String> {
        let captured = self.0.iter().any(|piece| match piece {
            Piece::Text(text) => tokens(text).contains(&Token::Word(table)),
            Piece::Column { .. } => false,
        });
        if self.has_select() && captured {
            return None;
        }
        Some(self.with(|inside| {
            if inside {
                format!("{table}.{column}")
            } else {
                column.to_owned()
            }
        }))
    }

    /// Of a row that a query knows by another name.
    pub(super) fn of_row(&self, alias: &str, column: &str) -> String {
        self.with(|_| format!("{alias}.{column}"))
    }

    fn with(&self, column: impl Fn(bool) -> String) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Column { inside } => column(*inside),
            })
            .collect()
    }

    /// What the column is compared with, where it is one value.
    pub(super) fn value(&self) -> Option<&str> {
        let [Piece::Column { inside: false }, Piece::Text(text)] = self.0.as_slice() else {
            return None;
        };
        text.strip_prefix(" = ")
            .filter(|value| !value.starts_with("ANY ") && !value.starts_with("ALL "))
            .filter(|value| {
                !tokens(value)
                    .iter()
                    .any(|token| matches!(token, Token::Word("AND")))
            })
    }

    /// Whether there is a sub-select in it, which keeps partitions from being pruned.
    pub(super) fn has_select(&self) -> bool {
        self.0.iter().any(|piece| match piece {
            Piece::Text(text) => tokens(text).contains(&Token::Word("SELECT")),
            Piece::Column { .. } => false,
        })
    }
}

fn is_blank(token: &Token<'_>) -> bool {
    matches!(token, Token::Other(text) if text.trim().is_empty())
}

fn first<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    tokens.iter().find(|token| !is_blank(token))
}

fn last<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    tokens.iter().rev().find(|token| !is_blank(token))
}

/// An expression is written with parentheses around it.
fn without_parentheses(text: &str) -> &str {
    let Some(inner) = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    else {
        return text;
    };
    let mut depth = 0_i32;
    for token in tokens(inner) {
        match token {
            Token::Other("(") => depth += 1,
            Token::Other(")") => depth -= 1,
            Token::Word(_) | Token::Other(_) => {}
        }
        if depth < 0 {
            return text;
        }
    }
    inner
}

/// Words, with quoted names among them; literals, and every other character by itself.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let quoted = |quote: char| {
            // A quote that is doubled begins the next part of the same.
            let mut open = false;
            rest.char_indices()
                .find(|(at, c)| {
                    if *c == quote {
                        open = !open;
                    }
                    let next = rest.get(at + c.len_utf8()..);
                    !open && !next.is_some_and(|next| next.starts_with(quote))
                })
                .map_or(rest.len(), |(at, c)| at + c.len_utf8())
        };
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let length = match c {
            '\'' => quoted('\''),
            '"' => quoted('"'),
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(if c == '"' || is_word(c) {
            Token::Word(token)
        } else {
            Token::Other(token)
        });
        rest = behind;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Option<Template> {
        Template::of(text, "docs", &["id", "org_id", "Owner"], "org_id")
    }

    #[test]
    fn a_condition_is_said_of_another_table() {
        for (text, said, value) in [
            (
                "(org_id = app.current_org())",
                "tenant = app.current_org()",
                Some("app.current_org()"),
            ),
            (
                "(org_id IN ( SELECT private.org_ids() AS org_ids))",
                "tenant IN ( SELECT private.org_ids() AS org_ids)",
                None,
            ),
            (
                "(EXISTS ( SELECT 1 FROM public.members m WHERE ((m.org_id = docs.org_id) AND (m.id = auth.uid()))))",
                "EXISTS ( SELECT 1 FROM public.members m WHERE ((m.org_id = notes.tenant) AND (m.id = auth.uid())))",
                None,
            ),
            (
                "(org_id = ANY (ARRAY[1, 2]))",
                "tenant = ANY (ARRAY[1, 2])",
                None,
            ),
            (
                "((org_id = 'it''s org_id'::text) AND private.may(org_id))",
                "(tenant = 'it''s org_id'::text) AND private.may(tenant)",
                None,
            ),
        ] {
            let found = template(text).unwrap();
            assert_eq!(found.fill("notes", "tenant").unwrap(), said);
            assert_eq!(found.value(), value, "{text}");
        }
    }

    #[test]
    fn what_asks_for_more_of_the_row_is_not_repeated() {
        for text in [
            "((org_id = 1) OR (org_id IS NULL))",
            "((org_id = 1) AND (id = 2))",
            "(\"Owner\" = 1)",
            "app.sees(docs.*)",
            "(EXISTS ( SELECT 1 FROM public.members m WHERE (m.id = docs.id)))",
            "true",
        ] {
            assert_eq!(template(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_not_taken_for_another() {
        let text = "(EXISTS ( SELECT 1 FROM public.members WHERE (members.org_id = docs.org_id)))";
        assert_eq!(template(text).unwrap().fill("members", "org_id"), None);
    }
}
