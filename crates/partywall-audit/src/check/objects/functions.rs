use super::owner::why_exempt;
use crate::{
    Fault, Finding,
    catalogue::{Command, Function, Oid, PUBLIC, Privilege},
    check::{
        Audit,
        reach::{Access, Reach, Reached, table_names},
    },
    sql::tidy,
    wall::Standing,
};

/// `event_trigger` (pg_type.dat).
const EVENT_TRIGGER: Oid = 3838;

/// Functions that act as an owner that no policy holds for, and do not keep to the context's tenant
/// themselves.
///
/// An owner on whom the policies are forced is bound by them like everybody; a policy that is for this very
/// role was written for its functions, which ask for a secret or a right before they answer.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    for function in audit.catalogue.functions.values() {
        if !function.security_definer
            || function.is_trigger
            || function.returns == EVENT_TRIGGER
            || function.extension.is_some()
            || !reports(audit, function)
        {
            continue;
        }
        let askers: Vec<Oid> = audit
            .askers()
            .iter()
            .copied()
            .filter(|role| audit.catalogue.may_call(*role, function))
            .collect();
        if askers.is_empty() {
            continue;
        }
        let reached = Reach::of_function(audit, function);
        let accesses = past(audit, &reached);
        let Some(first) = accesses.first() else {
            found.extend(for_everybody(audit, function, &reached));
            continue;
        };
        let tables = table_names(audit.catalogue, accesses.iter().map(|access| access.table));
        let told = if reached.exempt(audit).is_empty() {
            "may reach"
        } else {
            "reaches"
        };
        let why = format!(
            "it {told} {} as {}, whatever tenant is asking, and {} may call it: `SELECT {}(…)` with another \
             tenant's keys",
            tables.join(", "),
            why_exempt(audit, *first),
            audit.role_list(&askers),
            function.name
        );
        found.push(
            Finding::new(
                Fault::SecdefFn,
                function.signature(),
                why,
                fix(audit, function, &accesses),
            )
            .tables(tables),
        );
    }
}

/// As whoever calls it, a function that the policies of what it reads ask would ask them again, without end.
fn fix(audit: &Audit<'_>, function: &Function, accesses: &[Access]) -> String {
    let asked = accesses
        .iter()
        .filter_map(|access| audit.catalogue.relations.get(&access.table))
        .find(|table| {
            table.policies.iter().any(|policy| {
                let facts = audit.wall.facts(table, policy);
                facts.functions.contains(&function.oid)
            })
        });
    match asked {
        Some(table) => format!(
            "-- The policies of {} ask {}, which has to stay SECURITY DEFINER for that: make it answer for the session's own alone.",
            table.name,
            function.signature()
        ),
        None => invoker(function),
    }
}

/// A function whose owner has policies of its own was written to reach more, for whom it is granted to: where
/// that is everybody, nobody thought of it.
fn for_everybody(audit: &Audit<'_>, function: &Function, reached: &Reached) -> Option<Finding> {
    let granted = function
        .grants
        .iter()
        .any(|grant| grant.grantee == PUBLIC && grant.privilege == Privilege::Execute);
    let is_open = |role: Oid, table: Oid| {
        Command::ALL.iter().any(|command| {
            matches!(
                audit.wall.standing(role, table, *command),
                Standing::Open(_)
            )
        })
    };
    let open: Vec<&Access> = reached
        .accesses
        .iter()
        .filter(|access| {
            granted
                && !access.bound
                && audit.subject.is_tenants(access.table)
                && is_open(access.role, access.table)
                && !audit
                    .askers()
                    .iter()
                    .any(|asker| is_open(*asker, access.table))
        })
        .collect();
    let first = open.first()?;
    let tables = table_names(audit.catalogue, open.iter().map(|access| access.table));
    let why = format!(
        "everybody may call it, and the policies let its owner {} through to the rows of all tenants in {}: \
         `SELECT {}(…)` with another tenant's keys",
        tidy(audit.catalogue.roles.name(first.role)),
        tables.join(", "),
        function.name
    );
    let fix = format!(
        "REVOKE EXECUTE ON {} {} FROM PUBLIC;",
        function.keyword(),
        function.signature()
    );
    Some(Finding::new(Fault::SecdefFn, function.signature(), why, fix).tables(tables))
}

/// What a function touches past the policies. Where it cannot be told what it does, everything that the role
/// it acts as can.
pub(super) fn past(audit: &Audit<'_>, reached: &Reached) -> Vec<Access> {
    let mut accesses = reached.exempt(audit);
    for role in &reached.opaque {
        for table in audit.subject.tenant_tables(audit.catalogue) {
            let may = audit.catalogue.may_enter(*role, table.namespace)
                && super::DATA
                    .iter()
                    .any(|privilege| audit.catalogue.may_any_column(*role, table, *privilege));
            if may && audit.catalogue.is_exempt(*role, table) {
                accesses.push(Access {
                    table: table.oid,
                    role: *role,
                    bound: false,
                    view: None,
                });
            }
        }
    }
    // What the application reads without any policy has its own fault.
    accesses.retain(|access| {
        audit
            .catalogue
            .relations
            .get(&access.table)
            .is_some_and(|table| {
                table.row_security || audit.askers_of(table, &super::DATA).is_empty()
            })
    });
    accesses.sort_unstable();
    accesses.dedup();
    accesses
}

pub(super) fn invoker(function: &Function) -> String {
    format!(
        "ALTER {} {} SECURITY INVOKER;",
        function.keyword(),
        function.signature()
    )
}

pub(super) fn reports(audit: &Audit<'_>, function: &Function) -> bool {
    audit.subject.reports_schema(&function.name.schema)
}
