use std::fmt;

/// A way to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// tokio-postgres, filtered by hand, no policy.
    TokioPostgres,
    /// sqlx, filtered by hand, no policy. It pings before each use of a connection unless told not to.
    Sqlx { pings: bool },
    /// sqlx: `BEGIN`, `set_config`, the statement, `COMMIT`.
    SetConfig,
    /// Partywall.
    Partywall { read: Read, sealed: bool },
}

/// What Partywall reads into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// Raw SQL, rows to read by column, none of which is read.
    Rows,
    /// Raw SQL, rows as structs.
    Structs,
    /// A SeaORM entity.
    Entity { within: bool },
}

/// The way that all others are compared with, and the second one.
pub(crate) const REFERENCE: Way = Way::TokioPostgres;
pub(crate) const SECOND: Way = Way::Sqlx { pings: true };

pub(crate) fn all() -> Vec<Way> {
    let mut ways = vec![
        Way::TokioPostgres,
        Way::Sqlx { pings: true },
        Way::Sqlx { pings: false },
        Way::SetConfig,
    ];
    for sealed in [false, true] {
        let reads = [
            Read::Rows,
            Read::Structs,
            Read::Entity { within: true },
            Read::Entity { within: false },
        ];
        ways.extend(reads.map(|read| Way::Partywall { read, sealed }));
    }
    ways
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokioPostgres => f.write_str("tokio-postgres by hand"),
            Self::Sqlx { pings: true } => f.write_str("sqlx by hand"),
            Self::Sqlx { pings: false } => f.write_str("sqlx by hand, no ping before"),
            Self::SetConfig => f.write_str("sqlx begin, set_config, query, commit"),
            Self::Partywall { read, sealed } => {
                let read = match read {
                    Read::Rows => "raw",
                    Read::Structs => "raw, structs",
                    Read::Entity { within: true } => "SeaORM within",
                    Read::Entity { within: false } => "SeaORM",
                };
                write!(
                    f,
                    "Partywall {read}, seal {}",
                    if *sealed { "on" } else { "off" }
                )
            }
        }
    }
}
