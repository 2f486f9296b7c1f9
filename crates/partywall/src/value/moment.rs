//! Dates, times of day and timestamps, for both chrono and time.
//!
//! PostgreSQL counts from 2000-01-01: days in a `date`, microseconds in the rest. Its dates begin
//! at Julian day 0, which is 4714-11-24 BC. Source: `src/include/datatype/timestamp.h`.

use bytes::{BufMut, BytesMut};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use sea_orm::Value;

use super::error::Fault;
use super::integer::exact;
use super::variant::Variant;

/// The Julian day of 2000-01-01, so also the number of days before it that PostgreSQL knows.
const EPOCH_JULIAN_DAY: i32 = 2_451_545;
/// Days from 0001-01-01 as chrono counts them (that day is 1) to 2000-01-01.
const EPOCH_COMMON_DAY: i32 = 730_120;
/// Microseconds from 1970-01-01 to 2000-01-01.
const EPOCH_UNIX_MICROS: i64 = 946_684_800_000_000;
/// `MIN_TIMESTAMP`: 4714-11-24 00:00:00 BC.
const FIRST_TIMESTAMP: i64 = -211_813_488_000_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// A moment as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Days since 2000-01-01.
    Days(i32),
    /// Microseconds since midnight or since 2000-01-01.
    Micros(i64),
}

/// Reads a `date`.
pub(super) fn date(variant: Variant, raw: &[u8]) -> Result<Value, Fault> {
    let days = i32::from_be_bytes(exact(raw)?);
    if matches!(days, i32::MIN | i32::MAX) {
        return Err(Fault::Infinite);
    }
    let range = || Fault::Range(variant.describe());
    if variant == Variant::TimeDate {
        let julian = days.checked_add(EPOCH_JULIAN_DAY).ok_or_else(range)?;
        let date = time::Date::from_julian_day(julian).map_err(|_| range())?;
        return Ok(Value::TimeDate(Some(date)));
    }
    let date = days
        .checked_add(EPOCH_COMMON_DAY)
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .ok_or_else(range)?;
    Ok(Value::ChronoDate(Some(date)))
}

/// Reads a `time`.
pub(super) fn time_of_day(variant: Variant, raw: &[u8]) -> Result<Value, Fault> {
    let micros = i64::from_be_bytes(exact(raw)?);
    if micros == DAY_MICROS {
        return Err(Fault::EndOfDay);
    }
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).map_err(|_| Fault::Malformed)?;
    let micros = u32::try_from(micros.rem_euclid(1_000_000)).map_err(|_| Fault::Malformed)?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, micros * 1_000)
        .ok_or(Fault::Malformed)?;
    if variant == Variant::ChronoTime {
        return Ok(Value::ChronoTime(Some(time)));
    }
    let part = |part: u32| u8::try_from(part).map_err(|_| Fault::Malformed);
    let time = time::Time::from_hms_micro(
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
        micros,
    )
    .map_err(|_| Fault::Malformed)?;
    Ok(Value::TimeTime(Some(time)))
}

/// Reads a `timestamp` or a `timestamptz`, which travels in UTC: a fixed offset is zero, and local
/// time is converted.
pub(super) fn timestamp(variant: Variant, raw: &[u8]) -> Result<Value, Fault> {
    let micros = i64::from_be_bytes(exact(raw)?);
    if matches!(micros, i64::MIN | i64::MAX) {
        return Err(Fault::Infinite);
    }
    let range = || Fault::Range(variant.describe());
    let unix = micros.checked_add(EPOCH_UNIX_MICROS).ok_or_else(range)?;
    if matches!(
        variant,
        Variant::TimeDateTime | Variant::TimeDateTimeWithTimeZone
    ) {
        let instant = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix) * 1_000)
            .map_err(|_| range())?;
        return Ok(if variant == Variant::TimeDateTime {
            let naive = time::PrimitiveDateTime::new(instant.date(), instant.time());
            Value::TimeDateTime(Some(naive))
        } else {
            Value::TimeDateTimeWithTimeZone(Some(instant))
        });
    }
    let instant = chrono::DateTime::from_timestamp_micros(unix).ok_or_else(range)?;
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other variant is a timestamp"
    )]
    Ok(match variant {
        Variant::ChronoDateTime => Value::ChronoDateTime(Some(instant.naive_utc())),
        Variant::ChronoDateTimeUtc => Value::ChronoDateTimeUtc(Some(instant)),
        Variant::ChronoDateTimeLocal => {
            Value::ChronoDateTimeLocal(Some(instant.with_timezone(&chrono::Local)))
        }
        Variant::ChronoDateTimeWithTimeZone => {
            Value::ChronoDateTimeWithTimeZone(Some(instant.fixed_offset()))
        }
        _ => return Err(Fault::Malformed),
    })
}

/// Writes any moment.
pub(super) fn encode(value: &Value, out: &mut BytesMut) -> Result<(), Fault> {
    match moment(value)? {
        Moment::Days(days) => out.put_i32(days),
        Moment::Micros(micros) => out.put_i64(micros),
    }
    Ok(())
}

