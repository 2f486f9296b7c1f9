//! Policies that do not ask for the tenant, for all commands or for some.

use std::collections::{BTreeMap, BTreeSet};

use super::{Audit, Command, Oid, Open, Policy, Relation, Table, leave, object, remedy};
use crate::{
    Fault, Finding,
    catalogue::PUBLIC,
    expression::{Constant, Term, bare},
    sql::tidy,
    subject::alter_policy,
    wall::Gap,
};

/// What is open of one policy.
struct Opened<'t> {
    policy: &'t Policy,
    /// One of the roles, to judge other policies by.
    role: Oid,
    /// The commands whose USING lets others' rows through.
    using: BTreeSet<Command>,
    /// The commands whose check lets others' rows be made.
    check: BTreeSet<Command>,
    gaps: BTreeSet<&'t Gap>,
}

/// `grants`: whether the table's own writes are told of already.
pub(super) fn find(audit: &Audit<'_>, table: &Table<'_>, grants: bool, found: &mut Vec<Finding>) {
    let mut opened: BTreeMap<&str, Opened<'_>> = BTreeMap::new();
    for open in &table.openings {
        if !matches!(
            open.opening.gap,
            Gap::Always | Gap::Columns { .. } | Gap::Lookup { .. }
        ) {
            // What others' rules are for, or what is meant to be read by all. To write it is not.
            let written = matches!(open.opening.gap, Gap::Privileged { .. }) && open.opening.check;
            if !written {
                continue;
            }
        }
        let Some(policy) = table.policy(&open.opening.policy) else {
            continue;
        };
        note(&mut opened, policy, open);
    }
    for opened in opened.values() {
        if let Some(partial) = partial(audit, table, opened) {
            found.push(partial);
        } else if !opened.using.is_empty() || opened.policy.check.is_none() {
            // The check of a policy that is open already, or that it takes from USING, is the same mistake.
            let insert_only = opened.policy.command == Some(Command::Insert);
            if insert_only {
                if !grants {
                    found.push(check(audit, table, opened));
                }
            } else if !opened.using.is_empty() {
                found.push(using(audit, table, opened));
            } else if !grants {
                found.push(owned(audit, table, opened));
            }
        } else if !grants {
            found.push(check(audit, table, opened));
        }
    }
}

fn note<'t>(opened: &mut BTreeMap<&'t str, Opened<'t>>, policy: &'t Policy, open: &'t Open) {
    let it = opened.entry(&policy.name).or_insert_with(|| Opened {
        policy,
        role: open.role,
        using: BTreeSet::new(),
        check: BTreeSet::new(),
        gaps: BTreeSet::new(),
    });
    it.gaps.insert(&open.opening.gap);
    if open.opening.check {
        it.check.insert(open.command);
    } else {
        it.using.insert(open.command);
    }
}

/// A restrictive policy keeps the tenants apart, but not for every command that is granted.
fn partial(audit: &Audit<'_>, table: &Table<'_>, opened: &Opened<'_>) -> Option<Finding> {
    let relation = table.relation;
    let all: BTreeSet<Command> = opened.using.union(&opened.check).copied().collect();
    let floor = relation.policies.iter().find(|policy| {
        !policy.permissive
            && policy.command.is_some()
            && policy
                .roles
                .iter()
                .any(|to| audit.catalogue.roles.has_rights_of(opened.role, *to))
            && all.iter().any(|command| !policy.covers(*command))
            && audit
                .wall
                .gaps(
                    opened.role,
                    relation,
                    policy,
                    policy.command == Some(Command::Insert),
                )
                .is_empty()
    })?;
    let condition = floor.using.as_ref().or(floor.check.as_ref())?;
    let open: Vec<&str> = all
        .iter()
        .filter(|command| !floor.covers(**command))
        .map(|command| command.keyword())
        .collect();
    let worst = statement(relation, &all, &opened.using);
    let why = format!(
        "the restrictive policy {} holds for {} alone, and {} lets other tenants' rows through for {}: `{worst}`",
        tidy(&floor.name),
        floor.command_keyword(),
        tidy(&opened.policy.name),
        open.join(", "),
    );
    let mut fix = format!("DROP POLICY {} ON {};\n", tidy(&floor.name), relation.name);
    fix.push_str(&remedy::create(
        audit,
        relation,
        floor,
        &floor.name,
        "ALL",
        Some(&condition.text),
        Some(&condition.text),
    ));
    Some(
        Finding::new(Fault::RestrictivePartial, object(relation, floor), why, fix)
            .tables([table.name()]),
    )
}

