use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

use sea_orm::{EntityTrait, Value, sea_query::ValueType};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::web::Problem;

/// The id, in a body, of something else of the tenant's: a choice among its rows.
///
/// The resource names its choices ([`Resource::related`](super::Resource::related)), and they are looked
/// up inside the scope before anything is written. The id of a row of another tenant, of none, and what
/// is no id at all are one answer. Until it was looked up, a choice does not say its [id](Self::id).
///
/// For OpenAPI say `#[schema(value_type = Uuid)]`; an optional one is an `Option<Choice<…>>`, several are
/// a `Vec<Choice<…>>`.
pub struct Choice<E> {
    text: String,
    found: Arc<OnceLock<Value>>,
    entity: PhantomData<fn() -> E>,
}

impl<E: EntityTrait> Choice<E> {
    /// Something by its id, for code that has no body.
    #[must_use]
    pub fn new(id: impl fmt::Display) -> Self {
        Self {
            text: id.to_string(),
            found: Arc::default(),
            entity: PhantomData,
        }
    }

    /// The id of the row that was found.
    ///
    /// # Errors
    ///
    /// 500 where the choice was not looked up, or has another type of key: the resource does not name it
    /// among its [related](super::Resource::related) ones.
    pub fn id<K: ValueType>(&self) -> Result<K, Problem> {
        let found = self.found.get().cloned();
        found
            .and_then(|value| K::try_from(value).ok())
            .ok_or_else(|| {
                tracing::error!(
                    entity = std::any::type_name::<E>(),
                    "a choice was used that was not looked up: name it in `Resource::related`"
                );
                Problem::internal()
            })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn found(&self) -> &OnceLock<Value> {
        &self.found
    }
}

impl<E> Clone for Choice<E> {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            found: Arc::clone(&self.found),
            entity: PhantomData,
        }
    }
}

impl<E> fmt::Debug for Choice<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Choice").field(&self.text).finish()
    }
}

impl<'de, E> Deserialize<'de> for Choice<E> {
    /// Takes whatever stands there: what is no id is the id of nothing.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => String::new(),
        };
        Ok(Self {
            text,
            found: Arc::default(),
            entity: PhantomData,
        })
    }
}

impl<E> Serialize for Choice<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
