use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio_postgres::Transaction;

use super::{
    context::Context,
    refusal::Refusal,
    seat::{Start, Way, become_admin, become_role},
    stage::Stage,
    step::{Answer, By, Step},
};
use crate::{
    AuditError,
    catalogue::Oid,
    sql::{ident, tidy},
};

/// What steps answered, up to the first that was refused.
pub(super) type Played = Vec<Result<Answer, Refusal>>;

/// The attacks on one table as one role, in one transaction.
pub(super) struct Round<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) role: Oid,
    pub(super) way: Way,
    /// The attacker's.
    tx: &'a Transaction<'a>,
    /// The administrator's, where it is another connection's.
    admin: Option<&'a Transaction<'a>>,
    /// Settings that the connection had before, and that are not the attacker's.
    dirty: &'a [String],
    start: Start,
    /// How many rows were made up for others to refer to.
    made: AtomicU32,
}

impl<'a> Round<'a> {
    pub(super) async fn begin(
        stage: &'a Stage<'a>,
        role: Oid,
        way: Way,
        tx: &'a Transaction<'a>,
        admin: Option<&'a Transaction<'a>>,
        dirty: &'a [String],
    ) -> Result<Self, AuditError> {
        let start = Start::of(stage.catalogue, role);
        let it = Self {
            stage,
            role,
            way,
            tx,
            admin,
            dirty,
            start,
            made: AtomicU32::new(1_000),
        };
        let limits = it.limits();
        for tx in [Some(tx), admin].into_iter().flatten() {
            tx.batch_execute(&limits)
                .await
                .map_err(AuditError::doing("begin"))?;
        }
        if let Some(admin) = admin {
            admin
                .batch_execute(
                    "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL row_security = on",
                )
                .await
                .map_err(AuditError::doing("begin"))?;
        }
        Ok(it)
    }

    /// A number for a row that is made up, which no other of the round has.
    pub(super) fn next_number(&self) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn role_name(&self) -> &str {
        self.stage.catalogue.roles.name(self.role)
    }

    /// Whether the administrator can put its hand into the attacker's transaction.
    pub(super) fn hand(&self) -> bool {
        self.way == Way::Authorization
    }

    /// Whether rows can be made up.
    pub(super) fn can_make(&self) -> bool {
        self.hand() && !self.stage.read_only
    }

    pub(super) fn start(&self) -> &Start {
        &self.start
    }

    fn limits(&self) -> String {
        let ms = |given: Option<Duration>, usual: u64| {
            given.map_or(usual, |given| {
                u64::try_from(given.as_millis()).unwrap_or(usual).max(1)
            })
        };
        format!(
            "SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            ms(self.stage.how.lock_timeout, 1_000),
            ms(self.stage.how.statement_timeout, 10_000)
        )
    }