/// Others' rows pass.
fn using(audit: &Audit<'_>, table: &Table<'_>, opened: &Opened<'_>) -> Finding {
    let relation = table.relation;
    let always = opened.gaps.contains(&Gap::Always);
    let mut attack = format!("`{}`", statement(relation, &opened.using, &opened.using));
    if !opened.policy.roles.contains(&PUBLIC) {
        attack.push_str(&format!(" of {}", super::roles(audit, opened.policy)));
    }
    let staff = if always {
        members(audit, relation, opened)
    } else {
        Vec::new()
    };
    let left = leave(audit, opened.role, &staff);
    let (fault, why) = if let (Some(_), Some(group)) = (&left, staff.first()) {
        let (role, group) = (
            tidy(audit.catalogue.roles.name(opened.role)),
            tidy(audit.catalogue.roles.name(*group)),
        );
        (
            Fault::PolicyTrue,
            format!(
                "it lets every row through to members of {group}, and {role} is one, so {attack} reaches the rows of every tenant"
            ),
        )
    } else if always {
        (
            Fault::PolicyTrue,
            format!(
                "it lets every row through, and permissive policies add up, so {attack} reaches the rows of every tenant"
            ),
        )
    } else {
        let asks = asks(audit, relation, &opened.gaps);
        (
            Fault::PolicyWidens,
            format!(
                "it asks for {asks} and not for the tenant, and permissive policies add up, so {attack} reaches rows of other tenants"
            ),
        )
    };
    let fix =
        left.unwrap_or_else(|| remedy::tenant(audit, table, opened.role, opened.policy, !always));
    Finding::new(fault, object(relation, opened.policy), why, fix).tables([table.name()])
}

/// The roles that a policy asks for and that the application's is a member of: `pg_has_role('staff', 'member')`.
fn members(audit: &Audit<'_>, relation: &Relation, opened: &Opened<'_>) -> Vec<Oid> {
    let roles = &audit.catalogue.roles;
    let Some(term) = audit.wall.term(relation, opened.policy, false) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    term.walk(&mut |term| {
        let Term::Builtin(name, members) = term else {
            return;
        };
        for member in members.iter().filter(|_| name == "pg_has_role") {
            if let Term::Constant(Constant::Text(name)) = bare(member)
                && let Some(role) = roles.named(name)
                && role.oid != opened.role
                && roles.reachable(opened.role).contains(&role.oid)
            {
                found.push(role.oid);
            }
        }
    });
    found
}

/// A policy that is enough to see one's own rows, and not to make some: `user_id = …`, taken for the check too.
fn owned(audit: &Audit<'_>, table: &Table<'_>, opened: &Opened<'_>) -> Finding {
    let relation = table.relation;
    let insert = opened.check.contains(&Command::Insert);
    let fault = if insert {
        Fault::CheckOpenInsert
    } else {
        Fault::CheckOpenUpdate
    };
    let asks = asks(audit, relation, &opened.gaps);
    let why = format!(
        "new rows are checked for {asks} and not for the tenant, so `{}` puts a row into another tenant",
        writing(audit, relation, insert)
    );
    let predicate = audit.predicate(relation);
    let old = opened.policy.using.as_ref().map(|it| it.text.as_str());
    let check = match (predicate, old) {
        (Some(predicate), Some(old)) => format!("{predicate} AND ({old})"),
        (Some(predicate), None) => predicate,
        (None, _) => "false".to_owned(),
    };
    let fix = alter_policy(relation, opened.policy, None, Some(&check));
    Finding::new(fault, object(relation, opened.policy), why, fix).tables([table.name()])
}

