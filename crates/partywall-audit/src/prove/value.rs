//! Values that are made up, of a column's type.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{ownership::is_array, refusal::Refusal, step::Answer};
use crate::catalogue::{Column, Oid};

/// What is known of enums and domains.
#[derive(Clone, Debug, Default)]
pub(super) struct Types {
    by_oid: BTreeMap<Oid, (String, Option<String>)>,
}

/// Reads it: the type below a domain, and the first label of an enum.
pub(super) const TYPES: &str = "WITH RECURSIVE below AS (
  SELECT oid, oid AS base, typtypmod, 0 AS depth FROM pg_catalog.pg_type WHERE typtype IN ('d', 'e')
  UNION ALL
  SELECT below.oid, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE below.typtypmod END, depth + 1
    FROM below JOIN pg_catalog.pg_type t ON t.oid = below.base WHERE t.typtype = 'd' AND depth < 20)
SELECT DISTINCT ON (b.oid) b.oid, pg_catalog.format_type(b.base, nullif(b.typtypmod, -1)),
       (SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = b.base ORDER BY e.enumsortorder LIMIT 1)
  FROM below b ORDER BY b.oid, b.depth DESC";

impl Types {
    pub(super) fn of(answer: Result<Answer, Refusal>) -> Self {
        let mut by_oid = BTreeMap::new();
        for row in answer.map(|answer| answer.rows).unwrap_or_default() {
            if let [Some(oid), Some(base), label] = row.as_slice()
                && let Ok(oid) = oid.parse()
            {
                by_oid.insert(oid, (base.clone(), label.clone()));
            }
        }
        Self { by_oid }
    }

    /// A value that nobody has, as text; the same each time for the same seed and number.
    pub(super) fn make(&self, column: &Column, seed: &str, number: u32) -> Option<String> {
        if is_array(column) {
            return Some("{}".to_owned());
        }
        let base = match self.by_oid.get(&column.type_oid) {
            Some((_, Some(label))) => return Some(label.clone()),
            Some((base, None)) => base.as_str(),
            None => column.type_name.as_str(),
        };
        value(base, &format!("{seed}.{}", column.name), number)
    }

    /// Whether two numbers give two values.
    pub(super) fn can_differ(&self, column: &Column) -> bool {
        self.make(column, "", 1) != self.make(column, "", 2)
    }
}

fn value(type_name: &str, seed: &str, number: u32) -> Option<String> {
    let digest = Sha256::digest(format!("partywall prove {seed} {number}"));
    let bytes: [u8; 16] = digest.get(..16)?.try_into().ok()?;
    let hash = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let (name, modifiers) = match type_name.split_once('(') {
        Some((name, rest)) => {
            let (modifiers, behind) = rest.split_once(')').unwrap_or((rest, ""));
            (format!("{}{behind}", name.trim_end()), modifiers)
        }
        None => (type_name.to_owned(), ""),
    };
    let numbers: Vec<i64> = modifiers
        .split(',')
        .filter_map(|number| number.trim().parse().ok())
        .collect();
    let name = name
        .rsplit('.')
        .next()
        .unwrap_or(&name)
        .trim_matches('"')
        .to_owned();
    let day = 1 + hash % 28;
    let (month, second) = (1 + hash / 28 % 12, hash / 400 % 60);
    let short = format!("{:06x}", hash % 0x100_0000);
    let text = match name.as_str() {
        "uuid" => uuid(bytes),
        "bigint" | "int8" => (7_000_000_000_000 + hash % 1_000_000_000).to_string(),
        "integer" | "int4" => (1_900_000_000 + hash % 10_000_000).to_string(),
        "smallint" | "int2" => (30_000 + hash % 2_000).to_string(),
        "numeric" => {
            let whole = match numbers.as_slice() {
                [precision, scale] => precision - scale,
                [precision] => *precision,
                _ => 9,
            };
            let below = 10_u64.saturating_pow(u32::try_from(whole.clamp(0, 9)).unwrap_or(0));
            (hash % below.max(1)).to_string()
        }
        "real" | "double precision" | "money" => (1 + hash % 1_000).to_string(),
        "text" | "character varying" | "varchar" | "name" | "citext" => {
            let length = numbers.first().copied().unwrap_or(63);
            format!("pw{short}")
                .chars()
                .take(usize::try_from(length).unwrap_or(8))
                .collect()
        }
        "character" | "bpchar" | "\"char\"" | "char" => {
            let length = usize::try_from(numbers.first().copied().unwrap_or(1)).unwrap_or(1);
            format!("{short}pw").chars().take(length).collect()
        }
        "boolean" => "false".to_owned(),
        "date" => format!("2099-{month:02}-{day:02}"),
        "timestamp without time zone" | "timestamp" => {
            format!("2099-{month:02}-{day:02} 00:00:{second:02}")
        }
        "timestamp with time zone" | "timestamptz" => {
            format!("2099-{month:02}-{day:02} 00:00:{second:02}+00")
        }
        "time without time zone" | "time with time zone" => format!("00:00:{second:02}"),
        "interval" => format!("{} seconds", 1 + hash % 1_000),
        "json" | "jsonb" => "{}".to_owned(),
        "bytea" => format!("\\x{short}"),
        "inet" | "cidr" => format!(
            "10.{}.{}.{}",
            hash % 250,
            hash / 250 % 250,
            hash / 70_000 % 250
        ),
        "macaddr" => "08:00:2b:01:02:03".to_owned(),
        "int4range" => format!(
            "[{0},{1})",
            1_900_000_000 + hash % 1_000_000,
            1_900_000_001 + hash % 1_000_000
        ),
        "int8range" | "numrange" => format!(
            "[{0},{1})",
            7_000_000_000 + hash % 1_000_000,
            7_000_000_001 + hash % 1_000_000
        ),
        "daterange" | "tsrange" | "tstzrange" => {
            format!("[2099-{month:02}-{day:02},2099-{month:02}-{:02})", day + 1)
        }
        "point" => "(0,0)".to_owned(),
        "oid" => "0".to_owned(),
        "tsvector" | "xml" | "hstore" | "ltree" => String::new(),
        _ => return None,
    };
    Some(text)
}

/// A random one (version 4, RFC 9562) of these bytes.
fn uuid(mut bytes: [u8; 16]) -> String {
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_types() {
        assert_eq!(value("character varying(3)", "a", 1).unwrap().len(), 3);
        assert_eq!(value("character(2)", "a", 1).unwrap().len(), 2);
        assert!(
            value("numeric(4,2)", "a", 1)
                .unwrap()
                .parse::<u32>()
                .unwrap()
                < 100
        );
        assert!(value("smallint", "a", 1).unwrap().parse::<i16>().is_ok());
        assert_eq!(value("uuid", "a", 1).unwrap().len(), 36);
        assert!(
            value("timestamp(3) with time zone", "a", 1)
                .unwrap()
                .starts_with("2099-")
        );
        assert!(value("public.citext", "a", 1).is_some());
        assert_eq!(value("public.vector(3)", "a", 1), None);
    }

    #[test]
    fn they_differ_by_number_alone() {
        assert_eq!(value("uuid", "a", 1), value("uuid", "a", 1));
        assert_ne!(value("uuid", "a", 1), value("uuid", "a", 2));
        assert_ne!(value("bigint", "a", 1), value("bigint", "a", 2));
    }
}
