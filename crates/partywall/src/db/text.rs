use tokio_postgres::{
    Row, Statement,
    types::{FromSql, Type},
};

use super::{
    Error, Refused, ScopedDb,
    conn::Prepared,
    lease::Lease,
    pipeline::{self, Behind, Step},
    scoped::BEGIN,
    session::Session,
    shape::{Shape, Verb},
    statement::{Job, Trace, trace},
};

/// How much of a statement's rows [`ScopedDb::text`] hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimits {
    /// Rows, at most.
    pub rows: usize,
    /// Bytes of all values together, at most.
    pub bytes: usize,
}

/// Rows of whatever type, as PostgreSQL writes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextRows {
    /// The columns' names, in order; two may be the same.
    pub columns: Vec<String>,
    /// `None` stands for NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// The rows that the statement touched. For one that only reads, the rows handed out.
    pub affected: u64,
    /// Whether rows or parts of values were left out.
    pub truncated: bool,
}

/// Characters of one value, and of one row, at most. The server cuts, so that one value of a
/// gigabyte does not reach this program's memory.
const CELL: usize = 2_000;
const ROW: usize = 64 * 1024;

impl ScopedDb {
    /// Runs any one statement, whatever types it answers with, and hands its rows out as text: for a
    /// console in which somebody types SQL. Its transaction commits, and its connection is closed.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn text(&self, sql: &str, limits: TextLimits) -> Result<TextRows, Error> {
        let trace = trace(sql)?;
        let session = self.session()?;
        let mut lease = session.pool.acquire().await?;
        lease.dirty = true;
        let work = Self::text_in(session, lease, sql, trace, limits);
        session.observed(sql, work, |shown| shown.affected).await
    }

    async fn text_in(
        session: &Session,
        mut lease: Lease,
        sql: &str,
        trace: Trace,
        limits: TextLimits,
    ) -> Result<TextRows, Error> {
        let described = prepare(&mut lease, sql).await?;
        let columns: Vec<String> = described
            .columns()
            .iter()
            .map(|column| column.name().to_owned())
            .collect();
        let shape = Shape::of(sql);
        let (sql, statement, is_cast) =
            match shape.as_text(sql, columns.len(), cell(&columns), limits.rows + 1) {
                Some(cast) if !columns.is_empty() => {
                    let statement = prepare(&mut lease, &cast).await?;
                    (cast, statement, true)
                }
                Some(_) | None => (sql.to_owned(), described, false),
            };
        let types = statement.params().to_vec();
        let prepared = Prepared {
            statement: Some(statement),
            types,
            plan: None,
            trace,
        };
        let before = [Step::Control(BEGIN), session.enter()];
        let job = Job::new(sql, []);
        let answer = pipeline::run(&mut lease, prepared, &before, &job, Behind::Commit).await?;
        drop(lease);
        let counted = is_cast && shape.verb() == Verb::Write;
        let affected = match answer.rows.first().filter(|_| counted) {
            Some(row) => text(row, columns.len())?
                .and_then(|n| n.parse().ok())
                .unwrap_or_default(),
            None => answer.affected,
        };
        let mut shown = TextRows {
            columns,
            affected,
            ..TextRows::default()
        };
        shown.fill(&answer.rows, limits)?;
        if is_cast && !counted {
            shown.affected = u64::try_from(shown.rows.len()).unwrap_or(u64::MAX);
        }
        Ok(shown)
    }
}

impl TextRows {
    fn fill(&mut self, rows: &[Row], limits: TextLimits) -> Result<(), Error> {
        let longest = cell(&self.columns);
        let mut bytes = 0;
        for row in rows {
            let mut values = Vec::with_capacity(self.columns.len());
            for n in 0..self.columns.len() {
                let mut value = text(row, n)?;
                if let Some(value) = &mut value {
                    if value.chars().count() > longest {
                        value.pop();
                        value.push('…');
                        self.truncated = true;
                    }
                    bytes += value.len();
                }
                values.push(value);
            }
            if self.rows.len() == limits.rows || bytes > limits.bytes {
                self.truncated = true;
                break;
            }
            self.rows.push(values);
        }
        Ok(())
    }
}

fn cell(columns: &[String]) -> usize {
    CELL.min(ROW / columns.len().max(1))
}

async fn prepare(lease: &mut Lease, sql: &str) -> Result<Statement, Error> {
    let prepared = pipeline::describe(lease, sql).await?;
    match prepared.params().len() {
        0 => Ok(prepared),
        wanted => Err(Refused::Parameters { given: 0, wanted }.into()),
    }
}

/// A value of a type whose binary form is its text.
struct Text(String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(String::from_utf8_lossy(raw).into_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn text(row: &Row, column: usize) -> Result<Option<String>, Error> {
    Ok(row.try_get::<_, Option<Text>>(column)?.map(|text| text.0))
}
