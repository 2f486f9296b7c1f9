use bigdecimal::BigDecimal;
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};
use sea_orm::{ColumnType, Value};
use uuid::Uuid;

/// Digits and signs of a number, at most.
const MAX_NUMBER: usize = 100;

/// What a column holds, as far as lists can filter and sort by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Text,
    Small,
    Integer,
    Big,
    Float,
    Double,
    Decimal,
    Bool,
    Uuid,
    Instant,
    Local,
    Date,
    Time,
    /// The values of a PostgreSQL enum.
    Enum(Vec<String>),
}

impl Typed {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other types have no order or no short text"
    )]
    pub(super) fn of(column: &ColumnType) -> Option<Self> {
        Some(match column {
            ColumnType::Char(_) | ColumnType::String(_) | ColumnType::Text => Self::Text,
            ColumnType::TinyInteger | ColumnType::SmallInteger => Self::Small,
            ColumnType::Integer | ColumnType::TinyUnsigned | ColumnType::SmallUnsigned => {
                Self::Integer
            }
            ColumnType::BigInteger | ColumnType::Unsigned => Self::Big,
            ColumnType::Float => Self::Float,
            ColumnType::Double => Self::Double,
            ColumnType::Decimal(_) | ColumnType::Money(_) => Self::Decimal,
            ColumnType::Boolean => Self::Bool,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::TimestampWithTimeZone => Self::Instant,
            ColumnType::DateTime | ColumnType::Timestamp => Self::Local,
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::Enum { variants, .. } => {
                Self::Enum(variants.iter().map(ToString::to_string).collect())
            }
            _ => return None,
        })
    }

    /// What a value looks like, for who wrote another.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text => "a text".to_owned(),
            Self::Small | Self::Integer | Self::Big => "a whole number in its range".to_owned(),
            Self::Float | Self::Double | Self::Decimal => "a number".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Uuid => "an id".to_owned(),
            Self::Instant => "a time like `2026-01-31T12:00:00Z`, or a date".to_owned(),
            Self::Local => "a time like `2026-01-31T12:00:00`, or a date".to_owned(),
            Self::Date => "a date like `2026-01-31`".to_owned(),
            Self::Time => "a time like `12:00:00`".to_owned(),
            Self::Enum(values) => format!("one of `{}`", values.join("`, `")),
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text)
    }

    pub(super) fn is_enum(&self) -> bool {
        matches!(self, Self::Enum(_))
    }

    /// A value as people write it.
    pub(super) fn parse(&self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Text => text.to_owned().into(),
            Self::Small => text.parse::<i16>().ok()?.into(),
            Self::Integer => text.parse::<i32>().ok()?.into(),
            Self::Big => text.parse::<i64>().ok()?.into(),
            Self::Float => text.parse().ok().filter(|n: &f32| n.is_finite())?.into(),
            Self::Double => text.parse().ok().filter(|n: &f64| n.is_finite())?.into(),
            Self::Decimal => decimal(text)?.into(),
            Self::Bool => match text {
                "true" => true.into(),
                "false" => false.into(),
                _ => return None,
            },
            Self::Uuid => canonical(text)?.into(),
            Self::Instant => instant(text)?.into(),
            Self::Local => local(text)?.into(),
            Self::Date => date(text)?.into(),
            Self::Time => text.parse::<NaiveTime>().ok()?.into(),
            Self::Enum(values) => values.iter().find(|value| *value == text)?.clone().into(),
        })
    }

    /// A value as a cursor writes it: exactly, whatever it is.
    pub(super) fn parse_exact(&self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Float => text.parse::<f32>().ok()?.into(),
            Self::Double => text.parse::<f64>().ok()?.into(),
            Self::Instant => DateTime::from_timestamp_micros(text.parse().ok()?)?.into(),
            Self::Local => DateTime::from_timestamp_micros(text.parse().ok()?)?
                .naive_utc()
                .into(),
            Self::Date => NaiveDate::from_num_days_from_ce_opt(text.parse().ok()?)?.into(),
            Self::Time => {
                let micros: u64 = text.parse().ok()?;
                let seconds = u32::try_from(micros / 1_000_000).ok()?;
                let nanos = u32::try_from(micros % 1_000_000).ok()? * 1_000;
                NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)?.into()
            }
            Self::Text
            | Self::Small
            | Self::Integer
            | Self::Big
            | Self::Decimal
            | Self::Bool
            | Self::Uuid
            | Self::Enum(_) => return self.parse(text),
        })
    }
}

