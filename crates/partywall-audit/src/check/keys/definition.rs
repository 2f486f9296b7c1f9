//! What `pg_get_indexdef` and `pg_get_constraintdef` write, with a column put before the others.

use crate::{
    catalogue::{Index, Relation},
    check::reach::phrase::{self, Part},
    sql::tidy,
};

/// The definition from its first bracket on, with a column before those that are there: `(tenant_id, email)
/// WHERE …`.
pub(super) fn led_by(definition: &str, first: &str) -> Option<String> {
    let at = bracket(definition)?;
    Some(format!("({first}, {}", definition.get(at + 1..)?))
}

/// What stands before its first bracket.
pub(super) fn head(definition: &str) -> Option<&str> {
    definition.get(..bracket(definition)?)
}

/// The first bracket that is not part of a name in quotes.
fn bracket(definition: &str) -> Option<usize> {
    let mut quoted = false;
    definition.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '(' && !quoted).then_some(at)
    })
}

/// Whether an index holds rows of one tenant at most under each key, though the tenant's column is none of its
/// keys by itself: an expression is made of it, or only rows without a tenant are in it.
pub(super) fn mentions(index: &Index, table: &Relation, column: i16) -> bool {
    let Some(name) = table.column(column).map(|column| column.name.as_str()) else {
        return false;
    };
    let Some(parts) = phrase::read(&index.definition) else {
        return false;
    };
    let is_name = |part: &Part| part.word() == Some(name);
    let using = parts.iter().position(|part| part.is("using")).unwrap_or(0);
    let keys = parts
        .iter()
        .skip(using)
        .find_map(Part::round)
        .unwrap_or(&[]);
    let mut found = keys.iter().any(is_name);
    phrase::groups(keys, &mut |inside| found |= inside.iter().any(is_name));
    let condition = parts
        .iter()
        .position(|part| part.is("where"))
        .and_then(|at| parts.get(at + 1..))
        .unwrap_or(&[]);
    found || asks_for_nobody(condition, &is_name)
}

/// Whether a row comes into an index only once something was found out about it, which a new row does not say:
/// `WHERE verified_at IS NOT NULL`. Who is not yet that far collides with nobody.
pub(super) fn asks_for_proof(index: &Index, table: &Relation) -> bool {
    if !index.partial {
        return false;
    }
    let parts = phrase::read(&index.definition).unwrap_or_default();
    let condition = parts
        .iter()
        .rposition(|part| part.is("where"))
        .and_then(|at| parts.get(at + 1..))
        .unwrap_or(&[]);
    let later = |name: &Part| {
        name.word()
            .and_then(|name| table.column_named(name))
            .is_some_and(|column| {
                !column.not_null
                    && column.default.is_none()
                    && index
                        .columns
                        .iter()
                        .all(|key| key.column != Some(column.number))
            })
    };
    holds_with_and(condition, &|conjunct| {
        matches!(conjunct, [name, is, not, null]
            if later(name) && is.is("is") && not.is("not") && null.is("null"))
    })
}

/// `tenant_id IS NULL`, alone or with AND.
fn asks_for_nobody(condition: &[Part], is_name: &impl Fn(&Part) -> bool) -> bool {
    holds_with_and(
        condition,
        &|conjunct| matches!(conjunct, [name, is, null] if is_name(name) && is.is("is") && null.is("null")),
    )
}

/// Whether a condition says something, alone or with AND.
fn holds_with_and(condition: &[Part], says: &impl Fn(&[Part]) -> bool) -> bool {
    if condition.iter().any(|part| part.is_any(&["or", "case"])) {
        return false;
    }
    phrase::split(condition, |part| part.is("and"))
        .iter()
        .any(|conjunct| match conjunct {
            [Part::Round(inside)] => holds_with_and(inside, says),
            _ => says(conjunct),
        })
}

/// Creates an index anew under its name, led by a column.
pub(super) fn index_led_by(index: &Index, table: &Relation, column: &str) -> Option<String> {
    Some(format!(
        "DROP INDEX {}.{};\nCREATE UNIQUE INDEX {} ON {} USING {} {};",
        tidy(&table.name.schema),
        tidy(&index.name),
        tidy(&index.name),
        table.name,
        tidy(&index.method),
        led_by(&index.definition, column)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_put_before_the_others() {
        let led = |definition| led_by(definition, "tenant_id").unwrap();
        assert_eq!(led("UNIQUE (email)"), "(tenant_id, email)");
        assert_eq!(
            led("CREATE UNIQUE INDEX \"a(b\" ON public.t USING btree (lower(email)) WHERE (x > 1)"),
            "(tenant_id, lower(email)) WHERE (x > 1)"
        );
    }
}
