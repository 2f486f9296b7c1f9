use crate::{
    plan::{Outline, Phase, Step, done},
    sql::tidy,
};

/// Makes the roles that other steps name.
pub(super) fn add(outline: &Outline<'_>, others: &[Step], steps: &mut Vec<Step>) {
    let database = tidy(&outline.catalogue.server.database);
    let owner = tidy(&outline.owner.name);
    let is_named = others
        .iter()
        .any(|step| step.sql.contains(&format!("OWNER TO {owner};")));
    if outline.owner.oid.is_none() && is_named {
        let mut sql = format!("CREATE ROLE {owner} NOLOGIN;");
        if !outline.extras.superuser {
            // Who gives a table to a role must be a member of it.
            sql += &format!("\nGRANT {owner} TO {};", tidy(&outline.extras.user));
        }
        steps.push(
            Step::new(
                Phase::Expand,
                format!("role {owner}"),
                "owns the tables, so that no login of the application can switch their policies off; \
                 migrations run as it",
            )
            .sql(sql)
            .undo(format!("DROP ROLE IF EXISTS {owner};"))
            .locks("none on tables")
            .done(done::role(&outline.owner.name)),
        );
    }
    for app in outline.apps.iter().filter(|app| app.oid.is_none()) {
        let name = tidy(&app.name);
        steps.push(
            Step::new(
                Phase::Expand,
                format!("role {name}"),
                format!(
                    "is whom the application connects as; it cannot log in before it has a password (\\password {name} in psql)"
                ),
            )
            .sql(format!(
                "CREATE ROLE {name} LOGIN;\nGRANT CONNECT ON DATABASE {database} TO {name};"
            ))
            .undo(super::routine::if_role(
                &app.name,
                &[
                    format!("REVOKE CONNECT ON DATABASE {database} FROM {name};"),
                    format!("DROP ROLE {name};"),
                ],
            ))
            .locks("none on tables")
            .done(done::role(&app.name)),
        );
    }
}
