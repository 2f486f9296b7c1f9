//! Reading everything into the shared buffers, which are empty when a server starts: otherwise the
//! database that is read most looks fastest.

use tokio_postgres::Client;

use super::server::{Data, World};
use crate::outcome::Outcome;

const HEAP: &str = "\
SET max_parallel_workers_per_gather = 0; SET synchronize_seqscans = off;
SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SELECT count(body) FROM note;
RESET ALL";

const INDEX: &str = "\
SET max_parallel_workers_per_gather = 0; SET enable_seqscan = off;
SELECT count(*) FROM (SELECT FROM note ORDER BY tenant_id, id) AS note;
RESET ALL";

/// Warms what `access` and `policies` read.
pub(super) async fn warm(world: &World) -> Outcome {
    for data in [Data::Sealed, Data::Unsealed, Data::Peer] {
        warm_notes(&world.superuser(data.name()).await?).await?;
    }
    Ok(())
}

/// Warms the notes of one database.
pub(crate) async fn warm_notes(client: &Client) -> Outcome {
    client.batch_execute(HEAP).await?;
    client.batch_execute(INDEX).await?;
    Ok(())
}
