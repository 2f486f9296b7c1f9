//! What a function in PL/pgSQL returns, where it is made of assignments, IF, RAISE and RETURN. Of any other it is
//! not told here; what it reads is, by its tokens.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use sqlparser::{
    ast::{SetExpr, Statement},
    dialect::PostgreSqlDialect,
    keywords::Keyword,
    parser::Parser,
    tokenizer::{Token, Tokenizer},
};

use super::{Compare, Constant, Pick, Term, statement::Statements};

/// How many statements are followed at most, the branches of every IF counted: each is met once for each way there.
const MOST: usize = 200;

/// The tokens of a text, without white space and comments.
pub(super) fn tokens(source: &str) -> Option<Vec<Token>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, source)
        .tokenize()
        .ok()?;
    Some(
        tokens
            .into_iter()
            .filter(|token| !matches!(token, Token::Whitespace(_) | Token::EOF))
            .collect(),
    )
}

/// What it returns.
pub(super) fn result(source: &str, mut statements: Statements<'_>) -> Option<Term> {
    let tokens = tokens(source)?;
    let mut rest: &[Token] = &tokens;
    if is_word(rest.first(), "declare") {
        rest = rest.get(1..)?;
        while !is_word(rest.first(), "begin") {
            let end = end_of_statement(rest)?;
            declare(rest.get(..end)?, &mut statements)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if !is_word(rest.first(), "begin") {
        return None;
    }
    rest = rest.get(1..)?;
    // The block's own END.
    let last = rest.iter().rposition(|token| is_word(Some(token), "end"))?;
    let body = rest.get(..last)?;
    let (body, handler) = match body
        .iter()
        .position(|token| is_word(Some(token), "exception"))
        .filter(|at| *at > 0 && matches!(body.get(at - 1), Some(Token::SemiColon)))
    {
        Some(at) => (body.get(..at)?, Some(body.get(at + 1..)?)),
        None => (body, None),
    };
    let mut left = MOST;
    let mut value = run(body, &mut statements, &mut left)?;
    if let Some(handler) = handler {
        // WHEN … THEN …: instead of an error.
        let at = handler
            .iter()
            .position(|token| is_word(Some(token), "then"))?;
        let handled = run(handler.get(at + 1..)?, &mut statements, &mut left)?;
        let raised = raised(handler.get(..at)?, &value);
        value = Term::Case(vec![(raised, handled)], value.boxed());
    }
    Some(value)
}

/// When an error is raised that a handler is for, as far as it is known: a setting that was never set, or whose
/// empty text is none of what it is cast to.
fn raised(handler: &[Token], value: &Term) -> Term {
    let is_for = |error: &str| {
        handler
            .iter()
            .any(|token| is_word(Some(token), error) || is_word(Some(token), "others"))
    };
    let mut ways = vec![Term::Other(Vec::new())];
    value.walk(&mut |term| {
        let Term::Setting { name, missing_ok } = term else {
            return;
        };
        let setting = Term::Setting {
            name: name.clone(),
            missing_ok: true,
        };
        if !missing_ok && is_for("undefined_object") {
            ways.push(Term::IsNull(setting.clone().boxed()));
        }
        if is_for("invalid_text_representation") {
            let equal = Compare {
                name: "=".to_owned(),
                equality: true,
                folds: false,
                pattern: false,
            };
            let empty = Term::Constant(Constant::Text(String::new()));
            ways.push(Term::Operator(equal, vec![setting, empty]));
        }
    });
    Term::Or(ways)
}

fn is_word(token: Option<&Token>, word: &str) -> bool {
    matches!(token, Some(Token::Word(it)) if it.quote_style.is_none() && it.value.eq_ignore_ascii_case(word))
}

fn end_of_statement(tokens: &[Token]) -> Option<usize> {
    tokens.iter().position(|token| *token == Token::SemiColon)
}

fn name(token: Option<&Token>) -> Option<String> {
    match token? {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    }
}

fn is_assignment(token: &Token) -> bool {
    matches!(token, Token::Assignment | Token::Eq) || is_word(Some(token), "default")
}

fn declare(tokens: &[Token], statements: &mut Statements<'_>) -> Option<()> {
    let variable = name(tokens.first())?;
    let value = match tokens.iter().position(is_assignment) {
        Some(at) => expression(tokens.get(at + 1..)?, statements)?,
        None => Term::NULL,
    };
    statements.variables.insert(variable, value);
    Some(())
}

fn expression(tokens: &[Token], statements: &mut Statements<'_>) -> Option<Term> {
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens(tokens.to_vec());
    let expr = parser.parse_expr().ok()?;
    if parser.peek_token().token != Token::EOF {
        return None;
    }
    Some(statements.expression(&expr))
}

/// Follows statements up to a RETURN.
fn run(tokens: &[Token], statements: &mut Statements<'_>, left: &mut usize) -> Option<Term> {
    *left = left.checked_sub(1)?;
    let Some(first) = tokens.first() else {
        return Some(Term::NULL);
    };
    if is_word(Some(first), "if") {
        return branch(tokens, statements, left);
    }
    let end = end_of_statement(tokens)?;
    let (statement, rest) = (tokens.get(..end)?, tokens.get(end + 1..)?);
    if is_word(Some(first), "return") {
        let what = statement.get(1..)?;
        if is_word(what.first(), "query") {
            return Some(Term::Select(
                Pick::Scalar,
                query(what.get(1..)?, statements)?.0,
            ));
        }
        return match what {
            [] => Some(Term::NULL),
            what => expression(what, statements),
        };
    }
    if is_word(Some(first), "raise") {
        let quiet = ["notice", "warning", "info", "debug", "log"]
            .iter()
            .any(|level| is_word(statement.get(1), level));
        return if quiet {
            run(rest, statements, left)
        } else {
            Some(Term::Raises)
        };
    }
    if is_word(Some(first), "null") {
        return run(rest, statements, left);
    }
    if is_word(Some(first), "select") {
        let (answer, into) = query(statement, statements)?;
        for (at, variable) in into.iter().enumerate() {
            let mut answer = answer.clone();
            for arm in &mut answer.arms {
                let target = arm.targets.get(at).cloned();
                arm.targets = target.into_iter().collect();
            }
            statements
                .variables
                .insert(variable.clone(), Term::Select(Pick::Scalar, answer));
        }
        return run(rest, statements, left);
    }
    match (name(Some(first)), statement.get(1)) {
        (Some(variable), Some(Token::Assignment | Token::Eq)) => {
            let value = expression(statement.get(2..)?, statements)?;
            statements.variables.insert(variable, value);
            run(rest, statements, left)
        }
        _ => None,
    }
}

/// Reads a SELECT, and the variables that it fills.
fn query(tokens: &[Token], statements: &mut Statements<'_>) -> Option<(super::Query, Vec<String>)> {
    // `INTO` may stand anywhere in it: it is taken out, as PL/pgSQL does.
    let mut tokens = tokens.to_vec();
    let mut into = Vec::new();
    let found = tokens
        .iter()
        .position(|token| matches!(token, Token::Word(word) if word.keyword == Keyword::INTO));
    if let Some(at) = found {
        let mut end = at + 1;
        if is_word(tokens.get(end), "strict") {
            end += 1;
        }
        into.push(name(tokens.get(end))?);
        end += 1;
        while tokens.get(end) == Some(&Token::Comma) {
            into.push(name(tokens.get(end + 1))?);
            end += 2;
        }
        tokens.drain(at..end);
    }
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens(tokens);
    let statement = parser.parse_statement().ok()?;
    match statement {
        Statement::Query(query) if !matches!(*query.body, SetExpr::Insert(_)) => {
            Some((statements.query(&query), into))
        }
        _ => None,
    }
}

/// `IF … THEN … ELSIF … ELSE … END IF;` and what comes after it.
fn branch(tokens: &[Token], statements: &mut Statements<'_>, left: &mut usize) -> Option<Term> {
    // Where the parts of this IF begin, but not those of one inside it.
    let mut depth = 0_usize;
    let mut cuts: Vec<usize> = Vec::new();
    let mut after = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let token = Some(token);
        if is_word(token, "case") {
            depth += 1;
        } else if is_word(token, "end") {
            if is_word(tokens.get(at + 1), "if") {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    cuts.push(at);
                    after = Some(at + 3);
                    break;
                }
                at += 1;
            } else {
                depth = depth.checked_sub(1)?;
            }
        } else if is_word(token, "if") {
            depth += 1;
            if depth == 1 {
                cuts.push(at);
            }
        } else if depth == 1
            && ["elsif", "elseif", "else"]
                .iter()
                .any(|word| is_word(token, word))
        {
            cuts.push(at);
        }
        at += 1;
    }
    let rest = tokens.get(after?..)?;
    let mut arms = Vec::new();
    let mut otherwise = None;
    let before = statements.variables.clone();
    for cut in cuts.windows(2) {
        let &[from, to] = cut else { continue };
        let part = tokens.get(from..to)?;
        let part_follows = |body: &[Token]| [body, rest].concat();
        if is_word(part.first(), "else") {
            let body = part_follows(part.get(1..)?);
            otherwise = Some(run(&body, statements, left)?);
        } else {
            let then = part.iter().position(|token| is_word(Some(token), "then"))?;
            let condition = expression(part.get(1..then)?, statements)?;
            let body = part_follows(part.get(then + 1..)?);
            arms.push((condition, run(&body, statements, left)?));
        }
        statements.variables.clone_from(&before);
    }
    let otherwise = match otherwise {
        Some(otherwise) => otherwise,
        None => run(rest, statements, left)?,
    };
    Some(Term::Case(arms, otherwise.boxed()))
}
