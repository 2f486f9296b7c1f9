//! Tables, views and sequences, with all that hangs on them.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row};

use super::{
    super::{
        Action, CheckOption, Column, Command, Constraint, ConstraintKind, Expression, Identity,
        Index, IndexColumn, Oid, Policy, Reference, Relation, RelationKind, Rule, Trigger, View,
    },
    cell, grant, grouped, letter, read, tree,
};
use crate::{AuditError, sql::Name};

pub(super) async fn relations(client: &Client) -> Result<BTreeMap<Oid, Relation>, AuditError> {
    let mut grants = grouped(client, include_str!("../sql/relation_grants.sql"), |row| {
        grant(row, 2, cell(row, 1)?)
    })
    .await?;
    let mut columns = columns(client).await?;
    let mut policies = policies(client).await?;
    let mut constraints = constraints(client).await?;
    let mut indexes = indexes(client).await?;
    let mut views = views(client).await?;
    let mut triggers = grouped(client, include_str!("../sql/triggers.sql"), |row| {
        Ok(Trigger {
            name: cell(row, 1)?,
            function: cell(row, 2)?,
            enabled: cell(row, 3)?,
            definition: cell(row, 4)?,
            always: cell(row, 5)?,
        })
    })
    .await?;
    let mut rules = grouped(client, include_str!("../sql/rules.sql"), |row| {
        Ok(Rule {
            name: cell(row, 2)?,
            event: match letter(row, 3)? {
                '2' => "UPDATE",
                '3' => "INSERT",
                _ => "DELETE",
            },
            definition: cell(row, 4)?,
            touches: cell::<Option<_>>(row, 5)?.unwrap_or_default(),
        })
    })
    .await?;
    let mut owned = grouped(
        client,
        "SELECT d.objid, d.refobjid, d.refobjsubid::int2 FROM pg_depend d JOIN pg_class c ON c.oid = d.objid \
         WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
           AND c.relkind = 'S' AND d.deptype IN ('a', 'i')",
        |row| Ok((cell(row, 1)?, cell(row, 2)?)),
    )
    .await?;
    let relations = read(client, include_str!("../sql/relations.sql"), |row| {
        let oid = cell(row, 0)?;
        Ok(Relation {
            oid,
            namespace: cell(row, 1)?,
            name: Name::new(cell::<String>(row, 2)?, cell::<String>(row, 3)?),
            kind: match letter(row, 4)? {
                'r' => RelationKind::Table,
                'p' => RelationKind::Partitioned,
                'v' => RelationKind::View,
                'm' => RelationKind::MaterializedView,
                'f' => RelationKind::Foreign,
                'S' => RelationKind::Sequence,
                _ => RelationKind::Other,
            },
            owner: cell(row, 5)?,
            row_security: cell(row, 6)?,
            forced: cell(row, 7)?,
            rows: cell(row, 8)?,
            grants: grants.remove(&oid).unwrap_or_default(),
            columns: columns.remove(&oid).unwrap_or_default(),
            policies: policies.remove(&oid).unwrap_or_default(),
            constraints: constraints.remove(&oid).unwrap_or_default(),
            indexes: indexes.remove(&oid).unwrap_or_default(),
            triggers: triggers.remove(&oid).unwrap_or_default(),
            rules: rules.remove(&oid).unwrap_or_default(),
            parents: cell::<Option<_>>(row, 12)?.unwrap_or_default(),
            is_partition: cell(row, 9)?,
            partitioned_by: cell::<Option<String>>(row, 14)?.and_then(|it| it.chars().next()),
            partition_key: cell::<Option<_>>(row, 13)?.unwrap_or_default(),
            view: views.remove(&oid).and_then(|mut views| views.pop()),
            owned_by: owned.remove(&oid).and_then(|mut owners| owners.pop()),
            extension: cell(row, 11)?,
        })
    })
    .await?;
    Ok(relations.into_iter().map(|it| (it.oid, it)).collect())
}

async fn columns(client: &Client) -> Result<BTreeMap<Oid, Vec<Column>>, AuditError> {
    grouped(client, include_str!("../sql/columns.sql"), |row| {
        Ok(Column {
            number: cell(row, 1)?,
            name: cell(row, 2)?,
            type_oid: cell(row, 3)?,
            type_name: cell(row, 4)?,
            type_kind: letter(row, 5)?,
            type_category: letter(row, 6)?,
            not_null: cell(row, 7)?,
            default: cell(row, 8)?,
            generated: cell(row, 9)?,
            identity: match letter(row, 10)? {
                'a' => Identity::Always,
                'd' => Identity::ByDefault,
                _ => Identity::No,
            },
            deterministic: cell(row, 11)?,
            statistics: cell(row, 12)?,
            base_oid: cell(row, 13)?,
        })
    })
    .await
}

