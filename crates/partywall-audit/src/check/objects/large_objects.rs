use crate::{
    Fault, Finding,
    catalogue::{Column, LargeObject, Oid, Privilege, Relation, Setting},
    check::Audit,
    sql::tidy,
};

/// `oid` (pg_type.dat).
const OID: Oid = 26;

/// Columns of tenants' tables that refer to large objects, which every login may read that is the owner's.
pub(super) fn find(audit: &Audit<'_>, found: &mut Vec<Finding>) {
    let server = &audit.catalogue.server;
    if !server.large_objects_public {
        return;
    }
    let unchecked = audit.askers().iter().any(|role| is_unchecked(audit, *role));
    let readable = server.large_objects.iter().any(|object| {
        unchecked
            || audit
                .askers()
                .iter()
                .any(|role| may_read(audit, *role, object))
    });
    for table in audit.subject.tenant_tables(audit.catalogue) {
        if table.is_partition || !audit.subject.reports(table) {
            continue;
        }
        let askers = audit.askers_of(table, &[Privilege::Select, Privilege::Insert]);
        if askers.is_empty() {
            continue;
        }
        for column in table.columns.iter().filter(|column| !column.generated) {
            if is_reference(column, readable) {
                found.push(finding(table, column, unchecked));
            }
        }
    }
}

/// The type of the extension `lo` is for nothing else; a plain number may be, so there must be an object.
fn is_reference(column: &Column, any_readable: bool) -> bool {
    let plain = column.type_name.rsplit('.').next().unwrap_or_default();
    (column.type_kind == 'd' && plain == "lo") || (column.base_oid == OID && any_readable)
}

fn may_read(audit: &Audit<'_>, role: Oid, object: &LargeObject) -> bool {
    let roles = &audit.catalogue.roles;
    roles.has_rights_of(role, object.owner)
        || object.grants.iter().any(|grant| {
            grant.privilege == Privilege::Select && roles.has_rights_of(role, grant.grantee)
        })
}

/// Whether PostgreSQL asks for no right to a large object where somebody has logged in as a role
/// (`lo_compat_privileges`): what is set for the role counts, then for the database, then for the server.
fn is_unchecked(audit: &Audit<'_>, role: Oid) -> bool {
    const NAME: &str = "lo_compat_privileges";
    let server = &audit.catalogue.server;
    let own = |role: Option<Oid>| {
        let mut set: Vec<&Setting> = audit
            .catalogue
            .settings
            .iter()
            .filter(|setting| setting.role == role && setting.name == NAME)
            .collect();
        set.sort_by_key(|setting| setting.in_database);
        set.pop()
            .map(|setting| matches!(setting.value.as_str(), "on" | "true" | "yes" | "1"))
    };
    // Whoever audits may have a value of its own.
    let here = server.large_objects_unchecked && own(Some(server.user)).is_none();
    own(Some(role)).or_else(|| own(None)).unwrap_or(here)
}

fn finding(table: &Relation, column: &Column, unchecked: bool) -> Finding {
    let (name, table_name) = (tidy(&column.name), table.name.to_string());
    let whose = if unchecked {
        "lo_compat_privileges is on, by which large objects are everybody's"
    } else {
        "its large objects belong to the application's login and not to a row"
    };
    let why = format!(
        "{whose}, so `SELECT lo_get(oid) FROM pg_largeobject_metadata` reads those of every tenant"
    );
    // What is copied into the rows, where the policies are, is then taken away.
    let fix = format!(
        "CREATE TEMPORARY TABLE partywall_large_objects AS \
         SELECT DISTINCT {name}::oid AS large_object FROM {table_name} WHERE {name} IS NOT NULL;\n\
         ALTER TABLE {table_name} ALTER COLUMN {name} DROP DEFAULT;\n\
         ALTER TABLE {table_name} ALTER COLUMN {name} TYPE bytea USING pg_catalog.lo_get({name}::oid);\n\
         SELECT pg_catalog.lo_unlink(large_object) FROM partywall_large_objects;\n\
         DROP TABLE partywall_large_objects;"
    );
    Finding::new(Fault::LargeObject, format!("{table_name}.{name}"), why, fix).tables([table_name])
}
