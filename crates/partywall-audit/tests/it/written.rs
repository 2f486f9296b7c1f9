//! Views that rows are written through.

use crate::named::expect;

const MINE: &str = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";

#[tokio::test]
async fn a_view_that_chooses_rows_takes_no_others() {
    let view = |name: &str, option: &str, query: &str| {
        format!(
            "CREATE VIEW {name} WITH (security_barrier) AS {} {option};",
            query.replace("MINE", MINE)
        )
    };
    let mine = "SELECT * FROM invoices WHERE tenant_id = MINE";
    let all = "GRANT SELECT, INSERT, UPDATE ON list TO {app};";
    let cases: Vec<(&str, String, &[&str])> = vec![
        (
            "without an option",
            view("list", "", mine) + all,
            &["CHECK_OPEN_INSERT public.list", "CHECK_OPEN_UPDATE public.list"],
        ),
        ("with it", view("list", "WITH CHECK OPTION", mine) + all, &[]),
        (
            "with one that is for the view above",
            view("list", "", mine)
                + &view("drafts", "WITH LOCAL CHECK OPTION", "SELECT * FROM list WHERE status = 'draft'")
                + "GRANT SELECT, INSERT ON drafts TO {app};",
            &["CHECK_OPEN_INSERT public.list"],
        ),
        (
            "with one above that is for all below",
            view("list", "", mine)
                + &view("drafts", "WITH CASCADED CHECK OPTION", "SELECT * FROM list WHERE status = 'draft'")
                + "GRANT SELECT, INSERT ON drafts TO {app};",
            &[],
        ),
        (
            "with one below",
            view("list", "WITH LOCAL CHECK OPTION", mine)
                + &view("drafts", "", "SELECT * FROM list WHERE status = 'draft'")
                + "GRANT SELECT, INSERT, UPDATE ON drafts TO {app};",
            &[],
        ),
        (
            "of which the tenant cannot be written",
            view("list", "", mine) + "GRANT SELECT, UPDATE (note), INSERT (note, number) ON list TO {app};",
            &[],
        ),
        (
            "that does not show the tenant",
            view("list", "", "SELECT id, note, number AS tenant_id FROM invoices WHERE tenant_id = MINE") + all,
            &[],
        ),
        (
            "that shows it under another name",
            view("list", "", "SELECT note, tenant_id AS whose FROM invoices WHERE tenant_id = MINE")
                + "GRANT SELECT, UPDATE (whose) ON list TO {app};",
            &["CHECK_OPEN_UPDATE public.list"],
        ),
        ("that is read alone", view("list", "", mine) + "GRANT SELECT, DELETE ON list TO {app};", &[]),
        (
            "whose owner the policies hold",
            view("list", "", mine) + "ALTER VIEW list OWNER TO {owner};" + all,
            &[],
        ),
        (
            "that writes as the one who asks",
            view("list", "", mine) + "ALTER VIEW list SET (security_invoker);" + all,
            &[],
        ),
        (
            "a trigger writes instead",
            view("list", "", mine)
                + "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                   CREATE TRIGGER act INSTEAD OF INSERT OR UPDATE ON list FOR EACH ROW EXECUTE FUNCTION act();"
                + all,
            &[],
        ),
        (
            "of the tenants themselves",
            view("list", "", "SELECT * FROM tenants WHERE id = MINE") + all,
            &[],
        ),
        (
            "over a table that the application cannot reach",
            "CREATE TABLE kept (tenant_id uuid NOT NULL REFERENCES tenants, id uuid NOT NULL, PRIMARY KEY (tenant_id, id));"
                .to_owned()
                + &view("list", "", "SELECT * FROM kept WHERE tenant_id = MINE")
                + "GRANT SELECT, INSERT ON list TO {app};",
            &["CHECK_OPEN_INSERT public.list"],
        ),
    ];
    expect(&cases).await;
}
