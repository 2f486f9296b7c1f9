//! Rows and sessions to try policies with: real tenants where there are some, since functions look them up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use tokio_postgres::Client;

use crate::{
    AuditError,
    catalogue::{Catalogue, Column, Relation},
    expression::{Facts, SettingRead},
    sql::{ident, literal},
    subject::Subject,
};

/// What is put into settings and rows.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    /// The tenant that asks.
    pub(super) own: String,
    /// Somebody of that tenant, where a table says so.
    pub(super) person: Option<String>,
    /// Another tenant.
    pub(super) other: String,
}

/// Finds two tenants and, in the tables that a policy looks into, somebody of the first and not of the second.
pub(super) async fn samples(
    client: &Client,
    catalogue: &Catalogue,
    subject: &Subject,
    column: &Column,
    facts: &Facts,
) -> Result<Vec<Sample>, AuditError> {
    let mut samples = Vec::new();
    for oid in &facts.relations {
        let Some(relation) = catalogue.relations.get(oid).filter(|it| it.is_table()) else {
            continue;
        };
        for (tenant, person) in pairs_of_columns(subject, relation) {
            samples.extend(of_table(client, relation, tenant, person).await?);
        }
    }
    let root = subject
        .root
        .and_then(|oid| catalogue.relations.get(&oid))
        .zip(subject.root.and_then(|oid| subject.tenant_column(oid)));
    if let Some((root, key)) = root
        && let Some(key) = root.column(key)
    {
        let sql = format!(
            "SELECT {key}::text FROM {} WHERE {key} IS NOT NULL ORDER BY 1 LIMIT 2",
            root.name,
            key = ident(&key.name)
        );
        let rows = look(client, &sql).await?;
        if let [own, other] = rows.as_slice()
            && let (Some(Some(own)), Some(Some(other))) = (own.first(), other.first())
        {
            samples.push(Sample {
                own: own.clone(),
                person: None,
                other: other.clone(),
            });
        }
    }
    let (own, other) = made_up(column);
    samples.push(Sample {
        own: own.to_owned(),
        person: None,
        other: other.to_owned(),
    });
    Ok(samples)
}

/// The columns of a table that say who is in which tenant.
fn pairs_of_columns<'r>(
    subject: &Subject,
    relation: &'r Relation,
) -> Vec<(&'r Column, &'r Column)> {
    let keys: BTreeSet<i16> = relation
        .foreign_keys()
        .flat_map(|(constraint, _)| constraint.columns.iter().copied())
        .chain(relation.primary_key().into_iter().flatten().copied())
        .collect();
    let to_root = relation
        .foreign_keys()
        .filter(|(_, reference)| Some(reference.relation) == subject.root)
        .flat_map(|(constraint, _)| constraint.columns.iter().copied());
    let tenants: BTreeSet<i16> = to_root.chain(subject.tenant_column(relation.oid)).collect();
    tenants
        .iter()
        .flat_map(|tenant| {
            keys.iter()
                .filter(move |key| *key != tenant)
                .filter_map(|key| Some((relation.column(*tenant)?, relation.column(*key)?)))
        })
        .take(4)
        .collect()
}

async fn of_table(
    client: &Client,
    relation: &Relation,
    tenant: &Column,
    person: &Column,
) -> Result<Option<Sample>, AuditError> {
    let (table, tenant, person) = (&relation.name, ident(&tenant.name), ident(&person.name));
    let sql = format!(
        "WITH some AS (SELECT {tenant}::text AS tenant, {person}::text AS person FROM {table} \
                        WHERE {tenant} IS NOT NULL AND {person} IS NOT NULL LIMIT 500) \
         SELECT own.tenant, own.person, other.tenant FROM some own, some other \
          WHERE NOT EXISTS (SELECT FROM some same WHERE same.person = own.person AND same.tenant = other.tenant) \
          LIMIT 1"
    );
    let rows = look(client, &sql).await?;
    Ok(rows.first().and_then(|row| match row.as_slice() {
        [Some(own), Some(person), Some(other)] => Some(Sample {
            own: own.clone(),
            person: Some(person.clone()),
            other: other.clone(),
        }),
        _ => None,
    }))
}

/// Reads texts, with what may go wrong in a savepoint: what cannot be read is no sample.
async fn look(client: &Client, sql: &str) -> Result<Vec<Vec<Option<String>>>, AuditError> {
    client
        .batch_execute("SAVEPOINT sample; SET LOCAL statement_timeout = '500ms'")
        .await
        .map_err(AuditError::doing("take samples"))?;
    let rows = client.query(sql, &[]).await;
    client
        .batch_execute("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample")
        .await
        .map_err(AuditError::doing("take samples"))?;
    Ok(rows
        .unwrap_or_default()
        .iter()
        .map(|row| {
            (0..row.len())
                .map(|at| row.try_get::<_, Option<String>>(at).ok().flatten())
                .collect()
        })
        .collect())
}

