use super::{Exposure, Style, off};
use crate::{
    Fault, Finding,
    catalogue::{Constraint, Oid, Privilege, Reference, Relation},
    check::{
        Audit,
        app::{App, listed},
    },
    sql::tidy,
};

/// A table whose rows belong to tenants through their parents, and that nothing protects.
pub(super) fn unscoped(
    audit: &Audit<'_>,
    apps: &[App<'_>],
    style: &Style,
    relation: &Relation,
    constraint: Oid,
    exposure: &Exposure,
) -> Option<Finding> {
    let (_, reference, parent) = link(audit, relation, constraint)?;
    let predicate = predicate(audit, style, relation, constraint)?;
    let why = format!(
        "its rows belong to those of {}, which has the tenant, and nothing protects it from {}: {}",
        parent.name,
        listed(&exposure.roles),
        exposure.exploit(relation)
    );
    let mut fix = style.protect(relation, &predicate);
    // The policy looks at the parent with the rights of whoever asks.
    for app in apps {
        let blind = !app.bypasses()
            && !app.commands(relation).is_empty()
            && !audit
                .catalogue
                .may_any_column(app.role.oid, parent, Privilege::Select);
        if blind {
            let columns = parent.column_list(&needed(audit, parent, reference));
            fix.push_str(&format!(
                "\nGRANT SELECT ({columns}) ON {} TO {};",
                parent.name,
                app.name()
            ));
        }
    }
    fix.push_str(&off::below(audit, style, relation));
    Some(
        Finding::new(Fault::ChildUnscoped, relation.name.to_string(), why, fix)
            .tables([relation.name.to_string()]),
    )
}

/// `EXISTS (…)`: the row's parent is there for whoever asks, and is the tenant's.
pub(super) fn predicate(
    audit: &Audit<'_>,
    style: &Style,
    relation: &Relation,
    constraint: Oid,
) -> Option<String> {
    let (constraint, reference, parent) = link(audit, relation, constraint)?;
    let child = tidy(&relation.name.name);
    let alias = if child == "parent" { "above" } else { "parent" };
    let mut conditions: Vec<String> = constraint
        .columns
        .iter()
        .zip(&reference.columns)
        .map(|(own, theirs)| {
            Some(format!(
                "{alias}.{} = {child}.{}",
                tidy(&parent.column(*theirs)?.name),
                tidy(&relation.column(*own)?.name)
            ))
        })
        .collect::<Option<_>>()?;
    if let Some(column) = audit
        .subject
        .tenant_column(parent.oid)
        .and_then(|it| parent.column(it))
    {
        conditions.push(format!("{alias}.{}", style.equality(parent, column)));
    }
    Some(format!(
        "EXISTS (SELECT FROM {} {alias} WHERE {})",
        parent.name,
        conditions.join(" AND ")
    ))
}

/// The columns of a parent that the policy of a child reads.
fn needed(audit: &Audit<'_>, parent: &Relation, reference: &Reference) -> Vec<i16> {
    let mut columns = reference.columns.clone();
    columns.extend(audit.subject.tenant_column(parent.oid));
    columns.sort_unstable();
    columns.dedup();
    columns
}

fn link<'a>(
    audit: &Audit<'a>,
    relation: &'a Relation,
    constraint: Oid,
) -> Option<(&'a Constraint, &'a Reference, &'a Relation)> {
    let (constraint, reference) = relation
        .foreign_keys()
        .find(|(it, _)| it.oid == constraint)?;
    let parent = audit.catalogue.relations.get(&reference.relation)?;
    Some((constraint, reference, parent))
}