/// The exact text of a row's value; `Ok(None)` for NULL, an error for a kind that no column of a list
/// is of.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "columns of other kinds are refused before"
)]
pub(super) fn exact(value: Value) -> Result<Option<String>, ()> {
    Ok(match value {
        Value::Bool(value) => value.map(|value| value.to_string()),
        Value::TinyInt(value) => value.map(|value| value.to_string()),
        Value::SmallInt(value) => value.map(|value| value.to_string()),
        Value::Int(value) => value.map(|value| value.to_string()),
        Value::BigInt(value) => value.map(|value| value.to_string()),
        Value::TinyUnsigned(value) => value.map(|value| value.to_string()),
        Value::SmallUnsigned(value) => value.map(|value| value.to_string()),
        Value::Unsigned(value) => value.map(|value| value.to_string()),
        Value::Float(value) => value.map(|value| value.to_string()),
        Value::Double(value) => value.map(|value| value.to_string()),
        Value::String(value) => value,
        Value::Char(value) => value.map(|value| value.to_string()),
        Value::Enum(value) => {
            use sea_orm::sea_query::OptionEnum;
            match value {
                OptionEnum::Some(value) => Some(value.value.to_string()),
                OptionEnum::None(_) => None,
            }
        }
        Value::Uuid(value) => value.map(|value| value.to_string()),
        Value::Decimal(value) => value.map(|value| value.to_string()),
        Value::BigDecimal(value) => value.map(|value| value.to_plain_string()),
        Value::ChronoDateTimeUtc(value) => value.map(|at| at.timestamp_micros().to_string()),
        Value::ChronoDateTimeLocal(value) => value.map(|at| at.timestamp_micros().to_string()),
        Value::ChronoDateTimeWithTimeZone(value) => {
            value.map(|at| at.timestamp_micros().to_string())
        }
        Value::ChronoDateTime(value) => value.map(|at| at.and_utc().timestamp_micros().to_string()),
        Value::ChronoDate(value) => value.map(|date| date.num_days_from_ce().to_string()),
        Value::ChronoTime(value) => value.map(|time| {
            let seconds = u64::from(time.num_seconds_from_midnight());
            (seconds * 1_000_000 + u64::from(time.nanosecond() / 1_000)).to_string()
        }),
        Value::TimeDateTimeWithTimeZone(value) => {
            value.map(|at| (at.unix_timestamp_nanos().div_euclid(1_000)).to_string())
        }
        Value::TimeDateTime(value) => {
            value.map(|at| (at.assume_utc().unix_timestamp_nanos().div_euclid(1_000)).to_string())
        }
        Value::TimeDate(value) => value.map(|date| {
            // Julian day 1,721,426 is the first of January of the year 1.
            (i64::from(date.to_julian_day()) - 1_721_425).to_string()
        }),
        Value::TimeTime(value) => value.map(|time| {
            let (hour, minute, second, micro) = time.as_hms_micro();
            let seconds = u64::from(hour) * 3_600 + u64::from(minute) * 60 + u64::from(second);
            (seconds * 1_000_000 + u64::from(micro)).to_string()
        }),
        _ => return Err(()),
    })
}

/// A UUID in canonical form. Other spellings of one are none.
pub(super) fn canonical(text: &str) -> Option<Uuid> {
    let id = Uuid::parse_str(text).ok()?;
    (id.hyphenated().to_string() == text).then_some(id)
}

/// No exponent: `1e999999999` would be a text of a gigabyte.
fn decimal(text: &str) -> Option<BigDecimal> {
    let is_plain = text.len() <= MAX_NUMBER
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
    if is_plain { text.parse().ok() } else { None }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    Some(date(text)?.and_time(NaiveTime::MIN).and_utc())
}

