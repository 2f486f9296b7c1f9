use std::{fmt, sync::Arc};

use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait, IdenStatic as _, QueryFilter as _, Select, Value,
};
use tokio::sync::Semaphore;

use super::{
    ColumnOf, Context, CursorKey, Granted, List, ModelOf, Resource, ResourceError, Settings,
    etag::Etag,
    input::fields_of,
    list::{Known, key_columns},
    shown::{Shown, names_of},
    typed::Typed,
};
use crate::{db::Within as _, web::Problem};

/// What can be done with a resource: each action as a plain function, which the granted check comes
/// before. [`Actions::new`] checks the declarations once.
pub struct Actions<R: Resource> {
    resource: R,
    list: List<R::Entity>,
    settings: Settings,
    names: Vec<String>,
    key: CursorKey,
    exports: Arc<Semaphore>,
}

impl<R: Resource> Actions<R> {
    /// Checks a resource's declarations.
    ///
    /// # Errors
    ///
    /// [`ResourceError`], naming what is at odds.
    pub fn new(resource: R, key: CursorKey) -> Result<Arc<Self>, ResourceError> {
        let list = R::list();
        list.check()?;
        let names = names_of::<R::Output>()
            .ok_or_else(|| ResourceError::Output(std::any::type_name::<R::Output>()))?;
        for (fields, input) in [
            (fields_of::<R::Create>(), std::any::type_name::<R::Create>()),
            (fields_of::<R::Change>(), std::any::type_name::<R::Change>()),
        ] {
            if fields.is_none() {
                return Err(ResourceError::Input(input));
            }
        }
        let settings = resource.settings();
        Ok(Arc::new(Self {
            resource,
            list,
            names,
            key,
            exports: Arc::new(Semaphore::new(settings.exports.max(1))),
            settings,
        }))
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> &R {
        &self.resource
    }

    pub(super) fn declared(&self) -> &List<R::Entity> {
        &self.list
    }

    /// Limits, and what is demanded of clients.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn key(&self) -> &CursorKey {
        &self.key
    }

    pub(super) fn exports(&self) -> &Arc<Semaphore> {
        &self.exports
    }

    pub(super) fn known<'a>(&'a self, granted: &'a Granted) -> Known<'a, ColumnOf<R>> {
        Known {
            sight: granted.sight(),
            fields: &self.names,
            field_of: R::field_of,
            accept: None,
        }
    }

    /// The rows that an address stands for: the tenant's, under the parent.
    pub(super) fn select(&self, granted: &Granted) -> Result<Select<R::Entity>, Problem> {
        let all = match self.under(granted)? {
            Some((column, id)) => Condition::all().add(column.eq(id)),
            None => Condition::all(),
        };
        Ok(R::Entity::find()
            .within(granted.account().scope())
            .filter(all))
    }

    /// The column that holds the row above, and which row that is.
    pub(super) fn under(&self, granted: &Granted) -> Result<Option<(ColumnOf<R>, Value)>, Problem> {
        let mistake = || {
            tracing::error!(
                resource = R::NAME,
                "a resource stands under another if and only if it has a `parent_column`"
            );
            Problem::internal()
        };
        match (R::parent_column(), granted.above(R::NAME)) {
            (None, None) => Ok(None),
            (Some(column), Some(id)) => {
                let typed = Typed::of(column.def().get_column_type()).ok_or_else(mistake)?;
                let id = typed.parse(id).ok_or_else(Problem::not_found)?;
                Ok(Some((column, id)))
            }
            (Some(_), None) | (None, Some(_)) => Err(mistake()),
        }
    }

    /// The one column by which a row is known.
    pub(super) fn id_column(&self) -> Result<ColumnOf<R>, Problem> {
        match key_columns::<R::Entity>().as_slice() {
            [column] => Ok(*column),
            _ => {
                let error = ResourceError::Key(R::Entity::default().as_str());
                tracing::error!(%error, "an action needs one id");
                Err(Problem::internal())
            }
        }
    }

    /// What goes out for rows, as far as the account sees it.
    pub(super) async fn shown(
        &self,
        context: &Context<'_>,
        rows: Vec<ModelOf<R>>,
    ) -> Result<Vec<Shown>, Problem> {
        let count = rows.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let sights: Vec<_> = rows
            .iter()
            .map(|row| context.granted().sight_of(row))
            .collect();
        let outputs = self.resource.output(context, rows).await?;
        if outputs.len() != count {
            tracing::error!(
                resource = R::NAME,
                "`output` must give one output for each row"
            );
            return Err(Problem::internal());
        }
        outputs
            .iter()
            .zip(&sights)
            .map(|(output, sight)| Shown::of(output, sight))
            .collect::<Result<_, _>>()
            .map_err(|error| {
                tracing::error!(resource = R::NAME, %error, "an output cannot be written");
                Problem::internal()
            })
    }

    pub(super) async fn shown_one(
        &self,
        context: &Context<'_>,
        row: ModelOf<R>,
    ) -> Result<Shown, Problem> {
        let shown = self.shown(context, vec![row]).await?;
        shown.into_iter().next().ok_or_else(Problem::internal)
    }

    /// The validator of a row as the account sees it, whichever fields were chosen.
    pub(super) fn etag(&self, granted: &Granted, shown: &Shown) -> Etag {
        Etag::of(&[
            granted.account().tenant().id.as_bytes(),
            R::NAME.as_bytes(),
            &shown.to_json(),
        ])
    }
}

impl<R: Resource> fmt::Debug for Actions<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actions")
            .field("resource", &R::NAME)
            .finish_non_exhaustive()
    }
}
