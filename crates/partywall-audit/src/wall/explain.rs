//! Why a way is open that ties the row to no tenant.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not followed, and says nothing"
)]

use std::collections::BTreeSet;

use super::{
    Gap, Wall,
    ties::{Asker, is_column, is_constant},
    way::{Literal, Way},
};
use crate::{
    catalogue::Oid,
    expression::{
        Column, Constant, Facts, ROW, Term, bare, folds_case, is_many_to_one, is_pattern_function,
        takes_a_part,
    },
};

/// What a way turns on, of what is in it.
#[derive(Default)]
struct Seen {
    never: bool,
    pattern: bool,
    fold: bool,
    null_tenant: bool,
    shared_tenant: bool,
    nobody: bool,
    flag: Option<String>,
    unset: Option<String>,
    empty: Option<String>,
    opaque: Option<String>,
    columns: BTreeSet<i16>,
    relations: BTreeSet<Oid>,
    keyed: BTreeSet<Oid>,
}

/// Why it is open; `None` if nobody whom the role stands for can go it.
pub(super) fn explain(wall: &Wall<'_>, asker: Asker<'_>, way: &Way) -> Option<Gap> {
    let tenant = asker.tenant;
    let mut seen = Seen::default();
    for literal in way.literals() {
        look(wall, asker, tenant, literal, &mut seen);
    }
    let without = seen.unset.as_ref().or(seen.empty.as_ref());
    // Without a context, the rows of nobody, for whom the nil UUID stands in: there are none.
    if seen.never || (seen.nobody && without.is_some()) {
        return None;
    }
    let column = tenant.unwrap_or(0);
    Some(if seen.pattern {
        Gap::Pattern { column }
    } else if seen.fold {
        Gap::Fold { column }
    } else if let Some(why) = seen.opaque {
        Gap::Opaque { why }
    } else if seen.null_tenant {
        Gap::NullTenant { column }
    } else if let (true, Some(setting)) = (seen.shared_tenant, without) {
        Gap::Default {
            setting: setting.clone(),
        }
    } else if seen.shared_tenant {
        Gap::SharedTenant { column }
    } else if let Some(setting) = seen.flag {
        Gap::Flag { setting }
    } else if let Some(setting) = seen.empty {
        Gap::Empty { setting }
    } else if let Some(setting) = seen.unset {
        Gap::Unset { setting }
    } else if let Some(relation) = seen.relations.first().copied() {
        // A tenant's list of its own administrators says nothing of others' rows; a list of people does.
        let above = seen.relations.iter().all(|relation| {
            seen.keyed.contains(relation)
                && (!wall.subject.is_tenants(*relation) || wall.subject.is_persons(*relation))
        });
        if above {
            Gap::Privileged { relation }
        } else {
            Gap::Lookup { relation }
        }
    } else if seen.columns.is_empty() {
        Gap::Always
    } else {
        Gap::Columns {
            columns: seen.columns.into_iter().collect(),
        }
    })
}

fn look(
    wall: &Wall<'_>,
    asker: Asker<'_>,
    tenant: Option<i16>,
    literal: &Literal,
    seen: &mut Seen,
) {
    let terms: Vec<&Term> = match literal {
        Literal::Source(source) => {
            seen.relations.insert(source.relation);
            return;
        }
        Literal::Equal { left, right, .. } | Literal::Differ { left, right } => vec![left, right],
        Literal::Member { item, list, .. } => vec![item, list],
        Literal::Holds(term) | Literal::Fails(term) | Literal::Null(term) | Literal::Some(term) => {
            vec![term]
        }
    };
    let mut facts = Facts::default();
    for term in &terms {
        facts.add_all(&wall.library.facts(term));
    }
    let of_row: BTreeSet<i16> = facts
        .columns
        .iter()
        .filter(|column| column.source == ROW)
        .map(|column| column.number)
        .collect();
    let of_tenant = tenant.is_some_and(|tenant| of_row.contains(&tenant));
    if let (
        Literal::Equal { left, right, .. }
        | Literal::Member {
            item: left,
            list: right,
            ..
        },
        false,
    ) = (literal, facts.columns.is_empty())
    {
        // A table in which the session's own row is looked up.
        for (one, other) in [(left, right), (right, left)] {
            if let Term::Column(Column {
                source, relation, ..
            }) = one
                && *source != ROW
                && wall.is_session(other)
            {
                seen.keyed.insert(*relation);
            }
        }
    }
    if !of_row.is_empty() {
        of_the_row(wall, tenant, literal, &facts, of_tenant, seen);
        seen.columns.extend(of_row);
        return;
    }
    if !facts.columns.is_empty() {
        // It is about the rows of a sub-select.
        return;
    }
    of_the_session(wall, asker, literal, &facts, seen);
}

