use std::time::Duration;

use futures_util::future::join_all;
use tokio_postgres::{Client, Statement, types::ToSql};
use uuid::Uuid;

use crate::{
    cpu,
    outcome::Outcome,
    world::{Data, NOTES_PER_TENANT, connect, note, tenant},
};

/// Calls in flight.
pub(super) const DEPTH: usize = 32;

/// How the transaction begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    /// The statement is its own.
    Not,
    /// The text is sent, and parsed each time.
    Text(&'static str),
    /// The text was parsed once.
    Prepared(&'static str),
}

/// How a statement is wrapped, on a connection of its own.
pub(super) struct Form {
    pub(super) title: &'static str,
    client: Client,
    backend: u32,
    /// Sets the context; its parameters are the context and, for Partywall, the time limit.
    enter: Option<Statement>,
    begin: Begin,
    /// The statement that begins, where it is prepared.
    prepared: Option<Statement>,
    pub(super) data: Data,
    point: Statement,
    list: Statement,
    by_hand: bool,
}

const LIMIT_MS: i32 = 30_000;

impl Form {
    pub(super) async fn open(
        title: &'static str,
        url: &str,
        enter: Option<&str>,
        begin: Begin,
        data: Data,
    ) -> Outcome<Self> {
        let client = connect(url).await?;
        let prepared = match begin {
            Begin::Prepared(sql) => Some(client.prepare(sql).await?),
            Begin::Not | Begin::Text(_) => None,
        };
        let backend: i32 = client
            .query_one("SELECT pg_backend_pid()", &[])
            .await?
            .try_get(0)?;
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
        Ok(Self {
            title,
            backend: u32::try_from(backend)?,
            enter,
            begin,
            prepared,
            data,
            point,
            list,
            by_hand,
            client,
        })
    }

    /// One call, in one flush.
    async fn call(&self, list: bool, tenant: &Uuid, id: &Uuid, context: &str) -> Outcome {
        let before = async {
            match (&self.prepared, self.begin) {
                (Some(begin), _) => self.client.execute(begin, &[]).await.map(drop),
                (None, Begin::Text(sql)) => self.client.batch_execute(sql).await,
                (None, Begin::Not | Begin::Prepared(_)) => Ok(()),
            }
        };
        let enter = async {
            let Some(enter) = &self.enter else {
                return Ok(0);
            };
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
            match self.begin {
                Begin::Not => Ok(()),
                Begin::Text(_) | Begin::Prepared(_) => self.client.batch_execute("COMMIT").await,
            }
        };
        let (before, enter, rows, after) =
            futures_util::future::join4(before, enter, rows, after).await;
        before?;
        enter?;
        after?;
        let wanted = if list { 50 } else { 1 };
        if rows?.len() == wanted {
            Ok(())
        } else {
            Err(format!("{}: rows are missing", self.title).into())
        }
    }

    /// Microseconds of the backend's processor time for each call.
    pub(super) async fn run(
        &self,
        list: bool,
        calls: usize,
        owner: u64,
        context: &str,
    ) -> Outcome<f64> {
        let before = cpu::of_process(self.backend);
        let (tenant, mut done) = (tenant(owner), 0);
        while done < calls {
            let ids: Vec<Uuid> = (0..DEPTH)
                .map(|_| note(owner, fastrand::u64(..NOTES_PER_TENANT)))
                .collect();
            let all = join_all(ids.iter().map(|id| self.call(list, &tenant, id, context))).await;
            all.into_iter().collect::<Outcome<Vec<()>>>()?;
            done += DEPTH;
        }
        let used: Duration = cpu::of_process(self.backend).saturating_sub(before);
        Ok(used.as_secs_f64() * 1e6 / done as f64)
    }
}
