//! Live attacks, as one tenant against another's rows, in transactions that are always rolled back.
//!
//! Each attack is a few [`Step`](step::Step)s in a savepoint of a transaction that the [`Round`](round::Round)
//! of one table and one role began, so nothing of one attack is left for the next, and whatever happens to the
//! future, the guard of the transaction rolls all of it back.

mod attacks;
mod claims;
mod context;
mod draft;
mod fresh;
mod ground;
mod harm;
mod make;
mod outcome;
mod ownership;
mod party;
mod reach;
mod record;
mod refusal;
mod round;
mod run;
mod seal;
mod seat;
mod stage;
mod step;
mod tenants;
mod trial;
mod value;
mod verdict;
mod words;

pub use outcome::{Attack, Cell, Outcome, Proof, TableProof};

use std::time::Duration;

use tokio_postgres::Client;

use crate::{AuditError, Options};

/// How to attack.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ProveOptions {
    /// The attacker's context: settings and their values. Sampled if empty.
    pub attacker: Vec<(String, String)>,
    /// The victim's context. Sampled if empty.
    pub victim: Vec<(String, String)>,
    /// Sends no statement that writes, for a replica. On a replica it is so by itself.
    pub read_only: bool,
    /// Sends also what locks a whole table, if only until it is rolled back: TRUNCATE, ALTER TABLE, CREATE
    /// TRIGGER. Without it, these are decided by privileges.
    pub intrusive: bool,
    /// Calls also functions and fires triggers that take numbers from sequences, which no rollback gives back:
    /// gaps are left. What reaches outside of the transaction in another way is never called.
    pub spend_numbers: bool,
    /// How long a statement may take: ten seconds if nothing is said. One that takes longer is no proof.
    pub statement_timeout: Option<Duration>,
    /// How long a statement may wait for a lock: one second if nothing is said.
    pub lock_timeout: Option<Duration>,
}

/// What happens while attacks run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// So many attacks will run.
    Started(usize),
    /// One table is through.
    Table(&'a TableProof),
}

/// Attacks a database. `admin` samples and checks what became of the rows; `app` is a connection of the
/// application's own login, and without one `admin` becomes the application's role by SET SESSION
/// AUTHORIZATION, which takes a superuser.
///
/// Both connections should be fresh, or a session without any context cannot be tried. Nothing is left in
/// the database, and no setting on the connections: dropping the future rolls back as well.
///
/// # Errors
///
/// [`AuditError`]. A breach is none, nor is an attack that could not run.
pub async fn prove(
    admin: &mut Client,
    app: Option<&mut Client>,
    options: &Options,
    how: &ProveOptions,
    see: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Proof, AuditError> {
    run::run(admin, app, options, how, see).await
}
