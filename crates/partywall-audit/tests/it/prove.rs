//! The live attacks: on every case of the catalogue of faults, and on every correct schema.

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc};

use partywall_audit::{Attack, Cell, Options, Outcome, Proof, ProveOptions, prove};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    database::Database,
    fault::{database_on, options, read, says},
    sound::schemas,
};

pub(crate) async fn proof(db: &Database, options: &Options, how: &ProveOptions) -> Proof {
    let mut admin = db.superuser().await;
    prove(&mut admin, None, options, how, &mut |_| {})
        .await
        .unwrap()
}

/// A proof as lines, without what differs from run to run.
pub(crate) fn lines(db: &Database, proof: &Proof) -> String {
    let mut text = String::new();
    for table in &proof.tables {
        text += &format!("{}\n", table.table);
        for cell in &table.cells {
            text += &format!("  {}\n", line(cell));
        }
    }
    for role in ["app", "owner", "support", "staff"] {
        text = text.replace(&db.role(role), role);
    }
    text
}

fn line(cell: &Cell) -> String {
    let (attack, control) = (cell.attack, &cell.control);
    match &cell.outcome {
        Outcome::Held => format!("{attack}: held: {control}"),
        Outcome::Absent => format!("{attack}: absent: {control}"),
        Outcome::NotRun { why } => format!("{attack}: not run: {why}"),
        Outcome::Breach { statement, what } => format!(
            "{attack}: BREACH: {what}\n    {}\n    control: {control}",
            statement.replace('\n', "\n    "),
        ),
        _ => "?".to_owned(),
    }
}

pub(crate) fn breached(proof: &Proof) -> BTreeSet<&'static str> {
    proof.breaches().map(|(_, cell)| cell.attack.id()).collect()
}

/// Runs something on many databases, a few at a time, and collects what went wrong.
async fn each<T, F>(what: Vec<T>, run: impl Fn(T) -> F)
where
    F: Future<Output = Option<String>> + Send + 'static,
{
    let few = Arc::new(Semaphore::new(4));
    let mut set = JoinSet::new();
    for one in what {
        let (few, work) = (Arc::clone(&few), run(one));
        set.spawn(async move {
            let _one = few.acquire().await.unwrap();
            work.await
        });
    }
    let mut wrong: Vec<String> = set.join_all().await.into_iter().flatten().collect();
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn folders() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/faults");
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut found: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("fault.sql").exists())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name.contains(&only))
        .collect();
    found.sort();
    found
}

fn dump(name: &str, db: &Database, proof: &Proof) {
    if let Ok(folder) = std::env::var("PROOFS") {
        let text = format!(
            "A {:?}\nB {:?}\n{:?}\n{}",
            proof.attacker,
            proof.victim,
            proof.inferred,
            lines(db, proof)
        );
        fs::write(format!("{folder}/{}", name.replace('/', "_")), text).unwrap();
    }
}

#[tokio::test]
async fn the_base_holds() {
    let db = Database::with(&read("base.sql")).await;
    let proof = proof(&db, &options(&db), &ProveOptions::default()).await;
    insta::assert_snapshot!(lines(&db, &proof));
}

/// What the first lines of a case say of the attacks that reach something: `-- prove: read update`, or
/// `-- prove: cannot: why`.
#[tokio::test]
async fn every_fault_that_is_reachable_is_reached() {
    each(folders(), |id| async move {
        let sql = read(&format!("{id}/fault.sql"));
        let Some(said) = says(&sql, "prove") else {
            return Some(format!(
                "{id}: its first lines do not say what an attack reaches"
            ));
        };
        let db = database_on(None, &id, "fault.sql").await;
        let proof = proof(&db, &options(&db), &ProveOptions::default()).await;
        dump(&format!("{id}-fault"), &db, &proof);
        let found = breached(&proof);
        if let Some(why) = said.strip_prefix("cannot:") {
            return (!found.is_empty() || why.trim().is_empty())
                .then(|| format!("{id}: {found:?} was reached"));
        }
        let missed: Vec<&str> = said
            .split_whitespace()
            .filter(|attack| {
                assert!(Attack::ALL.iter().any(|it| it.id() == *attack), "{attack}");
                !found.contains(attack)
            })
            .collect();
        (!missed.is_empty()).then(|| format!("{id}: {missed:?} reached nothing, {found:?} did"))
    })
    .await;
}

#[tokio::test]
async fn no_near_miss_is_reached() {
    each(folders(), |id| async move {
        let db = database_on(None, &id, "near.sql").await;
        let proof = proof(&db, &options(&db), &ProveOptions::default()).await;
        dump(&format!("{id}-near"), &db, &proof);
        let found = breached(&proof);
        (!found.is_empty()).then(|| format!("{id}: {found:?}\n{}", lines(&db, &proof)))
    })
    .await;
}

/// The correct schemas have no rows, so all of them are made up, and contexts are found by trying.
#[tokio::test]
async fn no_correct_schema_is_reached() {
    each(schemas().await, |schema| async move {
        let name = &schema.name;
        let db = schema.database().await;
        let mut given = Options::default();
        given.app_roles = schema.roles(&db).into_iter().collect();
        let proof = proof(&db, &given, &ProveOptions::default()).await;
        dump(&format!("sound-{name}"), &db, &proof);
        let found = breached(&proof);
        (!found.is_empty()).then(|| format!("{name}: {found:?}\n{}", lines(&db, &proof)))
    })
    .await;
}

/// What the base comes to, and a fault in it, on every version that is supported.
#[tokio::test]
async fn every_version_is_attacked() {
    for major in crate::database::versions() {
        let db = Database::empty_on(Some(major)).await;
        db.run(&read("base.sql")).await;
        let held = proof(&db, &options(&db), &ProveOptions::default()).await;
        let text = lines(&db, &held);
        assert!(
            breached(&held).is_empty() && !text.contains("not run"),
            "PostgreSQL {major}: {text}"
        );
        db.run("CREATE POLICY gone ON invoices FOR DELETE USING (true)")
            .await;
        let found = proof(&db, &options(&db), &ProveOptions::default()).await;
        assert_eq!(
            breached(&found),
            BTreeSet::from(["delete"]),
            "PostgreSQL {major}"
        );
    }
}
