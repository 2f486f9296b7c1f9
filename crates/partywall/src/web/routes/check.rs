//! What is wrong with routes, found before anything is served.

use std::collections::{BTreeMap, HashMap};

use http::Method;

use super::{
    Access, Endpoint, Parameter, Routes, RoutesError, chain::Chain, parameter::Kind,
    pattern::Pattern, tenant::TENANT,
};
use crate::identity::Permissions;

/// The endpoints of one path.
pub(super) struct Group<S> {
    pub(super) pattern: Pattern,
    pub(super) chain: Chain,
    pub(super) endpoints: Vec<Endpoint<S>>,
}

/// Checks all routes and puts them together by path.
pub(super) fn groups<S>(
    routes: &Routes<S>,
    permissions: &Permissions,
) -> Result<Vec<Group<S>>, RoutesError>
where
    S: Clone + Send + Sync + 'static,
{
    let mut parameters: HashMap<&str, &Parameter> = HashMap::new();
    for parameter in &routes.parameters {
        if parameters.insert(parameter.name, parameter).is_some() {
            return Err(RoutesError::ParameterTwice(parameter.name.to_owned()));
        }
    }
    let mut names: HashMap<&str, &Endpoint<S>> = HashMap::new();
    let mut groups: BTreeMap<String, Group<S>> = BTreeMap::new();
    for endpoint in &routes.endpoints {
        if let Some(name) = endpoint.name()
            && let Some(other) = names.insert(name, endpoint)
        {
            return Err(RoutesError::Name {
                endpoint: endpoint.to_string(),
                other: other.to_string(),
                name: name.to_owned(),
            });
        }
        let pattern = Pattern::parse(&endpoint.path)?;
        let chain = chain(endpoint, &pattern, &parameters)?;
        access(
            endpoint,
            &pattern,
            &chain,
            !routes.sources.is_empty(),
            permissions,
        )?;
        let group = groups.entry(pattern.shape()).or_insert_with(|| Group {
            pattern: pattern.clone(),
            chain,
            endpoints: Vec::new(),
        });
        let is_same =
            |other: &&Endpoint<S>| other.method == endpoint.method || group.pattern != pattern;
        if let Some(other) = group.endpoints.iter().find(is_same) {
            return Err(RoutesError::Collision {
                endpoint: endpoint.to_string(),
                other: other.to_string(),
            });
        }
        group.endpoints.push(endpoint.clone());
    }
    Ok(groups.into_values().collect())
}

/// What a path names, where it belongs together.
fn chain<S>(
    endpoint: &Endpoint<S>,
    pattern: &Pattern,
    known: &HashMap<&str, &Parameter>,
) -> Result<Chain, RoutesError> {
    let mut chain: Vec<Parameter> = Vec::new();
    let mut tables = Vec::new();
    let mut last_row: Option<&'static str> = None;
    for name in pattern.parameters().filter(|name| *name != TENANT) {
        let parameter = known
            .get(name)
            .ok_or_else(|| RoutesError::UnknownParameter {
                endpoint: endpoint.to_string(),
                parameter: name.to_owned(),
            })?;
        if let Kind::Row { level, under } = &parameter.kind {
            let parameter = || name.to_owned();
            match (under, last_row) {
                (Some(parent), Some(above)) if *parent == above => {}
                (Some(parent), _) => {
                    return Err(RoutesError::NoParent {
                        endpoint: endpoint.to_string(),
                        parameter: parameter(),
                        parent: (*parent).to_owned(),
                    });
                }
                (None, Some(parent)) => {
                    return Err(RoutesError::Unrelated {
                        endpoint: endpoint.to_string(),
                        parameter: parameter(),
                        parent: parent.to_owned(),
                    });
                }
                (None, None) => {}
            }
            let table = level.table_name();
            if tables.contains(&table) {
                return Err(RoutesError::TableTwice {
                    endpoint: endpoint.to_string(),
                    table,
                });
            }
            tables.push(table);
            last_row = known.get(name).map(|parameter| parameter.name);
        }
        chain.push((*parameter).clone());
    }
    Ok(Chain(chain))
}

/// Whether an endpoint says who may use it, and whether that can be found out.
fn access<S>(
    endpoint: &Endpoint<S>,
    pattern: &Pattern,
    chain: &Chain,
    has_sources: bool,
    permissions: &Permissions,
) -> Result<(), RoutesError> {
    let shown = || endpoint.to_string();
    let access = endpoint
        .access
        .as_ref()
        .ok_or_else(|| RoutesError::NoPolicy { endpoint: shown() })?;
    let in_tenant = pattern.has(TENANT);
    match access {
        Access::SignedIn if in_tenant => {
            return Err(RoutesError::TenantUnchecked { endpoint: shown() });
        }
        Access::SignedIn | Access::Public { .. } => {
            if let Some(row) = chain.0.iter().find(|parameter| !parameter.is_plain()) {
                return Err(RoutesError::RowUnchecked {
                    endpoint: shown(),
                    parameter: row.name.to_owned(),
                });
            }
            if endpoint.in_transaction {
                return Err(RoutesError::NoTransaction { endpoint: shown() });
            }
        }
        Access::Account { policy, .. } => {
            if !in_tenant && !has_sources && !endpoint.current_account {
                return Err(RoutesError::NoTenant { endpoint: shown() });
            }
            let unknown = policy
                .permissions()
                .into_iter()
                .find(|permission| !permissions.is_declared(permission));
            if let Some(permission) = unknown {
                return Err(RoutesError::UnknownPermission {
                    endpoint: shown(),
                    permission,
                });
            }
        }
    }
    Ok(())
}

/// The methods of a path, for `Allow`.
pub(super) fn allow(methods: impl Iterator<Item = Method>) -> String {
    let mut all: Vec<String> = methods.map(|method| method.to_string()).collect();
    if all.iter().any(|method| method == "GET") && !all.iter().any(|method| method == "HEAD") {
        all.push("HEAD".to_owned());
    }
    all.push("OPTIONS".to_owned());
    all.sort_unstable();
    all.dedup();
    all.join(", ")
}
