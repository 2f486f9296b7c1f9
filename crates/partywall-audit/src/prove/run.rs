//! One run over all tables.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::{Client, Transaction};

use super::{
    Attack, Cell, Outcome, Progress, Proof, ProveOptions, TableProof,
    attacks::{self, Shared},
    context::Context,
    fresh::{self, Fresh},
    ground::Ground,
    harm,
    party::Party,
    round::Round,
    seal::Seal,
    seat::{self, Way},
    stage::Stage,
    step::Answer,
    tenants,
    trial::{self, Slots},
    value::{TYPES, Types},
    verdict::Verdict,
};
use crate::{
    AuditError, Options,
    catalogue::{self, Catalogue, Oid, Relation},
    subject::Subject,
};

/// The connections, and what is known of them.
struct Seats<'c> {
    admin: &'c mut Client,
    app: Option<&'c mut Client>,
    /// Who the application's connection is.
    login: Option<Oid>,
    /// Settings that the application's connection had before, and the administrator's.
    dirty: [Vec<String>; 2],
}

type Asked = BTreeMap<(Oid, Oid), Fresh>;

pub(super) async fn run(
    admin: &mut Client,
    app: Option<&mut Client>,
    options: &Options,
    how: &ProveOptions,
    see: &mut (dyn FnMut(Progress<'_>) + Send),
) -> Result<Proof, AuditError> {
    seat::idle(admin, "administrator").await?;
    if let Some(app) = &app {
        seat::idle(app, "application").await?;
    }
    let tx = seat::begin(admin, true).await?;
    tx.batch_execute("SET LOCAL search_path = pg_catalog")
        .await
        .map_err(AuditError::doing("begin"))?;
    let catalogue = catalogue::load(tx.client()).await?;
    let subject = Subject::of(&catalogue, options)?;
    if subject.app_roles.is_empty() {
        return Err(AuditError::Unknown {
            kind: "role",
            name: "of the application".to_owned(),
            hint: "none was found by its grants: name it with --app-role".to_owned(),
        });
    }
    let (mut stage, slots) = sample(&tx, &catalogue, &subject, how).await?;
    let at = text(
        &tx,
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
    )
    .await?;
    rollback(tx).await?;

    let mut seats = Seats {
        login: None,
        dirty: [Vec::new(), Vec::new()],
        admin,
        app,
    };
    seats.look(&catalogue, &stage, &slots).await?;
    let tables = tables(&catalogue, &subject);
    see(Progress::Started(
        tables.len() * subject.app_roles.len() * Attack::ALL.len(),
    ));
    // Before anything sets a context.
    let mut asked: Asked = BTreeMap::new();
    for table in &tables {
        for role in &subject.app_roles {
            let fresh = match stage.become_tenant(*role) {
                Ok(()) => seats.fresh(&stage, *role, table).await?,
                Err(why) => Fresh::NotAsked(why),
            };
            asked.insert((*role, table.oid), fresh);
        }
    }
    if how.attacker.is_empty() || how.victim.is_empty() {
        seats.find_contexts(&mut stage, &slots).await?;
    }
    let mut proof = Proof {
        version: 1,
        server: catalogue.server.version_text.clone(),
        database: catalogue.server.database.clone(),
        at,
        attacker: stage.attacker.context.pairs(),
        victim: stage.victim.context.pairs(),
        inferred: subject.inferred.clone(),
        tables: Vec::with_capacity(tables.len()),
    };
    for table in &tables {
        let mut cells = Vec::new();
        for role in &subject.app_roles {
            let fresh = asked.get(&(*role, table.oid));
            cells.extend(match stage.become_tenant(*role) {
                Ok(()) => seats.table(&stage, *role, table, fresh).await?,
                Err(why) => cells_of(&stage, *role, BTreeMap::new(), &why),
            });
        }
        cells.sort_by(|a, b| (a.attack, &a.role).cmp(&(b.attack, &b.role)));
        let table = TableProof {
            table: table.name.to_string(),
            cells,
        };
        see(Progress::Table(&table));
        proof.tables.push(table);
    }
    Ok(proof)
}

/// What is attacked, in order of its names. Partitions are attacked with the table that they are of.
fn tables<'a>(catalogue: &'a Catalogue, subject: &'a Subject) -> Vec<&'a Relation> {
    let mut tables: Vec<&Relation> = subject
        .tenant_tables(catalogue)
        .filter(|it| subject.reports(it))
        .filter(|it| !it.parents.iter().any(|parent| subject.is_tenants(*parent)))
        .collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
}

async fn text(tx: &Transaction<'_>, sql: &str) -> Result<String, AuditError> {
    let messages = tx
        .simple_query(sql)
        .await
        .map_err(AuditError::doing("sample tenants"))?;
    Ok(Answer::last(messages).text().unwrap_or_default().to_owned())
}

async fn rollback(tx: Transaction<'_>) -> Result<(), AuditError> {
    tx.rollback().await.map_err(AuditError::doing("roll back"))
}

/// Decides on the tenants, and on what a context is made of.
async fn sample<'a>(
    tx: &Transaction<'_>,
    catalogue: &'a Catalogue,
    subject: &'a Subject,
    how: &'a ProveOptions,
) -> Result<(Stage<'a>, Slots), AuditError> {
    tx.batch_execute("SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '1s'")
        .await
        .map_err(AuditError::doing("sample tenants"))?;
    let types = Types::of(Ok(tenants::ask(tx, TYPES).await?.unwrap_or_default()));
    let mut sample = tenants::sample(tx, catalogue, subject, &types).await?;
    let mut given = Vec::new();
    for pairs in [&how.attacker, &how.victim] {
        given.push(if pairs.is_empty() {
            None
        } else {
            Some(tenants::of_context(tx, catalogue, subject, pairs).await?)
        });
    }
    let victim = given.pop().flatten();
    let attacker = given.pop().flatten();
    // What both are members of is the attacker's own.
    let victim = victim.map(|mut victim| {
        victim.retain(|it| !attacker.iter().flatten().any(|own| own == it));
        victim
    });
    if victim.as_ref().is_some_and(Vec::is_empty) {
        return Err(AuditError::Unknown {
            kind: "tenant",
            name: "of the victim alone".to_owned(),
            hint:
                "the attacker is a member of all that the victim is a member of: name somebody else"
                    .to_owned(),
        });
    }
    for taken in [&attacker, &victim].into_iter().flatten() {
        sample.tenants.retain(|it| !taken.contains(it));
    }
    let sampled = sample.tenants.clone();
    let mut others = sample.tenants.into_iter();
    let mut party = |tenants: Option<Vec<String>>| Party {
        tenants: tenants.unwrap_or_else(|| others.next().into_iter().collect()),
        context: Context::NONE,
    };
    let is_partywall = catalogue.functions.values().any(|it| {
        it.name.schema == "partywall" && it.name.name == "enter" && it.argument_types.len() == 2
    });
    let mut stage = Stage {
        catalogue,
        subject,
        how,
        read_only: how.read_only || catalogue.server.in_recovery,
        superuser: catalogue.roles.is_superuser(catalogue.server.user),
        attacker: party(attacker),
        victim: party(victim),
        sampled,
        shared: sample.shared,
        members: Vec::new(),
        types,
        harm: harm::load(tx, catalogue, how.spend_numbers).await?,
        seal: if is_partywall { seal(tx).await? } else { None },
    };
    let slots = if is_partywall {
        Slots::Dimensions(dimensions(catalogue))
    } else {
        Slots::Settings(subject.contexts.iter().cloned().collect())
    };
    stage.attacker.context = trial::context(&stage, &slots, &how.attacker);
    stage.victim.context = trial::context(&stage, &slots, &how.victim);
    Ok((stage, slots))
}

/// The dimensions of a database that Partywall set up: each has a function for one value and one for a list.
fn dimensions(catalogue: &Catalogue) -> Vec<String> {
    let names: BTreeSet<&str> = catalogue
        .functions
        .values()
        .filter(|it| it.name.schema == "partywall" && it.argument_types.is_empty())
        .map(|it| it.name.name.as_str())
        .collect();
    names
        .iter()
        .filter(|name| names.contains(format!("{name}_list").as_str()))
        .map(|name| (*name).to_owned())
        .collect()
}

/// The key that contexts are sealed with, where there is one and it may be read.
async fn seal(tx: &Transaction<'_>) -> Result<Option<(Seal, i64)>, AuditError> {
    let sql = "SELECT id, encode(inner_pad, 'hex'), encode(outer_pad, 'hex'), \
               extract(epoch FROM clock_timestamp())::bigint::text FROM partywall.seal_key ORDER BY id LIMIT 1";
    let answer = tenants::ask(tx, sql).await?.unwrap_or_default();
    let Some([Some(id), Some(inner), Some(outer), Some(now)]) =
        answer.rows.first().map(Vec::as_slice)
    else {
        return Ok(None);
    };
    let bytes = |hex: &str| -> Option<Vec<u8>> {
        hex.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    };
    Ok(bytes(inner)
        .zip(bytes(outer))
        .zip(now.parse().ok())
        .map(|((inner, outer), now)| (Seal::new(id.clone(), inner, outer), now)))
}

impl Seats<'_> {
    /// Finds out who is connected, and which settings were set before.
    async fn look(
        &mut self,
        catalogue: &Catalogue,
        stage: &Stage<'_>,
        slots: &Slots,
    ) -> Result<(), AuditError> {
        let mut names: BTreeSet<String> = match slots {
            Slots::Settings(names) => names.iter().cloned().collect(),
            Slots::Dimensions(_) => BTreeSet::from(["partywall.context".to_owned()]),
        };
        names.extend(
            stage
                .attacker
                .context
                .names()
                .into_iter()
                .chain(stage.victim.context.names())
                .map(str::to_owned),
        );
        let app = self.app.as_deref();
        for (client, dirty) in [app, Some(&*self.admin)].into_iter().zip(&mut self.dirty) {
            let Some(client) = client else { continue };
            let ask = async |sql: &str| {
                client
                    .simple_query(sql)
                    .await
                    .map(|messages| Answer::last(messages).text().map(str::to_owned))
                    .map_err(AuditError::doing("begin"))
            };
            let user = ask("SELECT session_user").await?.unwrap_or_default();
            let user = catalogue.roles.named(&user).map(|it| it.oid);
            if app.is_some_and(|app| std::ptr::eq(app, client)) {
                self.login = user;
            }
            for name in &names {
                let name_text = crate::sql::literal(name);
                let sql = format!("SELECT pg_catalog.current_setting({name_text}, true)");
                let value = ask(&sql).await?;
                // What the login itself was given is no leftover.
                let is_given = catalogue.settings.iter().any(|setting| {
                    setting.name.eq_ignore_ascii_case(name)
                        && Some(&setting.value) == value.as_ref()
                        && (setting.role.is_none() || setting.role == user)
                });
                if value.is_some() && !is_given {
                    dirty.push(name.clone());
                }
            }
        }
        Ok(())
    }

    /// How the application's connection becomes a role.
    fn login_way(&self, stage: &Stage<'_>, role: Oid) -> Option<Way> {
        let login = self.login?;
        if login == role {
            Some(Way::Login)
        } else if stage.catalogue.roles.is_superuser(login)
            || stage.catalogue.roles.reachable(login).contains(&role)
        {
            Some(Way::LoginSetRole)
        } else {
            None
        }
    }

    fn nobody(&self, stage: &Stage<'_>, role: Oid) -> String {
        let name = |oid: Oid| crate::sql::tidy(stage.catalogue.roles.name(oid));
        let (role, user) = (name(role), name(stage.catalogue.server.user));
        match self.login {
            Some(login) => format!(
                "the application's connection is {}, which cannot become {role}, and {user} is no superuser",
                name(login)
            ),
            None => format!(
                "{user} is no superuser, so it cannot become {role}: give a connection of the application's login"
            ),
        }
    }

    async fn fresh(
        &mut self,
        stage: &Stage<'_>,
        role: Oid,
        table: &Relation,
    ) -> Result<Fresh, AuditError> {
        if let Some(why) = stage.harm.reading(table) {
            return Ok(Fresh::NotAsked(why));
        }
        let way = self.login_way(stage, role);
        let used = |dirty: &[String]| {
            format!(
                "{} was set on the connection before: connect anew",
                dirty.join(", ")
            )
        };
        let [app_dirty, admin_dirty] = &self.dirty;
        let mut found = Fresh::NotAsked(self.nobody(stage, role));
        if let (Some(way), Some(app)) = (way, self.app.as_deref_mut()) {
            if app_dirty.is_empty() {
                let admin = seat::begin(self.admin, true).await?;
                let tx = seat::begin(app, stage.read_only).await?;
                let round = Round::begin(stage, role, way, &tx, Some(&admin), &[]).await?;
                found = fresh::ask(&round, table).await?;
                rollback(tx).await?;
                rollback(admin).await?;
            } else {
                found = Fresh::NotAsked(used(app_dirty));
            }
        }
        if stage.superuser && matches!(found, Fresh::NotAsked(_)) {
            if !admin_dirty.is_empty() {
                return Ok(match (way, found) {
                    (Some(_), found) => found,
                    (None, _) => Fresh::NotAsked(used(admin_dirty)),
                });
            }
            let tx = seat::begin(self.admin, stage.read_only).await?;
            let round = Round::begin(stage, role, Way::Authorization, &tx, None, &[]).await?;
            found = fresh::ask(&round, table).await?;
            rollback(tx).await?;
        }
        Ok(found)
    }

    /// Finds out by trying what the parties' contexts are, where they were not given.
    async fn find_contexts(
        &mut self,
        stage: &mut Stage<'_>,
        slots: &Slots,
    ) -> Result<(), AuditError> {
        let Some(role) = stage.subject.app_roles.first().copied() else {
            return Ok(());
        };
        let (attacker, victim, members) = {
            let stage = &*stage;
            if stage.superuser {
                let tx = seat::begin(self.admin, stage.read_only).await?;
                let round = Round::begin(stage, role, Way::Authorization, &tx, None, &[]).await?;
                let found = trial::find(&round, slots).await?;
                rollback(tx).await?;
                found
            } else if let (Some(way), Some(app)) =
                (self.login_way(stage, role), self.app.as_deref_mut())
            {
                let admin = seat::begin(self.admin, true).await?;
                let tx = seat::begin(app, stage.read_only).await?;
                let [dirty, _] = &self.dirty;
                let round = Round::begin(stage, role, way, &tx, Some(&admin), dirty).await?;
                let found = trial::find(&round, slots).await?;
                rollback(tx).await?;
                rollback(admin).await?;
                found
            } else {
                return Ok(());
            }
        };
        stage.members = members;
        if stage.how.attacker.is_empty() {
            stage.attacker = attacker;
        }
        if stage.how.victim.is_empty() {
            stage.victim = victim;
        }
        Ok(())
    }

    /// Attacks one table as one role.
    async fn table(
        &mut self,
        stage: &Stage<'_>,
        role: Oid,
        table: &Relation,
        fresh: Option<&Fresh>,
    ) -> Result<Vec<Cell>, AuditError> {
        let way = self.login_way(stage, role);
        let mut done: BTreeMap<Attack, Verdict> = BTreeMap::new();
        let mut why = self.nobody(stage, role);
        let [app_dirty, admin_dirty] = &self.dirty;
        if let (Some(way), Some(app)) = (way, self.app.as_deref_mut()) {
            let admin = seat::begin(self.admin, true).await?;
            let tx = seat::begin(app, stage.read_only).await?;
            let round = Round::begin(stage, role, way, &tx, Some(&admin), app_dirty).await?;
            let all = |attack: Attack| {
                // What SET ROLE asks of the session's own user is no question for another login.
                !(stage.superuser
                    && (attack.wants_hand()
                        || (attack == Attack::SetRole && way == Way::LoginSetRole)))
            };
            match through(&round, table, fresh, &mut done, &all).await? {
                Ok(()) => {}
                Err(reason) => why = reason,
            }
            rollback(tx).await?;
            rollback(admin).await?;
            if stage.superuser {
                // A hand in the transaction may make the difference.
                done.retain(|_, verdict| !matches!(verdict.outcome, Outcome::NotRun { .. }));
            }
        }
        if stage.superuser && done.len() < Attack::ALL.len() {
            let tx = seat::begin(self.admin, stage.read_only).await?;
            let round =
                Round::begin(stage, role, Way::Authorization, &tx, None, admin_dirty).await?;
            if let Err(reason) = through(&round, table, fresh, &mut done, &|_| true).await? {
                why = reason;
            }
            rollback(tx).await?;
        }
        Ok(cells_of(stage, role, done, &why))
    }
}

