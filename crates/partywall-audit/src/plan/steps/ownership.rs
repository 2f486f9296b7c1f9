use super::{grants, rights, routine};
use crate::{
    catalogue::{Oid, Relation},
    plan::{
        Outline, Phase, Step, done,
        outline::{Belongs, Table},
        stand::Stand,
    },
    sql::{literal, tidy},
};

/// Whether a table or a partition is to be the owner's: not that of a role that migrates it, and that the
/// application cannot become.
fn is_moved(outline: &Outline<'_>, table: &Table<'_>, relation: &Relation) -> bool {
    let roles = &outline.catalogue.roles;
    let apps = || outline.apps.iter().filter_map(|app| app.oid);
    let is_apps = apps()
        .any(|app| roles.reachable(app).contains(&relation.owner) && !roles.is_superuser(app));
    Some(relation.owner) != outline.owner.oid
        && (is_apps
            || table.stand == Stand::Open && roles.bypasses(relation.owner) && !outline.is_begun())
}

/// Of a table and its partitions, those that are to be the owner's.
pub(super) fn moved<'a>(
    outline: &'a Outline<'_>,
    table: &'a Table<'_>,
) -> impl Iterator<Item = &'a Relation> {
    let is_decided = table.belongs != Belongs::Undecided;
    let all = table.all().filter(move |_| is_decided);
    all.filter(move |relation| is_moved(outline, table, relation))
}

/// Whether something in a schema is to be the owner's that is not.
pub(super) fn makes_in(outline: &Outline<'_>, schema: &str) -> bool {
    outline
        .tables()
        .filter(|table| table.belongs != Belongs::Undecided)
        .filter(|table| table.name().schema == schema)
        .any(|table| {
            let fills = table.tenant.as_ref().is_some_and(|it| !it.not_null)
                && matches!(table.belongs, Belongs::Path(_));
            fills || moved(outline, table).next().is_some()
        })
}

/// Gives what the wall stands on to a role that no request runs as. The application keeps its rights on rows:
/// those that it had as the owner are granted in the same transaction.
pub(super) fn add(outline: &Outline<'_>, steps: &mut Vec<Step>) {
    let catalogue = outline.catalogue;
    let owner = tidy(&outline.owner.name);
    let is_app = |oid: Oid| outline.apps.iter().find(|app| app.oid == Some(oid));
    let database = &catalogue.server.database;
    if let Some(app) = is_app(catalogue.server.database_owner) {
        let (name, app) = (tidy(database), tidy(&app.name));
        let done = format!(
            "EXISTS (SELECT FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba \
             WHERE d.datname = {} AND r.rolname = {})",
            literal(database),
            literal(&outline.owner.name)
        );
        steps.push(
            Step::new(
                Phase::Protect,
                format!("owner of database {name}"),
                "keeps the application from changing the settings and schemas that all tenants share",
            )
            .sql(format!(
                "ALTER DATABASE {name} OWNER TO {owner};\nGRANT CONNECT, TEMPORARY ON DATABASE {name} TO {app};"
            ))
            .undo(routine::when(
                &done,
                &[
                    format!("REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM {app};"),
                    format!("ALTER DATABASE {name} OWNER TO {app};"),
                ],
            ))
            .locks("none on tables")
            .done(done),
        );
    }
    let mut schemas: Vec<&str> = outline
        .tables()
        .map(|table| table.name().schema.as_str())
        .collect();
    schemas.sort_unstable();
    schemas.dedup();
    for schema in schemas {
        let Some((namespace, app)) = catalogue
            .namespaces
            .values()
            .find(|it| it.name == schema)
            .and_then(|it| Some((it, is_app(it.owner)?)))
        else {
            continue;
        };
        let (name, app) = (tidy(&namespace.name), tidy(&app.name));
        let done = format!(
            "EXISTS (SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner \
             WHERE n.nspname = {} AND r.rolname = {})",
            literal(schema),
            literal(&outline.owner.name)
        );
        steps.push(
            Step::new(
                Phase::Protect,
                format!("owner of schema {name}"),
                "keeps the application from planting in the schema what others call",
            )
            .sql(format!(
                "ALTER SCHEMA {name} OWNER TO {owner};\nGRANT USAGE ON SCHEMA {name} TO {app};"
            ))
            .undo(routine::when(
                &done,
                &[
                    format!("REVOKE USAGE ON SCHEMA {name} FROM {app};"),
                    format!("ALTER SCHEMA {name} OWNER TO {app};"),
                ],
            ))
            .locks("none on tables")
            .done(done),
        );
    }
    for table in outline
        .tables()
        .filter(|table| table.belongs != Belongs::Undecided)
    {
        let moved: Vec<_> = moved(outline, table).collect();
        if moved.is_empty() {
            continue;
        }
        let (mut sql, mut undo, mut done) = (Vec::new(), Vec::new(), Vec::new());
        for relation in &moved {
            sql.push(format!("ALTER TABLE {} OWNER TO {owner};", relation.name));
            done.push(done::owner(&relation.name, &outline.owner.name));
        }
        let is_moved = done.join("\n  AND ");
        // All that it had as the owner is gone with it.
        for mut right in rights::of(outline, table) {
            let late_too = right.late && table.belongs == Belongs::Global;
            if right.is_owners() && !late_too {
                right.had.clear();
                sql.extend(grants::statements(&right));
                undo.extend(grants::back(&right));
                done.push(grants::is_done(&right));
            }
        }
        for relation in moved.iter().rev() {
            let before = tidy(catalogue.roles.name(relation.owner));
            undo.push(format!("ALTER TABLE {} OWNER TO {before};", relation.name));
        }
        steps.push(
            Step::new(
                Phase::Protect,
                format!("owner of {}", table.name()),
                "keeps the table's policies out of the application's reach",
            )
            .sql(sql.join("\n"))
            .undo(routine::when(&is_moved, &undo))
            .locks("ACCESS EXCLUSIVE, for an instant")
            .done(done.join("\n  AND ")),
        );
    }
}
