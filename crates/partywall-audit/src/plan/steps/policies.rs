use super::spare::Spare;
use crate::{
    plan::{
        Outline, Phase, Step, done,
        outline::{Belongs, Table},
        stand::Stand,
    },
    sql::tidy,
};

pub(super) fn add(outline: &Outline<'_>, spare: &mut Spare, steps: &mut Vec<Step>) {
    let mut open: Vec<_> = outline
        .tenants()
        .filter(|(table, _)| table.stand == Stand::Open)
        .collect();
    // The tenants themselves first: among tables with walls, that they have none is taken to be meant.
    open.sort_by_key(|(table, _)| table.belongs != Belongs::Root);
    for (table, tenant) in open {
        if let Some(condition) = outline.condition(table, tenant) {
            steps.push(wall(spare, table, &condition));
        }
    }
}

fn wall(spare: &mut Spare, table: &Table<'_>, condition: &str) -> Step {
    let name = table.name();
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
