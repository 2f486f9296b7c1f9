use std::{collections::BTreeMap, fmt, sync::LazyLock};

use partywall_audit::drift::{Facts, SNAPSHOT as AUDITED, facts};
use tokio_postgres::{Client, types::Type};

use super::{
    ApplyError, Schema,
    sql::short_hash,
    table::{Table, TableName},
};

/// Something in the database that is not as it was when the schema was last applied.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drift {
    /// The table, or `partywall` for its functions and roles.
    pub object: String,
    /// What kind of thing differs, and its name.
    pub what: String,
    /// How it differs.
    pub how: How,
}

/// How something differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum How {
    /// It is there and was not.
    Added(String),
    /// It was there and is not.
    Missing,
    /// It is another than it was.
    Altered {
        /// What it was.
        was: String,
        /// What it is.
        is: String,
    },
    /// A relation that no model declares and that the logins reach, or that is a tenant's by its
    /// shape.
    Undeclared(String),
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object, what, how } = self;
        match how {
            How::Added(is) => write!(f, "{object}: the {what} was added: {is}"),
            How::Missing => write!(f, "{object}: the {what} is missing"),
            How::Altered { was, is } => {
                write!(
                    f,
                    "{object}: the {what} was altered: it is {is} and was {was}"
                )
            }
            How::Undeclared(because) => write!(
                f,
                "{object} is not declared by any model ({because}): derive `Scoped` for it, or name it with `SchemaBuilder::unprotected`"
            ),
        }
    }
}

impl Drift {
    fn aspect(&self) -> &str {
        self.what.split(" `").next().unwrap_or_default()
    }

    /// Whether it concerns a table's key of this name, or the index of it.
    pub(super) fn is_of_key(&self, table: &Table, name: &str) -> bool {
        let TableName { schema, table } = &table.name;
        self.object == format!("{schema}.{table}")
            && match self.aspect() {
                "constraint" => self.what.ends_with(&format!("`{name}`")),
                "unique index" => self.what.contains(name),
                _ => false,
            }
    }

    /// Whether it may stay as it is: the application's owner may give its tables further columns and
    /// keys, and other roles rights on them. What runs by itself, and what is Partywall's, may not.
    pub(super) fn may_stay(&self) -> bool {
        match (&self.how, self.aspect()) {
            (How::Missing, _) => true,
            (
                _,
                "table" | "policy" | "trigger" | "rule" | "function" | "role" | SEAL_KEY
                | UNSAFE_SETTING,
            ) => false,
            _ => !self.object.starts_with("partywall."),
        }
    }
}

/// What a snapshot calls a key that contexts may be sealed with.
const SEAL_KEY: &str = "seal key";

/// What the catalogues' settings are called that nobody needs and that open the wall.
const UNSAFE_SETTING: &str = "unsafe setting";

/// The audit's snapshot, and the keys, which only the application's own look asks for.
static SNAPSHOT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{AUDITED}UNION ALL\nSELECT 'partywall', '{SEAL_KEY}', name, pads FROM partywall.seal_keys()"
    )
});
const UNDECLARED: &str = include_str!("sql/undeclared.sql");

/// A hash of the form in which the catalogues are written down.
pub(super) fn form() -> String {
    short_hash(&SNAPSHOT)
}

impl Schema {
    /// Compares the catalogues with what was written down when the schema was last applied. Any of
    /// the logins can do it, in a transaction whose search path is [`SAFE_PATH`](super::SAFE_PATH).
    pub(crate) async fn drift_seen_by(
        &self,
        client: &Client,
    ) -> Result<Vec<Drift>, tokio_postgres::Error> {
        let rows = client
            .query_typed(
                "SELECT object, aspect, name, definition FROM partywall.expected",
                &[],
            )
            .await?;
        let mut expected = facts(&rows)?;
        // The keys are the application's to know: whoever plants one may have written it down as well.
        expected.retain(|(_, aspect, _), _| aspect != SEAL_KEY);
        expected.extend(self.seal.keys().iter().map(|key| {
            let (object, aspect) = ("partywall".to_owned(), SEAL_KEY.to_owned());
            ((object, aspect, key.id().to_owned()), key.hash())
        }));
        let mut current = self.snapshot(client).await?;
        let mut drift = Vec::new();
        for ((object, aspect, name), was) in expected {
            let how = match current.remove(&(object.clone(), aspect.clone(), name.clone())) {
                Some(is) if is == was => continue,
                Some(is) => How::Altered { was, is },
                None => How::Missing,
            };
            drift.push(Drift {
                object,
                what: format!("{aspect} `{name}`"),
                how,
            });
        }
        drift.extend(
            current
                .into_iter()
                .map(|((object, aspect, name), is)| Drift {
                    object,
                    what: format!("{aspect} `{name}`"),
                    how: How::Added(is),
                }),
        );
        drift.extend(self.undeclared(client).await?);
        Ok(drift)
    }