/// A literal about the row.
fn of_the_row(
    wall: &Wall<'_>,
    tenant: Option<i16>,
    literal: &Literal,
    facts: &Facts,
    of_tenant: bool,
    seen: &mut Seen,
) {
    if of_tenant && let Some(tenant) = tenant {
        match literal {
            Literal::Null(term) if is_column(term, tenant) => {
                seen.null_tenant = true;
                return;
            }
            Literal::Equal { left, right, .. } if is_column(left, tenant) && is_constant(right) => {
                seen.shared_tenant = true;
                seen.nobody |= matches!(bare(right), Term::Constant(it) if it.is_nobody());
                return;
            }
            Literal::Member { item, list, .. } if is_column(item, tenant) && is_constant(list) => {
                seen.shared_tenant = true;
                return;
            }
            _ => {}
        }
        let asks = facts.depends_on_session();
        if asks && matches_a_pattern(literal) {
            seen.pattern = true;
            return;
        }
        if asks && of_what_tenants_share(literal, tenant, takes_a_part) {
            seen.pattern = true;
            return;
        }
        // It asks for the column, and not for the tenant.
        if asks && of_what_tenants_share(literal, tenant, is_many_to_one) {
            return;
        }
        if asks && folds(literal) {
            seen.fold = true;
            return;
        }
        if asks && !matches!(literal, Literal::Differ { .. } | Literal::Some(_)) {
            seen.opaque = Some("it compares the tenant in an odd way".to_owned());
            return;
        }
    }
    if facts.odd || !facts.unread.is_empty() {
        seen.opaque = Some(unread(wall, facts));
    }
}

fn unread(wall: &Wall<'_>, facts: &Facts) -> String {
    let name = facts
        .unread
        .first()
        .and_then(|oid| wall.catalogue.functions.get(oid));
    name.map_or_else(
        || "part of it is not understood".to_owned(),
        |function| format!("it calls {}", function.signature()),
    )
}

fn matches_a_pattern(literal: &Literal) -> bool {
    let mut found = false;
    let mut look = |term: &Term| {
        term.walk(&mut |term| match term {
            Term::Operator(compare, _) | Term::Any { compare, .. } => found |= compare.pattern,
            Term::Builtin(name, _) => found |= is_pattern_function(name),
            _ => {}
        });
    };
    match literal {
        Literal::Holds(term) => look(term),
        Literal::Differ { left, right } | Literal::Equal { left, right, .. } => {
            look(left);
            look(right);
        }
        _ => {}
    }
    found
}

/// Whether an equality is one of what a function makes of the tenant.
fn of_what_tenants_share(literal: &Literal, tenant: i16, is_it: fn(&str) -> bool) -> bool {
    let (Literal::Equal { left, right, .. }
    | Literal::Member {
        item: left,
        list: right,
        ..
    }) = literal
    else {
        return false;
    };
    let mut found = false;
    for side in [left, right] {
        side.walk_here(&mut |term| {
            let (name, members) = match term {
                Term::Builtin(name, members) => (name, members),
                Term::Operator(compare, members) => (&compare.name, members),
                _ => return,
            };
            found |= is_it(name) && members.iter().any(|member| is_column(member, tenant));
        });
    }
    found
}

