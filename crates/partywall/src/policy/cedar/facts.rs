use std::net::IpAddr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

/// What Cedar is told of an object: `Facts::of(note.id).with("archived", note.is_archived)`.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(super) id: String,
    pub(super) attributes: Vec<(String, Attribute)>,
}

impl Facts {
    /// An object by its id.
    pub fn of(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            attributes: Vec::new(),
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Attribute>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Adds an attribute if there is a value. Cedar asks with `resource has owner`.
    #[must_use]
    pub fn with_some(self, name: impl Into<String>, value: Option<impl Into<Attribute>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

/// A value of Cedar's.
#[derive(Clone, Debug)]
pub struct Attribute(pub(super) Result<RestrictedExpression, String>);

impl Attribute {
    /// An entity: `Attribute::entity("Account", note.author_id)`.
    pub fn entity(kind: &str, id: impl Into<String>) -> Self {
        Self(match kind.parse::<EntityTypeName>() {
            Ok(kind) => {
                let entity = uid(&kind, id.into());
                Ok(RestrictedExpression::new_entity_uid(entity))
            }
            Err(_) => Err(format!("`{kind}` is no type of entities")),
        })
    }
}

pub(super) fn uid(kind: &EntityTypeName, id: impl AsRef<str>) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

impl From<bool> for Attribute {
    fn from(value: bool) -> Self {
        Self(Ok(RestrictedExpression::new_bool(value)))
    }
}

impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self(Ok(RestrictedExpression::new_long(value)))
    }
}

impl From<i32> for Attribute {
    fn from(value: i32) -> Self {
        i64::from(value).into()
    }
}

impl From<String> for Attribute {
    fn from(value: String) -> Self {
        Self(Ok(RestrictedExpression::new_string(value)))
    }
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl From<Uuid> for Attribute {
    /// A text; for an entity see [`Attribute::entity`].
    fn from(value: Uuid) -> Self {
        value.to_string().into()
    }
}

impl From<IpAddr> for Attribute {
    fn from(value: IpAddr) -> Self {
        Self(Ok(RestrictedExpression::new_ip(value.to_string())))
    }
}

impl From<DateTime<Utc>> for Attribute {
    /// To the millisecond, as Cedar has it.
    fn from(value: DateTime<Utc>) -> Self {
        let text = value.to_rfc3339_opts(SecondsFormat::Millis, true);
        Self(Ok(RestrictedExpression::new_datetime(text)))
    }
}

impl<T: Into<Attribute>> FromIterator<T> for Attribute {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let values: Result<Vec<_>, _> = values.into_iter().map(|value| value.into().0).collect();
        Self(values.map(RestrictedExpression::new_set))
    }
}

impl<T: Into<Attribute>> From<Vec<T>> for Attribute {
    fn from(values: Vec<T>) -> Self {
        values.into_iter().collect()
    }
}
