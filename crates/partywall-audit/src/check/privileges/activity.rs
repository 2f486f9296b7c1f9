use crate::{
    Fault, Finding,
    catalogue::Privilege,
    check::{
        Audit,
        app::{App, grantee},
    },
};

/// Statements of other sessions of the same login, while they run.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    let server = &audit.catalogue.server;
    // What `pg_stat_statements` keeps stays after they ran.
    let mut kept = Vec::new();
    for relation in audit.catalogue.relations.values() {
        if relation.extension.as_deref() != Some("pg_stat_statements") || relation.view.is_none() {
            continue;
        }
        for role in apps
            .iter()
            .flat_map(|app| app.grantees(relation, &[Privilege::Select]))
        {
            let revoke = format!(
                "REVOKE ALL ON {} FROM {};",
                relation.name,
                grantee(audit, role)
            );
            if !kept.contains(&revoke) {
                kept.push(revoke);
            }
        }
    }
    if !server.activity_public && kept.is_empty() {
        return;
    }
    let (object, exploit) = if server.activity_public {
        ("pg_stat_activity", "SELECT query FROM pg_stat_activity")
    } else {
        ("pg_stat_statements", "SELECT query FROM pg_stat_statements")
    };
    let name = apps.first().map_or_else(|| "PUBLIC".to_owned(), App::name);
    let why = format!(
        "all tenants' sessions are {name}, so `{exploit}` shows what the others run, with every value that is written into the statement: bind values, and hide the view where nothing of the application needs it"
    );
    let mut fix = Vec::new();
    if server.activity_public {
        fix.push(REVOKE.to_owned());
    }
    fix.extend(kept);
    found.push(Finding::new(Fault::Activity, object, why, fix.join("\n")));
}

/// The view and the functions under it. Those who watch the server keep them.
const REVOKE: &str = "DO $partywall$
DECLARE
  function regprocedure;
BEGIN
  FOR function IN
    SELECT p.oid FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'pg_catalog'::regnamespace
       AND p.proname IN ('pg_stat_get_activity', 'pg_stat_get_backend_activity')
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO pg_read_all_stats', function);
  END LOOP;
END
$partywall$;
REVOKE ALL ON pg_catalog.pg_stat_activity FROM PUBLIC;
GRANT SELECT ON pg_catalog.pg_stat_activity TO pg_read_all_stats;";
