//! The catalogues of every version of PostgreSQL that is supported.

use crate::{
    database::{Database, versions},
    fault::{options, report},
};

#[tokio::test]
async fn every_version_is_read() {
    for major in versions() {
        let db = Database::empty_on(Some(major)).await;
        db.run(&crate::fault::read("base.sql")).await;
        let found = report(&db, &options(&db)).await;
        assert!(found.is_clean(), "PostgreSQL {major}: {found:#?}");
    }
}
