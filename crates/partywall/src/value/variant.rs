//! The variants of a `Value`, without their contents.

use sea_orm::Value;
use sea_orm::sea_query::{ArrayType, OptionEnum};
use tokio_postgres::types::Type;

/// Writes [`Variant`] and its tables from one line per variant, so that no table can lack one.
macro_rules! variants {
    ($($name:ident => $scalar:ident, $array:ident, $what:literal;)+) => {
        /// One scalar variant of [`Value`], small enough to copy and to match on.
        ///
        /// A native enum has no variant of its own: it travels as [`Variant::String`], because
        /// that is what `DeriveActiveEnum` reads and what sea-query sends.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Variant {
            $(
                #[doc = concat!("`Value::", stringify!($name), "`.")]
                $name,
            )+
            /// A variant that a cargo feature of sea-query adds and that this room does not know.
            Foreign,
        }

        impl Variant {
            /// The variant that an array type names for its elements.
            pub(super) fn of_array_type(array_type: &ArrayType) -> Self {
                #[allow(
                    clippy::wildcard_enum_match_arm,
                    unreachable_patterns,
                    reason = "features of sea-query that other crates turn on add variants"
                )]
                match array_type {
                    $(ArrayType::$name => Self::$name,)+
                    ArrayType::Enum(_) => Self::String,
                    _ => Self::Foreign,
                }
            }

            /// The variant of a scalar value, or of an array's elements, and whether it is an array.
            pub(super) fn of(value: &Value) -> (Self, bool) {
                #[allow(
                    clippy::wildcard_enum_match_arm,
                    unreachable_patterns,
                    reason = "features of sea-query that other crates turn on add variants"
                )]
                match value {
                    $(Value::$name(_) => (Self::$name, false),)+
                    Value::Enum(_) => (Self::String, false),
                    Value::Array(array_type, _) => (Self::of_array_type(array_type), true),
                    _ => (Self::Foreign, false),
                }
            }

            /// How `Value::Array` names this variant; `None` for [`Variant::Foreign`].
            pub(super) fn array_type(self) -> Option<ArrayType> {
                match self {
                    $(Self::$name => Some(ArrayType::$name),)+
                    Self::Foreign => None,
                }
            }

            /// The typed null; `None` for [`Variant::Foreign`].
            pub(super) fn null(self) -> Option<Value> {
                match self {
                    $(Self::$name => Some(Value::$name(None)),)+
                    Self::Foreign => None,
                }
            }

            /// The PostgreSQL type of a scalar or of an array, as sea-query-sqlx 0.9 declares it
            /// (its `sqlx_postgres.rs`); `None` for [`Variant::Foreign`].
            pub(super) fn declared(self, array: bool) -> Option<Type> {
                match self {
                    $(Self::$name => Some(if array { Type::$array } else { Type::$scalar }),)+
                    Self::Foreign => None,
                }
            }

            /// What the variant holds, in words for a message.
            pub(super) fn describe(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)+
                    Self::Foreign => "a kind of value that is not supported here",
                }
            }
        }

        /// Whether the value is a null, of whatever type.
        pub(super) fn is_null(value: &Value) -> bool {
            #[allow(
                clippy::wildcard_enum_match_arm,
                unreachable_patterns,
                reason = "features of sea-query that other crates turn on add variants"
            )]
            match value {
                $(Value::$name(content) => content.is_none(),)+
                Value::Enum(content) => matches!(content, OptionEnum::None(_)),
                Value::Array(_, content) => content.is_none(),
                _ => false,
            }
        }
    };
}

variants! {
    Bool => BOOL, BOOL_ARRAY, "a truth value";
    TinyInt => CHAR, CHAR_ARRAY, "an 8-bit integer";
    SmallInt => INT2, INT2_ARRAY, "a 16-bit integer";
    Int => INT4, INT4_ARRAY, "a 32-bit integer";
    BigInt => INT8, INT8_ARRAY, "a 64-bit integer";
    TinyUnsigned => INT2, INT2_ARRAY, "an unsigned 8-bit integer";
    SmallUnsigned => INT4, INT4_ARRAY, "an unsigned 16-bit integer";
    Unsigned => INT8, INT8_ARRAY, "an unsigned 32-bit integer";
    BigUnsigned => INT8, INT8_ARRAY, "an unsigned 64-bit integer";
    Float => FLOAT4, FLOAT4_ARRAY, "a single-precision number";
    Double => FLOAT8, FLOAT8_ARRAY, "a double-precision number";
    String => TEXT, TEXT_ARRAY, "text";
    Char => TEXT, TEXT_ARRAY, "a single character";
    Bytes => BYTEA, BYTEA_ARRAY, "bytes";
    Json => JSONB, JSONB_ARRAY, "JSON";
    ChronoDate => DATE, DATE_ARRAY, "a date";
    ChronoTime => TIME, TIME_ARRAY, "a time of day";
    ChronoDateTime => TIMESTAMP, TIMESTAMP_ARRAY, "a timestamp without time zone";
    ChronoDateTimeUtc => TIMESTAMPTZ, TIMESTAMPTZ_ARRAY, "a timestamp with time zone";
    ChronoDateTimeLocal => TIMESTAMPTZ, TIMESTAMPTZ_ARRAY, "a timestamp with time zone";
    ChronoDateTimeWithTimeZone => TIMESTAMPTZ, TIMESTAMPTZ_ARRAY, "a timestamp with time zone";
    TimeDate => DATE, DATE_ARRAY, "a date";
    TimeTime => TIME, TIME_ARRAY, "a time of day";
    TimeDateTime => TIMESTAMP, TIMESTAMP_ARRAY, "a timestamp without time zone";
    TimeDateTimeWithTimeZone => TIMESTAMPTZ, TIMESTAMPTZ_ARRAY, "a timestamp with time zone";
    Uuid => UUID, UUID_ARRAY, "a UUID";
    Decimal => NUMERIC, NUMERIC_ARRAY, "a 96-bit decimal";
    BigDecimal => NUMERIC, NUMERIC_ARRAY, "a decimal of any size";
    IpNetwork => INET, INET_ARRAY, "an IP network";
    MacAddress => MACADDR, MACADDR_ARRAY, "a MAC address";
}

impl Variant {
    /// Whether the variant is one of the eight integers.
    pub(super) fn is_integer(self) -> bool {
        matches!(
            self,
            Self::TinyInt
                | Self::SmallInt
                | Self::Int
                | Self::BigInt
                | Self::TinyUnsigned
                | Self::SmallUnsigned
                | Self::Unsigned
                | Self::BigUnsigned
        )
    }

    /// Whether the variant is text.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Char)
    }

    /// The null array of this variant; `None` for [`Variant::Foreign`].
    pub(super) fn null_array(self) -> Option<Value> {
        Some(Value::Array(self.array_type()?, None))
    }
}