    /// Sends steps in a savepoint, stops at the first that is refused, and undoes them all.
    pub(super) async fn play(&self, steps: &[Step<'_>]) -> Result<Played, AuditError> {
        self.send("SAVEPOINT attack").await?;
        let played = self.steps(steps).await;
        self.send("ROLLBACK TO SAVEPOINT attack; RELEASE SAVEPOINT attack")
            .await?;
        played
    }

    /// As [`Round::play`], but what they did stays until the round is over, unless one is refused.
    pub(super) async fn keep(&self, steps: &[Step<'_>]) -> Result<Played, AuditError> {
        self.send("SAVEPOINT made").await?;
        let played = self.steps(steps).await?;
        let end = if played.iter().all(Result::is_ok) {
            format!("{}; RELEASE SAVEPOINT made", become_admin("origin"))
        } else {
            "ROLLBACK TO SAVEPOINT made; RELEASE SAVEPOINT made".to_owned()
        };
        self.send(&end).await?;
        Ok(played)
    }

    /// One step by itself, undone.
    pub(super) async fn one(&self, step: Step<'_>) -> Result<Result<Answer, Refusal>, AuditError> {
        let mut played = self.play(&[step]).await?;
        Ok(played.pop().unwrap_or_else(|| Ok(Answer::default())))
    }

    /// A look at the rows as the administrator, between attacks.
    pub(super) async fn look(&self, sql: &str) -> Result<Result<Answer, Refusal>, AuditError> {
        let Some(admin) = self.admin else {
            return self.one(Step::admin(sql)).await;
        };
        admin
            .batch_execute("SAVEPOINT look")
            .await
            .map_err(AuditError::doing("look"))?;
        let answer = match admin.simple_query(sql).await {
            Ok(messages) => Ok(Answer::last(messages)),
            Err(error) => Err(Refusal::of("look", error)?),
        };
        admin
            .batch_execute("ROLLBACK TO SAVEPOINT look; RELEASE SAVEPOINT look")
            .await
            .map_err(AuditError::doing("look"))?;
        Ok(answer)
    }

    async fn send(&self, sql: &str) -> Result<(), AuditError> {
        self.tx
            .batch_execute(sql)
            .await
            .map_err(AuditError::doing("attack"))
    }

    async fn steps(&self, steps: &[Step<'_>]) -> Result<Played, AuditError> {
        let mut played = Vec::with_capacity(steps.len());
        for step in steps {
            let answer = match self.switch(step.by) {
                Some(switch) => self.sent(&switch, &step.sql).await?,
                None => return Ok(played),
            };
            let refused = answer.is_err();
            played.push(answer);
            if refused {
                break;
            }
        }
        Ok(played)
    }

    async fn sent(&self, switch: &str, sql: &str) -> Result<Result<Answer, Refusal>, AuditError> {
        // Apart, so that a syntax error in one is not taken for one in the other.
        if !switch.is_empty()
            && let Err(error) = self.tx.batch_execute(switch).await
        {
            return Ok(Err(Refusal::of("attack", error)?));
        }
        match self.tx.simple_query(sql).await {
            Ok(messages) => Ok(Ok(Answer::last(messages))),
            Err(error) => Ok(Err(Refusal::of("attack", error)?)),
        }
    }

    /// The statements by which the connection becomes whoever sends a step; none where it cannot.
    fn switch(&self, by: By<'_>) -> Option<String> {
        match (by, self.way) {
            (By::Role(context), _) => Some(self.enter(context)),
            (By::Still, Way::Authorization) => Some(format!(
                "{}; {}",
                become_role(self.role_name()),
                self.start.path
            )),
            (By::Still, _) | (By::Next, _) => Some(String::new()),
            (By::Eyes | By::Admin, Way::Authorization) => Some(become_admin("origin")),
            (By::Maker, Way::Authorization) => Some(become_admin("replica")),
            (By::Eyes, _) => Some(self.enter(&self.stage.victim.context)),
            (By::Admin | By::Maker, _) => None,
        }
    }

    fn enter(&self, context: &Context) -> String {
        let mut statements = match self.way {
            Way::Authorization => {
                let mut statements = vec![become_role(self.role_name()), self.start.path.clone()];
                statements.extend(self.start.statements.iter().cloned());
                statements
            }
            Way::Login => vec!["SET LOCAL ROLE NONE; SET LOCAL row_security = on".to_owned()],
            Way::LoginSetRole => vec![format!(
                "SET LOCAL ROLE {}; SET LOCAL row_security = on",
                ident(self.role_name())
            )],
        };
        let names = context.names();
        for name in self
            .dirty
            .iter()
            .filter(|name| !names.contains(&name.as_str()))
        {
            statements.push(super::context::set(name, ""));
        }
        statements.extend(context.statements());
        // `partywall.enter` resets all settings.
        statements.push(self.limits());
        statements.join("; ")
    }

    /// Statements of an attack as somebody can paste them.
    pub(super) fn shown(&self, context: &Context, statements: &[String]) -> String {
        let mut lines = vec!["BEGIN".to_owned()];
        match self.way {
            Way::Authorization => lines.push(format!(
                "SET LOCAL SESSION AUTHORIZATION {}",
                tidy(self.role_name())
            )),
            Way::LoginSetRole => lines.push(format!("SET LOCAL ROLE {}", tidy(self.role_name()))),
            Way::Login => {}
        }
        lines.extend(context.shown());
        lines.extend(statements.iter().cloned());
        lines.push("ROLLBACK".to_owned());
        lines.join(";\n") + ";"
    }
}

impl std::fmt::Debug for Round<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round")
            .field("role", &self.role)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}
