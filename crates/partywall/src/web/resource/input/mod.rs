//! What a body says, checked: first its form, then its fields, then its values.

mod fault;
mod fields;
mod json;
mod patch;
mod reader;
#[cfg(test)]
mod tests;

use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use patch::Patch;

pub(super) use fields::fields_of;
pub(super) use json::read_json;

use self::{
    fault::{Fault, unknown},
    reader::Reader,
};
use super::sight::Sight;
use crate::web::{FieldError, Problem};

/// Reads and checks a value of a body. All that is wrong with its fields' names is told at once, and all
/// that is wrong with its values.
pub(super) fn read_input<T>(value: Value, sight: &Sight) -> Result<T, Vec<FieldError>>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    if let Value::Object(given) = &value {
        let refused = refused_names(given, fields_of::<T>(), sight);
        if !refused.is_empty() {
            return Err(refused);
        }
    }
    let input =
        T::deserialize(Reader::new(value)).map_err(|Fault { errors, .. }| sight.covered(errors))?;
    match input.validate() {
        Ok(()) => Ok(input),
        Err(report) => Err(sight.covered(FieldError::of_report(&report))),
    }
}

/// Reads and checks a body that is one value.
pub(super) fn read_body<T>(value: Value, sight: &Sight) -> Result<T, Problem>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    read_input(value, sight).map_err(Problem::invalid_fields)
}

fn refused_names(
    given: &Map<String, Value>,
    fields: Option<&[&str]>,
    sight: &Sight,
) -> Vec<FieldError> {
    given
        .keys()
        .filter_map(|name| {
            let is_known = fields.is_none_or(|fields| fields.contains(&name.as_str()));
            if !is_known || sight.hides(name) {
                Some(unknown(name))
            } else if sight.freezes(name) {
                Some(FieldError::new(name, "frozen", "this cannot be changed"))
            } else {
                None
            }
        })
        .collect()
}
