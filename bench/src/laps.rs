//! Driving a closed loop of clients, each of which waits for its answer before it asks again.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{cpu::Cpu, outcome::Outcome, statistics::percentile};

/// What a number of clients got done in a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) calls: u64,
    pub(crate) per_second: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    /// Microseconds.
    pub(crate) p99: f64,
    /// Microseconds of processor time for each call, in this process, in its threads that are a web
    /// application's, and in the server's.
    pub(crate) client_cpu: f64,
    pub(crate) app_cpu: f64,
    pub(crate) server_cpu: f64,
}

/// Lets a number of clients call again and again for a time.
pub(crate) async fn lap<C, F, R>(
    clients: usize,
    time: Duration,
    postmaster: u32,
    target: &Arc<C>,
    call: F,
) -> Outcome<Lap>
where
    C: Send + Sync + 'static,
    F: Fn(Arc<C>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    let before = Cpu::now(postmaster);
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (target, call) = (target.clone(), call.clone());
            tokio::spawn(async move {
                let mut taken = Vec::with_capacity(4096);
                while started.elapsed() < time {
                    let asked = Instant::now();
                    call(target.clone()).await?;
                    taken.push(asked.elapsed());
                }
                Outcome::Ok(taken)
            })
        })
        .collect();
    let mut taken = Vec::new();
    for task in tasks {
        taken.extend(task.await??);
    }
    let elapsed = started.elapsed();
    let used = Cpu::now(postmaster).since(before);
    taken.sort_unstable();
    let calls = taken.len() as f64;
    let micros = |duration: Duration| duration.as_secs_f64() * 1e6;
    let at = |share| percentile(&taken, share).map_or(f64::NAN, micros);
    Ok(Lap {
        calls: taken.len() as u64,
        per_second: calls / elapsed.as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        client_cpu: micros(used.client) / calls,
        app_cpu: micros(used.app) / calls,
        server_cpu: micros(used.server) / calls,
    })
}
