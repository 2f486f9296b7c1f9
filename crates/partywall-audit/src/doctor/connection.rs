use tokio_postgres::Client;

use super::{Line, Status};
use crate::{AuditError, catalogue::Catalogue};

/// Who asks and how, and what the server keeps of statements.
pub(super) async fn look(client: &Client, catalogue: &Catalogue) -> Result<Vec<Line>, AuditError> {
    let doing = "look at the connection";
    let row = client
        .query_one(
            "SELECT inet_server_addr() IS NULL OR inet_client_addr() = inet_server_addr(), \
               coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), \
               coalesce(current_setting('pg_stat_statements.track', true), '') = 'all', \
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), \
               current_setting('max_connections')::int8 \
                 - current_setting('superuser_reserved_connections')::int8",
            &[],
        )
        .await
        .map_err(AuditError::doing(doing))?;
    fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
        row: &'a tokio_postgres::Row,
        at: usize,
    ) -> Result<T, AuditError> {
        row.try_get(at)
            .map_err(AuditError::doing("look at the connection"))
    }
    let (is_local, has_tls): (bool, bool) = (get(&row, 0)?, get(&row, 1)?);
    let mut lines = Vec::new();
    let user = catalogue.server.user;
    let name = catalogue.roles.name(user);
    lines.push(if catalogue.roles.is_superuser(user) {
        Line::ok(
            "login",
            format!("asks as {name}, a superuser, who sees all"),
        )
    } else {
        Line::new(
            "login",
            Status::Warn,
            format!("asks as {name}, who is no superuser and may see less than all"),
            "give --database-url of a superuser for the whole picture",
        )
    });
    lines.push(match (has_tls, is_local) {
        (true, _) => Line::ok("tls", "the connection is encrypted"),
        (false, true) => Line::ok("tls", "not needed: the server is on this machine"),
        (false, false) => Line::new(
            "tls",
            Status::Warn,
            "the connection to another machine is not encrypted",
            "add sslmode=require to the connection string, and `hostssl` lines to pg_hba.conf",
        ),
    });
    if get::<bool>(&row, 2)? {
        lines.push(Line::new(
            "statements",
            Status::Warn,
            "pg_stat_statements.track = all keeps the texts of nested statements, contexts among them",
            "ALTER SYSTEM SET pg_stat_statements.track = 'top'",
        ));
    }
    let (used, most): (i64, i64) = (get(&row, 3)?, get(&row, 4)?);
    lines.push(
        if most > 0 && used.saturating_mul(10) >= most.saturating_mul(8) {
            Line::new(
                "connections",
                Status::Warn,
                format!("{used} of {most} are in use"),
                "put a pooler in front of the server, or raise max_connections",
            )
        } else {
            Line::ok("connections", format!("{used} of {most} are in use"))
        },
    );
    Ok(lines)
}
