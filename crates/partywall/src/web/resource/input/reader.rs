//! Reads a type out of JSON, and knows at each step where in the body it is.

use serde::de::Error as _;
use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess,
        Visitor, value::StrDeserializer,
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

use super::fault::{Fault, unknown};

/// A value with its path in the body.
pub(super) struct Reader {
    value: Value,
    path: String,
}

impl Reader {
    pub(super) fn new(value: Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let path = self.path;
        let visited = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => {
                if let Some(value) = number.as_u64() {
                    visitor.visit_u64(value)
                } else if let Some(value) = number.as_i64() {
                    visitor.visit_i64(value)
                } else {
                    visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
                }
            }
            Value::String(text) => visitor.visit_string(text),
            Value::Array(values) => visitor.visit_seq(Items {
                values: values.into_iter().enumerate(),
                path: &path,
            }),
            Value::Object(fields) => visitor.visit_map(Fields::new(fields, &path)),
        };
        visited.map_err(|fault: Fault| fault.at(&path))
    }
}

impl<'de> Deserializer<'de> for Reader {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.visit(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.value.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    /// Knows all fields of a struct, whatever its own attributes say of others.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if let Value::Object(given) = &self.value {
            let unknown: Vec<_> = given
                .keys()
                .filter(|name| !fields.contains(&name.as_str()))
                .map(|name| unknown(name))
                .collect();
            if !unknown.is_empty() {
                return Err(Fault::new(unknown).at(&self.path));
            }
        } else {
            // A list would be read as the fields in their order.
            let fault = Fault::invalid_type(serde::de::Unexpected::Other("this"), &"a map");
            return Err(fault.at(&self.path));
        }
        self.visit(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let Self { value, path } = self;
        let (variant, content) = match value {
            Value::String(variant) => (variant, None),
            Value::Object(fields) if fields.len() == 1 => match fields.into_iter().next() {
                Some((variant, content)) => (variant, Some(content)),
                None => return Err(Fault::custom("").at(&path)),
            },
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                return Err(Fault::custom("").at(&path));
            }
        };
        let chosen = Chosen {
            variant,
            content,
            path: &path,
        };
        visitor.visit_enum(chosen).map_err(|fault| fault.at(&path))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier
    }
}

struct Items<'a> {
    values: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    path: &'a str,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some((n, value)) = self.values.next() else {
            return Ok(None);
        };
        let path = format!("{}[{n}]", self.path);
        seed.deserialize(Reader { value, path }).map(Some)
    }
}

struct Fields<'a> {
    fields: serde_json::map::IntoIter,
    value: Option<(String, Value)>,
    path: &'a str,
}

impl<'a> Fields<'a> {
    fn new(fields: Map<String, Value>, path: &'a str) -> Self {
        Self {
            fields: fields.into_iter(),
            value: None,
            path,
        }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        let Some((name, value)) = self.fields.next() else {
            return Ok(None);
        };
        let key: StrDeserializer<'_, Fault> = name.as_str().into_deserializer();
        let key = seed.deserialize(key)?;
        self.value = Some((name, value));
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let Some((name, value)) = self.value.take() else {
            return Err(Fault::custom(""));
        };
        let path = if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        };
        let place = path.clone();
        seed.deserialize(Reader { value, path })
            .map_err(|fault| fault.at(&place))
    }
}

struct Chosen<'a> {
    variant: String,
    content: Option<Value>,
    path: &'a str,
}

impl<'de, 'a> EnumAccess<'de> for Chosen<'a> {
    type Error = Fault;
    type Variant = Content<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'a>), Fault> {
        let variant: StrDeserializer<'_, Fault> = self.variant.as_str().into_deserializer();
        let variant = seed.deserialize(variant)?;
        let content = Content {
            value: self.content,
            path: self.path,
        };
        Ok((variant, content))
    }
}

struct Content<'a> {
    value: Option<Value>,
    path: &'a str,
}

impl Content<'_> {
    fn reader(self) -> Result<Reader, Fault> {
        let value = self.value.ok_or_else(|| Fault::custom(""))?;
        let path = self.path.to_owned();
        Ok(Reader { value, path })
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match self.value {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Fault::custom("")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.reader()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.reader()?.visit(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.reader()?.deserialize_struct("", fields, visitor)
    }
}
