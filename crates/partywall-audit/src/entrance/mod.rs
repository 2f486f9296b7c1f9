//! How a session becomes a tenant's: which settings it begins with, under which role, and which tenants there are. What
//! `partywall shell` and `each` stand on.

mod seal;

use tokio_postgres::{Client, types::Type};

use crate::{
    AuditError, Inferred, Options,
    catalogue::{self, Catalogue, Oid},
    sql::{Name, ident},
    subject::{Belonging, Subject},
};

/// How a session becomes a tenant's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entrance {
    /// The roles that requests of tenants run as.
    pub app_roles: Vec<String>,
    /// The settings that policies take the tenant from.
    pub contexts: Vec<String>,
    /// How they hold it.
    pub form: ContextForm,
    /// What was taken for granted, and why.
    pub inferred: Inferred,
    root: Option<Root>,
    /// The tables whose rows are tenants', without the table of the tenants itself.
    tables: Vec<Oid>,
}

/// How the settings hold the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContextForm {
    /// As it is.
    Value,
    /// As Partywall's own context, without a seal: a JSON object.
    Partywall,
    /// As Partywall's own context, with a seal that is good for a minute.
    Sealed,
    /// As claims, a JSON object of somebody else's making: only who made the policies knows its members.
    Claims,
}

/// The table of the tenants, as SQL.
#[derive(Clone, Debug)]
struct Root {
    table: String,
    key: String,
    /// For people.
    name: String,
}

/// Why it is not known how a session becomes this tenant's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntranceError {
    /// The database could not be asked.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// No table of tenants was found.
    #[error("it is not known which table holds the tenants")]
    NoRoot,
    /// No setting was found that policies take the tenant from.
    #[error("it is not known from which setting the policies take the tenant")]
    NoContext,
    /// Policies hold for this login on the table of tenants.
    #[error("this login does not see all tenants, since policies hold for it")]
    Unseen,
    /// The policies read a JSON object.
    #[error(
        "the policies read the tenant from claims in `{0}`, and only you know which of them say the tenant"
    )]
    Claims(String),
    /// The context is sealed, and this login may not read the keys.
    #[error("the context is sealed, and this login may not read the keys")]
    Sealed,
}

/// Finds out how a session becomes a tenant's.
///
/// # Errors
///
/// [`AuditError`].
pub async fn entrance(client: &mut Client, options: &Options) -> Result<Entrance, AuditError> {
    let begun = catalogue::begin(client).await?;
    let catalogue = catalogue::load(begun.client()).await?;
    let subject = Subject::of(&catalogue, options)?;
    let entrance = Entrance::new(
        &catalogue,
        &subject,
        seal::is_on(begun.client(), &catalogue).await?,
    );
    begun
        .rollback()
        .await
        .map_err(AuditError::doing("roll back"))?;
    Ok(entrance)
}

impl Entrance {
    fn new(catalogue: &Catalogue, subject: &Subject, sealed: Option<bool>) -> Self {
        let inferred = subject.inferred.clone();
        let mut contexts: Vec<String> = inferred
            .contexts
            .iter()
            .map(|taken| taken.value.clone())
            .collect();
        let form = match sealed {
            Some(sealed)
                if contexts.is_empty() || contexts.iter().any(|it| it == seal::CONTEXT) =>
            {
                contexts = vec![seal::CONTEXT.to_owned()];
                if sealed {
                    ContextForm::Sealed
                } else {
                    ContextForm::Partywall
                }
            }
            _ if contexts.iter().any(|it| it == "request.jwt.claims") => ContextForm::Claims,
            _ => ContextForm::Value,
        };
        let root = subject.root.and_then(|oid| {
            let relation = catalogue.relations.get(&oid)?;
            let Some(Belonging::Root(column)) = subject.belonging(oid) else {
                return None;
            };
            Some(Root {
                name: relation.name.to_string(),
                table: qualified(&relation.name),
                key: ident(&relation.column(*column)?.name),
            })
        });
        let tables = subject
            .tenant_tables(catalogue)
            .filter(|relation| relation.is_table() && Some(relation.oid) != subject.root)
            .map(|relation| relation.oid)
            .collect();
        Self {
            app_roles: inferred
                .app_roles
                .iter()
                .map(|taken| taken.value.clone())
                .collect(),
            contexts,
            form,
            inferred,
            root,
            tables,
        }
    }

