use sea_orm::{ColumnTrait as _, EntityTrait, IdenStatic as _, Value};

use super::{
    super::{export::Format, sight::Sight, typed::Typed},
    List, Op,
    declared::{RESERVED, key_columns, typed},
};
use crate::web::{FieldError, Problem};
use http::StatusCode;

/// Bytes of a query, at most.
const MAX_QUERY: usize = 16_384;
/// Characters of a text to filter by, at most.
const MAX_TEXT: usize = 1_000;
/// Values of one `in`, at most.
const MAX_VALUES: usize = 100;
/// Characters and words of a search, at most.
const MAX_SEARCH: usize = 200;
const MAX_WORDS: usize = 10;
/// Names in `sort`, at most.
const MAX_SORTS: usize = 5;

/// What one request asks of a list, understood.
#[derive(Clone, Debug)]
pub(in crate::web::resource) struct Asked<E: EntityTrait> {
    pub(in crate::web::resource) filters: Vec<Filtered<E::Column>>,
    pub(in crate::web::resource) words: Vec<String>,
    pub(in crate::web::resource) searched: Vec<E::Column>,
    pub(in crate::web::resource) order: Vec<Term<E::Column>>,
    pub(in crate::web::resource) limit: u64,
    pub(in crate::web::resource) cursor: Option<String>,
    pub(in crate::web::resource) count: bool,
    pub(in crate::web::resource) fields: Option<Vec<String>>,
    pub(in crate::web::resource) format: Option<Format>,
    /// What a cursor is bound to.
    pub(in crate::web::resource) canonical: Vec<String>,
}

/// One comparison.
#[derive(Clone, Debug)]
pub(in crate::web::resource) struct Filtered<C> {
    pub(super) column: C,
    pub(super) op: Op,
    pub(super) values: Vec<Value>,
}

/// One column of the order.
#[derive(Clone, Debug)]
pub(in crate::web::resource) struct Term<C> {
    pub(in crate::web::resource) column: C,
    pub(in crate::web::resource) typed: Typed,
    pub(in crate::web::resource) is_nullable: bool,
    pub(in crate::web::resource) is_descending: bool,
}

/// What is known of the list beside its declaration.
pub(in crate::web::resource) struct Known<'a, C> {
    /// What the account may see.
    pub(in crate::web::resource) sight: &'a Sight,
    /// The names of an answer's fields.
    pub(in crate::web::resource) fields: &'a [String],
    /// Under which name an answer shows a column.
    pub(in crate::web::resource) field_of: fn(C) -> &'static str,
    /// What the header `Accept` asks for.
    pub(in crate::web::resource) accept: Option<Format>,
}

impl<C: Copy> Known<'_, C> {
    fn shows(&self, name: &str, column: C) -> bool {
        !self.sight.hides(name) && !self.sight.hides((self.field_of)(column))
    }
}

fn bad(parameter: &str, code: &'static str, detail: String) -> Problem {
    let shown: String = parameter.chars().take(100).collect();
    let status = StatusCode::BAD_REQUEST;
    Problem::new(status, "invalid_query", "the query cannot be understood")
        .with_errors([FieldError::new(shown, code, detail)])
}

fn list_of(names: &[String]) -> String {
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        format!("`{}`", names.join("`, `"))
    }
}

