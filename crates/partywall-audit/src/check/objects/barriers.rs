use crate::{
    Fault, Finding,
    catalogue::{Privilege, RelationKind},
    check::{
        Audit,
        reach::{Reach, holds_tenants, table_names},
    },
};

/// Views that choose the tenant's rows themselves, from tables that the application cannot read, and let a
/// function in the caller's WHERE see the other rows before they are left out.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for view in audit.catalogue.relations.values() {
        let Some(own) = view
            .view
            .as_ref()
            .filter(|_| view.kind == RelationKind::View)
        else {
            continue;
        };
        if own.security_barrier
            || own.security_invoker
            || view.extension.is_some()
            || !audit.subject.reports(view)
        {
            continue;
        }
        let askers = audit.askers_of(view, &[Privilege::Select]);
        let Some(asker) = askers.first() else {
            continue;
        };
        let hidden: Vec<_> = Reach::of_relation(audit, view, *asker)
            .accesses
            .into_iter()
            .filter(|access| {
                access.bound
                    && access.view == Some(view.oid)
                    && audit
                        .catalogue
                        .relations
                        .get(&access.table)
                        .is_some_and(|table| {
                            audit.catalogue.is_exempt(access.role, table)
                                && !audit.catalogue.is_exempt(*asker, table)
                                || !table.row_security
                                    && !audit.catalogue.may_any_column(
                                        *asker,
                                        table,
                                        Privilege::Select,
                                    )
                        })
                    && holds_tenants(audit, access.table)
            })
            .map(|access| access.table)
            .collect();
        if hidden.is_empty() {
            continue;
        }
        let tables = table_names(audit.catalogue, hidden);
        let why = format!(
            "it chooses the tenant's rows of {} itself and is no security barrier, so in \
             `SELECT * FROM {} WHERE pg_temp.leak(…)` a cheap function of the caller's sees the rows of all others \
             before they are left out",
            tables.join(", "),
            view.name
        );
        found.push(
            Finding::new(
                Fault::ViewNoBarrier,
                view.name.to_string(),
                why,
                format!("ALTER VIEW {} SET (security_barrier = true);", view.name),
            )
            .tables(tables),
        );
    }
}