fn folds(literal: &Literal) -> bool {
    let (Literal::Equal { left, right, .. }
    | Literal::Member {
        item: left,
        list: right,
        ..
    }) = literal
    else {
        return false;
    };
    [left, right].into_iter().any(|side| {
        matches!(bare(side), Term::Builtin(name, members)
            if folds_case(name)
                && matches!(members.first().map(bare), Some(Term::Column(column)) if column.source == ROW))
    })
}

/// A literal about nothing but who asks.
fn of_the_session(
    wall: &Wall<'_>,
    asker: Asker<'_>,
    literal: &Literal,
    facts: &Facts,
    seen: &mut Seen,
) {
    seen.relations.extend(&facts.relations);
    if let Some(holds) = of_the_role(wall, asker.role, literal) {
        seen.never |= !holds;
        return;
    }
    let Some(read) = facts.settings.first() else {
        if !facts.unread.is_empty() || facts.odd || facts.any_setting {
            seen.opaque = Some(unread(wall, facts));
        }
        return;
    };
    if facts.depends_on_session() {
        seen.keyed.extend(&facts.relations);
    }
    let setting = read.name.clone();
    let is_context = facts
        .settings
        .iter()
        .all(|read| wall.subject.contexts.contains(&read.name));
    let empty = |term: &Term| match bare(term) {
        Term::Constant(Constant::Text(text)) => text.is_empty(),
        _ => false,
    };
    let zero = |term: &Term| matches!(bare(term), Term::Constant(Constant::Number(0)));
    let long = |term: &Term| {
        matches!(bare(term), Term::Builtin(name, _)
            if matches!(name.as_str(), "length" | "char_length" | "character_length" | "octet_length"))
    };
    match literal {
        Literal::Null(_) => seen.unset = Some(setting),
        Literal::Equal { left, right, .. } if empty(right) || (zero(right) && long(left)) => {
            seen.empty = Some(setting);
        }
        // Any session of a tenant meets these.
        Literal::Some(_) | Literal::Differ { .. } | Literal::Fails(_) if is_context => {}
        _ if !facts.unread.is_empty() || facts.odd => seen.opaque = Some(unread(wall, facts)),
        _ => seen.flag = Some(setting),
    }
}

/// Whether something holds for a role: `current_user = 'admin'`, `pg_has_role('admin', 'member')`. `None` if it
/// is not about roles.
fn of_the_role(wall: &Wall<'_>, role: Oid, literal: &Literal) -> Option<bool> {
    let roles = &wall.catalogue.roles;
    let own = roles.name(role);
    let named = |term: &Term| match bare(term) {
        Term::Constant(Constant::Text(name)) => Some(name.clone()),
        _ => None,
    };
    match literal {
        Literal::Equal { left, right, .. } if matches!(bare(left), Term::Session(name) if *name != "pg_backend_pid") =>
        {
            let name = named(right)?;
            // Who did not become anybody.
            let nobody = name == "none" && matches!(bare(left), Term::Session("role"));
            Some(name == own || nobody)
        }
        Literal::Differ { left, right } if matches!(bare(left), Term::Session(name) if *name != "pg_backend_pid") => {
            Some(named(right)? != own)
        }
        Literal::Holds(Term::Builtin(name, members))
        | Literal::Fails(Term::Builtin(name, members))
            if name == "pg_has_role" =>
        {
            let (who, other) = match members.as_slice() {
                [other, _] => (role, other),
                [who, other, _] => match bare(who) {
                    Term::Session(_) => (role, other),
                    who => (roles.named(&named(who)?)?.oid, other),
                },
                _ => return None,
            };
            let other = roles.named(&named(other)?)?.oid;
            let is = roles.is_superuser(who) || roles.reachable(who).contains(&other);
            Some(is == matches!(literal, Literal::Holds(_)))
        }
        _ => None,
    }
}
