//! The binary formats in which PostgreSQL sends and takes values.

use tokio_postgres::types::{Kind, Type};

use super::variant::Variant;

/// A scalar binary format. Several PostgreSQL types share one: every text-like type, every enum,
/// and every domain (which travels as its base type) use the format of what they are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Wire {
    /// `boolean`: one byte.
    Bool,
    /// `"char"`: one byte, the quoted internal type, not `char(n)`.
    Char,
    /// `smallint`: two bytes, big-endian like all integers below.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `oid`: four bytes, unsigned.
    Oid,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `numeric`: see [`numeric`](super::numeric).
    Numeric,
    /// `text`, `varchar`, `char(n)`, `name`, `citext` and enums: the UTF-8 bytes.
    Text,
    /// `bytea`: the bytes.
    Bytea,
    /// `json`: its text.
    Json,
    /// `jsonb`: a version byte, then its text.
    Jsonb,
    /// `uuid`: sixteen bytes.
    Uuid,
    /// `date`: days since 2000-01-01.
    Date,
    /// `time`: microseconds since midnight.
    Time,
    /// `timestamp`: microseconds since 2000-01-01 00:00:00.
    Timestamp,
    /// `timestamptz`: microseconds since 2000-01-01 00:00:00 UTC.
    Timestamptz,
    /// `inet` and `cidr`: see [`network`](super::network).
    Inet,
    /// `macaddr`: six bytes.
    MacAddr,
    /// `void`, what a function without a result returns: no bytes.
    Void,
}

/// How a PostgreSQL type travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The format of the scalar, or of each element.
    pub(super) wire: Wire,
    /// Whether the type is an array.
    pub(super) array: bool,
}

impl Shape {
    /// `None` for a type that SeaORM has no variant for, such as a range or an interval.
    pub(super) fn of(ty: &Type) -> Option<Self> {
        match element(ty) {
            Some(element) => Some(Self {
                wire: Wire::of(element)?,
                array: true,
            }),
            None => Some(Self {
                wire: Wire::of(ty)?,
                array: false,
            }),
        }
    }
}

/// The type of an array's elements, through domains over the array; `None` if it is no array.
pub(super) fn element(ty: &Type) -> Option<&Type> {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the enum is non-exhaustive")]
    match base(ty).kind() {
        Kind::Array(element) => Some(element),
        _ => None,
    }
}

/// The type under any number of domains.
fn base(ty: &Type) -> &Type {
    let mut ty = ty;
    while let Kind::Domain(under) = ty.kind() {
        ty = under;
    }
    ty
}

impl Wire {
    /// The format of a scalar type; `None` for one that SeaORM has no variant for.
    pub(super) fn of(ty: &Type) -> Option<Self> {
        let ty = base(ty);
        Some(match *ty {
            Type::BOOL => Self::Bool,
            Type::CHAR => Self::Char,
            Type::INT2 => Self::Int2,
            Type::INT4 => Self::Int4,
            Type::INT8 => Self::Int8,
            Type::OID => Self::Oid,
            Type::FLOAT4 => Self::Float4,
            Type::FLOAT8 => Self::Float8,
            Type::NUMERIC => Self::Numeric,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Self::Text,
            Type::BYTEA => Self::Bytea,
            Type::JSON => Self::Json,
            Type::JSONB => Self::Jsonb,
            Type::UUID => Self::Uuid,
            Type::DATE => Self::Date,
            Type::TIME => Self::Time,
            Type::TIMESTAMP => Self::Timestamp,
            Type::TIMESTAMPTZ => Self::Timestamptz,
            Type::INET | Type::CIDR => Self::Inet,
            Type::MACADDR => Self::MacAddr,
            Type::VOID => Self::Void,
            _ if matches!(ty.kind(), Kind::Enum(_)) => Self::Text,
            // An extension's type has no fixed oid, only a name.
            _ if ty.name() == "citext" && matches!(ty.kind(), Kind::Simple) => Self::Text,
            _ => return None,
        })
    }

    /// The variant that SeaORM on sqlx gives a column of this type when no model says otherwise.
    pub(super) fn usual(self) -> Variant {
        match self {
            Self::Bool => Variant::Bool,
            Self::Char => Variant::TinyInt,
            Self::Int2 => Variant::SmallInt,
            Self::Int4 => Variant::Int,
            Self::Int8 => Variant::BigInt,
            Self::Oid => Variant::Unsigned,
            Self::Float4 => Variant::Float,
            Self::Float8 => Variant::Double,
            Self::Numeric => Variant::Decimal,
            Self::Text | Self::Void => Variant::String,
            Self::Bytea => Variant::Bytes,
            Self::Json | Self::Jsonb => Variant::Json,
            Self::Uuid => Variant::Uuid,
            Self::Date => Variant::ChronoDate,
            Self::Time => Variant::ChronoTime,
            Self::Timestamp => Variant::ChronoDateTime,
            Self::Timestamptz => Variant::ChronoDateTimeWithTimeZone,
            Self::Inet => Variant::IpNetwork,
            Self::MacAddr => Variant::MacAddress,
        }
    }

    /// Whether every value of this format, or every one that passes a range check, becomes the
    /// variant without loss.
    pub(super) fn carries(self, variant: Variant) -> bool {
        match self {
            Self::Bool => variant == Variant::Bool,
            Self::Char => variant == Variant::TinyInt || variant.is_text(),
            Self::Int2 | Self::Int4 | Self::Int8 => variant.is_integer(),
            Self::Oid => matches!(
                variant,
                Variant::Unsigned | Variant::BigUnsigned | Variant::Int | Variant::BigInt
            ),
            Self::Float4 => matches!(variant, Variant::Float | Variant::Double),
            Self::Float8 => variant == Variant::Double,
            Self::Numeric => matches!(variant, Variant::Decimal | Variant::BigDecimal),
            Self::Text => variant.is_text(),
            Self::Void => variant == Variant::String,
            Self::Bytea => variant == Variant::Bytes,
            Self::Json | Self::Jsonb => variant == Variant::Json,
            Self::Uuid => variant == Variant::Uuid,
            Self::Date => matches!(variant, Variant::ChronoDate | Variant::TimeDate),
            Self::Time => matches!(variant, Variant::ChronoTime | Variant::TimeTime),
            Self::Timestamp => {
                matches!(variant, Variant::ChronoDateTime | Variant::TimeDateTime)
            }
            Self::Timestamptz => matches!(
                variant,
                Variant::ChronoDateTimeUtc
                    | Variant::ChronoDateTimeLocal
                    | Variant::ChronoDateTimeWithTimeZone
                    | Variant::TimeDateTimeWithTimeZone
            ),
            Self::Inet => variant == Variant::IpNetwork,
            Self::MacAddr => variant == Variant::MacAddress,
        }
    }
}
