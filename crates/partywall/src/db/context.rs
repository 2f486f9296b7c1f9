use std::{error::Error, fmt, sync::Arc};

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// A scope's context on its way to the server. Its `Debug` keeps it to itself: tokio-postgres logs the
/// parameters of a statement at debug level, and a sealed context is good for a minute.
#[derive(Clone)]
pub(super) struct Context(Arc<str>);

impl From<String> for Context {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(…)")
    }
}

impl ToSql for Context {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.as_ref().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}
