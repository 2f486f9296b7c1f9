//! The rows that a path names, read in one query.

use sea_orm::{
    ConnectionTrait, DbErr, JoinType,
    sea_query::{ExprTrait as _, LockType, Query},
};

use uuid::Uuid;

use super::{
    super::Problem,
    CanonicalId,
    parameter::{Kind, Level, Parameter, Thing},
    pattern::Raw,
};
use crate::{identity::RequestAccount, scope::Scope};

/// What a path names, from left to right, without the tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain(pub(super) Vec<Parameter>);

/// Whether the last row is to be locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    None,
    Last,
}

impl Chain {
    /// Reads the rows, which must belong together. Any of them that is missing, foreign, or of another
    /// parent, and any key that is none, is one and the same 404.
    pub(super) async fn rows(
        &self,
        connection: &impl ConnectionTrait,
        scope: &Scope,
        raw: &Raw,
        lock: Lock,
    ) -> Result<Vec<Thing>, Problem> {
        let mut levels = Vec::new();
        for parameter in &self.0 {
            if let Kind::Row { level, .. } = &parameter.kind {
                let text = raw.get(parameter.name).unwrap_or_default();
                let key = level.parse_key(text).ok_or_else(Problem::not_found)?;
                levels.push((level, key));
            }
        }
        let Some((last, _)) = levels.last() else {
            return Ok(Vec::new());
        };
        let mut query = Query::select();
        query.from(last.table());
        let mut below: Option<&dyn Level> = None;
        for (place, (level, key)) in levels.iter().enumerate().rev() {
            if let Some(child) = below {
                let joined = child
                    .parent_key()
                    .ok_or_else(Problem::internal)?
                    .eq(level.key());
                query.join(JoinType::InnerJoin, level.table(), joined);
            }
            level.select(&mut query, &prefix(place));
            query.and_where(level.key().eq(key.clone()));
            query.cond_where(level.filter(scope));
            below = Some(level.as_ref());
        }
        if lock == Lock::Last && last.is_writable() {
            query.lock_with_tables(LockType::Update, [last.table_name()]);
        }
        let row = connection
            .query_one(&query)
            .await?
            .ok_or_else(Problem::not_found)?;
        let things = levels
            .iter()
            .enumerate()
            .map(|(place, (level, _))| level.read(&row, &prefix(place)))
            .collect::<Result<_, DbErr>>();
        Ok(things?)
    }

    /// Reads the ids that nobody looks up: any but the canonical spelling is 404.
    pub(super) fn ids(&self, raw: &Raw) -> Result<(), Problem> {
        for parameter in &self.0 {
            if let Kind::Id = parameter.kind {
                let text = raw.get(parameter.name).unwrap_or_default();
                <Uuid as CanonicalId>::parse(text).ok_or_else(Problem::not_found)?;
            }
        }
        Ok(())
    }

    /// Puts together what the path names, from left to right.
    pub(super) fn in_order(&self, rows: Vec<Thing>, found: Vec<Thing>) -> Vec<Thing> {
        let (mut rows, mut found) = (rows.into_iter(), found.into_iter());
        let things = self.0.iter().filter(|parameter| parameter.is_thing());
        things
            .filter_map(|parameter| match parameter.is_row() {
                true => rows.next(),
                false => found.next(),
            })
            .collect()
    }

    /// Whether the path names a row.
    pub(super) fn has_rows(&self) -> bool {
        self.0
            .iter()
            .any(|parameter| matches!(parameter.kind, Kind::Row { .. }))
    }

    /// Finds what is not a row of the scope's tables.
    pub(super) async fn found(
        &self,
        account: &RequestAccount,
        raw: &Raw,
    ) -> Result<Vec<Thing>, Problem> {
        let mut things = Vec::new();
        for parameter in &self.0 {
            if let Kind::Found(find) = &parameter.kind {
                let text = raw.get(parameter.name).unwrap_or_default();
                let id = CanonicalId::parse(text).ok_or_else(Problem::not_found)?;
                things.push(find(account.clone(), id).await?);
            }
        }
        Ok(things)
    }
}

fn prefix(place: usize) -> String {
    format!("p{place}_")
}
