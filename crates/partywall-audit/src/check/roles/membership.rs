use std::collections::BTreeSet;

use crate::{
    catalogue::{Catalogue, Oid, PUBLIC, Privilege, Reach, Relation, RelationKind, Roles, Way},
    check::{
        Audit,
        app::{App, ROWS},
    },
    sql::tidy,
};

/// The memberships to take away so that a role no longer reaches others.
#[derive(Debug)]
pub(super) struct Cut {
    app: Oid,
    memberships: BTreeSet<(Oid, Oid)>,
}

impl Cut {
    /// So that it cannot become some roles.
    pub(super) fn becoming(audit: &Audit<'_>, app: &App<'_>, targets: &[Oid]) -> Self {
        Self::new(audit, app, targets, Reach::way_to_become)
    }

    /// So that it neither becomes them nor has their rights.
    pub(super) fn acting(audit: &Audit<'_>, app: &App<'_>, targets: &[Oid]) -> Self {
        Self::new(audit, app, targets, Reach::way_to)
    }

    fn new(
        audit: &Audit<'_>,
        app: &App<'_>,
        targets: &[Oid],
        way: fn(&Reach, Oid) -> Option<Way>,
    ) -> Self {
        let (catalogue, app) = (audit.catalogue, app.role.oid);
        let mut memberships = BTreeSet::new();
        let mut roles = catalogue.roles.without(&memberships);
        for target in targets {
            while let Some(way) = way(&Reach::of(&roles, app), *target) {
                let (Some(near), Some(far)) = (way.first(), way.last()) else {
                    break;
                };
                // The nearest concerns this role alone. It stays where the role lives by what lies between.
                let cut = if rights(catalogue, &roles.without(&[*near].into()), app)
                    == rights(catalogue, &roles.without(&[*far].into()), app)
                    || is_predefined(far.0)
                {
                    *near
                } else {
                    *far
                };
                memberships.insert(cut);
                roles = catalogue.roles.without(&memberships);
            }
        }
        Self { app, memberships }
    }

    /// REVOKEs; before them, what the role would lose although it needs it: where its rights on tenants' tables
    /// all come by these memberships, rights of its own on the tables that are protected.
    pub(super) fn sql(&self, audit: &Audit<'_>) -> String {
        let catalogue = audit.catalogue;
        let after = catalogue.roles.without(&self.memberships);
        let mut lines = Vec::new();
        let serves = |roles: &Roles| {
            audit
                .subject
                .tenant_tables(catalogue)
                .any(|it| !held(roles, self.app, it).is_empty())
        };
        if serves(&catalogue.roles) && !serves(&after) {
            lines.extend(self.grants(audit, &after));
        }
        for (member, role) in &self.memberships {
            lines.extend(revoke(catalogue, *member, *role));
        }
        lines.join("\n")
    }

    /// Whether the role lives by them: no policy would let rows through to it any more, where one does now.
    /// The role that it is a member of is its group then, not somebody above it.
    pub(super) fn starves(&self, audit: &Audit<'_>) -> bool {
        let catalogue = audit.catalogue;
        let after = catalogue.roles.without(&self.memberships);
        let serves = |roles: &Roles, relation: &Relation| {
            relation.policies.iter().any(|policy| {
                let applies = |role: &Oid| roles.has_rights_of(self.app, *role);
                policy.permissive && policy.roles.iter().any(applies)
            })
        };
        audit.subject.tenant_tables(catalogue).any(|relation| {
            relation.row_security
                && !held(&catalogue.roles, self.app, relation).is_empty()
                && serves(&catalogue.roles, relation)
                && !serves(&after, relation)
        })
    }

    fn grants(&self, audit: &Audit<'_>, after: &Roles) -> Vec<String> {
        let catalogue = audit.catalogue;
        let name = tidy(catalogue.roles.name(self.app));
        let mut lines = Vec::new();
        let mut schemas = BTreeSet::new();
        for relation in catalogue.relations.values() {
            let had = held(&catalogue.roles, self.app, relation);
            if had.is_empty() || !held(after, self.app, relation).is_empty() {
                continue;
            }
            let rights = match relation.kind {
                RelationKind::Table | RelationKind::Partitioned if relation.is_partition => {
                    continue;
                }
                RelationKind::Table | RelationKind::Partitioned => {
                    if !audit.subject.is_tenants(relation.oid) {
                        vec!["SELECT"]
                    } else if relation.row_security {
                        had
                    } else {
                        continue;
                    }
                }
                RelationKind::Sequence => vec!["USAGE"],
                RelationKind::View => vec!["SELECT"],
                RelationKind::MaterializedView | RelationKind::Foreign | RelationKind::Other => {
                    continue;
                }
            };
            schemas.insert(relation.name.schema.clone());
            lines.push(format!(
                "GRANT {} ON {}{} TO {name};",
                rights.join(", "),
                if relation.kind == RelationKind::Sequence {
                    "SEQUENCE "
                } else {
                    ""
                },
                relation.name
            ));
        }
        let usage = schemas
            .iter()
            .map(|schema| format!("GRANT USAGE ON SCHEMA {} TO {name};", tidy(schema)));
        usage.chain(lines).collect()
    }
}

