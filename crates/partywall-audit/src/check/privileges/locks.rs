use crate::{
    Fault, Finding,
    check::{Audit, app::App},
};

/// Locks by number, which are the whole database's.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    if !audit.catalogue.server.advisory_locks_public {
        return;
    }
    let name = apps.first().map_or_else(|| "PUBLIC".to_owned(), App::name);
    let why = format!(
        "{name} may take any advisory lock, and their numbers are all tenants': `SELECT pg_advisory_lock(4242)` lets everybody else wait who uses that number: make numbers from the tenant and the name (`hashtextextended`), set lock_timeout, and where nothing of the application locks so, take the right away"
    );
    found.push(Finding::new(
        Fault::AdvisoryLock,
        "advisory locks",
        why,
        REVOKE,
    ));
}

const REVOKE: &str = "DO $partywall$
DECLARE
  function regprocedure;
BEGIN
  FOR function IN
    SELECT p.oid FROM pg_catalog.pg_proc p
     WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname ~ '^pg_(try_)?advisory_'
  LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
  END LOOP;
END
$partywall$;";
