use super::sql::ident;

/// The three logins that work with the tables. Their names are unique in a PostgreSQL cluster, so
/// each application has its own.
///
/// | login | policies | used by |
/// |---|---|---|
/// | application | one value per dimension | [`Db::scoped`](crate::Db::scoped), [`Db::begin`](crate::Db::begin) |
/// | list | any value of a list | the same, for a scope that holds a list |
/// | across | none | [`Db::across`](crate::Db::across) |
///
/// None of them owns anything, and none is a member of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    app: String,
    list: String,
    across: String,
}

impl Roles {
    /// `<application>_app`, `<application>_list` and `<application>_across`.
    #[must_use]
    pub fn named(application: &str) -> Self {
        Self {
            app: format!("{application}_app"),
            list: format!("{application}_list"),
            across: format!("{application}_across"),
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

    pub(crate) fn all(&self) -> [&str; 3] {
        [&self.app, &self.list, &self.across]
    }

    /// All three, quoted, for `TO` and `FROM` clauses.
    pub(super) fn quoted(&self) -> String {
        self.all().map(ident).join(", ")
    }
}
