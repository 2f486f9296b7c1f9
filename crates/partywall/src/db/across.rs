use async_trait::async_trait;

use super::{
    Error, RowStream, ScopedDb,
    run::{Answer, Run},
    statement::Job,
};

/// The way across: every tenant's rows, under a login of its own. Made by
/// [`Db::across`](super::Db::across), which has written down who asked and why.
///
/// It is a value like any other connection, and nothing outlives it: no setting, no role and no
/// connection of the application login is touched.
#[derive(Clone, Debug)]
pub struct Across(pub(super) ScopedDb);

#[async_trait]
impl Run for Across {
    async fn run(&self, job: Job) -> Result<Answer, Error> {
        self.0.run(job).await
    }

    async fn open(&self, job: Job) -> Result<RowStream, Error> {
        self.0.open(job).await
    }
}
