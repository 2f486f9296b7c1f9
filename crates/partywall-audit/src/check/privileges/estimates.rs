use crate::{
    Fault, Finding,
    catalogue::{Privilege, Relation},
    check::{Audit, app::App},
    sql::literal,
};

/// What the planner's estimates tell of rows that are not seen.
///
/// ANALYZE keeps samples of the values of all tenants. Nobody but a superuser reads them (`pg_stats` hides those of
/// tables with policies), but the planner does for whoever asks, where the operator is leakproof, and EXPLAIN says
/// what it made of them. No right forbids EXPLAIN, so it is by design wherever there are samples of columns that
/// hold more than keys.
pub(super) fn find(audit: &Audit<'_>, apps: &[App<'_>], found: &mut Vec<Finding>) {
    let mut tables = Vec::new();
    let mut example = None;
    for relation in audit.subject.tenant_tables(audit.catalogue) {
        let asked = relation.is_table()
            && relation.row_security
            && audit.subject.reports(relation)
            && apps
                .iter()
                .any(|app| !app.grantees(relation, &[Privilege::Select]).is_empty());
        let Some(column) = sampled(relation).filter(|_| asked) else {
            continue;
        };
        tables.push(relation.name.to_string());
        example.get_or_insert_with(|| {
            format!(
                "EXPLAIN SELECT FROM {} WHERE {} = '…'",
                relation.name,
                crate::sql::tidy(column)
            )
        });
    }
    let Some(example) = example else { return };
    let why = format!(
        "the planner samples the rows of all tenants, so `{example}` estimates how many have a value, also with none of them visible: do not let tenants see plans, or keep no samples of columns whose values are secret"
    );
    found.push(
        Finding::new(
            Fault::ExplainStats,
            format!(
                "statistics of {}",
                crate::sql::tidy(&audit.catalogue.server.database)
            ),
            why,
            fix(&tables),
        )
        .tables(tables),
    );
}

/// A column that is sampled and in no key.
fn sampled(relation: &Relation) -> Option<&str> {
    relation
        .columns
        .iter()
        .find(|column| {
            column.statistics
                && !relation
                    .constraints
                    .iter()
                    .any(|it| it.is_key() && it.columns.contains(&column.number))
        })
        .map(|column| column.name.as_str())
}

/// Forgets the samples of every column that is in no key, and takes no more. Plans get worse by it.
fn fix(tables: &[String]) -> String {
    let list: Vec<String> = tables.iter().map(|table| literal(table)).collect();
    let mut tag = "partywall".to_owned();
    while list.iter().any(|table| table.contains(&tag)) {
        tag.push('_');
    }
    format!(
        "-- Plans are worse without samples: leave out the tables that hold nothing secret.
DO ${tag}$
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT a.attrelid, a.attnum, a.attname FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = ANY (ARRAY[{}]::regclass[]) AND a.attnum > 0 AND NOT a.attisdropped
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                        WHERE k.conrelid = a.attrelid AND k.contype IN ('p', 'u', 'f') AND a.attnum = ANY (k.conkey))
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', it.attrelid::regclass, it.attname);
    DELETE FROM pg_catalog.pg_statistic WHERE starelid = it.attrelid AND staattnum = it.attnum;
  END LOOP;
END
${tag}$;",
        list.join(", ")
    )
}