fn local(text: &str) -> Option<NaiveDateTime> {
    if let Ok(at) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return in_range(at.date()).map(|_| at);
    }
    Some(date(text)?.and_time(NaiveTime::MIN))
}

fn date(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    in_range(date)
}

/// PostgreSQL's dates begin in 4713 BC, and nobody asks for those.
fn in_range(date: NaiveDate) -> Option<NaiveDate> {
    (1..=9_999).contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all() -> Vec<Typed> {
        vec![
            Typed::Text,
            Typed::Small,
            Typed::Integer,
            Typed::Big,
            Typed::Float,
            Typed::Double,
            Typed::Decimal,
            Typed::Bool,
            Typed::Uuid,
            Typed::Instant,
            Typed::Local,
            Typed::Date,
            Typed::Time,
            Typed::Enum(vec!["a".to_owned(), "b".to_owned()]),
        ]
    }

    #[test]
    fn other_spellings_of_an_id_are_none() {
        let id = "0198c0de-0000-7000-8000-00000000000a";
        assert!(Typed::Uuid.parse(id).is_some());
        for other in [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            format!("{id} "),
        ] {
            assert_eq!(Typed::Uuid.parse(&other), None, "{other}");
        }
    }

    #[test]
    fn values_have_their_ranges() {
        for (typed, good, bad) in [
            (Typed::Small, "-32768", "32768"),
            (Typed::Integer, "2147483647", "2147483648"),
            (Typed::Big, "9223372036854775807", "9223372036854775808"),
            (Typed::Double, "1e300", "NaN"),
            (Typed::Decimal, "-12.50", "1e999999999"),
            (Typed::Bool, "true", "TRUE"),
            (
                Typed::Instant,
                "2026-01-31T12:00:00+02:00",
                "2026-01-31 12:00",
            ),
            (Typed::Instant, "2026-01-31", "12026-01-31"),
            (Typed::Local, "2026-01-31T12:00:00.5", "2026-13-31"),
            (Typed::Date, "2024-02-29", "2026-02-29"),
            (Typed::Time, "23:59:59", "24:00:00"),
            (Typed::Enum(vec!["draft".to_owned()]), "draft", "Draft"),
        ] {
            assert!(typed.parse(good).is_some(), "{typed:?} {good}");
            assert_eq!(typed.parse(bad), None, "{typed:?} {bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            for typed in all() {
                let _ = typed.parse(&text);
                let _ = typed.parse_exact(&text);
            }
        }

        #[test]
        fn what_is_written_exactly_is_read_again(number in any::<i64>(), double in any::<f64>(), micros in -62_135_596_800_000_000_i64..253_402_300_799_000_000, text in "\\PC*") {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            for (typed, value) in [
                (Typed::Big, Value::from(number)),
                (Typed::Double, Value::from(double)),
                (Typed::Text, Value::from(text)),
                (Typed::Decimal, Value::from(BigDecimal::new(number.into(), 7))),
                (Typed::Uuid, Value::from(Uuid::from_u64_pair(number.cast_unsigned(), 7))),
                (Typed::Instant, Value::from(at)),
                (Typed::Local, Value::from(at.naive_utc())),
                (Typed::Date, Value::from(at.date_naive())),
                (Typed::Time, Value::from(at.time())),
            ] {
                let written = exact(value.clone()).unwrap().unwrap();
                let read = typed.parse_exact(&written).unwrap();
                prop_assert_eq!(exact(read).unwrap().unwrap(), written);
            }
        }

        #[test]
        fn both_libraries_of_times_agree(micros in -62_135_596_800_000_000_i64..253_402_300_799_000_000) {
            let one = DateTime::from_timestamp_micros(micros).unwrap();
            let other = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).unwrap();
            for (one, other) in [
                (Value::from(one), Value::from(other)),
                (Value::from(one.naive_utc()), Value::from(time::PrimitiveDateTime::new(other.date(), other.time()))),
                (Value::from(one.date_naive()), Value::from(other.date())),
                (Value::from(one.time()), Value::from(other.time())),
            ] {
                prop_assert_eq!(exact(one), exact(other));
            }
        }
    }
}
