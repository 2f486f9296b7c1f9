//! Connections over TLS: used where they are asked for, to the right server only, and for requests to
//! cancel as well.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use partywall::{
    Config, Db, Scope, Sql, TENANT,
    connect::Tls,
    db::{ConnectError, Error, ErrorKind},
    schema::{ApplyError, Passwords},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use crate::{alone::Alone, probe::session};

/// A certificate authority, in a file that is gone with this value.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let file = std::env::temp_dir().join(format!("pw-root-{}.pem", Uuid::now_v7().simple()));
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            file,
        }
    }

    fn trusted(&self) -> Tls {
        Tls::roots(&self.file).unwrap()
    }

    /// Gives a server a certificate for `localhost`, and switches TLS on.
    async fn certify(&self, alone: &Alone) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        for (file, pem) in [
            ("server.key", key.serialize_pem()),
            ("server.crt", certificate.pem()),
        ] {
            // The server writes it, so that it is its own, as PostgreSQL asks of a key.
            let write = format!(
                "COPY (SELECT unnest(string_to_array($pem${pem}$pem$, E'\\n'))) \
                 TO PROGRAM 'umask 077; cat > {file}'"
            );
            alone.admin.batch_execute(&write).await.unwrap();
        }
        let on = "ALTER SYSTEM SET ssl = on";
        alone.admin.batch_execute(on).await.unwrap();
        let reload = "SELECT pg_reload_conf()";
        alone.admin.batch_execute(reload).await.unwrap();
        for _ in 0..200 {
            let new = session(&alone.server.superuser_url("blog")).await;
            let ssl: String = new.query_one("SHOW ssl", &[]).await.unwrap().get(0);
            if ssl == "on" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("TLS did not come on")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The application login's connection string.
fn url(host: &str, port: u16, mode: &str) -> String {
    format!("postgresql://blog_app:p@{host}:{port}/blog?sslmode={mode}")
}

/// Connects, and answers whether all of the login's connections use TLS.
async fn is_encrypted(alone: &Alone, url: &str, tls: Tls) -> Result<bool, ConnectError> {
    let config = Config::new(&alone.schema, url).unwrap().tls(tls);
    let db = Db::connect(config).await?;
    let scope = Scope::trusted([TENANT.is(Uuid::now_v7())]);
    let posts: i64 = db
        .scoped(&scope)
        .scalar("SELECT count(*) FROM post", [])
        .await
        .unwrap();
    assert_eq!(posts, 0);
    let used = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE usename = 'blog_app'";
    let used: Option<bool> = alone.admin.query_one(used, &[]).await.unwrap().get(0);
    let used = used.expect("there is a connection");
    drop(db);
    let others = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'blog_app'";
    while alone
        .admin
        .query_one(others, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(used)
}

/// The refusal, and what it says down to its last cause.
async fn refused(alone: &Alone, url: &str, tls: Tls) -> String {
    let Err(ConnectError::Database(error)) = is_encrypted(alone, url, tls).await else {
        panic!("{url} was not refused")
    };
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("Config::tls"), "{error}");
    let mut text = error.to_string();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!(" / {error}"));
        cause = error.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_has_to_prove_who_it_is() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let alone = Alone::listening().await;
    ours.certify(&alone).await;
    let port = alone.server.port();
    let right = url("localhost", port, "require");
    assert!(is_encrypted(&alone, &right, ours.trusted()).await.unwrap());
    // Where the server has TLS, `prefer` has it as well. The control: `disable` has not.
    let preferred = url("localhost", port, "prefer");
    assert!(
        is_encrypted(&alone, &preferred, ours.trusted())
            .await
            .unwrap()
    );
    let disabled = url("localhost", port, "disable");
    assert!(!is_encrypted(&alone, &disabled, Tls::System).await.unwrap());

    for mode in ["require", "prefer"] {
        // Not of a root that is trusted: neither another authority's, nor the system's.
        let localhost = url("localhost", port, mode);
        for tls in [theirs.trusted(), Tls::System] {
            let told = refused(&alone, &localhost, tls).await;
            assert!(told.contains("invalid peer certificate"), "{told}");
        }
        // The certificate is for another name.
        let address = url("127.0.0.1", port, mode);
        let told = refused(&alone, &address, ours.trusted()).await;
        assert!(told.contains("not valid for name"), "{told}");
        let elsewhere = format!(
            "host=db.example hostaddr=127.0.0.1 port={port} user=blog_app password=p \
             dbname=blog sslmode={mode}"
        );
        let told = refused(&alone, &elsewhere, ours.trusted()).await;
        assert!(told.contains("not valid for name"), "{told}");
    }
    // A server that is refused is not asked again, however many attempts are allowed.
    let wire = Wire::to(port).await;
    let through = url("localhost", wire.port, "require");
    refused(&alone, &through, theirs.trusted()).await;
    assert_eq!(wire.encrypted(), 1);
    let named = format!(
        "host=localhost hostaddr=127.0.0.1 port={port} user=blog_app password=p dbname=blog \
         sslmode=require"
    );
    assert!(is_encrypted(&alone, &named, ours.trusted()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_is_applied_over_tls_as_well() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let alone = Alone::listening().await;
    ours.certify(&alone).await;
    let over_tcp = |url: String| {
        let socket = url.split_once('@').unwrap().1.split_once('/').unwrap().0;
        let url = url.replace(socket, &format!("localhost:{}", alone.server.port()));
        format!("{url}?sslmode=require")
    };
    let superuser = over_tcp(alone.server.superuser_url("blog"));
    let owner = over_tcp(alone.server.url("blog_owner", "o", "blog"));
    let passwords = Passwords {
        app: "p".to_owned(),
        list: "p".to_owned(),
        across: "p".to_owned(),
        identity: "p".to_owned(),
    };
    let (schema, tls) = (&alone.schema, ours.trusted());
    schema
        .bootstrap_with(&superuser, &passwords, &tls)
        .await
        .unwrap();
    let applied = schema.apply_with(&owner, &tls).await.unwrap();
    assert!(!applied.changed, "{applied:?}");
    let tls = theirs.trusted();
    for refused in [
        schema.bootstrap_with(&superuser, &passwords, &tls).await,
        schema.apply_with(&owner, &tls).await.map(drop),
    ] {
        assert!(
            matches!(refused, Err(ApplyError::Connect(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let alone = Alone::listening().await;
    let port = alone.server.port();
    let required = url("localhost", port, "require");
    let told = refused(&alone, &required, Tls::System).await;
    assert!(told.contains("does not support TLS"), "{told}");
    for mode in ["prefer", "disable"] {
        let url = url("localhost", port, mode);
        assert!(!is_encrypted(&alone, &url, Tls::System).await.unwrap());
    }
    // A socket file has no TLS, and needs none.
    let socket = format!("{}?sslmode=prefer", alone.url());
    assert!(!is_encrypted(&alone, &socket, Tls::System).await.unwrap());
}

/// Between a client and a server: passes everything on, and keeps how each connection began.
struct Wire {
    port: u16,
    began: Arc<Mutex<Vec<[u8; 8]>>>,
}

/// What a client that wants TLS sends first (PostgreSQL, «SSLRequest»).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

impl Wire {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let began = Arc::new(Mutex::new(Vec::new()));
        let all = began.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let all = all.clone();
                tokio::spawn(async move {
                    let mut first = [0; 8];
                    client.read_exact(&mut first).await?;
                    all.lock().unwrap().push(first);
                    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
                    server.write_all(&first).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self { port, began }
    }

    /// How many connections there were, all of which began by asking for TLS.
    fn encrypted(&self) -> usize {
        let began = self.began.lock().unwrap();
        assert!(began.iter().all(|first| *first == SSL_REQUEST), "{began:?}");
        began.len()
    }
}

async fn sleepers(alone: &Alone) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE usename = 'blog_app' AND state = 'active' AND query LIKE '%pg_sleep%'";
    alone.admin.query_one(sql, &[]).await.unwrap().get(0)
}

async fn until_sleepers(alone: &Alone, wanted: i64) {
    let waiting = async {
        while sleepers(alone).await != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(8), waiting)
        .await
        .unwrap_or_else(|_| panic!("there are not {wanted} sleepers"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_to_cancel_goes_over_tls() {
    let authority = Authority::new();
    let alone = Alone::listening().await;
    authority.certify(&alone).await;
    let wire = Wire::to(alone.server.port()).await;
    let config = Config::new(&alone.schema, &url("localhost", wire.port, "require"))
        .unwrap()
        .tls(authority.trusted())
        .pool_size(1)
        .statement_timeout(Some(Duration::from_secs(60)));
    let db = Db::connect(config).await.unwrap();
    let scoped = db.scoped(&Scope::trusted([TENANT.is(Uuid::now_v7())]));
    let before = wire.encrypted();
    // The control: left alone it sleeps on, and the connection alone does not end it.
    let sleeping = tokio::spawn({
        let scoped = scoped.clone();
        async move { scoped.rows("SELECT pg_sleep(30)", []).await }
    });
    until_sleepers(&alone, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(sleepers(&alone).await, 1);
    assert_eq!(wire.encrypted(), before);
    sleeping.abort();
    until_sleepers(&alone, 0).await;
    assert_eq!(
        wire.encrypted(),
        before + 1,
        "the request has its own connection"
    );
    let posts: i64 = scoped
        .scalar("SELECT count(*) FROM post", [])
        .await
        .unwrap();
    assert_eq!(posts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_stopped_in_time_over_tls() {
    let authority = Authority::new();
    let alone = Alone::listening().await;
    authority.certify(&alone).await;
    let config = Config::new(
        &alone.schema,
        &url("localhost", alone.server.port(), "require"),
    )
    .unwrap()
    .tls(authority.trusted())
    .statement_timeout(Some(Duration::from_millis(300)));
    let db = Db::connect(config).await.unwrap();
    let scoped = db.scoped(&Scope::trusted([TENANT.is(Uuid::now_v7())]));
    let stopped = scoped.rows("SELECT pg_sleep(30)", []).await.unwrap_err();
    assert!(matches!(stopped, Error::Timeout), "{stopped:?}");
    until_sleepers(&alone, 0).await;
    let short = scoped.rows("SELECT pg_sleep(0.01)", []).await.unwrap();
    assert_eq!(short.len(), 1);
}