impl<E: EntityTrait> List<E> {
    /// Reads a query as it stands in the address. Whatever it holds, this says what is wrong with it
    /// or what it means, and looks at nothing else.
    pub(in crate::web::resource) fn read(
        &self,
        raw: &str,
        known: &Known<'_, E::Column>,
    ) -> Result<Asked<E>, Problem> {
        if raw.len() > MAX_QUERY {
            return Err(bad(
                "",
                "too_long",
                format!("a query has at most {MAX_QUERY} bytes"),
            ));
        }
        let mut asked = Asked {
            filters: Vec::new(),
            words: Vec::new(),
            searched: self
                .search
                .iter()
                .copied()
                .filter(|column| known.shows((known.field_of)(*column), *column))
                .collect(),
            order: Vec::new(),
            limit: self.limit,
            cursor: None,
            count: false,
            fields: None,
            format: known.accept,
            canonical: Vec::new(),
        };
        let mut seen: Vec<String> = Vec::new();
        let mut sort = None;
        let mut of_pages = None;
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if seen.iter().any(|known| *known == name) {
                return Err(bad(&name, "repeated", "this is given twice".to_owned()));
            }
            if value.contains('\0') {
                return Err(bad(
                    &name,
                    "invalid",
                    "a value holds a NUL character".to_owned(),
                ));
            }
            seen.push(name.clone().into_owned());
            match name.as_ref() {
                // Checked with the account.
                "tenant" | "tenant_id" => {}
                "search" if !asked.searched.is_empty() => asked.words = words(&value)?,
                "sort" => sort = Some(value.into_owned()),
                "limit" => {
                    of_pages = Some("limit");
                    asked.limit = self.limit_of(&value)?;
                }
                "cursor" => {
                    of_pages = Some("cursor");
                    asked.cursor = Some(value.into_owned());
                }
                "count" => {
                    of_pages = Some("count");
                    asked.count = flag("count", &value)?;
                }
                "fields" => asked.fields = Some(selection(&value, known.fields, known.sight)?),
                "format" => asked.format = Format::named(&value)?,
                parameter => {
                    let filtered = self.filtered(parameter, &value, known)?;
                    asked.canonical.push(format!("{parameter}={value}"));
                    asked.filters.push(filtered);
                }
            }
        }
        if let (Some(parameter), Some(_)) = (of_pages, asked.format) {
            let detail = "an export has no pages: leave this out".to_owned();
            return Err(bad(parameter, "not_listed", detail));
        }
        asked.order = self.order(sort.as_deref(), known)?;
        asked.canonical.sort();
        asked
            .canonical
            .push(format!("search {}", asked.words.len()));
        asked.canonical.extend(asked.words.iter().cloned());
        asked.canonical.push("sort".to_owned());
        asked
            .canonical
            .extend(asked.order.iter().map(|term: &Term<E::Column>| {
                let sign = if term.is_descending { "-" } else { "" };
                format!("{sign}{}", term.column.as_str())
            }));
        Ok(asked)
    }

    fn limit_of(&self, text: &str) -> Result<u64, Problem> {
        text.parse()
            .ok()
            .filter(|limit| (1..=self.max_limit).contains(limit))
            .ok_or_else(|| {
                let detail = format!("this is a number from 1 to {}", self.max_limit);
                bad("limit", "invalid", detail)
            })
    }

    /// All that may be asked for, by who asked for something else.
    fn parameters(&self, known: &Known<'_, E::Column>, searches: bool) -> Vec<String> {
        let filters = self
            .filters
            .iter()
            .filter(|filter| known.shows(filter.name, filter.column));
        let mut all: Vec<String> = filters
            .flat_map(|filter| filter.ops.iter().map(|op| op.parameter(filter.name)))
            .collect();
        let others = RESERVED
            .iter()
            .filter(|name| !name.starts_with("tenant") && (searches || **name != "search"));
        all.extend(others.map(|name| (*name).to_owned()));
        all
    }

    fn filtered(
        &self,
        parameter: &str,
        text: &str,
        known: &Known<'_, E::Column>,
    ) -> Result<Filtered<E::Column>, Problem> {
        let declared = Op::split(parameter).and_then(|(name, op)| {
            let filter = self.filters.iter().find(|filter| {
                filter.name == name
                    && filter.ops.contains(&op)
                    && known.shows(filter.name, filter.column)
            })?;
            Some((filter, op))
        });
        let Some((filter, op)) = declared else {
            let searches = self.search.iter().any(|column| {
                let field = (known.field_of)(*column);
                known.shows(field, *column)
            });
            let all = list_of(&self.parameters(known, searches));
            let detail = format!("this list does not know it: it knows {all}");
            return Err(bad(parameter, "not_listed", detail));
        };
        let typed = typed(&filter.column);
        let one = |text: &str| -> Result<Value, Problem> {
            let value = typed.as_ref().and_then(|typed| typed.parse(text));
            let is_short = text.chars().nth(MAX_TEXT).is_none();
            value.filter(|_| is_short).ok_or_else(|| {
                let what = typed.as_ref().map(Typed::describe).unwrap_or_default();
                bad(parameter, "invalid", format!("this is {what}"))
            })
        };
        let values = match op {
            Op::IsNull => vec![flag(parameter, text)?.into()],
            Op::In => {
                if text.split(',').nth(MAX_VALUES).is_some() {
                    let detail = format!("there are at most {MAX_VALUES} values");
                    return Err(bad(parameter, "too_many", detail));
                }
                text.split(',').map(one).collect::<Result<_, _>>()?
            }
            Op::Eq
            | Op::Ne
            | Op::Lt
            | Op::Lte
            | Op::Gt
            | Op::Gte
            | Op::Contains
            | Op::StartsWith => vec![one(text)?],
        };
        Ok(Filtered {
            column: filter.column,
            op,
            values,
        })
    }

    /// The order asked for, with the primary key at its end.
    fn order(
        &self,
        asked: Option<&str>,
        known: &Known<'_, E::Column>,
    ) -> Result<Vec<Term<E::Column>>, Problem> {
        let is_own = asked.is_none();
        let text = asked.or(self.default_sort.as_deref()).unwrap_or_default();
        let mut order: Vec<Term<E::Column>> = Vec::new();
        for part in text
            .split(',')
            .filter(|_| asked.is_some() || !text.is_empty())
        {
            let (name, is_descending) = match part.strip_prefix('-') {
                Some(name) => (name, true),
                None => (part, false),
            };
            let sorted = self
                .sorts
                .iter()
                .find(|sorted| sorted.name == name && known.shows(sorted.name, sorted.column));
            let typed = sorted.and_then(|sorted| typed(&sorted.column));
            let (Some(sorted), Some(typed)) = (sorted, typed) else {
                if is_own {
                    // The order that everybody else gets would tell of what is hidden.
                    continue;
                }
                let names = self.sorts.iter();
                let names = names.filter(|sorted| known.shows(sorted.name, sorted.column));
                let names: Vec<String> = names.map(|sorted| sorted.name.to_owned()).collect();
                let detail = format!("this list is sorted by {}", list_of(&names));
                return Err(bad("sort", "not_listed", detail));
            };
            let is_twice = order
                .iter()
                .any(|term| term.column.as_str() == sorted.column.as_str());
            if is_twice || order.len() == MAX_SORTS {
                let detail = format!("this names at most {MAX_SORTS} columns, each once");
                return Err(bad("sort", "invalid", detail));
            }
            order.push(Term {
                column: sorted.column,
                typed,
                is_nullable: sorted.column.def().is_null(),
                is_descending,
            });
        }
        let is_descending = order.last().is_some_and(|term| term.is_descending);
        for column in key_columns::<E>() {
            let is_there = order
                .iter()
                .any(|term| term.column.as_str() == column.as_str());
            if let (false, Some(typed)) = (is_there, typed(&column)) {
                // In the direction of the last column, so that one index serves both.
                order.push(Term {
                    column,
                    typed,
                    is_nullable: false,
                    is_descending,
                });
            }
        }
        Ok(order)
    }
}

