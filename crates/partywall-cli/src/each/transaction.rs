//! Whether SQL would end the transaction that it runs in.

use sqlparser::{
    dialect::PostgreSqlDialect,
    tokenizer::{Token, Tokenizer},
};

/// The words by which a statement of this SQL begins or ends a transaction, if one does. A savepoint stays inside. What
/// cannot be taken apart the server will refuse.
pub(super) fn ends(sql: &str) -> Option<&'static str> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize().ok()?;
    let mut words: Vec<String> = Vec::new();
    // `BEGIN ATOMIC … END` is the body of a function, and holds statements of its own.
    let mut depth = 0_usize;
    for token in tokens {
        if matches!(token, Token::Whitespace(_)) {
            continue;
        }
        if token == Token::SemiColon && depth == 0 {
            if let Some(found) = of_statement(&words) {
                return Some(found);
            }
            words.clear();
            continue;
        }
        let word = if let Token::Word(word) = &token
            && word.quote_style.is_none()
        {
            word.value.to_uppercase()
        } else {
            // As it is written, quoted perhaps, and so none of the words below.
            token.to_string()
        };
        match (word.as_str(), words.last().map(String::as_str)) {
            ("ATOMIC", Some("BEGIN")) if words.len() > 1 => depth += 1,
            ("CASE", _) if depth > 0 => depth += 1,
            ("END", _) => depth = depth.saturating_sub(1),
            _ => {}
        }
        words.push(word);
    }
    of_statement(&words)
}

fn of_statement(words: &[String]) -> Option<&'static str> {
    let mut words = words.iter().map(String::as_str);
    match words.next()? {
        "BEGIN" => Some("BEGIN"),
        "START" => Some("START TRANSACTION"),
        "COMMIT" => Some("COMMIT"),
        "END" => Some("END"),
        "ABORT" => Some("ABORT"),
        "PREPARE" if words.next() == Some("TRANSACTION") => Some("PREPARE TRANSACTION"),
        "ROLLBACK" => {
            let next = words.find(|word| !matches!(*word, "WORK" | "TRANSACTION"));
            (next != Some("TO")).then_some("ROLLBACK")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::ends;

    #[test]
    fn what_ends_it_is_found_wherever_it_stands() {
        for (sql, word) in [
            ("commit", "COMMIT"),
            ("SELECT 1;\n-- so\nCOMMIT AND CHAIN;", "COMMIT"),
            ("SELECT 1; /* a /* b */ ; */ End", "END"),
            ("ROLLBACK; SELECT 1", "ROLLBACK"),
            ("SELECT 1; ABORT WORK", "ABORT"),
            ("START TRANSACTION", "START TRANSACTION"),
            ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
            ("SELECT 'a''; ' ; COMMIT", "COMMIT"),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; COMMIT",
                "COMMIT",
            ),
        ] {
            assert_eq!(ends(sql), Some(word), "{sql}");
        }
    }

    #[test]
    fn what_stays_inside_is_left() {
        for sql in [
            "",
            ";;",
            "SELECT 'COMMIT; COMMIT'",
            "SELECT $$; COMMIT; $$",
            "SELECT 1 -- ; COMMIT",
            "SELECT 1 AS \"COMMIT\"; SELECT commit FROM log",
            "SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a",
            "PREPARE p AS SELECT 1",
            "DO $$ BEGIN PERFORM 1; END $$",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END; SELECT 1",
            "SELECT CASE WHEN true THEN 1 END; SELECT 2",
        ] {
            assert_eq!(ends(sql), None, "{sql}");
        }
    }
}