/// Whether PostgreSQL can hold the moment.
pub(super) fn check(value: &Value) -> Result<(), Fault> {
    moment(value).map(|_| ())
}

/// Anything finer than a microsecond is cut off toward the past, so that order is kept. sqlx cuts
/// toward 2000-01-01, which differs by one microsecond before that day.
fn moment(value: &Value) -> Result<Moment, Fault> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "no other variant is a moment"
    )]
    match value {
        Value::ChronoDate(Some(date)) => {
            days(date.num_days_from_ce().checked_sub(EPOCH_COMMON_DAY))
        }
        Value::TimeDate(Some(date)) => days(date.to_julian_day().checked_sub(EPOCH_JULIAN_DAY)),
        Value::ChronoTime(Some(time)) => {
            let seconds = i64::from(time.num_seconds_from_midnight());
            let micros = seconds * 1_000_000 + i64::from(time.nanosecond() / 1_000);
            // A leap second lies past the last microsecond of the day, where `24:00:00` is.
            if micros >= DAY_MICROS {
                Err(Fault::EndOfDay)
            } else {
                Ok(Moment::Micros(micros))
            }
        }
        Value::TimeTime(Some(time)) => {
            let (hour, minute, second, micro) = time.as_hms_micro();
            let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
            Ok(Moment::Micros(seconds * 1_000_000 + i64::from(micro)))
        }
        Value::ChronoDateTime(Some(moment)) => micros(moment.and_utc().timestamp_micros()),
        Value::ChronoDateTimeUtc(Some(moment)) => micros(moment.timestamp_micros()),
        Value::ChronoDateTimeLocal(Some(moment)) => micros(moment.timestamp_micros()),
        Value::ChronoDateTimeWithTimeZone(Some(moment)) => micros(moment.timestamp_micros()),
        Value::TimeDateTime(Some(moment)) => nanos(moment.assume_utc().unix_timestamp_nanos()),
        Value::TimeDateTimeWithTimeZone(Some(moment)) => nanos(moment.unix_timestamp_nanos()),
        _ => Err(Fault::Mixed),
    }
}

fn days(since_epoch: Option<i32>) -> Result<Moment, Fault> {
    since_epoch
        .filter(|days| *days >= -EPOCH_JULIAN_DAY)
        .map(Moment::Days)
        .ok_or(Fault::Range("PostgreSQL's dates, which begin in 4714 BC"))
}

fn micros(unix: i64) -> Result<Moment, Fault> {
    unix.checked_sub(EPOCH_UNIX_MICROS)
        .filter(|micros| *micros >= FIRST_TIMESTAMP)
        .map(Moment::Micros)
        .ok_or(Fault::Range(
            "PostgreSQL's timestamps, which begin in 4714 BC",
        ))
}

fn nanos(unix: i128) -> Result<Moment, Fault> {
    let unix = i64::try_from(unix.div_euclid(1_000)).map_err(|_| Fault::Size)?;
    micros(unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epoch_is_zero_in_both_crates() {
        let chrono = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let time = time::macros::date!(2000 - 01 - 01);
        assert_eq!(
            moment(&Value::ChronoDate(Some(chrono))),
            Ok(Moment::Days(0))
        );
        assert_eq!(moment(&Value::TimeDate(Some(time))), Ok(Moment::Days(0)));
        let instant = time::macros::datetime!(2000-01-01 0:00 UTC);
        let instant = Value::TimeDateTimeWithTimeZone(Some(instant));
        assert_eq!(moment(&instant), Ok(Moment::Micros(0)));
    }

    #[test]
    fn infinity_is_refused() {
        for raw in [i64::MIN, i64::MAX] {
            let read = timestamp(Variant::ChronoDateTimeUtc, &raw.to_be_bytes());
            assert_eq!(read, Err(Fault::Infinite));
        }
        assert_eq!(
            date(Variant::TimeDate, &i32::MAX.to_be_bytes()),
            Err(Fault::Infinite)
        );
    }

    #[test]
    fn first_day_is_accepted_and_the_one_before_is_not() {
        let first = NaiveDate::from_ymd_opt(-4713, 11, 24).unwrap();
        assert!(check(&Value::ChronoDate(Some(first))).is_ok());
        assert!(check(&Value::ChronoDate(first.pred_opt())).is_err());
    }

    #[test]
    fn end_of_day_and_leap_second_are_refused() {
        let end = time_of_day(Variant::ChronoTime, &DAY_MICROS.to_be_bytes());
        assert_eq!(end, Err(Fault::EndOfDay));
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        assert_eq!(check(&Value::ChronoTime(Some(leap))), Err(Fault::EndOfDay));
    }

    #[test]
    fn finer_than_a_microsecond_goes_toward_the_past() {
        let before = chrono::DateTime::from_timestamp(-1, 999_999_999).unwrap();
        let expected = -1 - EPOCH_UNIX_MICROS;
        assert_eq!(
            moment(&Value::ChronoDateTimeUtc(Some(before))),
            Ok(Moment::Micros(expected))
        );
    }
}
