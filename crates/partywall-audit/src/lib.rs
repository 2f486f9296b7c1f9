//! Whether tenants who share a PostgreSQL database are isolated: [`check`] audits its catalogues, [`prove`] attacks
//! it live, and [`plan`] and [`apply`] bring a database without row-level security to one with it.
//!
//! The crate knows a database connection and nothing else: the tables may be any framework's, in any language.

mod catalogue;
mod check;
mod doctor;
pub mod drift;
mod entrance;
mod error;
mod expression;
mod fault;
mod finding;
mod options;
mod plan;
mod prove;
mod sql;
mod subject;
mod wall;

pub use check::{Report, check};
pub use doctor::{Line, Status, doctor, pooler};
pub use entrance::{ContextForm, Entrance, EntranceError, entrance};
pub use error::AuditError;
pub use fault::{Fault, Severity};
pub use finding::Finding;
pub use options::Options;
pub use plan::{
    ApplyError, Applying, Map, MapError, Note, Phase, Plan, RolesMap, Step, TableMap, TenantMap,
    Violation, apply, plan,
};
pub use prove::{Attack, Cell, Outcome, Progress, Proof, ProveOptions, TableProof, prove};
pub use subject::{Inferred, Taken};

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever calls them may do so in a task that moves between threads.
    #[expect(dead_code, reason = "it only has to compile")]
    fn futures_can_be_sent(client: &mut tokio_postgres::Client, plan: &Plan) {
        fn sent(_: impl Send) {}
        let options = Options::default();
        sent(check(client, &options));
        sent(super::plan(client, &options, None));
        sent(apply(client, plan, &mut |_| {}));
        let how = ProveOptions::default();
        sent(prove(client, None, &options, &how, &mut |_| {}));
        sent(entrance(client, &options));
    }
}
