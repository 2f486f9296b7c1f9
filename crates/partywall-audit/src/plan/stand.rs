use super::outline::Actor;
use crate::{
    Fault, Finding, Severity,
    catalogue::{Privilege, Relation},
    check::Audit,
    sql::Name,
};

/// How a table stands before the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is to be walled.
    Open,
    /// Its policies hold, and nothing is found in them: they are left alone.
    Walled,
    /// The application that is there has nothing to do with it: it is left alone.
    Apart,
}

/// What the audit finds in the database as it is.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Finding>);

/// Those that a wall mends.
const OF_POLICIES: [Fault; 16] = [
    Fault::RlsOff,
    Fault::PolicyDormant,
    Fault::ChildUnscoped,
    Fault::RlsNoPolicy,
    Fault::OwnerNotForced,
    Fault::PolicyRoleInherited,
    Fault::PolicyTrue,
    Fault::PolicyWidens,
    Fault::CheckOpenInsert,
    Fault::CheckOpenUpdate,
    Fault::RestrictivePartial,
    Fault::NullTenantWritable,
    Fault::TenantPatternMatch,
    Fault::FailOpenUnset,
    Fault::FailOpenEmpty,
    Fault::GucAdminFlag,
];

const ROWS: [Privilege; 4] = [
    Privilege::Select,
    Privilege::Insert,
    Privilege::Update,
    Privilege::Delete,
];

impl Faults {
    pub(super) fn of(audit: &Audit<'_>) -> Self {
        Self(audit.findings())
    }

    /// Whether one of these opens a table, or is of it.
    pub(super) fn on(&self, table: &Name, faults: &[Fault]) -> bool {
        let name = table.to_string();
        self.0.iter().any(|finding| {
            faults.contains(&finding.id)
                && (finding.object == name
                    || finding.object.ends_with(&format!(" on {name}"))
                    || finding.tables.contains(&name))
        })
    }

    /// Whether this is found of an object: `constraint a on public.b`.
    pub(super) fn of_object(&self, object: &str, fault: Fault) -> bool {
        self.0
            .iter()
            .any(|finding| finding.id == fault && finding.object == object)
    }

    /// Whether this is found anywhere.
    pub(super) fn any(&self, fault: Fault) -> bool {
        self.0.iter().any(|finding| finding.id == fault)
    }

    /// Whether a table opens to the application in any way that was found.
    pub(super) fn opens(&self, table: &Name) -> bool {
        let name = table.to_string();
        let grave = |finding: &Finding| {
            matches!(finding.severity, Severity::High | Severity::Medium)
                && !finding.id.is_residual()
        };
        let mut found = self.0.iter().filter(|finding| grave(finding));
        found.any(|finding| finding.tables.contains(&name))
    }
}

impl Stand {
    pub(super) fn of(
        audit: &Audit<'_>,
        faults: &Faults,
        relation: &Relation,
        partitions: &[&Relation],
        apps: &[Actor],
    ) -> Self {
        let roles = || apps.iter().filter_map(|app| app.oid);
        let catalogue = audit.catalogue;
        if roles().next().is_none() || apps.iter().any(|app| app.oid.is_none()) {
            return Self::Open;
        }
        let all = || std::iter::once(relation).chain(partitions.iter().copied());
        let is_bound = roles().all(|role| !catalogue.is_exempt(role, relation));
        if relation.row_security && is_bound && !faults.on(&relation.name, &OF_POLICIES) {
            return Self::Walled;
        }
        let is_reached = roles().any(|role| {
            catalogue.roles.reachable(role).iter().any(|guise| {
                all().any(|it| {
                    it.owner == *guise
                        || catalogue.may_enter(*guise, it.namespace)
                            && ROWS
                                .into_iter()
                                .any(|right| catalogue.may_any_column(*guise, it, right))
                })
            })
        });
        if !is_reached && roles().all(|role| is_used(audit, role)) && !faults.opens(&relation.name)
        {
            return Self::Apart;
        }
        Self::Open
    }
}

/// Whether a role has anything to do with the database already: tables, views or functions that were given to it.
pub(super) fn is_used(audit: &Audit<'_>, role: crate::catalogue::Oid) -> bool {
    let catalogue = audit.catalogue;
    let guises = catalogue.roles.reachable(role);
    let own = |grantee| {
        guises
            .iter()
            .any(|guise| catalogue.roles.has_rights_of(*guise, grantee))
    };
    let relations = catalogue.relations.values().any(|relation| {
        relation.extension.is_none()
            && ROWS.into_iter().any(|right| {
                guises
                    .iter()
                    .any(|guise| catalogue.may_any_column(*guise, relation, right))
            })
    });
    let functions = catalogue.functions.values().any(|function| {
        function.extension.is_none()
            && function
                .grants
                .iter()
                .any(|grant| grant.grantee != crate::catalogue::PUBLIC && own(grant.grantee))
    });
    relations || functions
}
