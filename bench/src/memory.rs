//! Whether memory grows with work.

use std::fs;

use partywall::{Db, Scope, Sql, TENANT};

use crate::{
    arguments::Arguments,
    outcome::Outcome,
    table,
    world::{Data, NOTES_PER_TENANT, TENANTS, World, note, tenant},
};

/// Statements after which to look.
const LOOKS: [u64; 5] = [1_000, 10_000, 50_000, 100_000, 200_000];
const QUICK: [u64; 3] = [100, 500, 1_000];

/// Different texts: many times what the cache of statements holds.
const TEXTS: u64 = 10_000;

pub(crate) async fn measure(world: &World, arguments: &Arguments) -> Outcome {
    table::heading("Memory");
    println!(
        "One connection, scoped statements of tenants drawn by chance, half of them points and half \
         lists of 50. Kilobytes: of this process all that is resident, of the backend what is its own \
         (without the shared buffers it has touched).\n"
    );
    let db = world.db(Data::Sealed, None, 1).await?;
    let backend = backend(&db).await?;
    let mut rows = Vec::new();
    let mut done = 0;
    let (looks, texts): (&[u64], u64) = if arguments.quick {
        (&QUICK, TEXTS / 10)
    } else {
        (&LOOKS, TEXTS)
    };
    for &look in looks {
        while done < look {
            read(&db, done).await?;
            done += 1;
        }
        rows.push(row(format!("{look} statements"), backend));
    }
    for pass in 1..=2 {
        for text in 0..texts {
            let owner = fastrand::u64(..TENANTS);
            let sql = format!("SELECT id, title AS title_{text} FROM note WHERE id = $1");
            let key = note(owner, fastrand::u64(..NOTES_PER_TENANT));
            db.scoped(&scope(owner)).rows(&sql, [key.into()]).await?;
        }
        rows.push(row(
            format!("and {texts} different texts, pass {pass}"),
            backend,
        ));
    }
    for _ in 0..looks.iter().min().copied().unwrap_or_default() {
        read(&db, done).await?;
        done += 1;
    }
    rows.push(row("and as at first again".to_owned(), backend));
    if backend != self::backend(&db).await? {
        return Err("the connection was closed in between".into());
    }
    table::print(&["after", "client KB", "backend KB"], &rows);
    Ok(())
}

async fn read(db: &Db, turn: u64) -> Outcome {
    let owner = fastrand::u64(..TENANTS);
    let scoped = db.scoped(&scope(owner));
    if turn.is_multiple_of(2) {
        let key = note(owner, fastrand::u64(..NOTES_PER_TENANT));
        scoped
            .rows("SELECT * FROM note WHERE id = $1", [key.into()])
            .await?;
    } else {
        scoped
            .rows("SELECT * FROM note ORDER BY id LIMIT 50", [])
            .await?;
    }
    Ok(())
}

fn scope(owner: u64) -> Scope {
    Scope::trusted([TENANT.is(tenant(owner))])
}

async fn backend(db: &Db) -> Outcome<i32> {
    Ok(db
        .scoped(&scope(0))
        .scalar("SELECT pg_backend_pid()", [])
        .await?)
}

fn row(title: String, backend: i32) -> Vec<String> {
    let client = kilobytes("/proc/self/status", "VmRSS:");
    let backend = kilobytes(&format!("/proc/{backend}/status"), "RssAnon:");
    let shown = |figure: Option<u64>| figure.map_or_else(|| "–".to_owned(), |kb| kb.to_string());
    vec![title, shown(client), shown(backend)]
}

/// What a process says of its memory.
pub(crate) fn kilobytes(status: &str, field: &str) -> Option<u64> {
    fs::read_to_string(status)
        .ok()?
        .lines()
        .find_map(|line| line.strip_prefix(field))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
