use std::collections::BTreeSet;

use super::{Audit, Command, Policy, Table, object, remedy};
use crate::{Fault, Finding, sql::tidy, subject::alter_policy, wall::Gap};

fn is_shared(gap: &Gap) -> bool {
    matches!(gap, Gap::NullTenant { .. } | Gap::SharedTenant { .. })
}

/// Rows that all tenants share can be read by all, as they are meant to, and be written by all too.
pub(super) fn find(audit: &Audit<'_>, table: &Table<'_>, found: &mut Vec<Finding>) {
    let relation = table.relation;
    let commands: BTreeSet<Command> = table
        .openings
        .iter()
        .filter(|open| open.command != Command::Select && is_shared(&open.opening.gap))
        .map(|open| open.command)
        .collect();
    if commands.is_empty() {
        return;
    }
    let Some(tenant) = audit
        .subject
        .tenant_column(relation.oid)
        .and_then(|number| relation.column(number))
        .map(|column| tidy(&column.name))
    else {
        return;
    };
    let null = table
        .openings
        .iter()
        .any(|open| matches!(open.opening.gap, Gap::NullTenant { .. }));
    let rows = if null {
        format!("WHERE {tenant} IS NULL")
    } else {
        "of the tenant that all share".to_owned()
    };
    let attack = if commands.contains(&Command::Update) {
        format!("UPDATE {} SET … {rows}", relation.name)
    } else if commands.contains(&Command::Delete) {
        format!("DELETE FROM {} {rows}", relation.name)
    } else {
        format!("INSERT INTO {} VALUES (…)", relation.name)
    };
    for policy in table.with_gap(audit, is_shared) {
        if policy.command == Some(Command::Select) {
            continue;
        }
        let why = format!(
            "rows that all tenants share can be written by each of them: `{attack}` changes what every other tenant sees"
        );
        let fix = fix(audit, table, policy);
        found.push(
            Finding::new(
                Fault::NullTenantWritable,
                object(relation, policy),
                why,
                fix,
            )
            .tables([table.name()]),
        );
    }
}

/// Reading stays as it is; what writes is the tenant's alone.
fn fix(audit: &Audit<'_>, table: &Table<'_>, policy: &Policy) -> String {
    let relation = table.relation;
    let predicate = audit
        .subject
        .predicate(audit.catalogue, relation)
        .unwrap_or_else(|| "false".to_owned());
    if policy.command.is_some() {
        return alter_policy(
            relation,
            policy,
            policy.using.as_ref().map(|_| predicate.as_str()),
            policy.check.as_ref().map(|_| predicate.as_str()),
        );
    }
    let using = policy.using.as_ref().map(|it| it.text.as_str());
    let mut statements = vec![
        format!("DROP POLICY {} ON {};", tidy(&policy.name), relation.name),
        remedy::create(audit, relation, policy, &policy.name, "SELECT", using, None),
    ];
    for (command, using, check) in [
        ("INSERT", None, Some(predicate.as_str())),
        ("UPDATE", Some(predicate.as_str()), Some(predicate.as_str())),
        ("DELETE", Some(predicate.as_str()), None),
    ] {
        let name = remedy::fresh(
            relation,
            &format!("{}_{}", policy.name, command.to_lowercase()),
        );
        statements.push(remedy::create(
            audit, relation, policy, &name, command, using, check,
        ));
    }
    statements.join("\n")
}
