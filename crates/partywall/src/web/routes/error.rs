/// Why routes were refused. They are checked before anything is served: what is wrong with one of them
/// is a mistake of the application's, and never a request's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RoutesError {
    /// A path is not of the form that is understood.
    #[error("the path `{path}` is refused: {reason}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An endpoint does not say who may use it.
    #[error(
        "`{endpoint}` has no policy: add `.require(\"…\")`, `.policy(…)`, `.signed_in()` or `.public(\"why\")`"
    )]
    NoPolicy {
        /// Method and path.
        endpoint: String,
    },
    /// Two endpoints are one to a router.
    #[error("`{endpoint}` and `{other}` are the same address: remove one of them")]
    Collision {
        /// Method and path.
        endpoint: String,
        /// Method and path of the one before it.
        other: String,
    },
    /// Two endpoints have the same name.
    #[error("`{endpoint}` and `{other}` are both named `{name}`: name one of them differently")]
    Name {
        /// Method and path.
        endpoint: String,
        /// Method and path of the one before it.
        other: String,
        /// The name.
        name: String,
    },
    /// A path has a parameter that nothing was said of.
    #[error(
        "`{endpoint}` has the parameter `{{{parameter}}}`, of which nothing is known: add `.parameter(Parameter::row::<…>(\"{parameter}\"))`"
    )]
    UnknownParameter {
        /// Method and path.
        endpoint: String,
        /// The parameter.
        parameter: String,
    },
    /// A parameter was declared twice.
    #[error("the parameter `{{{0}}}` is declared twice")]
    ParameterTwice(String),
    /// A nested row stands in a path without what it is nested in.
    #[error(
        "`{endpoint}` has `{{{parameter}}}` without its parent `{{{parent}}}` before it: nest it there"
    )]
    NoParent {
        /// Method and path.
        endpoint: String,
        /// The parameter.
        parameter: String,
        /// What it is nested in.
        parent: String,
    },
    /// Two rows of one path have nothing to do with each other.
    #[error(
        "`{endpoint}` has `{{{parameter}}}` below `{{{parent}}}`, and nothing says how they belong together: declare it with `.under(\"{parent}\", …)`"
    )]
    Unrelated {
        /// Method and path.
        endpoint: String,
        /// The parameter.
        parameter: String,
        /// The row before it.
        parent: String,
    },
    /// One table stands twice in a path.
    #[error(
        "`{endpoint}` has two rows of the table `{table}`: find one of them with `Parameter::found`"
    )]
    TableTwice {
        /// Method and path.
        endpoint: String,
        /// The table.
        table: String,
    },
    /// A path names a tenant, and its policy does not ask for an account in it.
    #[error(
        "`{endpoint}` names a tenant and asks for no account in it: use `.require(\"…\")` or `.policy(…)`, or say why not with `.public(\"why\")`"
    )]
    TenantUnchecked {
        /// Method and path.
        endpoint: String,
    },
    /// A policy asks for an account, and nothing says in which tenant.
    #[error(
        "`{endpoint}` asks for an account and its path has no `{{tenant}}`: add it, say with `Routes::tenant_from` where else the tenant comes from, or use `.of_current_account()`"
    )]
    NoTenant {
        /// Method and path.
        endpoint: String,
    },
    /// Rows are looked up before anybody is known who may see them.
    #[error(
        "`{endpoint}` names the row `{{{parameter}}}` and asks for no account: use `.require(\"…\")` or `.policy(…)`"
    )]
    RowUnchecked {
        /// Method and path.
        endpoint: String,
        /// The parameter.
        parameter: String,
    },
    /// An endpoint asks for a transaction in a tenant, and for no account.
    #[error("`{endpoint}` is `.in_transaction()` and asks for no account")]
    NoTransaction {
        /// Method and path.
        endpoint: String,
    },
    /// A policy names a permission that is not declared, so that nobody would ever hold it.
    #[error(
        "`{endpoint}` asks for the permission `{permission}`, which is not declared: add it to `Permissions`"
    )]
    UnknownPermission {
        /// Method and path.
        endpoint: String,
        /// The permission.
        permission: String,
    },
}
