//! How long an audit of many tables takes, and how much memory: `cargo run --release -p partywall-audit
//! --example scale -- 1000`. The tables have four policies each, keys, indexes, a child and a function.

use std::{error::Error, fmt::Write as _, fs, time::Instant};

use partywall_audit::{Options, check};
use partywall_embedded::{Server, Settings};
use tokio_postgres::NoTls;

const TENANT: &str = "NULLIF(current_setting('app.tenant_id', true), '')::uuid";

/// Tables in pairs, the second a child of the first.
fn schema(tables: usize) -> String {
    let mut sql = String::from(
        "CREATE ROLE owner NOLOGIN; CREATE ROLE app LOGIN;
         REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO app, owner;
         GRANT CREATE ON SCHEMA public TO owner; SET ROLE owner;
         CREATE TABLE tenants (id uuid PRIMARY KEY); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
         ALTER TABLE tenants FORCE ROW LEVEL SECURITY;",
    );
    let _ = writeln!(sql, "CREATE POLICY own ON tenants USING (id = {TENANT});");
    for at in 0..tables {
        let table = format!("table_{at}");
        let child = match at % 2 {
            0 => String::new(),
            _ => format!(
                ", parent_id uuid NOT NULL, FOREIGN KEY (tenant_id, parent_id) REFERENCES table_{} (tenant_id, id)",
                at - 1
            ),
        };
        let _ = writeln!(
            sql,
            "CREATE TABLE {table} (tenant_id uuid NOT NULL REFERENCES tenants (id), id uuid NOT NULL DEFAULT gen_random_uuid(),
               name text NOT NULL, status text NOT NULL, cents bigint NOT NULL, at timestamptz NOT NULL DEFAULT now(),
               note text, extra jsonb, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, name){child});
             CREATE INDEX ON {table} (tenant_id, at);
             ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY reading ON {table} FOR SELECT USING (tenant_id = {TENANT});
             CREATE POLICY adding ON {table} FOR INSERT WITH CHECK (tenant_id = {TENANT});
             CREATE POLICY changing ON {table} FOR UPDATE USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT});
             CREATE POLICY removing ON {table} FOR DELETE USING (tenant_id = {TENANT});
             CREATE FUNCTION count_{at}() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM public.{table}';
             GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO app;"
        );
    }
    sql
}

/// The most memory that this process ever had, in MB.
fn most_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1024)
}

/// The processor time that a process has had, in seconds; ticks are hundredths on every Linux.
fn processor_time(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: f64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    Some(ticks / 100.0)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let tables = std::env::args()
        .nth(1)
        .map_or(Ok(1000), |tables| tables.parse())?;
    let server = Server::start(&Settings::temporary())?;
    let (mut client, connection) =
        tokio_postgres::connect(&server.superuser_url("postgres"), NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(&schema(tables)).await?;
    client.batch_execute("RESET ROLE; ANALYZE").await?;
    let backend: i32 = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await?
        .get(0);
    let spent = || {
        let server = processor_time(&backend.to_string()).unwrap_or_default();
        (processor_time("self").unwrap_or_default(), server)
    };
    for _ in 0..2 {
        let (begun, before) = (Instant::now(), spent());
        let report = check(&mut client, &Options::default()).await?;
        println!(
            "{tables} tables: {} findings in {:.2} s ({:.2} s of processor time here, {:.2} s in the server), {} MB at most",
            report.findings.len(),
            begun.elapsed().as_secs_f64(),
            spent().0 - before.0,
            spent().1 - before.1,
            most_memory().unwrap_or_default()
        );
        for finding in report.findings.iter().take(3) {
            println!("{finding:?}");
        }
    }
    drop(client);
    connection.await??;
    Ok(())
}
