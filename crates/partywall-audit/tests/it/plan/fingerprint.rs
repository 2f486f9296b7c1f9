//! All that a plan may change in a database, as text.

use crate::database::Database;

const PARTS: &str = r#"
WITH name AS (
  SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS what, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)
SELECT concat_ws(' ', 'relation', what, relkind, relowner::regrole, relrowsecurity, relforcerowsecurity) FROM name
UNION ALL
SELECT concat_ws(' ', 'right', what, grantee::regrole, privilege_type, is_grantable)
  FROM name, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)))
 WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT concat_ws(' ', 'column', what, attname, format_type(atttypid, atttypmod), attnotnull, attacl::text, pg_get_expr(adbin, adrelid))
  FROM name JOIN pg_attribute a ON attrelid = name.oid LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
 WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v')
UNION ALL
SELECT concat_ws(' ', 'constraint', what, conname, pg_get_constraintdef(k.oid), convalidated, conparentid <> 0)
  FROM name JOIN pg_constraint k ON conrelid = name.oid WHERE contype <> 'n'
UNION ALL
SELECT concat_ws(' ', 'index', what, pg_get_indexdef(indexrelid), indisvalid, indisprimary) FROM name JOIN pg_index ON indexrelid = oid
UNION ALL
SELECT concat_ws(' ', 'policy', what, polname, polpermissive, polcmd, polroles::text, pg_get_expr(polqual, polrelid),
                 pg_get_expr(polwithcheck, polrelid))
  FROM name JOIN pg_policy ON polrelid = name.oid
UNION ALL
SELECT concat_ws(' ', 'trigger', what, pg_get_triggerdef(t.oid)) FROM name JOIN pg_trigger t ON tgrelid = name.oid WHERE NOT tgisinternal
UNION ALL
SELECT concat_ws(' ', 'function', p.oid::regprocedure, pg_get_functiondef(p.oid), proowner::regrole, proacl::text)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole, grantee::regrole, privilege_type)
  FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL
SELECT concat_ws(' ', 'default', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, grantee::regrole, privilege_type)
  FROM pg_default_acl, aclexplode(defaclacl)
UNION ALL
SELECT concat_ws(' ', 'database', datdba::regrole, grantee::regrole, privilege_type)
  FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE datname = current_database()
UNION ALL
SELECT concat_ws(' ', 'role', rolname, rolcanlogin, rolsuper, rolinherit) FROM pg_roles
 WHERE rolname ~ ('^' || current_database() || '_') OR rolname ~ ('_' || substring(current_database() from '[0-9]+$') || '$')
ORDER BY 1
"#;

pub(super) async fn fingerprint(db: &Database) -> String {
    let client = db.superuser().await;
    client
        .batch_execute("SET search_path = pg_catalog")
        .await
        .unwrap();
    let rows = client.query(PARTS, &[]).await.unwrap();
    let lines: Vec<String> = rows
        .iter()
        .filter_map(|row| row.get::<_, Option<String>>(0))
        .collect();
    lines.join("\n")
}

/// Where two differ.
pub(super) fn assert_same(name: &str, left: &str, right: &str) {
    let (a, b): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let gone: Vec<&&str> = a.iter().filter(|line| !b.contains(line)).collect();
    let new: Vec<&&str> = b.iter().filter(|line| !a.contains(line)).collect();
    assert!(
        gone.is_empty() && new.is_empty() && a.len() == b.len(),
        "{name}\ngone {gone:#?}\nnew {new:#?}"
    );
}
