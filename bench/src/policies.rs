//! The plan of every policy form, in a real context, as the login it is for.

use partywall::{Scope, Sql, TENANT, scope::Selection};

use crate::{
    outcome::Outcome,
    table,
    world::{Data, World, comment, note, tenant},
};

/// A form of policy, and a statement that meets it.
struct Form {
    title: &'static str,
    sql: String,
    list: bool,
    /// What the plan must say: the tenant compared in an index.
    wants: &'static str,
}

/// Explains each form and fails where a plan leaves the tenant's index.
pub(crate) async fn measure(world: &World) -> Outcome {
    table::heading("Plans");
    println!(
        "Each statement without a filter by tenant, so that the policy alone finds the index; seal on.\n"
    );
    let db = world.db(Data::Sealed, None, 1).await?;
    let (one, other) = (tenant(1), tenant(2));
    let mut rows = Vec::new();
    for form in forms() {
        let selection: Selection = if form.list {
            TENANT.any_of([one, other])
        } else {
            TENANT.is(one)
        };
        let scope = Scope::trusted([selection]);
        let sql = format!("EXPLAIN (COSTS OFF) {}", form.sql);
        let lines = db.scoped(&scope).rows(&sql, []).await?;
        let lines = lines
            .iter()
            .map(|row| row.try_get_by_index(0))
            .collect::<Result<Vec<String>, _>>()?;
        let Some(proof) = lines.iter().find(|line| is_proof(line, form.wants)) else {
            return Err(format!(
                "{}: no index on the tenant in the plan of\n{}\n{}",
                form.title,
                form.sql,
                lines.join("\n")
            )
            .into());
        };
        let scan = lines
            .iter()
            .find(|line| line.contains("Scan"))
            .map_or("", String::as_str);
        let pruned = lines.iter().find(|line| line.contains("Subplans Removed"));
        // PostgreSQL prunes by one value that it learns at the start, and not by a list.
        if form.title.starts_with("partitions:") && pruned.is_none() {
            return Err(format!(
                "{}: no partition was pruned\n{}",
                form.title,
                lines.join("\n")
            )
            .into());
        }
        let scan = format!("{} {}", scan.trim(), pruned.map_or("", |line| line.trim()));
        rows.push(vec![
            form.title.to_owned(),
            format!("`{}`", form.sql),
            scan.replace("->", "").trim().to_owned(),
            format!("`{}`", proof.trim()),
        ]);
    }
    table::print(&["policy", "statement", "scan", "index condition"], &rows);
    Ok(())
}

fn is_proof(line: &str, wants: &str) -> bool {
    line.contains("Index Cond:") && line.contains(wants)
}

fn forms() -> Vec<Form> {
    let form = |title, wants, sql: &str| Form {
        title,
        sql: sql.to_owned(),
        list: false,
        wants,
    };
    let list = |title, wants, sql: &str| Form {
        title,
        sql: sql.to_owned(),
        list: true,
        wants,
    };
    let (one, two) = ("tenant_id = $", "tenant_id = ANY ($");
    let note = format!("SELECT * FROM note WHERE id = '{}'", note(1, 3));
    let copy = format!(
        "SELECT * FROM comment_copy WHERE id = '{}'",
        comment(1, 3, 3)
    );
    vec![
        form("one value: point", one, &note),
        form(
            "one value: list",
            one,
            "SELECT * FROM note ORDER BY id LIMIT 50",
        ),
        form("one value: count", one, "SELECT count(*) FROM note"),
        form("one value: update", one, "UPDATE note SET title = 'x'"),
        list("list: point", two, &note),
        list("list: list", two, "SELECT * FROM note ORDER BY id LIMIT 50"),
        list("list: count", two, "SELECT count(*) FROM note"),
        form("copied column: point", one, &copy),
        form(
            "copied column: list",
            one,
            "SELECT * FROM comment_copy ORDER BY id LIMIT 50",
        ),
        form(
            "copied column: count",
            one,
            "SELECT count(*) FROM comment_copy",
        ),
        list(
            "copied column, list: count",
            two,
            "SELECT count(*) FROM comment_copy",
        ),
        form(
            "EXISTS: list (the parent by its index, the child whole)",
            one,
            "SELECT * FROM comment_exists ORDER BY id LIMIT 50",
        ),
        form(
            "EXISTS: count (likewise)",
            one,
            "SELECT count(*) FROM comment_exists",
        ),
        list(
            "EXISTS, list: count (likewise)",
            two,
            "SELECT count(*) FROM comment_exists",
        ),
        form(
            "partitions: list",
            "tenant_id = partywall.tenant()",
            "SELECT * FROM event ORDER BY id LIMIT 50",
        ),
        form(
            "partitions: count",
            "tenant_id = partywall.tenant()",
            "SELECT count(*) FROM event",
        ),
        list(
            "partitions, list: count",
            "tenant_id = ANY (partywall.tenant_list())",
            "SELECT count(*) FROM event",
        ),
    ]
}
