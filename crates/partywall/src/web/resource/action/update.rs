use http::StatusCode;
use sea_orm::{ActiveModelTrait as _, Iterable as _, ModelTrait as _};

use super::{
    super::{
        Actions, ActiveModelOf, Call, ColumnOf, Context, Granted, ModelOf, Outcome, Resource,
        Saved,
        etag::IfMatch,
        input::{fields_of, read_body, read_json},
        list::{key_columns, read_selection},
        violation::{Doing, problem_of},
    },
    create::refuse,
};
use crate::{db::Tx, web::Problem};

impl<R: Resource> Actions<R> {
    /// Changes what the body names of a row (PATCH). The row was found by its address and is locked in
    /// the transaction. Commit it, then answer with the outcome.
    ///
    /// # Errors
    ///
    /// 412 where the writer has seen something else, what is wrong with the body or its fields (400,
    /// 415, 422), a name that is taken (409), and what the database reports.
    pub async fn update(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
        row: ModelOf<R>,
    ) -> Result<Outcome, Problem> {
        let chosen = read_selection(call.query, self.names(), granted.sight())?;
        let context = Context::writing(granted, tx);
        self.check_match(&context, call, &row).await?;
        let change: R::Change = read_body(read_json(call.headers, call.body)?, granted.sight())?;
        let related = self.resource().related_to_update(&change);
        refuse(related.find(context.db(), context.scope()).await?)?;
        let changed = self.resource().update(&context, &row, change).await?;
        let row = self.write(&context, &row, changed, "").await?;
        self.answer(&context, row, chosen).await
    }

    /// Replaces a row as a whole (PUT). The row was found by its address and is locked in the
    /// transaction. Commit it, then answer with the outcome.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub async fn replace(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
        row: ModelOf<R>,
    ) -> Result<Outcome, Problem> {
        let chosen = read_selection(call.query, self.names(), granted.sight())?;
        let context = Context::writing(granted, tx);
        self.check_match(&context, call, &row).await?;
        let input: R::Create = read_body(read_json(call.headers, call.body)?, granted.sight())?;
        let related = self.resource().related(&input);
        refuse(related.find(context.db(), context.scope()).await?)?;
        let mut replaced = self.resource().replace(&context, &row, input).await?;
        // What the writer may not write, the input could not say; its absence is no value.
        let fields = fields_of::<R::Create>().unwrap_or_default();
        for column in ColumnOf::<R>::iter() {
            let field = R::field_of(column);
            let sight = granted.sight();
            if fields.contains(&field) && (sight.hides(field) || sight.freezes(field)) {
                replaced.not_set(column);
            }
        }
        let row = self.write(&context, &row, replaced, "").await?;
        self.answer(&context, row, chosen).await
    }

    /// Compares what the writer has seen with what is there, under the lock.
    pub(super) async fn check_match(
        &self,
        context: &Context<'_>,
        call: &Call<'_>,
        row: &ModelOf<R>,
    ) -> Result<(), Problem> {
        let given = IfMatch::read(call.headers, self.settings().demands_if_match)?;
        if !given.is_given() {
            return Ok(());
        }
        let shown = self.shown_one(context, row.clone()).await?;
        given.check(&self.etag(context.granted(), &shown))
    }

    pub(super) async fn write(
        &self,
        context: &Context<'_>,
        before: &ModelOf<R>,
        mut row: ActiveModelOf<R>,
        place: &str,
    ) -> Result<ModelOf<R>, Problem> {
        for column in key_columns::<R::Entity>() {
            row.try_set(column, before.get(column))?;
        }
        let updated = row.update(context.db()).await;
        let after =
            updated.map_err(|error| problem_of::<R>(context, error, Doing::Writing, place))?;
        let what = Saved::Changed {
            before,
            after: &after,
        };
        self.resource().saved(context, what).await?;
        Ok(after)
    }

    async fn answer(
        &self,
        context: &Context<'_>,
        row: ModelOf<R>,
        chosen: Option<Vec<String>>,
    ) -> Result<Outcome, Problem> {
        let shown = self.shown_one(context, row).await?;
        let etag = self.etag(context.granted(), &shown);
        let shown = match chosen {
            Some(chosen) => shown.only(&chosen),
            None => shown,
        };
        Ok(Outcome::json(StatusCode::OK, shown.to_json()).with_etag(&etag))
    }
}
