use tokio_postgres::SimpleQueryMessage;

use super::context::Context;

/// Who sends a statement.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    /// The application's role, in this context.
    Role(&'a Context),
    /// The application's role, in the context that the transaction has already.
    Still,
    /// Whoever sent the step before.
    Next,
    /// Whoever can see what became of the victim's rows: the administrator, or on a connection of the
    /// application's own the victim.
    Eyes,
    /// The administrator, in the attacker's transaction.
    Admin,
    /// The administrator, without triggers and foreign keys, for rows that are made up.
    Maker,
}

/// One statement of an attack.
#[derive(Clone, Debug)]
pub(super) struct Step<'a> {
    pub(super) by: By<'a>,
    pub(super) sql: String,
}

impl<'a> Step<'a> {
    pub(super) fn new(by: By<'a>, sql: impl Into<String>) -> Self {
        Self {
            by,
            sql: sql.into(),
        }
    }

    pub(super) fn role(context: &'a Context, sql: impl Into<String>) -> Self {
        Self::new(By::Role(context), sql)
    }

    pub(super) fn still(sql: impl Into<String>) -> Self {
        Self::new(By::Still, sql)
    }

    pub(super) fn next(sql: impl Into<String>) -> Self {
        Self::new(By::Next, sql)
    }

    pub(super) fn eyes(sql: impl Into<String>) -> Self {
        Self::new(By::Eyes, sql)
    }

    pub(super) fn admin(sql: impl Into<String>) -> Self {
        Self::new(By::Admin, sql)
    }

    pub(super) fn maker(sql: impl Into<String>) -> Self {
        Self::new(By::Maker, sql)
    }
}

/// What a statement answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: Vec<Vec<Option<String>>>,
    /// How many rows it read or wrote.
    pub(super) affected: u64,
}

impl Answer {
    /// The answer of the last statement among several.
    pub(super) fn last(messages: Vec<SimpleQueryMessage>) -> Self {
        let mut answer = Self::default();
        let mut rows = Vec::new();
        for message in messages {
            match message {
                SimpleQueryMessage::Row(row) => rows.push(
                    (0..row.len())
                        .map(|at| row.try_get(at).ok().flatten().map(str::to_owned))
                        .collect(),
                ),
                SimpleQueryMessage::CommandComplete(affected) => {
                    answer = Self {
                        rows: std::mem::take(&mut rows),
                        affected,
                    };
                }
                // The names of the columns, and what later versions of the driver may add.
                SimpleQueryMessage::RowDescription(_) | _ => {}
            }
        }
        answer
    }

    /// The first cell.
    pub(super) fn text(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }

    /// The first cell as a number.
    pub(super) fn count(&self) -> u64 {
        self.text().and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The first column.
    pub(super) fn column(self) -> Vec<String> {
        self.rows
            .into_iter()
            .filter_map(|row| row.into_iter().next().flatten())
            .collect()
    }
}
