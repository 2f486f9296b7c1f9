//! Finding out what a policy means by trying it, where its tree does not tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{
    Gap, Standing, Wall,
    harmless::is_harmless,
    sample::{Likeness, Sample, Session, others, rows, samples, sessions, set},
};
use crate::{
    AuditError,
    catalogue::{Catalogue, Column, Command, Oid, Relation},
    expression::{Facts, ROW},
    sql::{ident, literal, tidy},
    subject::Subject,
};

/// How long all tries together may take. What was not tried by then cannot be told.
const LONGEST: Duration = Duration::from_secs(4);

/// What came of trying one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// Whether the row of another is refused, and one's own passes.
    pub(super) refuses: bool,
    /// What lets the row of another through, if it passed.
    pub(super) gap: Option<Gap>,
}

/// What came out of trying.
#[derive(Debug, Default)]
pub(crate) struct Evaluations {
    tried: BTreeMap<(Oid, Oid, String, bool), Tried>,
}

impl Evaluations {
    pub(super) fn of(&self, role: Oid, relation: Oid, policy: &str, check: bool) -> Option<&Tried> {
        self.tried.get(&(role, relation, policy.to_owned(), check))
    }
}

/// A policy of which it is not known what it means.
struct Question<'a> {
    role: Oid,
    relation: &'a Relation,
    tenant: &'a Column,
    policy: String,
    check: bool,
    /// As PostgreSQL writes it.
    text: String,
    facts: Facts,
}

/// Tries the policies whose trees do not tell what they mean: as the role, with the context unset, empty and
/// set, on rows that are made up. The caller's transaction is read-only and is rolled back.
///
/// # Errors
///
/// [`AuditError::Sql`] when the connection breaks; a policy that fails is an outcome, not an error.
pub(crate) async fn evaluate(
    client: &Client,
    catalogue: &Catalogue,
    subject: &Subject,
) -> Result<Evaluations, AuditError> {
    let questions = questions(catalogue, subject);
    let mut evaluations = Evaluations::default();
    if questions.is_empty() {
        return Ok(evaluations);
    }
    let begun = Instant::now();
    let mut trials = Vec::new();
    for question in &questions {
        let mut trial = Trial {
            client,
            catalogue,
            subject,
            question,
            samples: Vec::new(),
            tried: Tried {
                refuses: false,
                gap: None,
            },
        };
        trial.samples =
            samples(client, catalogue, subject, question.tenant, &question.facts).await?;
        trials.push(trial);
    }
    // A setting that was set once is empty for ever after in this session: so first all without any.
    for trial in &mut trials {
        if begun.elapsed() < LONGEST {
            trial.without().await?;
        }
    }
    for trial in &mut trials {
        if begun.elapsed() < LONGEST && trial.tried.gap.is_none() {
            trial.with().await?;
        }
    }
    for trial in trials {
        let question = trial.question;
        let key = (
            question.role,
            question.relation.oid,
            question.policy.clone(),
            question.check,
        );
        evaluations.tried.insert(key, trial.tried);
    }
    Ok(evaluations)
}

fn questions<'a>(catalogue: &'a Catalogue, subject: &'a Subject) -> Vec<Question<'a>> {
    let nothing = Evaluations::default();
    let wall = Wall::new(catalogue, subject, &nothing);
    let mut questions = Vec::new();
    for role in &subject.app_roles {
        // Whoever audits must be able to act as the role.
        let user = catalogue.server.user;
        let can =
            catalogue.roles.is_superuser(user) || catalogue.roles.reachable(user).contains(role);
        if !can || catalogue.roles.bypasses(*role) {
            continue;
        }
        for relation in subject.tenant_tables(catalogue) {
            let tenant = subject
                .tenant_column(relation.oid)
                .and_then(|number| relation.column(number));
            let Some(tenant) = tenant.filter(|_| relation.is_table()) else {
                continue;
            };
            let is_opaque = |gap: &Gap| matches!(gap, Gap::Opaque { .. });
            let asked = Command::ALL.iter().any(|command| {
                matches!(wall.standing(*role, relation.oid, *command), Standing::Open(openings)
                    if openings.iter().any(|it| is_opaque(&it.gap)))
            });
            if !asked {
                continue;
            }
            for policy in &relation.policies {
                for (check, expression) in [(false, &policy.using), (true, &policy.check)] {
                    let Some(expression) = expression else {
                        continue;
                    };
                    let gaps = wall.gaps(*role, relation, policy, check);
                    let Some(term) = wall.term(relation, policy, check) else {
                        continue;
                    };
                    let facts = wall.library.facts(term);
                    if !gaps.iter().any(is_opaque)
                        || !is_harmless(catalogue, &wall.library, expression, &facts)
                    {
                        continue;
                    }
                    questions.push(Question {
                        role: *role,
                        relation,
                        tenant,
                        policy: policy.name.clone(),
                        check,
                        text: expression.text.clone(),
                        facts,
                    });
                }
            }
        }
    }
    questions
}

/// The trial of one policy.
struct Trial<'t, 'a> {
    client: &'t Client,
    catalogue: &'a Catalogue,
    subject: &'a Subject,
    question: &'t Question<'a>,
    samples: Vec<Sample>,
    tried: Tried,
}

