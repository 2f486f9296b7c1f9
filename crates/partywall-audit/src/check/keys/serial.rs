use super::{is_root, surrogate::is_integer, tables};
use crate::{
    Fault, Finding,
    catalogue::{Column, Function, Identity, Privilege, Relation, Trigger},
    check::{
        Audit,
        reach::phrase::{self, Part},
    },
    sql::tidy,
};

/// `int8` (pg_type.dat).
const BIGINT: u32 = 20;

/// Numbers that one sequence gives to the rows of all tenants, in order.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for table in
        tables(audit).filter(|table| !is_root(audit, table.oid) && table.parents.is_empty())
    {
        for column in &table.columns {
            let Some(numbered) = Numbered::of(audit, table, column) else {
                continue;
            };
            if is_seen(audit, table, column) {
                let name = tidy(&column.name);
                let why = format!(
                    "one sequence numbers the rows of all tenants, so with `SELECT max({name}) - min({name}), count(*) \
                     FROM {}` a tenant sees how many rows the others make",
                    table.name
                );
                found.push(
                    Finding::new(
                        Fault::SeqShared,
                        format!("{}.{name}", table.name),
                        why,
                        fix(audit, table, column, numbered),
                    )
                    .tables([table.name.to_string()]),
                );
            }
        }
    }
}

/// What gives a column the next number.
#[derive(Clone, Copy)]
enum Numbered<'a> {
    Column,
    /// One that does nothing else.
    Trigger(&'a Trigger),
}

impl<'a> Numbered<'a> {
    fn of(audit: &'a Audit<'_>, table: &'a Relation, column: &Column) -> Option<Self> {
        let by_default = column.default.as_deref().is_some_and(|default| {
            let calls = phrase::calls(default);
            calls.iter().any(|call| call == "nextval")
                || audit
                    .catalogue
                    .functions
                    .values()
                    .any(|function| calls.contains(&function.name.name) && counts(function))
        });
        if column.identity != Identity::No || by_default {
            return Some(Self::Column);
        }
        table
            .triggers
            .iter()
            .find(|trigger| {
                trigger.enabled
                    && trigger.definition.contains(" BEFORE INSERT ON ")
                    && audit
                        .catalogue
                        .functions
                        .get(&trigger.function)
                        .is_some_and(|function| numbers_alone(function, &column.name))
            })
            .map(Self::Trigger)
    }
}

/// Whether a function gives the next number of one sequence. One that asks a clock or chance as well makes
/// numbers of which the rest says little.
fn counts(function: &Function) -> bool {
    const MORE: [&str; 6] = [
        "now",
        "clock_timestamp",
        "statement_timestamp",
        "extract",
        "date_part",
        "random",
    ];
    let text = match &function.definition {
        Some(definition) if function.body.is_some() => definition,
        _ => &function.source,
    };
    function.extension.is_none()
        && phrase::read(text).is_some_and(|parts| draws(&parts))
        && !phrase::calls(text)
            .iter()
            .any(|call| MORE.contains(&call.as_str()))
}

/// Whether the next number of a sequence is asked for that is always the same: `nextval('numbers')`.
fn draws(parts: &[Part]) -> bool {
    let own = |parts: &[Part]| {
        parts.windows(2).any(|pair| {
            matches!(pair, [nextval, Part::Round(name)] if nextval.is("nextval")
                && matches!(name.first(), Some(Part::Text(_)))
                && !name.iter().any(|part| matches!(part, Part::Operator(_))))
        })
    };
    let mut found = own(parts);
    phrase::groups(parts, &mut |inside| found |= own(inside));
    found
}

/// Whether a trigger's function does nothing but to give a column the next number: `NEW.number := nextval(…)`.
fn numbers_alone(function: &Function, column: &str) -> bool {
    let parts = phrase::read(&function.source).unwrap_or_default();
    let mut numbers = 0;
    for chunk in phrase::split(&parts, |part| *part == Part::Semicolon) {
        let chunk = match chunk {
            [begin, rest @ ..] if begin.is("begin") => rest,
            _ => chunk,
        };
        let chunk = match chunk {
            [first, rest @ ..] if first.is("if") => {
                let then = rest.iter().position(|part| part.is("then"));
                then.and_then(|at| rest.get(at + 1..)).unwrap_or(&[])
            }
            _ => chunk,
        };
        match chunk {
            [] => {}
            [end, ..] if end.is("end") => {}
            [back, new] if back.is("return") && new.is("new") => {}
            [new, Part::Dot, name, sign, value @ ..]
                if new.is("new")
                    && name.word() == Some(column)
                    && (sign.is_operator(":=") || sign.is_operator("="))
                    && draws(value) =>
            {
                numbers += 1;
            }
            _ => return false,
        }
    }
    numbers == 1
}

/// Whether the application reads the numbers, and can have some made.
fn is_seen(audit: &Audit<'_>, table: &Relation, column: &Column) -> bool {
    audit
        .askers_of(table, &[Privilege::Select])
        .iter()
        .any(|role| {
            table.grants.iter().any(|grant| {
                grant.privilege == Privilege::Select
                    && grant.column.is_none_or(|own| own == column.number)
                    && audit.catalogue.roles.has_rights_of(*role, grant.grantee)
            })
        })
}

/// The next numbers are random and in no order: old ones stay, and the type and what refers to it with them.
/// A small integer has no room for that and becomes a `bigint`, with the columns that refer to it.
fn fix(audit: &Audit<'_>, table: &Relation, column: &Column, numbered: Numbered<'_>) -> String {
    let name = tidy(&column.name);
    let mut statements = Vec::new();
    if let Numbered::Trigger(trigger) = numbered {
        statements.push(format!(
            "DROP TRIGGER {} ON {};",
            tidy(&trigger.name),
            table.name
        ));
    }
    if column.identity == Identity::No {
        statements.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} DROP DEFAULT;",
            table.name
        ));
    } else {
        statements.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} DROP IDENTITY;",
            table.name
        ));
    }
    if is_integer(column) && column.type_oid != BIGINT {
        statements.push(format!(
            "ALTER TABLE {} ALTER COLUMN {name} TYPE bigint;",
            table.name
        ));
        for child in audit.catalogue.relations.values() {
            for (constraint, reference) in child.foreign_keys() {
                let own =
                    constraint
                        .columns
                        .iter()
                        .zip(&reference.columns)
                        .filter(|(_, theirs)| {
                            constraint.parent.is_none()
                                && reference.relation == table.oid
                                && **theirs == column.number
                        });
                for own in own.filter_map(|(own, _)| child.column(*own)) {
                    if own.type_oid != BIGINT {
                        statements.push(format!(
                            "ALTER TABLE {} ALTER COLUMN {} TYPE bigint;",
                            child.name,
                            tidy(&own.name)
                        ));
                    }
                }
            }
        }
    }
    let random = "('x' || left(gen_random_uuid()::text, 8) || right(gen_random_uuid()::text, 7))::bit(60)::bigint";
    let default = if is_integer(column) {
        random.to_owned()
    } else {
        // A number in a text or a numeric.
        format!("({random})::{}", column.type_name)
    };
    statements.push(format!(
        "ALTER TABLE {} ALTER COLUMN {name} SET DEFAULT ({default});",
        table.name
    ));
    statements.join("\n")
}