/// What came of all attacks, and why of those that are missing nothing did.
fn cells_of(
    stage: &Stage<'_>,
    role: Oid,
    mut done: BTreeMap<Attack, Verdict>,
    why: &str,
) -> Vec<Cell> {
    let name = stage.catalogue.roles.name(role);
    let of = |attack: &Attack| {
        let verdict = done.remove(attack).unwrap_or_else(|| Verdict::not_run(why));
        Cell {
            attack: *attack,
            role: name.to_owned(),
            outcome: verdict.outcome,
            control: verdict.control,
            accepted: None,
        }
    };
    Attack::ALL.iter().map(of).collect()
}

/// Runs the attacks that were not run yet.
async fn through<'a>(
    round: &Round<'a>,
    table: &'a Relation,
    fresh: Option<&Fresh>,
    done: &mut BTreeMap<Attack, Verdict>,
    wanted: &(dyn Fn(Attack) -> bool + Sync),
) -> Result<Result<(), String>, AuditError> {
    if let Some(why) = round.stage.harm.reading(table) {
        return Ok(Err(why));
    }
    let ground = match Ground::prepare(round, table).await? {
        Ok(ground) => ground,
        Err(why) => return Ok(Err(why)),
    };
    let mut shared = Shared::default();
    shared.open(matches!(
        done.get(&Attack::Read).map(|it| &it.outcome),
        Some(Outcome::Breach { .. })
    ));
    for attack in Attack::ALL {
        if done.contains_key(attack) || !wanted(*attack) {
            continue;
        }
        let mut verdict = attacks::attack(round, &ground, *attack, fresh, &mut shared).await?;
        if ground.made_up && matches!(verdict.outcome, Outcome::Held | Outcome::Breach { .. }) {
            verdict.control.push_str(" (rows were made up)");
        }
        done.insert(*attack, verdict);
    }
    Ok(Ok(()))
}
