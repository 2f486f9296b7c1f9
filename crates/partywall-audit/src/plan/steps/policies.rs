use super::spare::Spare;
use crate::{
    plan::{Outline, Phase, Step, column::TenantColumn, done, outline::Table},
    sql::{literal, tidy},
};

/// The tenant that the context names, of the column's type; NULL when nobody named one.
pub(super) fn context(outline: &Outline<'_>, tenant: &TenantColumn) -> String {
    const TEXTS: [u32; 2] = [25, 1043];
    let value = format!(
        "NULLIF(current_setting({}, true), '')",
        literal(&outline.context)
    );
    if TEXTS.contains(&tenant.type_oid) {
        // A cast to a length would cut a longer tenant to the name of another.
        return value;
    }
    let cast = outline
        .extras
        .casts
        .get(&tenant.type_oid)
        .unwrap_or(&tenant.type_name);
    format!("{value}::{cast}")
}

pub(super) fn add(outline: &Outline<'_>, spare: &mut Spare, steps: &mut Vec<Step>) {
    for (table, tenant) in outline.tenants().filter(|(table, _)| !table.walled) {
        steps.push(wall(outline, spare, table, tenant));
    }
}

fn wall(
    outline: &Outline<'_>,
    spare: &mut Spare,
    table: &Table<'_>,
    tenant: &TenantColumn,
) -> Step {
    let (name, column) = (table.name(), tenant.sql());
    let context = context(outline, tenant);
    // Read once for a statement, and not for each row. On a partitioned table the plain form, since a
    // sub-select keeps partitions from being left out.
    let condition = if table.is_partitioned() {
        format!("{column} = {context}")
    } else {
        format!("{column} = (SELECT {context})")
    };
    let rows = spare.part([table.relation], &["tenant_rows"]);
    let floor = spare.part([table.relation], &["tenant_wall"]);
    let (rows_sql, floor_sql) = (tidy(&rows), tidy(&floor));
    let mut undo = vec![
        format!("DROP POLICY IF EXISTS {floor_sql} ON {name};"),
        format!("DROP POLICY IF EXISTS {rows_sql} ON {name};"),
    ];
    if !table.relation.forced {
        undo.insert(
            0,
            format!("ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY;"),
        );
    }
    if !table.relation.row_security {
        undo.insert(0, format!("ALTER TABLE {name} DISABLE ROW LEVEL SECURITY;"));
    }
    Step::new(
        Phase::Protect,
        format!("wall {name}"),
        "shows and changes the rows of the context's tenant alone, and none without a context; the restrictive \
         policy is a floor that no later policy lowers",
    )
    .sql(format!(
        "CREATE POLICY {rows_sql} ON {name}
  USING ({condition})
  WITH CHECK ({condition});
CREATE POLICY {floor_sql} ON {name} AS RESTRICTIVE
  USING ({condition})
  WITH CHECK ({condition});
ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
    ))
    .undo(undo.join("\n"))
    .locks("ACCESS EXCLUSIVE, for an instant: no row is read")
    .done(done::walled(name, &[&rows, &floor]))
}
