//! What goes out, as fields in the order in which their struct declares them.

use std::borrow::Cow;

use serde::{
    Serialize, Serializer,
    ser::{Error as _, Impossible, SerializeMap, SerializeStruct},
};
use serde_json::{Error, Value};
use utoipa::{
    PartialSchema,
    openapi::{RefOr, Schema},
};

use super::Sight;

/// The fields of one output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shown(Vec<(Cow<'static, str>, Value)>);

impl Shown {
    /// The fields that an account sees.
    pub(super) fn of(output: &impl Serialize, sight: &Sight) -> Result<Self, Error> {
        let Self(mut fields) = output.serialize(Fields)?;
        fields.retain(|(name, _)| !sight.hides(name));
        Ok(Self(fields))
    }

    /// Some of the fields, in the order in which they were chosen.
    pub(super) fn only(self, chosen: &[String]) -> Self {
        let find = |name: &String| self.0.iter().find(|(known, _)| known == name).cloned();
        Self(chosen.iter().filter_map(find).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The names of an output's fields, by its schema: those that are always there first. None for what is no
/// struct.
pub(super) fn names_of<T: PartialSchema>() -> Option<Vec<String>> {
    let mut names = Vec::new();
    collect(&T::schema(), &mut names)?;
    (!names.is_empty()).then_some(names)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other schemas are of what has no fields of its own"
)]
fn collect(schema: &RefOr<Schema>, names: &mut Vec<String>) -> Option<()> {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            for name in object.required.iter().chain(object.properties.keys()) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            Some(())
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter().try_for_each(|one| collect(one, names)),
        _ => None,
    }
}

/// Takes a struct or a map apart, and nothing else.
struct Fields;

struct Taken {
    fields: Vec<(Cow<'static, str>, Value)>,
    key: Option<String>,
}

fn no_struct<T>() -> Result<T, Error> {
    Err(Error::custom("what goes out is a struct with named fields"))
}

macro_rules! refused {
    ($($method:ident($type:ty)),+ $(,)?) => {$(
        fn $method(self, _: $type) -> Result<Shown, Error> {
            no_struct()
        }
    )+};
}

impl Serializer for Fields {
    type Ok = Shown;
    type Error = Error;
    type SerializeSeq = Impossible<Shown, Error>;
    type SerializeTuple = Impossible<Shown, Error>;
    type SerializeTupleStruct = Impossible<Shown, Error>;
    type SerializeTupleVariant = Impossible<Shown, Error>;
    type SerializeMap = Taken;
    type SerializeStruct = Taken;
    type SerializeStructVariant = Impossible<Shown, Error>;

    refused!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str),
    );

    fn serialize_none(self) -> Result<Shown, Error> {
        no_struct()
    }

    fn serialize_unit(self) -> Result<Shown, Error> {
        no_struct()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Shown, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Shown, Error> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<Shown, Error> {
        no_struct()
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Shown, Error> {
        no_struct()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Error> {
        no_struct()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Error> {
        no_struct()
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        no_struct()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        no_struct()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Taken, Error> {
        let fields = Vec::new();
        Ok(Taken { fields, key: None })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Taken, Error> {
        let fields = Vec::new();
        Ok(Taken { fields, key: None })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        no_struct()
    }
}

impl SerializeStruct for Taken {
    type Ok = Shown;
    type Error = Error;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.fields.push((key.into(), serde_json::to_value(value)?));
        Ok(())
    }

    fn end(self) -> Result<Shown, Error> {
        Ok(Shown(self.fields))
    }
}

impl SerializeMap for Taken {
    type Ok = Shown;
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Error> {
        let key = serde_json::to_value(key)?;
        self.key = Some(key.as_str().map_or_else(|| key.to_string(), str::to_owned));
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().unwrap_or_default();
        self.fields.push((key.into(), serde_json::to_value(value)?));
        Ok(())
    }

    fn end(self) -> Result<Shown, Error> {
        Ok(Shown(self.fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, utoipa::ToSchema)]
    struct Note {
        title: String,
        id: u8,
        #[serde(rename = "by")]
        author: Option<String>,
    }

    fn note() -> Note {
        Note {
            title: "one".to_owned(),
            id: 7,
            author: None,
        }
    }

    #[test]
    fn fields_keep_their_order() {
        let shown = Shown::of(&note(), &Sight::default()).unwrap();
        let json = String::from_utf8(shown.to_json()).unwrap();
        assert_eq!(json, r#"{"title":"one","id":7,"by":null}"#);
        let chosen = shown.only(&["id".to_owned(), "title".to_owned()]);
        assert_eq!(chosen.to_json(), br#"{"id":7,"title":"one"}"#);
    }

    #[test]
    fn i55_a_hidden_field_is_absent() {
        let sight = Sight::new(|name| name == "by", |_| false);
        let shown = Shown::of(&note(), &sight).unwrap();
        assert_eq!(shown.names().collect::<Vec<_>>(), ["title", "id"]);
    }

    #[test]
    fn a_schema_tells_the_names() {
        let names = names_of::<Note>().unwrap();
        assert_eq!(names, ["title", "id", "by"]);
        assert_eq!(names_of::<Vec<Note>>(), None);
        assert_eq!(names_of::<String>(), None);
    }

    #[test]
    fn what_is_no_struct_is_refused() {
        assert!(Shown::of(&7, &Sight::default()).is_err());
        assert!(Shown::of(&["a"], &Sight::default()).is_err());
        assert!(Shown::of(&Some(note()), &Sight::default()).is_ok());
    }
}
