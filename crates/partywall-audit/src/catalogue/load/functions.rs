//! Functions and operators.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::{
    super::{Builtin, Function, Oid, Operator},
    cell, grant, grouped, letter, read, tree, volatility,
};
use crate::{AuditError, sql::Name};

pub(super) async fn functions(client: &Client) -> Result<BTreeMap<Oid, Function>, AuditError> {
    const TRIGGER: Oid = 2279;
    let mut grants = grouped(client, include_str!("../sql/function_grants.sql"), |row| {
        grant(row, 1, None)
    })
    .await?;
    let functions = read(client, include_str!("../sql/functions.sql"), |row| {
        let (oid, returns): (Oid, Oid) = (cell(row, 0)?, cell(row, 6)?);
        let body: Option<String> = cell(row, 15)?;
        Ok(Function {
            oid,
            namespace: cell(row, 1)?,
            name: Name::new(cell::<String>(row, 2)?, cell::<String>(row, 3)?),
            arguments: cell::<Option<String>>(row, 4)?.unwrap_or_default(),
            argument_types: cell(row, 5)?,
            returns,
            is_trigger: returns == TRIGGER,
            kind: letter(row, 7)?,
            owner: cell(row, 8)?,
            language: cell(row, 9)?,
            volatility: volatility(row, 10)?,
            security_definer: cell(row, 11)?,
            leakproof: cell(row, 12)?,
            config: cell::<Option<_>>(row, 13)?.unwrap_or_default(),
            source: cell(row, 14)?,
            body: body.map(|body| tree("a function", &body)).transpose()?,
            extension: cell(row, 16)?,
            definition: cell(row, 17)?,
            argument_names: cell::<Option<_>>(row, 18)?.unwrap_or_default(),
            variadic: cell(row, 19)?,
            grants: grants.remove(&oid).unwrap_or_default(),
        })
    })
    .await?;
    Ok(functions.into_iter().map(|it| (it.oid, it)).collect())
}

pub(super) async fn operators(client: &Client) -> Result<BTreeMap<Oid, Operator>, AuditError> {
    let operators = read(client, include_str!("../sql/operators.sql"), |row| {
        Ok((
            cell(row, 0)?,
            Operator {
                name: cell(row, 1)?,
                equality: cell(row, 2)?,
                folds_case: cell(row, 3)?,
            },
        ))
    })
    .await?;
    Ok(operators.into_iter().collect())
}

pub(super) async fn builtins(client: &Client) -> Result<BTreeMap<Oid, Builtin>, AuditError> {
    let builtins = read(
        client,
        "SELECT oid, proname::text FROM pg_proc \
         WHERE pronamespace = 'pg_catalog'::regnamespace",
        |row| {
            Ok((
                cell(row, 0)?,
                Builtin {
                    name: cell(row, 1)?,
                },
            ))
        },
    )
    .await?;
    Ok(builtins.into_iter().collect())
}
