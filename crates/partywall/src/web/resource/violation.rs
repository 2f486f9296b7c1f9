use http::StatusCode;
use sea_orm::{DbErr, EntityName as _, EntityTrait, IdenStatic as _, Iterable as _};

use super::{Context, Resource, connection::Violated};
use crate::{
    db::ErrorKind,
    web::{FieldError, Problem},
};

/// What a statement of an action was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Writing,
    Removing,
}

/// What the database said of a row, in terms of the fields that it was made of: a name that is taken,
/// the id of something that is not there. What else went wrong is not the visitor's.
///
/// `place` is where the row stands in a list, `[2]`.
pub(super) fn problem_of<R: Resource>(
    context: &Context<'_>,
    error: DbErr,
    doing: Doing,
    place: &str,
) -> Problem {
    let Some(violated) = context.db().take_violated() else {
        return error.into();
    };
    tracing::debug!(%error, "a row was refused by the database");
    if doing == Doing::Removing {
        let detail = "something else still refers to this";
        return Problem::new(StatusCode::CONFLICT, "in_use", detail);
    }
    let fields = fields::<R>(context, &violated);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "no other kind is of a constraint"
    )]
    let (status, code, detail, error): (_, _, _, fn(String) -> FieldError) = match violated.kind {
        ErrorKind::Unique => (
            StatusCode::CONFLICT,
            "taken",
            "this is at odds with what is there already",
            |field| FieldError::taken(field),
        ),
        ErrorKind::ForeignKey => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "some values are not as they should be",
            |field| FieldError::no_such(field),
        ),
        _ => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            "some values are not as they should be",
            |field| FieldError::invalid(field, "this is not as it should be"),
        ),
    };
    let errors: Vec<FieldError> = fields.into_iter().map(error).collect();
    let errors = context.granted().sight().covered(errors);
    let errors = errors.into_iter().map(|error| match place {
        "" => error,
        place => error.inside(place),
    });
    Problem::new(status, code, detail).with_errors(errors)
}

/// The fields that a constraint is about: as the resource says, or else by the constraint's columns.
fn fields<R: Resource>(context: &Context<'_>, violated: &Violated) -> Vec<String> {
    let name = violated.constraint.as_deref();
    if let Some(field) = name.and_then(R::field_of_constraint) {
        return vec![field.to_owned()];
    }
    let entity = R::Entity::default();
    let of_key = name.and_then(|name| {
        let schema = context.granted().account().schema();
        schema.key_columns(entity.schema_name(), entity.table_name(), name)
    });
    let columns = of_key.or_else(|| violated.column.clone().map(|column| vec![column]));
    let known = <R::Entity as EntityTrait>::Column::iter();
    columns
        .unwrap_or_default()
        .iter()
        .filter_map(|name| known.clone().find(|column| column.as_str() == name))
        .map(|column| R::field_of(column).to_owned())
        .collect()
}
