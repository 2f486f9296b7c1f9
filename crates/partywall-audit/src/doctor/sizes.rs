use tokio_postgres::Client;

use super::{Line, Status};
use crate::{AuditError, Fault, Report, catalogue::Oid, subject::Subject};

/// How many tables are told of.
const TOLD: i64 = 3;

/// The largest of the tenants' tables, and which of them have no statistics or no index by the tenant.
pub(super) async fn look(
    client: &Client,
    subject: &Subject,
    report: &Report,
) -> Result<Vec<Line>, AuditError> {
    let doing = "look at sizes";
    let tables: Vec<Oid> = subject
        .belongings
        .keys()
        .copied()
        .filter(|table| subject.is_tenants(*table))
        .collect();
    let rows = client
        .query(
            "SELECT c.oid::regclass::text, pg_size_pretty(pg_total_relation_size(c.oid)), c.reltuples::float8, \
               pg_total_relation_size(c.oid) > 1048576 \
             FROM pg_class c WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'm') \
             ORDER BY pg_total_relation_size(c.oid) DESC, c.oid LIMIT $2",
            &[&tables, &TOLD],
        )
        .await
        .map_err(AuditError::doing(doing))?;
    let mut lines = Vec::new();
    for row in &rows {
        let wrong = AuditError::doing(doing);
        let (name, size, count, is_large): (String, String, f64, bool) = (|| {
            Ok((
                row.try_get(0)?,
                row.try_get(1)?,
                row.try_get(2)?,
                row.try_get(3)?,
            ))
        })()
        .map_err(wrong)?;
        lines.push(if count <= 0.0 && is_large {
            Line::new(
                "sizes",
                Status::Warn,
                format!("{name}: {size}, never analyzed, so plans for it are guesses"),
                format!("ANALYZE {name}"),
            )
        } else if count <= 0.0 {
            Line::ok("sizes", format!("{name}: {size}"))
        } else {
            Line::ok("sizes", format!("{name}: {size}, about {count:.0} rows"))
        });
    }
    if rows.is_empty() {
        lines.push(Line::new(
            "sizes",
            Status::NotKnown,
            "no table of tenants was found",
            "name the tenants' column with --tenant-column",
        ));
    }
    lines.extend(
        report
            .findings
            .iter()
            .filter(|finding| finding.id == Fault::PerfNoIndex)
            .map(|finding| {
                Line::new(
                    "sizes",
                    Status::Warn,
                    format!("{}: {}", finding.object, finding.id.title()),
                    &finding.fix,
                )
            }),
    );
    Ok(lines)
}