    /// Parts what is still as it was found to be from what has been put right.
    pub(super) async fn remaining(
        &self,
        client: &Client,
        drift: Vec<Drift>,
    ) -> Result<(Vec<Drift>, Vec<Drift>), tokio_postgres::Error> {
        let current: BTreeMap<(String, String), String> = self
            .snapshot(client)
            .await?
            .into_iter()
            .map(|((object, aspect, name), is)| ((object, format!("{aspect} `{name}`")), is))
            .collect();
        Ok(drift.into_iter().partition(|drift| {
            let now = current.get(&(drift.object.clone(), drift.what.clone()));
            match &drift.how {
                How::Added(_) => now.is_some(),
                How::Altered { is, .. } => now == Some(is),
                How::Missing => now.is_none(),
                // Looked for again, when all is done.
                How::Undeclared(_) => false,
            }
        }))
    }

    /// What the catalogues say. Expressions and names are printed relative to the search path, so it
    /// must be the safe one.
    async fn snapshot(&self, client: &Client) -> Result<Facts, tokio_postgres::Error> {
        let (schemas, tables) = self.names();
        let roles = self.roles.all();
        let rows = client
            .query_typed(
                &SNAPSHOT,
                &[
                    (&schemas, Type::TEXT_ARRAY),
                    (&tables, Type::TEXT_ARRAY),
                    (&&roles[..], Type::TEXT_ARRAY),
                ],
            )
            .await?;
        facts(&rows)
    }

    async fn undeclared(&self, client: &Client) -> Result<Vec<Drift>, tokio_postgres::Error> {
        let (mut schemas, mut tables) = self.names();
        for left in &self.unprotected {
            schemas.push(&left.schema);
            tables.push(&left.relation);
        }
        let mut columns: Vec<&str> = self
            .tables
            .iter()
            .flat_map(|table| table.owner_columns())
            .filter(|(owned, column)| owned.dimension == "tenant" && *column != "id")
            .map(|(_, column)| column)
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let roles = self.roles.all();
        let rows = client
            .query_typed(
                UNDECLARED,
                &[
                    (&schemas, Type::TEXT_ARRAY),
                    (&tables, Type::TEXT_ARRAY),
                    (&&roles[..], Type::TEXT_ARRAY),
                    (&columns, Type::TEXT_ARRAY),
                ],
            )
            .await?;
        let mut drift = Vec::new();
        for row in rows {
            let because: String = row.try_get(1)?;
            if !because.is_empty() {
                drift.push(Drift {
                    object: row.try_get(0)?,
                    what: "relation".to_owned(),
                    how: How::Undeclared(because),
                });
            }
        }
        Ok(drift)
    }

    /// Writes down what the catalogues say now, but for policies that are not Partywall's and settings
    /// that open the wall: they stay unexpected until somebody drops them.
    pub(super) async fn write_expectations(&self, client: &Client) -> Result<(), ApplyError> {
        client
            .batch_execute("DELETE FROM partywall.expected")
            .await?;
        for ((object, aspect, name), definition) in self.snapshot(client).await? {
            let foreign = aspect == "policy" && !name.starts_with("partywall_");
            if foreign || aspect == UNSAFE_SETTING {
                continue;
            }
            client
                .execute(
                    "INSERT INTO partywall.expected (object, aspect, name, definition) VALUES ($1, $2, $3, $4)",
                    &[&object, &aspect, &name, &definition],
                )
                .await?;
        }
        client
            .execute(
                "INSERT INTO partywall.applied (declarations, sealed) VALUES ($1, $2) \
                 ON CONFLICT (singleton) DO UPDATE SET declarations = excluded.declarations, \
                 sealed = excluded.sealed, at = now()",
                &[&self.fingerprint(), &self.seal.is_on()],
            )
            .await?;
        Ok(())
    }

    fn names(&self) -> (Vec<&str>, Vec<&str>) {
        self.tables
            .iter()
            .map(|table| (table.name.schema.as_str(), table.name.table.as_str()))
            .unzip()
    }
}
