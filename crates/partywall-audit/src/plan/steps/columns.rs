use super::{routine, spare::Spare};
use crate::{
    Fault,
    catalogue::{ConstraintKind, Relation},
    plan::{
        Outline, Phase, Step,
        column::TenantColumn,
        done,
        outline::{Belongs, Table},
        path::Path,
        shape::Part,
        stand::Stand,
    },
    sql::{Name, tidy},
};

/// How many rows one batch fills: few enough that nobody waits long for their locks.
const BATCH: usize = 10_000;

pub(super) fn add(outline: &Outline<'_>, spare: &mut Spare, steps: &mut Vec<Step>) {
    // All columns and triggers first: what is written meanwhile is right from then on.
    let filled: Vec<(&Table<'_>, &TenantColumn, Path)> = outline
        .tenants()
        .filter(|(table, _)| is_to_be_set(outline, table))
        .filter(|(_, tenant)| tenant.number.is_none() || !tenant.not_null)
        .filter_map(|(table, tenant)| Some((table, tenant, Path::of(outline, table)?)))
        .collect();
    for (table, tenant, path) in &filled {
        steps.push(column(table, tenant));
        steps.push(filler(outline, spare, table, tenant, path));
    }
    for (table, tenant) in outline.tenants() {
        if tenant.not_null && tenant.number.is_some() || !is_to_be_set(outline, table) {
            continue;
        }
        if matches!(table.belongs, Belongs::Path(_))
            && let Some((_, _, path)) = filled
                .iter()
                .find(|(it, ..)| it.relation.oid == table.relation.oid)
        {
            for leaf in table.leaves() {
                steps.push(backfill(table, leaf, tenant, path));
            }
        }
        not_null(spare, table, tenant, steps);
    }
}

/// Rows without a tenant may be meant, where policies show them: to all, or to nobody yet.
pub(in crate::plan) fn is_to_be_set(outline: &Outline<'_>, table: &Table<'_>) -> bool {
    table.stand == Stand::Open || outline.faults.on(table.name(), &[Fault::TenantMutableNull])
}

fn column(table: &Table<'_>, tenant: &TenantColumn) -> Step {
    let (name, column) = (table.name(), tenant.sql());
    let mut step = Step::new(
        Phase::Expand,
        format!("column {name}({column})"),
        format!(
            "says whose each row is, which is known by way of another table alone: {}",
            table.reason
        ),
    )
    .sql(format!(
        "ALTER TABLE {name} ADD COLUMN {column} {};",
        tenant.type_name
    ))
    .undo(format!(
        "ALTER TABLE {name} DROP COLUMN IF EXISTS {column};"
    ))
    .locks("ACCESS EXCLUSIVE, for an instant: no row is rewritten")
    .done(done::column(name, &tenant.name));
    step.touches = table
        .all()
        .map(|relation| {
            let part = Part::Column(tenant.name.clone(), tenant.type_name.clone());
            (relation.name.clone(), part)
        })
        .collect();
    step
}

/// Code that does not know the column goes on: a trigger fills it.
fn filler(
    outline: &Outline<'_>,
    spare: &mut Spare,
    table: &Table<'_>,
    tenant: &TenantColumn,
    path: &Path,
) -> Step {
    let name = table.name();
    let parts = [name.name.as_str(), tenant.name.as_str(), "fill"];
    let there = outline.catalogue.functions.values().find(|function| {
        function.is_trigger
            && function.name == Name::new(&name.schema, crate::plan::names::joined(&parts))
            && table
                .relation
                .triggers
                .iter()
                .any(|trigger| trigger.function == function.oid)
    });
    let (function, trigger) = match there {
        Some(function) => (function.name.clone(), crate::plan::names::joined(&parts)),
        None => (
            spare.function(&name.schema, &parts),
            spare.part(table.all(), &parts),
        ),
    };
    let (trigger_sql, column) = (tidy(&trigger), tenant.sql());
    let matches: Vec<String> = path
        .pairs
        .iter()
        .map(|(own, theirs)| format!("p.{} = NEW.{}", tidy(theirs), tidy(own)))
        .collect();
    let fallback = outline
        .context(tenant)
        .map(|value| {
            format!("  IF NEW.{column} IS NULL THEN\n    NEW.{column} := {value};\n  END IF;\n")
        })
        .unwrap_or_default();
    let body = format!(
        "BEGIN
  SELECT p.{} INTO NEW.{column}
    FROM {} AS p
   WHERE {};
{fallback}  RETURN NEW;
END",
        path.parent_tenant.sql(),
        path.parent,
        matches.join(" AND "),
    );
    let body = routine::dollars(&body);
    Step::new(
        Phase::Expand,
        format!("fill {name}({column})"),
        "fills the column for code that does not know it, from the row that it belongs to",
    )
    .sql(format!(
        "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS {body};
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;
ALTER FUNCTION {function}() OWNER TO {};
CREATE TRIGGER {trigger_sql}
  BEFORE INSERT OR UPDATE ON {name}
  FOR EACH ROW WHEN (NEW.{column} IS NULL)
  EXECUTE FUNCTION {function}();",
        tidy(&outline.owner.name),
    ))
    .undo(format!(
        "DROP TRIGGER IF EXISTS {trigger_sql} ON {name};\nDROP FUNCTION IF EXISTS {function}();"
    ))
    .locks("SHARE ROW EXCLUSIVE, for an instant: writes wait for it")
    .done(done::trigger(name, &trigger))
}

fn backfill(table: &Table<'_>, leaf: &Relation, tenant: &TenantColumn, path: &Path) -> Step {
    let (name, column) = (&leaf.name, tenant.sql());
    let matches: Vec<String> = path
        .pairs
        .iter()
        .map(|(own, theirs)| format!("p.{} = c.{}", tidy(theirs), tidy(own)))
        .collect();
    let reached: Vec<String> = path
        .pairs
        .iter()
        .map(|(own, _)| format!("b.{} IS NOT NULL", tidy(own)))
        .collect();
    Step::new(
        Phase::Expand,
        format!("rows of {name}({column})"),
        "says of the rows that are there whose they are, in batches; it goes on where it stopped",
    )
    .sql(format!(
        "UPDATE {name} AS c
   SET {column} = p.{}
  FROM {} AS p
 WHERE {}
   AND c.ctid = ANY (ARRAY(
         SELECT b.ctid
           FROM {name} AS b
          WHERE b.{column} IS NULL AND {}
          LIMIT {BATCH}
            FOR NO KEY UPDATE SKIP LOCKED));",
        path.parent_tenant.sql(),
        path.parent,
        matches.join(" AND "),
        reached.join(" AND "),
    ))
    .locks(
        "ROW EXCLUSIVE, and a lock on each row of the batch until it is committed; it waits for no row, so it \
         takes part in no deadlock; triggers of the table run",
    )
    .long()
    .repeated(format!(
        "SELECT EXISTS (SELECT FROM {name} AS c JOIN {} AS p ON {} WHERE c.{column} IS NULL)",
        path.parent,
        matches.join(" AND "),
    ))
    .done(done::not_null(table.name(), &tenant.name))
}

/// `SET NOT NULL` by itself reads the whole table under a lock that even readers wait for. A check that was
/// validated before spares it that.
fn not_null(spare: &mut Spare, table: &Table<'_>, tenant: &TenantColumn, steps: &mut Vec<Step>) {
    let (name, column) = (table.name(), tenant.sql());
    let parts = [name.name.as_str(), tenant.name.as_str(), "is_set"];
    let ours = crate::plan::names::joined(&parts);
    let there = table.relation.constraints.iter().any(|it| {
        it.kind == ConstraintKind::Check
            && it.name == ours
            && tenant.number.is_some_and(|number| it.columns == [number])
    });
    let check = if there {
        ours
    } else {
        spare.part(table.all(), &parts)
    };
    let (check_sql, is_not_null) = (tidy(&check), done::not_null(name, &tenant.name));
    let label = format!("{name}({column})");
    steps.push(
        Step::new(
            Phase::Expand,
            format!("check {label}"),
            "refuses new rows without a tenant",
        )
        .sql(format!(
            "ALTER TABLE {name} ADD CONSTRAINT {check_sql} CHECK ({column} IS NOT NULL) NOT VALID;"
        ))
        .undo(format!(
            "ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {check_sql};"
        ))
        .locks("ACCESS EXCLUSIVE, for an instant: no row is read")
        .done(format!(
            "{} OR {is_not_null}",
            done::constraint(name, &check)
        )),
    );
    steps.push(
        Step::new(
            Phase::Expand,
            format!("validate {label}"),
            "knows that no old row is without a tenant",
        )
        .sql(format!(
            "ALTER TABLE {name} VALIDATE CONSTRAINT {check_sql};"
        ))
        .locks("SHARE UPDATE EXCLUSIVE while it reads the table: reads and writes go on")
        .long()
        .done(format!(
            "{} OR {is_not_null}",
            done::validated(name, &check)
        )),
    );
    steps.push(
        Step::new(
            Phase::Expand,
            format!("not null {label}"),
            "has the column itself say so; the check has proved it, and goes",
        )
        .sql(format!(
            "ALTER TABLE {name} ALTER COLUMN {column} SET NOT NULL;\nALTER TABLE {name} DROP CONSTRAINT {check_sql};"
        ))
        .undo(routine::when(
            &done::column(name, &tenant.name),
            &[format!("ALTER TABLE {name} ALTER COLUMN {column} DROP NOT NULL;")],
        ))
        .locks("ACCESS EXCLUSIVE, for an instant: the check spares it reading the rows")
        .done(format!("{is_not_null} AND NOT {}", done::constraint(name, &check))),
    );
}
