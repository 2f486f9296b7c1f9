use crate::{database::Database, run::Partywall};

#[tokio::test]
async fn nothing_is_no_proof() {
    let db = Database::empty().await;
    Partywall::at(&db)
        .run(&["prove"])
        .code(1)
        .says(&["nothing was attacked"]);
}
