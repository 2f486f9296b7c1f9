use http::StatusCode;
use sea_orm::{DbErr, EntityName as _, IdenStatic as _, Iterable as _};

use super::{ColumnOf, Context, Resource, connection::Violated};
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
    let columns = columns::<R>(context, &violated);
    let parent = R::parent_column().map(|column| column.as_str());
    if violated.kind == ErrorKind::ForeignKey && columns.iter().any(|name| Some(*name) == parent) {
        // What the address leads through went away meanwhile.
        return Problem::not_found();
    }
    let fields = fields::<R>(&violated, &columns);
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

/// The columns that a constraint is about, but for those of the owners.
fn columns<R: Resource>(context: &Context<'_>, violated: &Violated) -> Vec<&'static str> {
    let entity = R::Entity::default();
    let of_key = violated.constraint.as_deref().and_then(|name| {
        let schema = context.granted().account().schema();
        schema.key_columns(entity.schema_name(), entity.table_name(), name)
    });
    let names = of_key.or_else(|| violated.column.clone().map(|column| vec![column]));
    let names = names.unwrap_or_default();
    ColumnOf::<R>::iter()
        .map(|column| column.as_str())
        .filter(|column| names.iter().any(|name| name == column))
        .collect()
}

/// The fields that a constraint is about: as the resource says, or else by the constraint's columns.
fn fields<R: Resource>(violated: &Violated, columns: &[&str]) -> Vec<String> {
    if let Some(field) = violated
        .constraint
        .as_deref()
        .and_then(R::field_of_constraint)
    {
        return vec![field.to_owned()];
    }
    ColumnOf::<R>::iter()
        .filter(|column| columns.contains(&column.as_str()))
        .map(|column| R::field_of(column).to_owned())
        .collect()
}
