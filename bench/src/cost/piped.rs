//! Whole calls over one connection, many in flight, so that the server never waits for the client:
//! what a call costs its backend, by the scheduler's count.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use partywall::{Scope, Sql, TENANT};
use tokio_postgres::{Client, Statement, types::ToSql};
use uuid::Uuid;

use crate::{
    arguments::Arguments,
    cpu,
    outcome::Outcome,
    statistics::Spread,
    table,
    world::{Data, NOTES_PER_TENANT, PEER, TENANTS, World, connect, note, tenant},
};

/// Calls in flight.
const DEPTH: usize = 32;

/// How a statement is wrapped, on a connection of its own.
struct Form {
    title: &'static str,
    client: Client,
    backend: u32,
    /// Sets the context; its parameters are the context and, for Partywall, the time limit.
    enter: Option<Statement>,
    wrapped: bool,
    data: Data,
    point: Statement,
    list: Statement,
    by_hand: bool,
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE";
const LIMIT_MS: i32 = 30_000;

impl Form {
    async fn open(
        title: &'static str,
        url: &str,
        enter: Option<&str>,
        wrapped: bool,
        data: Data,
    ) -> Outcome<Self> {
        let client = connect(url).await?;
        let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await?.try_get(0)?;
        let by_hand = data == Data::Peer || enter.is_none();
        let filter = if by_hand { "tenant_id = $1 AND" } else { "" };
        let point = format!(
            "SELECT id, tenant_id, title, body, created_at FROM note WHERE {filter} id = ${}",
            if by_hand { 2 } else { 1 }
        );
        let filter = if by_hand { "WHERE tenant_id = $1" } else { "" };
        let list = format!(
            "SELECT id, tenant_id, title, body, created_at FROM note {filter} ORDER BY id LIMIT 50"
        );
        let enter = match enter {
            Some(sql) => Some(client.prepare(sql).await?),
            None => None,
        };
        let (point, list) = (client.prepare(&point).await?, client.prepare(&list).await?);
        Ok(Self { title, backend: u32::try_from(backend)?, enter, wrapped, data, point, list, by_hand, client })
    }

    /// One call, in one flush.
    async fn call(&self, list: bool, tenant: &Uuid, id: &Uuid, context: &str) -> Outcome {
        let before = async {
            if self.wrapped {
                self.client.batch_execute(BEGIN).await?;
            }
            Ok::<_, tokio_postgres::Error>(())
        };
        let enter = async {
            let Some(enter) = &self.enter else { return Ok(0) };
            match self.data {
                Data::Peer => self.client.execute(enter, &[&context]).await,
                Data::Sealed | Data::Unsealed => {
                    self.client.execute(enter, &[&context, &LIMIT_MS]).await
                }
            }
        };
        let statement = if list { &self.list } else { &self.point };
        let parameters: &[&(dyn ToSql + Sync)] = match (self.by_hand, list) {
            (true, true) => &[tenant],
            (true, false) => &[tenant, id],
            (false, true) => &[],
            (false, false) => &[id],
        };
        let rows = self.client.query(statement, parameters);
        let after = async {
            if self.wrapped {
                self.client.batch_execute("COMMIT").await?;
            }
            Ok::<_, tokio_postgres::Error>(())
        };
        let (before, enter, rows, after) =
            futures_util::future::join4(before, enter, rows, after).await;
        before?;
        enter?;
        after?;
        let wanted = if list { 50 } else { 1 };
        if rows?.len() == wanted { Ok(()) } else { Err(format!("{}: rows are missing", self.title).into()) }
    }

    /// Microseconds of the backend's processor time for each call.
    async fn run(&self, list: bool, calls: usize, owner: u64, context: &str) -> Outcome<f64> {
        let before = cpu::of_process(self.backend);
        let (tenant, mut done) = (tenant(owner), 0);
        while done < calls {
            let ids: Vec<Uuid> =
                (0..DEPTH).map(|_| note(owner, fastrand::u64(..NOTES_PER_TENANT))).collect();
            let all = join_all(ids.iter().map(|id| self.call(list, &tenant, id, context))).await;
            all.into_iter().collect::<Outcome<Vec<()>>>()?;
            done += DEPTH;
        }
        let used: Duration = cpu::of_process(self.backend).saturating_sub(before);
        Ok(used.as_secs_f64() * 1e6 / done as f64)
    }
}

pub(super) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    table::heading("In the server: whole calls");
    println!(
        "{} rounds, {DEPTH} calls in flight on one connection. µs of the backend's processor time for \
         each call, and the ratio to the first line: median (lowest–highest) of the rounds.\n",
        arguments.rounds
    );
    let calls = if arguments.quick { 320 } else { 6_400 };
    let superuser = world.superuser_url(Data::Sealed, None)?;
    let app = |data| world.url(world.schema(data).roles().app(), data, None);
    let enter = Some("SELECT partywall.enter($1::text, $2::integer)");
    let set_config = Some("SELECT set_config('peer.tenant', $1, true)");
    let forms = try_join_all([
        Form::open("by hand, no policy", &superuser, None, false, Data::Sealed),
        Form::open("BEGIN, by hand, COMMIT", &superuser, None, true, Data::Sealed),
        Form::open("BEGIN, set_config, policy, COMMIT", &world.url(PEER, Data::Peer, None)?, set_config, true, Data::Peer),
        Form::open("BEGIN, enter, policy, COMMIT, seal off", &app(Data::Unsealed)?, enter, true, Data::Unsealed),
        Form::open("BEGIN, enter, policy, COMMIT, seal on", &app(Data::Sealed)?, enter, true, Data::Sealed),
    ])
    .await?;
    let sealed = world.db(Data::Sealed, None, 1).await?;
    let unsealed = world.db(Data::Unsealed, None, 1).await?;
    let mut figures = vec![[Vec::new(), Vec::new()]; forms.len()];
    for round in 0..=arguments.rounds {
        for (form, figures) in forms.iter().zip(&mut figures) {
            let owner = fastrand::u64(..TENANTS);
            let scope = Scope::trusted([TENANT.is(tenant(owner))]);
            let read = "SELECT current_setting('partywall.context')";
            let context: String = match form.data {
                Data::Peer => tenant(owner).to_string(),
                Data::Sealed => sealed.scoped(&scope).scalar(read, []).await?,
                Data::Unsealed => unsealed.scoped(&scope).scalar(read, []).await?,
            };
            for (list, figures) in [false, true].into_iter().zip(figures) {
                let took = form.run(list, calls, owner, &context).await?;
                if round > 0 {
                    figures.push(took);
                }
            }
        }
    }
    let base = figures.first().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = forms
        .iter()
        .zip(&figures)
        .map(|(form, figures)| {
            let mut cells = vec![form.title.to_owned()];
            for (figures, base) in figures.iter().zip(&base) {
                cells.push(format!("{:.1}", Spread::of(figures.iter().copied()).median));
                let ratios = figures.iter().zip(base).map(|(figure, base)| figure / base);
                cells.push(Spread::of(ratios).to_string());
            }
            cells
        })
        .collect();
    table::print(&["call", "point µs", "ratio", "list of 50 µs", "ratio"], &rows);
    Ok(())
}
