use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{HeaderValue, Method, StatusCode, header};
use sea_orm::{
    ConnectionTrait, Order, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select,
    sea_query::Expr,
};

use super::super::{
    Actions, Call, Context, Format, Granted, ModelOf, Page, Resource,
    cursor::Cursor,
    etag::Etag,
    list::{Asked, Known, beyond},
    shown::Shown,
};
use crate::web::Problem;

/// What an answer hangs on beside the address: the form asked for, and who asks.
pub(in crate::web::resource) const VARY: HeaderValue =
    HeaderValue::from_static("accept, cookie, authorization");

impl<R: Resource> Actions<R> {
    /// A page of the list, or all of it as an [export](Format).
    ///
    /// # Errors
    ///
    /// 400 for a query that asks for what is not declared, and what the database reports.
    pub async fn list(
        self: &Arc<Self>,
        granted: &Granted,
        call: &Call<'_>,
    ) -> Result<Response, Problem> {
        let known = Known {
            accept: Format::accepted(call.headers),
            ..self.known(granted)
        };
        let asked = self.declared().read(call.query, &known)?;
        let visible = granted.visible()?;
        let select = self
            .select(granted)?
            .filter(visible)
            .filter(asked.condition());
        if let Some(format) = asked.format {
            if call.method == Method::HEAD {
                return Ok(Self::export_head(format));
            }
            let select = ordered(select, &asked, false);
            return self.export(granted, select, asked.fields, format).await;
        }
        let context = Context::reading(granted);
        let page = self.page(&context, select, asked).await?;
        answer(granted, call, &page)
    }

    async fn page(
        &self,
        context: &Context<'_>,
        select: Select<R::Entity>,
        asked: Asked<R::Entity>,
    ) -> Result<Page<Shown>, Problem> {
        let granted = context.granted();
        let bound = bound::<R>(granted, &asked);
        let cursor = match &asked.cursor {
            Some(text) => Some(Cursor::read(text, self.key(), &bound)?),
            None => None,
        };
        let count = match asked.count {
            true => Some(count(context.db(), select.clone()).await?),
            false => None,
        };
        let backwards = cursor.as_ref().is_some_and(|cursor| cursor.before);
        let mut select = ordered(select, &asked, backwards);
        if let Some(cursor) = &cursor {
            let position = cursor.values(&asked.order)?;
            select = select.filter(beyond(&asked.order, &position, backwards));
        }
        let mut rows: Vec<ModelOf<R>> = select.limit(asked.limit + 1).all(context.db()).await?;
        let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if backwards {
            rows.reverse();
        }
        // Where we came from there is a row, unless somebody removed it meanwhile.
        let (has_prev, has_next) = match &cursor {
            None => (false, has_more),
            Some(_) if backwards => (has_more, true),
            Some(_) => (true, has_more),
        };
        let at = |row: Option<&ModelOf<R>>, before: bool| -> Result<Option<String>, Problem> {
            let Some(row) = row else { return Ok(None) };
            let cursor = Cursor::at(row, &asked.order, before)?;
            Ok(Some(cursor.write(self.key(), &bound)))
        };
        let next = at(rows.last().filter(|_| has_next), false)?;
        let prev = at(rows.first().filter(|_| has_prev), true)?;
        let items = self.shown(context, rows).await?;
        let items = items.into_iter().map(|row| match &asked.fields {
            Some(chosen) => row.only(chosen),
            None => row,
        });
        Ok(Page {
            items: items.collect(),
            next,
            prev,
            count,
        })
    }
}

/// What a cursor is good for: the tenant, the list, the row it stands under, and the query.
fn bound<R: Resource>(granted: &Granted, asked: &Asked<R::Entity>) -> Vec<String> {
    let mut bound = vec![
        granted.account().tenant().id.to_string(),
        R::NAME.to_owned(),
        granted.above(R::NAME).unwrap_or_default().to_owned(),
    ];
    bound.extend(asked.canonical.iter().cloned());
    bound
}

fn ordered<E: sea_orm::EntityTrait>(
    mut select: Select<E>,
    asked: &Asked<E>,
    backwards: bool,
) -> Select<E> {
    for term in &asked.order {
        let order = if term.is_descending == backwards {
            Order::Asc
        } else {
            Order::Desc
        };
        select = select.order_by(term.column, order);
    }
    select
}

async fn count<E: sea_orm::EntityTrait>(
    db: &impl ConnectionTrait,
    select: Select<E>,
) -> Result<u64, Problem> {
    let counted = select
        .select_only()
        .expr_as(Expr::cust("count(*)"), "count")
        .into_tuple::<i64>()
        .one(db)
        .await?;
    Ok(counted
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default())
}

/// The page with its links (RFC 8288), or 304 where the reader has it already.
fn answer(granted: &Granted, call: &Call<'_>, page: &Page<Shown>) -> Result<Response, Problem> {
    let body = serde_json::to_vec(page).map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        Problem::internal()
    })?;
    let tenant = granted.account().tenant().id;
    let etag = Etag::of(&[tenant.as_bytes(), call.path.as_bytes(), &body]);
    let is_known = etag.is_known(call.headers);
    let mut response = Response::new(if is_known {
        Body::empty()
    } else {
        Body::from(body)
    });
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag.header());
    headers.insert(header::VARY, VARY);
    let links: Vec<String> = [(&page.next, "next"), (&page.prev, "prev")]
        .into_iter()
        .filter_map(|(cursor, rel)| Some(link(call.query, cursor.as_deref()?, rel)))
        .collect();
    if let Ok(links) = HeaderValue::try_from(links.join(", "))
        && !links.is_empty()
    {
        headers.insert(header::LINK, links);
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    Ok(response)
}

/// The same query with another cursor, relative to the address that was asked.
fn link(query: &str, cursor: &str, rel: &str) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "cursor" {
            pairs.append_pair(&name, &value);
        }
    }
    pairs.append_pair("cursor", cursor);
    format!("<?{}>; rel=\"{rel}\"", pairs.finish())
}
