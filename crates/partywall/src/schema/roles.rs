use super::sql::ident;

/// The logins that work with the tables. Their names are unique in a PostgreSQL cluster, so each
/// application has its own.
///
/// | login | policies | used by |
/// |---|---|---|
/// | application | one value per dimension | [`Db::scoped`](crate::Db::scoped), [`Db::begin`](crate::Db::begin) |
/// | list | any value of a list | the same, for a scope that holds a list |
/// | across | none | [`Db::across`](crate::Db::across) |
/// | identity | one value per dimension, on the tables of `identity` alone | what checks who asks, where the schema has these tables |
///
/// None of them owns anything, and none is a member of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    app: String,
    list: String,
    across: String,
    identity: String,
    /// Whether the schema has tables for the identity login.
    pub(super) with_identity: bool,
}

impl Roles {
    /// `<application>_app`, `<application>_list`, `<application>_across` and, for schemas with
    /// accounts, `<application>_identity`.
    #[must_use]
    pub fn named(application: &str) -> Self {
        Self {
            app: format!("{application}_app"),
            list: format!("{application}_list"),
            across: format!("{application}_across"),
            identity: format!("{application}_identity"),
            with_identity: false,
        }
    }

    /// The application login.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }

    /// The login for scopes that hold a list.
    #[must_use]
    pub fn list(&self) -> &str {
        &self.list
    }

    /// The login for the way across.
    #[must_use]
    pub fn across(&self) -> &str {
        &self.across
    }

    /// The login that works with the tables of users, accounts and sessions, where the schema has
    /// them. No statement of the application's runs under it, so an injected one cannot sign anybody
    /// in or give itself a role.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.with_identity.then_some(self.identity.as_str())
    }

    /// The login that hears of changes: one under which no tenant's statement runs.
    pub(crate) fn listening(&self) -> &str {
        self.identity().unwrap_or(self.across())
    }

    pub(crate) fn all(&self) -> Vec<&str> {
        [self.app(), self.list(), self.across()]
            .into_iter()
            .chain(self.identity())
            .collect()
    }

    /// All of them, quoted, for `TO` and `FROM` clauses.
    pub(super) fn quoted(&self) -> String {
        self.all()
            .into_iter()
            .map(ident)
            .collect::<Vec<_>>()
            .join(", ")
    }
}
