//! Which tenants attack and are attacked.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ownership::{equals, is_array, typed},
    record::MANY,
    step::Answer,
    value::Types,
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Column, Relation},
    sql::{literal, tidy},
    subject::Subject,
};
use tokio_postgres::Transaction;

/// How many tenants are looked at.
const LOOKED_AT: usize = 40;

/// How many tables are.
const TABLES: usize = 12;

/// Asks as the administrator. What is refused answers nothing.
pub(super) async fn ask(tx: &Transaction<'_>, sql: &str) -> Result<Option<Answer>, AuditError> {
    let doing = AuditError::doing("sample tenants");
    tx.batch_execute("SAVEPOINT sample")
        .await
        .map_err(AuditError::doing("sample tenants"))?;
    let answer = match tx.simple_query(sql).await {
        Ok(messages) => Some(Answer::last(messages)),
        Err(error) if error.as_db_error().is_some() => None,
        Err(error) => return Err(doing(error)),
    };
    tx.batch_execute("ROLLBACK TO SAVEPOINT sample; RELEASE SAVEPOINT sample")
        .await
        .map_err(AuditError::doing("sample tenants"))?;
    Ok(answer)
}

/// The tables that say themselves whose their rows are, the root first and then the busiest.
pub(super) fn telling<'a>(
    catalogue: &'a Catalogue,
    subject: &'a Subject,
) -> Vec<(&'a Relation, &'a Column)> {
    let mut tables: Vec<(&Relation, &Column)> = subject
        .tenant_tables(catalogue)
        .filter(|relation| relation.is_table() && relation.parents.is_empty())
        .filter_map(|relation| {
            let column = super::ownership::owner_column(subject, relation)?;
            Some((relation, relation.column(column)?))
        })
        .collect();
    tables.sort_by(|(a, _), (b, _)| {
        let is_root = |it: &Relation| subject.root == Some(it.oid);
        is_root(b)
            .cmp(&is_root(a))
            .then(b.rows.total_cmp(&a.rows))
            .then(a.name.cmp(&b.name))
    });
    tables
}

/// The tenants that policies name, whose rows are everybody's on purpose.
fn named(catalogue: &Catalogue, subject: &Subject, tenants: &[String]) -> BTreeSet<String> {
    let texts: Vec<&str> = subject
        .tenant_tables(catalogue)
        .flat_map(|relation| &relation.policies)
        .flat_map(|policy| [&policy.using, &policy.check])
        .flatten()
        .map(|expression| expression.text.as_str())
        .collect();
    tenants
        .iter()
        .filter(|tenant| {
            let quoted = literal(tenant);
            texts.iter().any(|text| text.contains(&quoted))
        })
        .cloned()
        .collect()
}

/// The tenants that were found, those with rows in most tables first, and then made-up ones.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) tenants: Vec<String>,
    pub(super) shared: BTreeSet<String>,
}

pub(super) async fn sample(
    tx: &Transaction<'_>,
    catalogue: &Catalogue,
    subject: &Subject,
    types: &Types,
) -> Result<Sample, AuditError> {
    let tables = telling(catalogue, subject);
    let mut found: Vec<String> = Vec::new();
    for (relation, column) in tables.iter().take(TABLES) {
        if found.len() >= 2 && subject.root == tables.first().map(|(it, _)| it.oid) {
            break;
        }
        let value = if is_array(column) {
            format!("unnest(t.{})", tidy(&column.name))
        } else {
            format!("t.{}", tidy(&column.name))
        };
        let rows = if relation.rows < MANY {
            100_000
        } else {
            10_000
        };
        let sql = format!(
            "SELECT DISTINCT v::text FROM (SELECT {value} AS v FROM {} AS t LIMIT {rows}) AS few \
             WHERE v IS NOT NULL ORDER BY 1 LIMIT {LOOKED_AT}",
            relation.name
        );
        let more = ask(tx, &sql).await?.unwrap_or_default().column();
        for tenant in more {
            if !found.contains(&tenant) && found.len() < LOOKED_AT {
                found.push(tenant);
            }
        }
    }
    let shared = named(catalogue, subject, &found);
    found.retain(|tenant| !shared.contains(tenant));
    let mut scores: BTreeMap<String, usize> = BTreeMap::new();
    for (relation, column) in tables
        .iter()
        .take(TABLES)
        .filter(|(_, column)| !is_array(column))
    {
        let each: Vec<String> = found.iter().map(|tenant| typed(column, tenant)).collect();
        if each.is_empty() {
            break;
        }
        let sql = format!(
            "SELECT c.v::text FROM unnest(ARRAY[{}]) AS c (v) WHERE EXISTS (SELECT 1 FROM {} AS t WHERE t.{} {} c.v)",
            each.join(", "),
            relation.name,
            tidy(&column.name),
            equals(column)
        );
        for tenant in ask(tx, &sql).await?.unwrap_or_default().column() {
            *scores.entry(tenant).or_default() += 1;
        }
    }
    // Stable: those with as many tables stay in the order of their keys.
    found.sort_by_key(|tenant| std::cmp::Reverse(scores.get(tenant).copied().unwrap_or(0)));
    if let Some((_, column)) = tables.first() {
        let mut key = (*column).clone();
        if is_array(column) {
            key.type_category = ' ';
            key.type_name = key.type_name.trim_end_matches("[]").to_owned();
        }
        for number in 1..=2 {
            found.extend(types.make(&key, "tenant", number));
        }
    }
    Ok(Sample {
        tenants: found,
        shared,
    })
}

/// The tenants that a context speaks for: a value in it is a tenant's key, or a member's in a table of theirs.
pub(super) async fn of_context(
    tx: &Transaction<'_>,
    catalogue: &Catalogue,
    subject: &Subject,
    pairs: &[(String, String)],
) -> Result<Vec<String>, AuditError> {
    let mut values: Vec<String> = pairs.iter().map(|(_, value)| value.clone()).collect();
    for (_, value) in pairs {
        if let Ok(json) = serde_json::from_str::<serde_json::Value>(value) {
            leaves(&json, &mut values);
        }
    }
    values.retain(|value| !value.is_empty());
    let tables = telling(catalogue, subject);
    for (relation, column) in tables.iter().filter(|(_, column)| !is_array(column)) {
        for value in &values {
            let sql = format!(
                "SELECT t.{0}::text FROM {1} AS t WHERE t.{0} {3} {2} LIMIT 1",
                tidy(&column.name),
                relation.name,
                typed(column, value),
                equals(column)
            );
            let found = ask(tx, &sql).await?.unwrap_or_default().column();
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
    for (relation, tenant) in tables.iter().filter(|(_, column)| !is_array(column)) {
        for column in relation
            .columns
            .iter()
            .filter(|it| it.number != tenant.number)
        {
            for value in &values {
                let sql = format!(
                    "SELECT DISTINCT t.{}::text FROM {} AS t WHERE t.{} = {} ORDER BY 1 LIMIT 1000",
                    tidy(&tenant.name),
                    relation.name,
                    tidy(&column.name),
                    typed(column, value)
                );
                let found = ask(tx, &sql).await?.unwrap_or_default().column();
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
    }
    Err(AuditError::Unknown {
        kind: "tenant that is named by",
        name: pairs
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        hint: "no row was found whose tenant or member is what this context says".to_owned(),
    })
}

fn leaves(json: &serde_json::Value, found: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Number(number) => found.push(number.to_string()),
        serde_json::Value::Array(members) => members.iter().for_each(|it| leaves(it, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|it| leaves(it, found)),
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}
