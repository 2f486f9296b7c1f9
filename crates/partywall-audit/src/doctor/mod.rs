//! How a database and the way to it are: what an audit of the catalogues does not ask for, but whoever runs it wants to
//! know. Looks, and changes nothing.

mod clock;
mod connection;
mod line;
mod pooler;
mod sizes;

pub use line::{Line, Status};
pub use pooler::pooler;

use tokio_postgres::Client;

use crate::{
    AuditError, Fault, Options, Report,
    catalogue::{self, Catalogue},
    subject::Subject,
};

/// Examines a database. The report of [`check`](crate::check) on it says what is wrong with roles and the server's
/// version; it is not found out a second time.
///
/// # Errors
///
/// [`AuditError`].
pub async fn doctor(
    client: &mut Client,
    options: &Options,
    report: &Report,
) -> Result<Vec<Line>, AuditError> {
    let clock = clock::look(client).await?;
    let begun = catalogue::begin(client).await?;
    let catalogue = catalogue::load(begun.client()).await?;
    let subject = Subject::of(&catalogue, options)?;
    let mut lines = server(&catalogue, report);
    lines.extend(connection::look(begun.client(), &catalogue).await?);
    lines.extend(roles(&catalogue, &subject, report));
    lines.push(wall(report));
    lines.extend(drift(&catalogue, report));
    lines.push(clock);
    lines.extend(sizes::look(begun.client(), &subject, report).await?);
    begun
        .rollback()
        .await
        .map_err(AuditError::doing("roll back"))?;
    Ok(lines)
}

fn server(catalogue: &Catalogue, report: &Report) -> Vec<Line> {
    let server = &catalogue.server;
    let mut lines: Vec<Line> = report
        .findings
        .iter()
        .filter(|finding| finding.id == Fault::ServerCve)
        .map(|finding| Line::new("server", Status::Fail, &finding.why, &finding.fix))
        .collect();
    let name = server
        .version_text
        .split_once(" on ")
        .map_or(server.version_text.as_str(), |(name, _)| name);
    if lines.is_empty() {
        lines.push(if server.major() == 13 {
            Line::new(
                "server",
                Status::Warn,
                format!(
                    "{name} has no known hole in row-level security, and gets no fixes any more"
                ),
                "upgrade to a supported major version",
            )
        } else {
            Line::ok(
                "server",
                format!("{name}, without a known hole in row-level security"),
            )
        });
    }
    if server.in_recovery {
        lines.push(Line::new(
            "server",
            Status::Warn,
            "a replica: it can be audited and attacked read-only",
            "use `prove --read-only` here, and the primary for the rest",
        ));
    }
    lines
}

/// The faults that are roles'.
const OF_ROLES: [Fault; 9] = [
    Fault::OwnerNotForced,
    Fault::OwnerMember,
    Fault::OwnerDdl,
    Fault::RoleSuperuser,
    Fault::RoleBypassrls,
    Fault::RoleSetroleBypass,
    Fault::RoleReplication,
    Fault::RoleServerAccess,
    Fault::PredefinedRead,
];

fn roles(catalogue: &Catalogue, subject: &Subject, report: &Report) -> Vec<Line> {
    let mut lines: Vec<Line> = report
        .findings
        .iter()
        .filter(|finding| OF_ROLES.contains(&finding.id))
        .map(|finding| {
            Line::new(
                "roles",
                Status::Fail,
                format!("{}: {}", finding.object, finding.id.title()),
                &finding.fix,
            )
        })
        .collect();
    if subject.app_roles.is_empty() {
        lines.push(Line::new(
            "roles",
            Status::Warn,
            "it is not known which role the application runs as",
            "name it with --app-role",
        ));
    } else if lines.is_empty() {
        let names: Vec<&str> = subject
            .app_roles
            .iter()
            .map(|role| catalogue.roles.name(*role))
            .collect();
        lines.push(Line::ok(
            "roles",
            format!(
                "{}: policies hold, and nothing of the tenants' is owned",
                names.join(", ")
            ),
        ));
    }
    lines
}

/// What the audit finds beside what has lines of its own.
fn wall(report: &Report) -> Line {
    let others = report
        .findings
        .iter()
        .filter(|finding| !OF_ROLES.contains(&finding.id))
        .filter(|finding| {
            !matches!(
                finding.id,
                Fault::ServerCve | Fault::Drift | Fault::PerfNoIndex
            )
        })
        .count();
    match others {
        0 => Line::ok("wall", "the audit of the catalogues finds no other fault"),
        1 => Line::new(
            "wall",
            Status::Fail,
            "the audit of the catalogues finds a fault",
            "see `partywall check`",
        ),
        many => Line::new(
            "wall",
            Status::Fail,
            format!("the audit of the catalogues finds {many} faults"),
            "see `partywall check`",
        ),
    }
}

/// Whether a database that Partywall set up is as it was when its schema was last applied.
fn drift(catalogue: &Catalogue, report: &Report) -> Vec<Line> {
    let lines: Vec<Line> = report
        .findings
        .iter()
        .filter(|finding| finding.id == Fault::Drift)
        .map(|finding| {
            Line::new(
                "drift",
                Status::Fail,
                format!("{}: {}", finding.object, finding.why),
                &finding.fix,
            )
        })
        .collect();
    let is_ours = catalogue
        .relations
        .values()
        .any(|relation| relation.name.schema == "partywall" && relation.name.name == "expected");
    match (lines.is_empty(), is_ours) {
        (false, _) => lines,
        (true, true) => vec![Line::ok(
            "drift",
            "all is as it was when the schema was last applied",
        )],
        (true, false) => vec![Line::new(
            "drift",
            Status::NotKnown,
            "Partywall's library did not make this database, so nothing was written down to compare with",
            "",
        )],
    }
}