impl Trial<'_, '_> {
    /// With no context at all. Settings that the session has already are left as they are.
    async fn without(&mut self) -> Result<(), AuditError> {
        let setting = self.setting();
        for sample in self.samples.clone() {
            for row in rows(self.question.relation, self.question.tenant, &sample.other) {
                if self.passes(&Session::new(), &row).await? {
                    self.tried.gap = Some(match &setting {
                        Some(setting) => Gap::Unset {
                            setting: setting.clone(),
                        },
                        None => self.wide(),
                    });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// With an empty context, that of a tenant, and with the flags that it asks for.
    async fn with(&mut self) -> Result<(), AuditError> {
        let question = self.question;
        let names: BTreeSet<String> = question
            .facts
            .setting_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let empty: Session = names
            .iter()
            .map(|name| (name.clone(), String::new()))
            .collect();
        for sample in self.samples.clone() {
            for row in rows(question.relation, question.tenant, &sample.other) {
                if self.passes(&empty, &row).await?
                    && let Some(setting) = self.setting()
                {
                    self.tried.gap = Some(Gap::Empty { setting });
                    return Ok(());
                }
            }
        }
        let mut own_passes = false;
        // Of the sessions that are made alike: whether another's row passed in one, and was refused in one.
        let mut alike: BTreeMap<usize, (bool, bool)> = BTreeMap::new();
        for sample in self.samples.clone() {
            let sessions = sessions(&question.facts.settings, &sample);
            for (at, session) in sessions.iter().enumerate() {
                let own = self.any(session, &sample.own).await?;
                own_passes |= own;
                let (passed, refused) = alike.entry(at).or_default();
                for (likeness, other) in others(question.tenant, &sample) {
                    let passes = self.any(session, &other).await?;
                    let column = question.tenant.number;
                    match likeness {
                        Likeness::None if passes => {
                            *passed = true;
                            break;
                        }
                        Likeness::None => *refused |= own,
                        Likeness::Part if passes => {
                            self.tried.gap = Some(Gap::Pattern { column });
                            return Ok(());
                        }
                        Likeness::Case if passes => {
                            self.tried.gap = Some(Gap::Fold { column });
                            return Ok(());
                        }
                        Likeness::Part | Likeness::Case => {}
                    }
                }
                if own
                    && !*passed
                    && let Some(setting) = self.flag(session, &sample).await?
                {
                    self.tried.gap = Some(Gap::Flag { setting });
                    return Ok(());
                }
            }
        }
        let mut wide = alike.values().filter(|(passed, _)| *passed).peekable();
        if wide.peek().is_some() {
            // Where tenants are below each other, some see others' rows and most do not.
            self.tried.gap = Some(if wide.all(|(_, refused)| *refused) {
                Gap::Opaque {
                    why: "it lets rows of some other tenants through, and not of all".to_owned(),
                }
            } else {
                self.wide()
            });
            return Ok(());
        }
        self.tried.refuses = own_passes;
        Ok(())
    }

    /// Whether some row of a tenant passes in a session.
    async fn any(&self, session: &Session, tenant: &str) -> Result<bool, AuditError> {
        for row in rows(self.question.relation, self.question.tenant, tenant) {
            if self.passes(session, &row).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A setting that opens it by some usual value.
    async fn flag(&self, session: &Session, sample: &Sample) -> Result<Option<String>, AuditError> {
        let question = self.question;
        for name in question.facts.setting_names() {
            for value in ["on", "true", "1", "admin"] {
                let mut session = session.clone();
                session.insert(name.to_owned(), value.to_owned());
                for row in rows(question.relation, question.tenant, &sample.other) {
                    if self.passes(&session, &row).await? {
                        return Ok(Some(name.to_owned()));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The setting to name: a context rather than another.
    fn setting(&self) -> Option<String> {
        let names = self.question.facts.setting_names();
        names
            .iter()
            .find(|name| self.subject.contexts.contains(**name))
            .or_else(|| names.first())
            .map(|name| (*name).to_owned())
    }

    /// That it asks for other columns, or for nothing.
    fn wide(&self) -> Gap {
        let columns: Vec<i16> = self
            .question
            .facts
            .columns
            .iter()
            .filter(|column| column.source == ROW && column.number != self.question.tenant.number)
            .map(|column| column.number)
            .collect();
        if columns.is_empty() {
            Gap::Always
        } else {
            Gap::Columns { columns }
        }
    }

    /// Whether a row passes in a session. What fails does not.
    async fn passes(&self, session: &Session, row: &Value) -> Result<bool, AuditError> {
        let question = self.question;
        let roles = &self.catalogue.roles;
        let path = self
            .catalogue
            .settings
            .iter()
            .find(|it| it.name == "search_path" && it.role == Some(question.role))
            .map_or_else(|| "DEFAULT".to_owned(), |it| it.value.clone());
        // The settings first: who asks may set them, whatever the role may.
        let begin = format!(
            "SAVEPOINT trial; {} SET LOCAL statement_timeout = '1s'; SET LOCAL search_path = {path}; SET LOCAL ROLE {};",
            set(session),
            ident(roles.name(question.role)),
        );
        let sql = format!(
            "SELECT ({}) IS TRUE FROM pg_catalog.jsonb_populate_record(NULL::{}, {}) AS {}",
            question.text,
            question.relation.name,
            literal(&row.to_string()),
            tidy(&question.relation.name.name),
        );
        let mut passes = false;
        if self.client.batch_execute(&begin).await.is_ok()
            && let Ok(messages) = self.client.simple_query(&sql).await
        {
            passes = messages.iter().any(|message| {
                matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))
            });
        }
        self.client
            .batch_execute("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial")
            .await
            .map_err(AuditError::doing("try a policy"))?;
        Ok(passes)
    }
}