async fn policies(client: &Client) -> Result<BTreeMap<Oid, Vec<Policy>>, AuditError> {
    let expression = |row: &Row, at: usize| -> Result<Option<Expression>, AuditError> {
        let (text, nodes): (Option<String>, Option<String>) = (cell(row, at)?, cell(row, at + 1)?);
        text.zip(nodes)
            .map(|(text, nodes)| {
                let tree = tree("a policy", &nodes)?;
                Ok(Expression { text, tree })
            })
            .transpose()
    };
    grouped(client, include_str!("../sql/policies.sql"), |row| {
        Ok(Policy {
            name: cell(row, 1)?,
            permissive: cell(row, 2)?,
            command: match letter(row, 3)? {
                'r' => Some(Command::Select),
                'a' => Some(Command::Insert),
                'w' => Some(Command::Update),
                'd' => Some(Command::Delete),
                _ => None,
            },
            roles: cell(row, 4)?,
            using: expression(row, 5)?,
            check: expression(row, 7)?,
        })
    })
    .await
}

async fn constraints(client: &Client) -> Result<BTreeMap<Oid, Vec<Constraint>>, AuditError> {
    grouped(client, include_str!("../sql/constraints.sql"), |row| {
        let target: Oid = cell(row, 5)?;
        let columns: Option<Vec<i16>> = cell(row, 6)?;
        let (on_delete, on_update) = (letter(row, 7)?, letter(row, 8)?);
        Ok(Constraint {
            oid: cell(row, 1)?,
            name: cell(row, 2)?,
            kind: match letter(row, 3)? {
                'p' => ConstraintKind::Primary,
                'u' => ConstraintKind::Unique,
                'f' => ConstraintKind::Foreign,
                'c' => ConstraintKind::Check,
                'x' => ConstraintKind::Exclusion,
                _ => ConstraintKind::Other,
            },
            columns: cell::<Option<_>>(row, 4)?.unwrap_or_default(),
            reference: (target != 0).then(|| Reference {
                relation: target,
                columns: columns.unwrap_or_default(),
                on_delete: Action::letter(on_delete),
                on_update: Action::letter(on_update),
            }),
            validated: cell(row, 9)?,
            definition: cell(row, 10)?,
            parent: Some(cell(row, 11)?).filter(|parent: &Oid| *parent != 0),
        })
    })
    .await
}

async fn indexes(client: &Client) -> Result<BTreeMap<Oid, Vec<Index>>, AuditError> {
    grouped(client, include_str!("../sql/indexes.sql"), |row| {
        let columns: Vec<i16> = cell::<Option<_>>(row, 8)?.unwrap_or_default();
        let leakproof: Vec<bool> = cell::<Option<_>>(row, 9)?.unwrap_or_default();
        Ok(Index {
            oid: cell(row, 1)?,
            name: cell(row, 2)?,
            method: cell(row, 3)?,
            unique: cell(row, 4)?,
            exclusion: cell(row, 5)?,
            valid: cell(row, 6)?,
            partial: cell(row, 7)?,
            columns: columns
                .iter()
                .zip(leakproof)
                .map(|(&column, leakproof)| IndexColumn {
                    column: (column != 0).then_some(column),
                    leakproof,
                })
                .collect(),
            constraint: cell(row, 10)?,
            definition: cell(row, 11)?,
            parent: cell(row, 12)?,
        })
    })
    .await
}

async fn views(client: &Client) -> Result<BTreeMap<Oid, Vec<View>>, AuditError> {
    grouped(client, include_str!("../sql/views.sql"), |row| {
        let options: Vec<String> = cell::<Option<_>>(row, 1)?.unwrap_or_default();
        let value = |name: &str| {
            options.iter().find_map(|option| {
                let (key, value) = option.split_once('=')?;
                (key == name).then_some(value)
            })
        };
        // As `parse_bool` reads them.
        let on = |name: &str| {
            value(name)
                .is_some_and(|value| matches!(value, "true" | "on" | "yes" | "1" | "t" | "y"))
        };
        // Bits, numbered as `CmdType` is (nodes.h).
        let writes: i32 = cell(row, 5)?;
        Ok(View {
            security_invoker: on("security_invoker"),
            security_barrier: on("security_barrier"),
            check_option: match value("check_option") {
                Some("local") => CheckOption::Local,
                Some("cascaded") => CheckOption::Cascaded,
                _ => CheckOption::No,
            },
            writes: [(Command::Update, 1 << 2), (Command::Insert, 1 << 3)]
                .into_iter()
                .filter(|(_, bit)| writes & bit != 0)
                .map(|(command, _)| command)
                .collect(),
            definition: cell(row, 2)?,
            tree: tree("a view", &cell::<String>(row, 3)?)?,
            reads: cell::<Option<_>>(row, 4)?.unwrap_or_default(),
        })
    })
    .await
}