fn flag(parameter: &str, text: &str) -> Result<bool, Problem> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(bad(
            parameter,
            "invalid",
            "this is `true` or `false`".to_owned(),
        )),
    }
}

fn words(text: &str) -> Result<Vec<String>, Problem> {
    let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if text.chars().nth(MAX_SEARCH).is_some() || words.len() > MAX_WORDS {
        let detail = format!("a search has at most {MAX_SEARCH} characters and {MAX_WORDS} words");
        return Err(bad("search", "too_long", detail));
    }
    Ok(words)
}

/// The names in `fields`, each of which an answer has and the account sees.
pub(in crate::web::resource) fn selection(
    text: &str,
    fields: &[String],
    sight: &Sight,
) -> Result<Vec<String>, Problem> {
    let seen: Vec<String> = fields
        .iter()
        .filter(|name| !sight.hides(name))
        .cloned()
        .collect();
    let mut chosen: Vec<String> = Vec::new();
    for name in text.split(',') {
        if !seen.iter().any(|known| known == name) {
            let detail = format!("there are the fields {}", list_of(&seen));
            return Err(bad("fields", "not_listed", detail));
        }
        if !chosen.iter().any(|known| known == name) {
            chosen.push(name.to_owned());
        }
    }
    Ok(chosen)
}

/// Reads the query of a single row's address, which may choose fields and nothing else.
pub(in crate::web::resource) fn read_selection(
    raw: &str,
    fields: &[String],
    sight: &Sight,
) -> Result<Option<Vec<String>>, Problem> {
    let mut chosen = None;
    for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
        match name.as_ref() {
            "tenant" | "tenant_id" => {}
            "fields" if chosen.is_some() => {
                return Err(bad("fields", "repeated", "this is given twice".to_owned()));
            }
            "fields" => chosen = Some(selection(&value, fields, sight)?),
            name => {
                let detail = "this address knows `fields` alone".to_owned();
                return Err(bad(name, "not_listed", detail));
            }
        }
    }
    Ok(chosen)
}
