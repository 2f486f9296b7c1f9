//! Parameters, from SeaORM to tokio-postgres.

use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use sea_orm::Value;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use super::encode;
use super::variant::Variant;

/// One parameter. Its `Debug` shows the variant and not the value, because tokio-postgres logs the
/// parameters of each statement at debug level and these are a tenant's data.
#[derive(Clone, Copy)]
pub(crate) struct Param<'value>(pub(crate) &'value Value);

impl fmt::Debug for Param<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (variant, array) = Variant::of(self.0);
        write!(formatter, "{variant:?}{}", if array { "[]" } else { "" })
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(encode::value(self.0, ty, out)?)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, ty: &Type) -> Format {
        if encode::is_text(self.0, ty) {
            Format::Text
        } else {
            Format::Binary
        }
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_keeps_the_value_to_itself() {
        let values = [Value::from("secret"), vec![1i32].into()];
        let params: Vec<_> = values.iter().map(Param).collect();
        assert_eq!(format!("{params:?}"), "[String, Int[]]");
    }
}
