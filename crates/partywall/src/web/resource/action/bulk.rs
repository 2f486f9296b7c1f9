use std::collections::HashMap;

use http::StatusCode;
use sea_orm::{
    ColumnTrait as _, ModelTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};
use serde_json::Value as Json;

use super::{
    super::{
        Actions, Call, Context, Granted, ModelOf, Outcome, Related, Resource,
        idempotency::Claimed,
        input::{read_input, read_json},
        list::read_selection,
        shown::Shown,
        typed::{Typed, exact},
    },
    create::refuse,
};
use crate::{
    db::Tx,
    web::{FieldError, Problem},
};

/// Where the rows of a bulk call stand in its body.
const ITEMS: &str = "items";

impl<R: Resource> Actions<R> {
    /// Makes rows of `{"items": […]}`: all of them or none. Commit the transaction, then answer with the
    /// outcome.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), each error with its place: `items[2].title`.
    pub async fn create_many(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
    ) -> Result<Outcome, Problem> {
        read_selection(call.query, &[], granted.sight())?;
        let attempt = match self.claimed(granted, call, tx).await? {
            Some(Claimed::Done(outcome)) => return Ok(outcome),
            Some(Claimed::New(attempt)) => Some(attempt),
            None => None,
        };
        let context = Context::writing(granted, tx);
        let items = self.items(read_json(call.headers, call.body)?)?;
        let mut errors = Vec::new();
        let mut inputs: Vec<R::Create> = Vec::new();
        for (n, item) in items.into_iter().enumerate() {
            match read_input(item, granted.sight()) {
                Ok(input) => inputs.push(input),
                Err(wrong) => errors.extend(wrong.into_iter().map(|error| error.inside(&place(n)))),
            }
        }
        refuse(errors)?;
        let mut related = Related::none();
        for (n, input) in inputs.iter().enumerate() {
            related = related.and(self.resource().related(input).inside(&place(n)));
        }
        refuse(related.find(context.db(), context.scope()).await?)?;
        let mut rows = Vec::new();
        for (n, input) in inputs.into_iter().enumerate() {
            let row = self.resource().create(&context, input).await?;
            rows.push(self.insert(&context, row, &place(n)).await?);
        }
        let shown = self.shown(&context, rows).await?;
        let outcome = Outcome::json(StatusCode::CREATED, json(&shown));
        if let Some(attempt) = attempt {
            let time = self.settings().keys_kept;
            attempt.keep(context.db(), &outcome, time).await?;
        }
        Ok(outcome)
    }

    /// Changes the rows of `{"items": [{"id": …, …}, …]}`: all of them or none. A row that is not there
    /// is 404, whoever has it, and which one it was is not told. Commit the transaction, then answer with
    /// the outcome.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update), each error with its place: `items[2].title`.
    pub async fn update_many(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
    ) -> Result<Outcome, Problem> {
        read_selection(call.query, &[], granted.sight())?;
        self.refuse_unmatched()?;
        let context = Context::writing(granted, tx);
        let mut items = self.items(read_json(call.headers, call.body)?)?;
        let ids = items.iter_mut().map(take_id).collect::<Vec<_>>();
        let rows = self.locked(&context, ids).await?;
        let mut errors = Vec::new();
        let mut changes: Vec<R::Change> = Vec::new();
        for (n, (item, row)) in items.into_iter().zip(&rows).enumerate() {
            match read_input(item, &granted.sight_of(row)) {
                Ok(change) => changes.push(change),
                Err(wrong) => errors.extend(wrong.into_iter().map(|error| error.inside(&place(n)))),
            }
        }
        refuse(errors)?;
        let mut related = Related::none();
        for (n, change) in changes.iter().enumerate() {
            let own = self.resource().related_to_update(change);
            related = related.and(own.inside(&place(n)));
        }
        refuse(related.find(context.db(), context.scope()).await?)?;
        let mut changed = Vec::new();
        for (n, (change, row)) in changes.into_iter().zip(&rows).enumerate() {
            let becomes = self.resource().update(&context, row, change).await?;
            changed.push(self.write(&context, row, becomes, &place(n)).await?);
        }
        let shown = self.shown(&context, changed).await?;
        Ok(Outcome::json(StatusCode::OK, json(&shown)))
    }