/// Takes a membership back, from everybody who granted it.
fn revoke(catalogue: &Catalogue, member: Oid, role: Oid) -> Vec<String> {
    let memberships = catalogue
        .roles
        .get(member)
        .map_or(&[][..], |member| &member.member_of);
    let (name, of) = (
        tidy(catalogue.roles.name(member)),
        tidy(catalogue.roles.name(role)),
    );
    memberships
        .iter()
        .filter(|membership| membership.role == role)
        .map(|membership| {
            let by = if catalogue.server.major() >= 16
                && catalogue.roles.get(membership.grantor).is_some()
            {
                format!(
                    " GRANTED BY {}",
                    tidy(catalogue.roles.name(membership.grantor))
                )
            } else {
                String::new()
            };
            // Whoever may grant it may have done so.
            let further = if membership.admin { " CASCADE" } else { "" };
            format!("REVOKE {of} FROM {name}{by}{further};")
        })
        .collect()
}

/// Roles that PostgreSQL brings along: their memberships are its own (`FirstNormalObjectId`).
pub(super) const fn is_predefined(role: Oid) -> bool {
    role < 16_384
}

/// What a role may do with the rows of a relation, without asking, as some roles are.
fn held(roles: &Roles, app: Oid, relation: &Relation) -> Vec<&'static str> {
    let has = |privilege: Privilege| {
        relation
            .grants
            .iter()
            .any(|grant| grant.privilege == privilege && roles.has_rights_of(app, grant.grantee))
    };
    ROWS.iter()
        .zip(["SELECT", "INSERT", "UPDATE", "DELETE"])
        .filter(|(privilege, _)| has(**privilege))
        .map(|(_, name)| name)
        .collect()
}

/// Everything that hangs on a role's memberships: rights on relations, schemas and functions, and policies.
fn rights(catalogue: &Catalogue, roles: &Roles, app: Oid) -> BTreeSet<(Oid, u8, Option<i16>)> {
    let mut found = BTreeSet::new();
    let has = |grantee: Oid| grantee == PUBLIC || roles.has_rights_of(app, grantee);
    for relation in catalogue.relations.values() {
        for grant in relation.grants.iter().filter(|grant| has(grant.grantee)) {
            found.insert((relation.oid, grant.privilege as u8, grant.column));
        }
        for (number, policy) in relation.policies.iter().enumerate() {
            if policy.roles.iter().any(|role| has(*role)) {
                found.insert((relation.oid, u8::MAX, i16::try_from(number).ok()));
            }
        }
    }
    let namespaces = catalogue.namespaces.values().map(|it| (it.oid, &it.grants));
    let functions = catalogue.functions.values().map(|it| (it.oid, &it.grants));
    for (oid, grants) in namespaces.chain(functions) {
        for grant in grants.iter().filter(|grant| has(grant.grantee)) {
            found.insert((oid, grant.privilege as u8, None));
        }
    }
    found
}

/// Takes an attribute from the roles that a role has to stay a member of, and the others from its reach.
pub(super) fn without(
    audit: &Audit<'_>,
    app: &App<'_>,
    targets: &[Oid],
    attribute: &str,
) -> String {
    let (groups, others): (Vec<Oid>, Vec<Oid>) = targets
        .iter()
        .partition(|target| Cut::becoming(audit, app, &[**target]).starves(audit));
    let mut lines: Vec<String> = groups
        .iter()
        .map(|group| {
            let superuser = audit.catalogue.roles.is_superuser(*group);
            let attributes = if superuser {
                "NOSUPERUSER NOBYPASSRLS"
            } else {
                attribute
            };
            let name = tidy(audit.catalogue.roles.name(*group));
            format!("ALTER ROLE {name} {attributes};")
        })
        .collect();
    let cut = Cut::becoming(audit, app, &others).sql(audit);
    lines.extend((!cut.is_empty()).then_some(cut));
    lines.join("\n")
}
