use crate::{database::Database, run::Partywall};

#[tokio::test]
async fn it_wants_a_file_that_somebody_reviewed() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    partywall.run(&["apply"]).code(3).says(&["partywall plan"]);
    partywall.write(
        "partywall.toml",
        "version = 1\n[tables]\n\"public.x\" = { undecided = \"?\" }\n",
    );
    partywall
        .run(&["apply"])
        .code(3)
        .says(&["undecided", "public.x"]);
    partywall.write("partywall.toml", "version = 1\n");
    partywall.write("plan.sql", "SELECT 1;\n");
    partywall
        .run(&["apply", "--yes"])
        .code(3)
        .says(&["changed by hand"]);
}