    /// Removes the rows of `?ids=…,…`: all of them or none. A row that is not there is 404, whoever has
    /// it, and which one it was is not told. Commit the transaction, then answer with the outcome.
    ///
    /// # Errors
    ///
    /// As for [`delete`](Self::delete).
    pub async fn delete_many(
        &self,
        granted: &Granted,
        call: &Call<'_>,
        tx: &Tx,
    ) -> Result<Outcome, Problem> {
        self.refuse_unmatched()?;
        let mut ids: Option<Vec<Option<String>>> = None;
        for (name, value) in form_urlencoded::parse(call.query.as_bytes()) {
            match name.as_ref() {
                "tenant" | "tenant_id" => {}
                "ids" if ids.is_none() => {
                    ids = Some(value.split(',').map(|id| Some(id.to_owned())).collect());
                }
                name => return Err(bad_ids(name)),
            }
        }
        let ids = ids.ok_or_else(|| bad_ids("ids"))?;
        self.check_count(ids.len(), "ids")?;
        let context = Context::writing(granted, tx);
        for row in self.locked(&context, ids).await? {
            self.delete_one(&context, row).await?;
        }
        Ok(Outcome::empty())
    }

    /// A bulk call has no place to say what was seen of each row.
    fn refuse_unmatched(&self) -> Result<(), Problem> {
        if self.settings().demands_if_match {
            let detail = "these are changed one by one, each with its `ETag` as `If-Match`";
            let status = StatusCode::PRECONDITION_REQUIRED;
            return Err(Problem::new(status, "precondition_required", detail));
        }
        Ok(())
    }

    fn check_count(&self, count: usize, field: &str) -> Result<(), Problem> {
        let most = self.settings().bulk;
        if (1..=most).contains(&count) {
            return Ok(());
        }
        let detail = format!("this is a list of 1 to {most}");
        Err(Problem::invalid_fields([FieldError::new(
            field,
            "wrong_count",
            detail,
        )]))
    }

    fn items(&self, body: Json) -> Result<Vec<Json>, Problem> {
        let Json::Object(mut fields) = body else {
            let detail = "the body is an object with a list `items`";
            return Err(Problem::invalid_fields([FieldError::invalid("", detail)]));
        };
        let items = fields.remove(ITEMS);
        if let Some(name) = fields.keys().next() {
            let error = FieldError::new(name, "unknown", "there is no such field");
            return Err(Problem::invalid_fields([error]));
        }
        let Some(Json::Array(items)) = items else {
            let error = FieldError::invalid(ITEMS, "this must be a list");
            return Err(Problem::invalid_fields([error]));
        };
        self.check_count(items.len(), ITEMS)?;
        Ok(items)
    }

    /// The rows with these ids, in their order, locked. An id that is malformed, missing, foreign or under
    /// another parent is the same 404, which says no more.
    async fn locked(
        &self,
        context: &Context<'_>,
        ids: Vec<Option<String>>,
    ) -> Result<Vec<ModelOf<R>>, Problem> {
        let column = self.id_column()?;
        let typed = Typed::of(column.def().get_column_type());
        let mut texts = Vec::new();
        let mut values: Vec<Value> = Vec::new();
        for id in ids {
            let value = id.and_then(|id| typed.as_ref()?.parse(&id));
            let value = value.ok_or_else(Problem::not_found)?;
            let text = exact(value.clone()).ok().flatten();
            texts.push(text.ok_or_else(Problem::not_found)?);
            values.push(value);
        }
        // In one order, so that two calls wait for one another and do not lock each other out.
        let found = self
            .select(context.granted())?
            .filter(column.is_in(values))
            .order_by_asc(column)
            .lock_exclusive()
            .all(context.db())
            .await?;
        let mut rows: HashMap<String, ModelOf<R>> = HashMap::new();
        for row in found {
            if let Some(id) = exact(row.get(column)).ok().flatten() {
                rows.insert(id, row);
            }
        }
        if texts.iter().any(|id| !rows.contains_key(id)) {
            return Err(Problem::not_found());
        }
        for row in rows.values() {
            context.granted().permits(row)?;
        }
        let mut ordered = Vec::new();
        let mut errors = Vec::new();
        for (n, id) in texts.iter().enumerate() {
            match rows.remove(id) {
                Some(row) => ordered.push(row),
                None => {
                    let field = format!("{}.id", place(n));
                    errors.push(FieldError::new(field, "repeated", "this is given twice"));
                }
            }
        }
        refuse(errors)?;
        Ok(ordered)
    }
}

fn place(n: usize) -> String {
    format!("{ITEMS}[{n}]")
}

fn bad_ids(name: &str) -> Problem {
    let shown: String = name.chars().take(100).collect();
    let detail = "say which with `ids`, with commas between them, and nothing else";
    let status = StatusCode::BAD_REQUEST;
    Problem::new(status, "invalid_query", "the query cannot be understood")
        .with_errors([FieldError::new(shown, "not_listed", detail)])
}

/// The id of an item, which is taken out of it.
fn take_id(item: &mut Json) -> Option<String> {
    match item.as_object_mut()?.remove("id")? {
        Json::String(id) => Some(id),
        Json::Number(id) => Some(id.to_string()),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

fn json(shown: &[Shown]) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Items<'a> {
        items: &'a [Shown],
    }
    serde_json::to_vec(&Items { items: shown }).unwrap_or_default()
}
