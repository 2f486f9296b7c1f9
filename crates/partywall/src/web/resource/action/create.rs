use http::StatusCode;
use sea_orm::{ActiveModelTrait as _, ModelTrait as _};

use super::super::{
    Actions, ActiveModelOf, Call, Context, Granted, ModelOf, Outcome, Resource, Saved,
    idempotency::{Claimed, IdempotencyKey},
    input::{read_body, read_json},
    list::read_selection,
    typed::exact,
    violation::{Doing, problem_of},
};
use crate::{
    db::Tx,
    web::{FieldError, Problem},
};

impl<R: Resource> Actions<R> {
    /// Makes a row of the body. Commit the transaction, then answer with the outcome.
    ///
    /// # Errors
    ///
    /// What is wrong with the body or its fields (400, 415, 422), a name that is taken (409), and what
    /// the database reports.
    pub async fn create(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
    ) -> Result<Outcome, Problem> {
        let chosen = read_selection(call.query, self.names(), granted.sight())?;
        let claimed = self.claimed(granted, call, tx).await?;
        let attempt = match claimed {
            Some(Claimed::Done(outcome)) => return Ok(outcome),
            Some(Claimed::New(attempt)) => Some(attempt),
            None => None,
        };
        let context = Context::writing(granted, tx);
        let input: R::Create = read_body(read_json(call.headers, call.body)?, granted.sight())?;
        let related = self.resource().related(&input);
        refuse(related.find(context.db(), context.scope()).await?)?;
        let row = self.resource().create(&context, input).await?;
        let row = self.insert(&context, row, "").await?;
        let location = self.location(call.path, &row)?;
        let shown = self.shown_one(&context, row).await?;
        let etag = self.etag(granted, &shown);
        let shown = match chosen {
            Some(chosen) => shown.only(&chosen),
            None => shown,
        };
        let mut outcome = Outcome::json(StatusCode::CREATED, shown.to_json()).with_etag(&etag);
        outcome.location = location;
        if let Some(attempt) = attempt {
            let time = self.settings().keys_kept;
            attempt.keep(context.db(), &outcome, time).await?;
        }
        Ok(outcome)
    }

    /// What the request's idempotency key stands for, where it has one.
    pub(super) async fn claimed(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
    ) -> Result<Option<Claimed>, Problem> {
        let is_demanded = self.settings().demands_idempotency_key;
        let Some(key) = IdempotencyKey::read(call.headers, is_demanded)? else {
            return Ok(None);
        };
        let claimed = Claimed::by(tx, granted.account(), call, &key, granted.sight());
        claimed.await.map(Some)
    }

    pub(super) async fn insert(
        &self,
        context: &Context<'_>,
        row: ActiveModelOf<R>,
        place: &str,
    ) -> Result<ModelOf<R>, Problem> {
        let row = self.placed(context.granted(), row)?;
        let inserted = row.insert(context.db()).await;
        let row =
            inserted.map_err(|error| problem_of::<R>(context, error, Doing::Writing, place))?;
        // What was asked before there was a row.
        context.granted().permits(&row)?;
        self.resource().saved(context, Saved::Created(&row)).await?;
        Ok(row)
    }

    /// The row under the one that the address says, whatever the input says.
    pub(super) fn placed(
        &self,
        granted: &Granted,
        mut row: ActiveModelOf<R>,
    ) -> Result<ActiveModelOf<R>, Problem> {
        if let Some((column, id)) = self.under(granted)? {
            row.try_set(column, id)?;
        }
        Ok(row)
    }

    /// The address of a new row: its id, below the list's.
    fn location(&self, path: &str, row: &ModelOf<R>) -> Result<Option<String>, Problem> {
        let id = exact(row.get(self.id_column()?)).ok().flatten();
        Ok(id.map(|id| format!("{}/{id}", path.trim_end_matches('/'))))
    }
}

pub(super) fn refuse(errors: Vec<FieldError>) -> Result<(), Problem> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid_fields(errors))
    }
}
