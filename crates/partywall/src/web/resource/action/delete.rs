use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use super::super::{
    Actions, ActiveModelOf, Call, Context, Granted, ModelOf, Outcome, Removal, Resource, Saved,
    list::read_selection,
    violation::{Doing, problem_of},
};
use crate::{db::Tx, web::Problem};

impl<R: Resource> Actions<R> {
    /// Removes a row, which was found by its address and is locked in the transaction. Commit it, then
    /// answer with the outcome.
    ///
    /// # Errors
    ///
    /// 412 where the writer has seen something else, 409 where something still refers to the row, and
    /// what the database reports.
    pub async fn delete(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
        row: ModelOf<R>,
    ) -> Result<Outcome, Problem> {
        read_selection(call.query, &[], granted.sight())?;
        let context = Context::writing(granted, tx);
        self.check_match(&context, call, &row).await?;
        self.delete_one(&context, row).await?;
        Ok(Outcome::empty())
    }

    pub(super) async fn delete_one(
        &self,
        context: &Context<'_>,
        row: ModelOf<R>,
    ) -> Result<(), Problem> {
        match self.resource().delete(context, &row).await? {
            Removal::Mark(mark) => {
                self.mark(context, &row, mark).await?;
            }
            Removal::Row => {
                let deleting: ActiveModelOf<R> = row.clone().into_active_model();
                let deleted = deleting.delete(context.db()).await;
                deleted.map_err(|error| problem_of::<R>(context, error, Doing::Removing, ""))?;
            }
        }
        self.resource().saved(context, Saved::Removed(&row)).await
    }

    /// Marks a row, of which no change is told.
    async fn mark(
        &self,
        context: &Context<'_>,
        before: &ModelOf<R>,
        mut mark: ActiveModelOf<R>,
    ) -> Result<(), Problem> {
        use sea_orm::ModelTrait as _;
        for column in super::super::list::key_columns::<R::Entity>() {
            mark.try_set(column, before.get(column))?;
        }
        let marked = mark.update(context.db()).await;
        marked.map_err(|error| problem_of::<R>(context, error, Doing::Writing, ""))?;
        Ok(())
    }
}
