//! How one column is read.

use sea_orm::Value;
use tokio_postgres::types::Type;

use super::error::{Fault, ValueError};
use super::kind::Kind;
use super::kinds::Kinds;
use super::variant::Variant;
use super::wire::{Shape, Wire, element};
use super::{array, decode};

/// One column of a [`RowPlan`](super::RowPlan), with what it takes to read it and to complain.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    type_name: String,
    wire: Wire,
    kind: Kind,
}

impl Column {
    /// Settles once what a column of this type becomes: what its model declares, or else the
    /// default for its type.
    ///
    /// # Errors
    /// When the type has no variant, or none that the declared field could hold.
    pub(super) fn new(
        name: &str,
        ty: &Type,
        declared: Option<Kind>,
        kinds: &Kinds,
    ) -> Result<Self, ValueError> {
        let type_name = type_name(ty);
        let fail = |fault| ValueError::column(name, &type_name, fault);
        let shape = Shape::of(ty).ok_or_else(|| fail(Fault::NoVariant))?;
        let kind = declared.unwrap_or_else(|| kinds.default_for(shape));
        let kind = stored_as_one_document(kind, shape).unwrap_or(kind);
        let variant = kind.variant();
        if variant == Variant::Foreign {
            return Err(fail(Fault::Foreign));
        }
        if kind.is_array() != shape.array || !shape.wire.carries(variant) {
            return Err(fail(Fault::Field {
                what: variant.describe(),
                array: kind.is_array(),
            }));
        }
        Ok(Self {
            name: name.to_owned(),
            type_name,
            wire: shape.wire,
            kind,
        })
    }

    /// What a NULL in this column becomes.
    pub(super) fn null(&self) -> Result<Value, ValueError> {
        let variant = self.kind.variant();
        let null = if self.kind.is_array() {
            variant.null_array()
        } else {
            variant.null()
        };
        null.ok_or_else(|| self.fail(Fault::Foreign))
    }

    /// What anything else becomes.
    pub(super) fn decode(&self, raw: &[u8]) -> Result<Value, ValueError> {
        let variant = self.kind.variant();
        if self.kind.is_array() {
            array::decode(self.wire, variant, self.kind.holds_null_elements(), raw)
        } else {
            decode::scalar(self.wire, variant, raw)
        }
        .map_err(|fault| self.fail(fault))
    }

    fn fail(&self, fault: Fault) -> ValueError {
        ValueError::column(&self.name, &self.type_name, fault)
    }
}

/// A `Vec` of a type that derives `FromJsonQueryResult` calls itself an array of JSON, yet SeaORM
/// stores and reads it as a single document when the column is one.
fn stored_as_one_document(kind: Kind, shape: Shape) -> Option<Kind> {
    let one = kind.variant() == Variant::Json && kind.is_array() && !shape.array;
    one.then(|| Kind::plain(Variant::Json, false))
}

/// The type as it is written in SQL: `_text` is `text[]`.
fn type_name(ty: &Type) -> String {
    element(ty).map_or_else(|| ty.to_string(), |element| format!("{element}[]"))
}

#[cfg(test)]
mod tests {
    use super::super::kind::kind_of;
    use super::*;

    fn refusal(ty: &Type, declared: Option<Kind>) -> String {
        Column::new("during", ty, declared, &Kinds::new())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn refusals_say_what_to_do() {
        assert_eq!(
            refusal(&Type::TSTZ_RANGE, None),
            "column `during` has type `tstzrange`, which SeaORM cannot carry: cast it to text"
        );
        assert_eq!(
            refusal(&Type::TEXT, Some(kind_of::<i32>())),
            "column `during` has type `text`, but its field holds a 32-bit integer: \
             change the field's type, or cast the column"
        );
        assert_eq!(
            refusal(&Type::TEXT_ARRAY, Some(kind_of::<String>())),
            "column `during` has type `text[]`, but its field holds text: \
             change the field's type, or cast the column"
        );
        assert!(refusal(&Type::INTERVAL_ARRAY, None).contains("`interval[]`"));
    }

    #[test]
    fn a_value_that_does_not_fit_is_no_null() {
        let column = Column::new("n", &Type::INT8, Some(kind_of::<i32>()), &Kinds::new()).unwrap();
        assert_eq!(
            column
                .decode(&i64::MAX.to_be_bytes())
                .unwrap_err()
                .to_string(),
            "column `n` has type `int8` and a value that is outside the range of a 32-bit integer"
        );
        assert_eq!(column.null().unwrap(), Value::Int(None));
    }

    #[test]
    fn an_array_of_json_may_be_one_document() {
        let kind = Some(kind_of::<Vec<serde_json::Value>>());
        let kinds = Kinds::new();
        let one = Column::new("j", &Type::JSONB, kind, &kinds).unwrap();
        assert_eq!(one.null().unwrap(), Value::Json(None));
        let many = Column::new("j", &Type::JSONB_ARRAY, kind, &kinds).unwrap();
        assert!(matches!(many.null().unwrap(), Value::Array(..)));
    }
}
