//! What spans and logs tell of a statement: the tenant and the text, and never a value.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex, Once},
};

use futures_util::StreamExt;
use partywall::{
    Scope, Seal, SealKey, Sql, TENANT,
    db::{ErrorKind, TextLimits},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, Registry, layer::Context, layer::SubscriberExt};

use crate::{
    models::{World, schema_with},
    probe::Probe,
};

type Fields = BTreeMap<String, String>;

/// Its id, its name and its fields.
type Span = (u64, &'static str, Fields);

/// Keeps the fields of all spans and events, in the order of their beginning.
#[derive(Clone, Default)]
struct Capture {
    spans: Arc<Mutex<Vec<Span>>>,
    events: Arc<Mutex<Vec<Fields>>>,
}

struct Into<'a>(&'a mut Fields);

impl Visit for Into<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Capture {
    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        true
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, _: Context<'_, S>) {
        let mut fields = Fields::new();
        attributes.record(&mut Into(&mut fields));
        let name = attributes.metadata().name();
        self.spans
            .lock()
            .unwrap()
            .push((id.into_u64(), name, fields));
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, _: Context<'_, S>) {
        let mut spans = self.spans.lock().unwrap();
        let span = spans.iter_mut().rfind(|span| span.0 == id.into_u64());
        values.record(&mut Into(&mut span.unwrap().2));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::new();
        event.record(&mut Into(&mut fields));
        self.events.lock().unwrap().push(fields);
    }
}

thread_local! {
    static LOGGED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What tokio-postgres and others write through `log`, on the threads that capture.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        LOGGED.with_borrow(Option::is_some)
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|logged| {
            if let Some(logged) = logged {
                logged.push_str(&format!("{} {}\n", record.target(), record.args()));
            }
        });
    }

    fn flush(&self) {}
}

impl Capture {
    /// Captures all that this thread tells, until the guard is dropped.
    fn start() -> (Self, DefaultGuard) {
        static LOGS: Once = Once::new();
        LOGS.call_once(|| {
            log::set_logger(&Logger).unwrap();
            log::set_max_level(log::LevelFilter::Trace);
        });
        LOGGED.set(Some(String::new()));
        let capture = Self::default();
        let registry = Registry::default().with(capture.clone());
        let guard = tracing::subscriber::set_default(registry);
        (capture, guard)
    }

    /// The statements' spans since the last look.
    fn statements(&self) -> Vec<Fields> {
        let spans = self.spans.lock().unwrap().split_off(0);
        let statements = spans
            .into_iter()
            .filter(|(_, name, _)| *name == "statement");
        statements.map(|(_, _, fields)| fields).collect()
    }

    /// The one statement's span since the last look.
    fn statement(&self) -> Fields {
        let mut statements = self.statements();
        assert_eq!(statements.len(), 1, "{statements:?}");
        statements.remove(0)
    }

    /// All that was told, as one text.
    fn everything(&self) -> String {
        let (spans, events) = (self.spans.lock().unwrap(), self.events.lock().unwrap());
        format!("{spans:?}\n{events:?}\n{}", LOGGED.take().unwrap())
    }
}

