//! A scope on its way through the queue: the tenant is a column, what narrows it further is JSON.

use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::Error;
use crate::{
    db::{Db, Tx},
    scope::{Scope, ScopeValue, Selection, TENANT, Values},
};

/// The tenant of a transaction, and the other dimensions that its scope fixes.
pub(super) fn carried(tx: &Tx) -> Result<(Uuid, Json), Error> {
    let scope = tx.scope().ok_or(Error::NoTenant)?;
    let mut tenant = None;
    let mut narrowed = Map::new();
    for selection in scope.selections() {
        let value = match selection.values() {
            Values::One(value) => value,
            Values::List(list) => match list.as_slice() {
                [one] => one,
                _ => return Err(Error::List(selection.dimension())),
            },
        };
        match value {
            ScopeValue::Uuid(id) if selection.dimension() == TENANT.name() => tenant = Some(*id),
            ScopeValue::Uuid(_) | ScopeValue::BigInt(_) | ScopeValue::Text(_) => {
                let name = selection.dimension().to_owned();
                narrowed.insert(name, value.to_string().into());
            }
        }
    }
    Ok((tenant.ok_or(Error::NoTenant)?, Json::Object(narrowed)))
}

/// The scope that was carried. A dimension that is no longer known is an error: to leave it out would
/// widen the scope.
pub(super) fn restored(db: &Db, tenant: Uuid, narrowed: &Json) -> Result<Scope, Error> {
    let broken = || Error::Broken("narrowed");
    let mut selections = vec![TENANT.is(tenant)];
    for (name, value) in narrowed.as_object().ok_or_else(broken)? {
        let known = db.schema().dimensions.get_key_value(name.as_str());
        let (name, sql_type) = known.ok_or_else(broken)?;
        if *name == TENANT.name() {
            return Err(broken());
        }
        let value = ScopeValue::parse(*sql_type, value.as_str().ok_or_else(broken)?)?;
        selections.push(Selection::one(name, value));
    }
    Ok(Scope::trusted(selections))
}