/// Rows can be made for others.
fn check(audit: &Audit<'_>, table: &Table<'_>, opened: &Opened<'_>) -> Finding {
    let relation = table.relation;
    let policy = opened.policy;
    let insert = opened.check.contains(&Command::Insert);
    let fault = if insert {
        Fault::CheckOpenInsert
    } else {
        Fault::CheckOpenUpdate
    };
    let says = if opened.gaps.contains(&Gap::Always) {
        "WITH CHECK lets every new row through".to_owned()
    } else {
        format!(
            "WITH CHECK asks for {} and not for the tenant",
            asks(audit, relation, &opened.gaps)
        )
    };
    let why = if insert {
        format!(
            "{says}, so `{}` puts a row into another tenant",
            writing(audit, relation, true)
        )
    } else {
        format!(
            "{says}, so `{}` moves one's own rows to another tenant",
            writing(audit, relation, false)
        )
    };
    // What USING asks for is right for new rows too, where it asks for the tenant.
    let using = policy.using.as_ref().filter(|_| opened.using.is_empty());
    let text = using
        .map(|using| using.text.clone())
        .or_else(|| audit.predicate(relation))
        .unwrap_or_else(|| "false".to_owned());
    let fix = alter_policy(relation, policy, None, Some(&text));
    Finding::new(fault, object(relation, policy), why, fix).tables([table.name()])
}

/// What a policy asks for instead of the tenant, in words.
fn asks(audit: &Audit<'_>, relation: &Relation, gaps: &BTreeSet<&Gap>) -> String {
    let mut what: Vec<String> = Vec::new();
    for gap in gaps {
        let tenant = audit.subject.tenant_column(relation.oid);
        if let Gap::Columns { columns } = gap
            && tenant.is_some_and(|tenant| columns.as_slice() == [tenant])
        {
            what.push(format!(
                "something that several tenants' {} have in common",
                relation.column_list(columns)
            ));
        } else if let Gap::Columns { columns } = gap {
            what.push(relation.column_list(columns));
        } else if let Gap::Lookup { relation } | Gap::Privileged { relation } = gap
            && let Some(other) = audit.catalogue.relations.get(relation)
        {
            what.push(format!("a row of {}", other.name));
        }
    }
    what.retain(|it| !it.is_empty());
    if what.is_empty() {
        "something else".to_owned()
    } else {
        what.join(" and ")
    }
}

/// What an attacker would run: to read if that is open, and otherwise the blind write.
fn statement(relation: &Relation, all: &BTreeSet<Command>, using: &BTreeSet<Command>) -> String {
    let table = &relation.name;
    if all.contains(&Command::Select) {
        format!("SELECT * FROM {table}")
    } else if all.contains(&Command::Delete) {
        format!("DELETE FROM {table}")
    } else if using.contains(&Command::Update) || all.contains(&Command::Update) {
        let column = relation
            .columns
            .iter()
            .find(|column| !column.generated)
            .map_or_else(|| "id".to_owned(), |column| tidy(&column.name));
        format!("UPDATE {table} SET {column} = {column}")
    } else {
        format!("INSERT INTO {table} VALUES (…)")
    }
}

/// The statement that gives a row to another tenant.
fn writing(audit: &Audit<'_>, relation: &Relation, insert: bool) -> String {
    let column = audit
        .subject
        .tenant_column(relation.oid)
        .and_then(|number| relation.column(number))
        .map(|column| tidy(&column.name));
    let table = &relation.name;
    match (insert, column) {
        (true, Some(column)) => {
            format!("INSERT INTO {table} ({column}, …) VALUES ('<another tenant>', …)")
        }
        (true, None) => format!("INSERT INTO {table} VALUES (…)"),
        (false, Some(column)) => format!("UPDATE {table} SET {column} = '<another tenant>'"),
        (false, None) => format!("UPDATE {table} SET …"),
    }
}