/// Two tenants of a type, if the database has none.
fn made_up(column: &Column) -> (&'static str, &'static str) {
    let name = column
        .type_name
        .strip_suffix("[]")
        .unwrap_or(&column.type_name);
    match name {
        "uuid" => (
            "a0a0a0a0-0000-4000-8000-00000000000a",
            "b0b0b0b0-0000-4000-8000-00000000000b",
        ),
        "smallint" | "integer" | "bigint" | "numeric" => ("1001", "2002"),
        _ if is_path(column) => ("acme.eu", "globex.us"),
        _ => ("acme", "globex"),
    }
}

/// Whether tenants are below each other by their own keys, as the paths of `ltree` are.
fn is_path(column: &Column) -> bool {
    column.type_name.rsplit('.').next() == Some("ltree")
}

/// The tenants whose rows should not pass: another, and for texts what looks like the own one.
pub(super) fn others(column: &Column, sample: &Sample) -> Vec<(Likeness, String)> {
    let mut others = vec![(Likeness::None, sample.other.clone())];
    if is_path(column) {
        // What is below is the own one's as well; what is above, or begins alike, is not.
        let below = |other: &String| {
            let rest = other.strip_prefix(&sample.own);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        others.retain(|(_, other)| !below(other));
        let above = sample
            .own
            .rsplit_once('.')
            .map(|(above, _)| above.to_owned());
        others.extend(above.map(|above| (Likeness::Part, above)));
        others.push((Likeness::Part, format!("{}2", sample.own)));
    }
    let name = column.type_name.as_str();
    if name == "text" || name.starts_with("character varying") {
        others.push((Likeness::Part, format!("{}-eu", sample.own)));
        others.push((Likeness::Part, format!("eu-{}", sample.own)));
        let (upper, lower) = (sample.own.to_uppercase(), sample.own.to_lowercase());
        let folded = if upper == sample.own { lower } else { upper };
        if folded != sample.own {
            others.push((Likeness::Case, folded));
        }
    }
    others
}

/// How another tenant is like the own one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    None,
    Part,
    Case,
}

/// Rows of a tenant: with nothing else in them, and with something in every column.
pub(super) fn rows(relation: &Relation, column: &Column, tenant: &str) -> Vec<Value> {
    let tenant = if column.type_category == 'A' {
        json!([tenant])
    } else {
        json!(tenant)
    };
    let mut bare = Map::new();
    bare.insert(column.name.clone(), tenant.clone());
    let mut full = Map::new();
    for other in &relation.columns {
        let value = match other.type_name.as_str() {
            "boolean" => json!(true),
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => json!(1),
            "text" => json!("x"),
            "uuid" => json!("c0c0c0c0-0000-4000-8000-00000000000c"),
            "date" | "timestamp without time zone" | "timestamp with time zone" => {
                json!("2020-01-01")
            }
            _ => continue,
        };
        full.insert(other.name.clone(), value);
    }
    full.insert(column.name.clone(), tenant);
    vec![Value::Object(bare), Value::Object(full)]
}

/// Settings of a session.
pub(super) type Session = BTreeMap<String, String>;

/// The sessions of a tenant: each setting that is read holds the tenant, or the person.
pub(super) fn sessions(reads: &BTreeSet<SettingRead>, sample: &Sample) -> Vec<Session> {
    let keys: Vec<&SettingRead> = reads.iter().take(4).collect();
    let values: Vec<&str> = std::iter::once(sample.own.as_str())
        .chain(sample.person.as_deref())
        .collect();
    let mut sessions: Vec<Vec<(&SettingRead, &str)>> = vec![Vec::new()];
    for key in keys {
        sessions = sessions
            .iter()
            .flat_map(|session| {
                values.iter().map(move |value| {
                    let mut session = session.clone();
                    session.push((key, *value));
                    session
                })
            })
            .collect();
    }
    sessions.iter().map(|session| settings(session)).collect()
}

/// What each setting is to be. Several keys of one setting are one JSON document.
fn settings(session: &[(&SettingRead, &str)]) -> Session {
    let mut documents: BTreeMap<String, Value> = BTreeMap::new();
    let mut plain = Session::new();
    for (read, value) in session {
        if read.path.is_empty() {
            plain.insert(read.name.clone(), (*value).to_owned());
            continue;
        }
        let mut at = documents
            .entry(read.name.clone())
            .or_insert_with(|| json!({}));
        for key in &read.path {
            if !at.is_object() {
                *at = json!({});
            }
            let Value::Object(map) = at else { break };
            at = map.entry(key.clone()).or_insert(Value::Null);
        }
        *at = json!(value);
    }
    for (name, document) in documents {
        plain.insert(name, document.to_string());
    }
    plain
}

/// `SET LOCAL` of them.
pub(super) fn set(session: &Session) -> String {
    session
        .iter()
        .map(|(name, value)| {
            format!(
                "SELECT pg_catalog.set_config({}, {}, true);",
                literal(name),
                literal(value)
            )
        })
        .collect()
}