fn fields<const N: usize>(all: [(&str, &str); N]) -> Fields {
    all.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

const SECRET: &str = "keep-this-to-yourself";

#[tokio::test]
async fn every_way_to_run_a_statement_opens_a_span() {
    let world = World::new().await;
    let tenant = world.a.id.to_string();
    let (capture, _guard) = Capture::start();
    let scoped = world.test.as_scope(&world.a.scope);
    let echo = "SELECT $1::text, count(*) FROM post";
    let posts = "SELECT * FROM post WHERE title <> $1";
    let secret = || [SECRET.into()];
    let told = |sql, rows| fields([("tenant", &*tenant), ("sql", sql), ("rows", rows)]);

    scoped.rows(echo, secret()).await.unwrap();
    assert_eq!(capture.statement(), told(echo, "1"));
    scoped
        .execute_sql("UPDATE post SET title = $1", secret())
        .await
        .unwrap();
    assert_eq!(capture.statement(), told("UPDATE post SET title = $1", "3"));
    let rows = scoped.stream_sql(posts, ["other".into()]).await.unwrap();
    assert_eq!(rows.count().await, 3);
    assert_eq!(capture.statement(), told(posts, "3"));
    let text = "SELECT title FROM post";
    let limits = TextLimits {
        rows: 10,
        bytes: 10_000,
    };
    let shown = scoped.text(text, limits).await.unwrap();
    // The control: the value did go there and back.
    assert_eq!(shown.rows[0][0].as_deref(), Some(SECRET));
    assert_eq!(capture.statement(), told(text, "3"));

    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    assert_eq!(capture.statements(), []);
    tx.rows(echo, secret()).await.unwrap();
    assert_eq!(capture.statement(), told(echo, "1"));
    let rows = tx.stream_sql(posts, secret()).await.unwrap();
    assert_eq!(rows.count().await, 0);
    assert_eq!(capture.statement(), told(posts, "0"));
    let copy = "COPY (SELECT title FROM post) TO STDOUT";
    let lines: Vec<_> = tx.copy_out(copy).await.unwrap().collect().await;
    assert_eq!(
        lines[0].as_ref().unwrap(),
        &bytes::Bytes::from(format!("{SECRET}\n"))
    );
    assert_eq!(capture.statement(), told(copy, "3"));
    let nested = tx.nested().unwrap();
    nested.rows(echo, secret()).await.unwrap();
    assert_eq!(capture.statement(), told(echo, "1"));
    nested.commit().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(capture.statements(), []);

    let both = Scope::trusted([TENANT.any_of([world.a.id, world.b.id])]);
    let listed = world.test.as_scope(&both);
    listed.rows(echo, secret()).await.unwrap();
    let list = [("tenant", "2 tenants"), ("sql", echo), ("rows", "1")];
    assert_eq!(capture.statement(), fields(list));
    let across = world.test.db().across("a count of all").await.unwrap();
    assert_eq!(
        capture.statement()["sql"],
        "SELECT partywall.cross($1, $2, $3)"
    );
    across.rows(echo, secret()).await.unwrap();
    assert_eq!(capture.statement(), fields([("sql", echo), ("rows", "1")]));

    let everything = capture.everything();
    // The control: the driver's own log is listened to, and tells of parameters.
    assert!(
        everything.contains("with parameters: [String]"),
        "{everything}"
    );
    assert!(!everything.contains(SECRET), "{everything}");
}

#[tokio::test]
async fn a_failure_is_told_by_its_kind() {
    let world = World::new().await;
    let tenant = world.a.id.to_string();
    let scoped = world.test.as_scope(&world.a.scope);
    let insert = "INSERT INTO post (id, slug, title) VALUES (gen_random_uuid(), $1, '')";
    scoped.execute_sql(insert, [SECRET.into()]).await.unwrap();
    let (capture, _guard) = Capture::start();
    let told = |sql: &str, kind: ErrorKind| {
        let kind = format!("{kind:?}");
        fields([("tenant", &*tenant), ("sql", sql), ("error", &*kind)])
    };
    let twice = scoped.execute_sql(insert, [SECRET.into()]).await;
    let twice = twice.unwrap_err();
    assert_eq!(capture.statement(), told(insert, ErrorKind::Unique));
    assert_eq!(twice.kind(), ErrorKind::Unique);
    // The control: some of PostgreSQL's messages do quote the value.
    let quotes = "SELECT ($1::text)::uuid";
    let quoted = scoped.rows(quotes, [SECRET.into()]).await.unwrap_err();
    assert!(quoted.to_string().contains(SECRET), "{quoted}");
    assert_eq!(capture.statement(), told(quotes, ErrorKind::Invalid));
    let divide = "SELECT 1 / length(replace($1::text, $1::text, ''))";
    for stream in [false, true] {
        let failed = match stream {
            true => scoped.stream_sql(divide, [SECRET.into()]).await.map(drop),
            false => scoped.rows(divide, [SECRET.into()]).await.map(drop),
        };
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(capture.statement(), told(divide, ErrorKind::Invalid));
    }
    // After some rows.
    let later = "SELECT 1 / (5 - n), $1::text FROM generate_series(1, 9) n";
    let mut rows = scoped.stream_sql(later, [SECRET.into()]).await.unwrap();
    while rows.next().await.unwrap().is_ok() {}
    drop(rows);
    assert_eq!(capture.statement(), told(later, ErrorKind::Invalid));
    let tx = world.test.db().begin(&world.a.scope).await.unwrap();
    let copy = "COPY (SELECT 1 / (5 - n) FROM generate_series(1, 9) n) TO STDOUT";
    let lines: Vec<_> = tx.copy_out(copy).await.unwrap().collect().await;
    assert!(lines.last().unwrap().is_err());
    assert_eq!(capture.statement(), told(copy, ErrorKind::Invalid));
    drop(tx);
    let limits = TextLimits {
        rows: 1,
        bytes: 100,
    };
    let denied = "DELETE FROM country";
    scoped.text(denied, limits).await.unwrap_err();
    assert_eq!(capture.statement(), told(denied, ErrorKind::Denied));
    scoped.execute_sql("COMMIT", []).await.unwrap_err();
    assert_eq!(capture.statement(), told("COMMIT", ErrorKind::Refused));
    let everything = capture.everything();
    assert!(everything.contains("preparing query"), "{everything}");
    assert!(!everything.contains(SECRET), "{everything}");
}

/// The driver logs the parameters of what it runs, and the context is one: whoever reads the log could
/// use it for a minute.
#[tokio::test]
async fn no_log_holds_a_context() {
    let world = World::new().await;
    let scoped = world.test.as_scope(&world.a.scope);
    let (capture, _guard) = Capture::start();
    let context = "SELECT current_setting('partywall.context')";
    let context: String = scoped.scalar(context, []).await.unwrap();
    // The control: such is a context.
    assert!(context.contains(&world.a.id.to_string()), "{context}");
    let both = Scope::trusted([TENANT.any_of([world.a.id, world.b.id])]);
    let tx = world.test.db().begin(&both).await.unwrap();
    let narrowed = tx.narrowed(&world.a.scope).unwrap();
    narrowed.rows("SELECT 1", []).await.unwrap();
    narrowed.commit().await.unwrap();
    tx.commit().await.unwrap();
    drop(capture.statements());
    let everything = capture.everything();
    assert!(
        everything.contains("with parameters: [Context(…), "),
        "{everything}"
    );
    assert!(
        !everything.contains(&world.a.id.to_string()),
        "{everything}"
    );
    let seal = context.split('.').next().unwrap();
    assert!(!everything.contains(seal), "{everything}");
}

/// Nor a key, when the schema is applied: whoever has one and the login reads every tenant.
#[tokio::test]
async fn no_log_holds_a_key() {
    let World { test, .. } = World::new().await;
    let key = SealKey::new(&[0x11; 32]).unwrap();
    let rotated = schema_with(Seal::On(vec![key, SealKey::new(&[7; 32]).unwrap()]));
    let (capture, _guard) = Capture::start();
    assert!(rotated.apply(&test.owner_url()).await.unwrap().changed);
    let everything = capture.everything();
    // The control: the statements around it are logged.
    assert!(everything.contains("partywall.seal_key"), "{everything}");
    // The pads are the key, each byte turned by a constant (RFC 2104).
    for pad in [0x11 ^ 0x36, 0x11 ^ 0x5c_u8] {
        let hex = format!("{pad:02x}").repeat(8);
        let list = [pad; 8].map(|byte| byte.to_string()).join(", ");
        let text = String::from_utf8(vec![pad; 8]).unwrap();
        for form in [hex, list, text] {
            assert!(!everything.contains(&form), "{form}");
        }
    }
    // And it did arrive.
    let probe = Probe::new(&test).await;
    let arrived = "SELECT count(*) FROM partywall.seal_key \
                   WHERE encode(inner_pad, 'hex') LIKE repeat('27', 32) || '%'";
    assert_eq!(probe.count(arrived).await, 1);
}