    /// The tables of tenants that a session reaches and that row-level security does not hold for there: in them it is
    /// not one tenant's, whatever its context.
    ///
    /// # Errors
    ///
    /// [`AuditError::Sql`].
    pub async fn unwalled(&self, session: &Client) -> Result<Vec<String>, AuditError> {
        let doing = "ask which tables are walled";
        // Without a name for the statement, which a pooler would mix up.
        let rows = session
            .query_typed(
                "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) \
                 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.oid = ANY ($1) \
                   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
                   AND (pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE') \
                        OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE')) \
                   AND NOT pg_catalog.row_security_active(c.oid) \
                 ORDER BY 1",
                &[(&self.tables, Type::OID_ARRAY)],
            )
            .await
            .map_err(AuditError::doing(doing))?;
        rows.iter()
            .map(|row| row.try_get(0).map_err(AuditError::doing(doing)))
            .collect()
    }

    /// All tenants, in the order of their keys.
    ///
    /// # Errors
    ///
    /// [`EntranceError::NoRoot`], and [`EntranceError::Audit`] where this login may not read the table.
    pub async fn tenants(&self, client: &Client) -> Result<Vec<String>, EntranceError> {
        let Root { table, key, .. } = self.root.as_ref().ok_or(EntranceError::NoRoot)?;
        let row = client
            .query_one(
                "SELECT pg_catalog.row_security_active(pg_catalog.to_regclass($1))",
                &[table],
            )
            .await
            .map_err(AuditError::doing("list the tenants"))?;
        if row
            .try_get::<_, Option<bool>>(0)
            .map_err(AuditError::doing("list the tenants"))?
            .unwrap_or_default()
        {
            return Err(EntranceError::Unseen);
        }
        let rows = client
            .query(
                &format!(
                    "SELECT {key}::pg_catalog.text FROM {table} WHERE {key} IS NOT NULL ORDER BY {key}"
                ),
                &[],
            )
            .await
            .map_err(AuditError::doing("list the tenants"))?;
        rows.iter()
            .map(|row| {
                row.try_get(0)
                    .map_err(AuditError::doing("list the tenants"))
                    .map_err(EntranceError::from)
            })
            .collect()
    }

    /// Whether there is such a tenant; `None` where that cannot be told.
    pub async fn has(&self, client: &Client, tenant: &str) -> Option<bool> {
        let Root { table, key, .. } = self.root.as_ref()?;
        let row = client
            .query_one(
                &format!(
                    "SELECT CASE WHEN EXISTS (SELECT FROM {table} WHERE {key}::pg_catalog.text OPERATOR(pg_catalog.=) $1) THEN true \
                       WHEN pg_catalog.row_security_active(pg_catalog.to_regclass($2)) THEN NULL ELSE false END"
                ),
                &[&tenant, table],
            )
            .await
            .ok()?;
        row.try_get(0).ok().flatten()
    }

    /// The table of the tenants, for people: `public.tenants`.
    #[must_use]
    pub fn root(&self) -> Option<&str> {
        self.root.as_ref().map(|root| root.name.as_str())
    }

    /// The settings with which a session is a tenant's. A sealed one is made by the keys that `client`'s login can
    /// read, and a transaction that is to use it must begin within a minute.
    ///
    /// # Errors
    ///
    /// [`EntranceError`].
    pub async fn settings(
        &self,
        client: &Client,
        tenant: &str,
    ) -> Result<Vec<(String, String)>, EntranceError> {
        let first = self.contexts.first().ok_or(EntranceError::NoContext)?;
        let one = |value: String| vec![(first.clone(), value)];
        match self.form {
            ContextForm::Value => Ok(self
                .contexts
                .iter()
                .map(|name| (name.clone(), tenant.to_owned()))
                .collect()),
            ContextForm::Claims => Err(EntranceError::Claims(first.clone())),
            ContextForm::Partywall => Ok(one(seal::json(tenant))),
            ContextForm::Sealed => Ok(one(seal::seal(client, &seal::json(tenant)).await?)),
        }
    }
}

fn qualified(name: &Name) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.name))
}
