//! A real Django project with django-rls-tenants: its migrations make the database, the audit says what is open.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use partywall_audit::{Options, Report};

use crate::{database::Database, fault::report};

/// The Python that `scripts/setup-django.sh` set up.
fn python() -> PathBuf {
    let python = std::env::var_os("PARTYWALL_DJANGO").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.partywall/django/bin/python"),
        PathBuf::from,
    );
    assert!(
        python.exists(),
        "Django with django-rls-tenants is missing: run `scripts/setup-django.sh`"
    );
    python
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Runs commands of the project as the role that is to own the tables.
fn manage(url: &str, commands: &[&[&str]]) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let project =
        std::env::temp_dir().join(format!("partywall-django-{}-{number}", std::process::id()));
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django"),
        &project,
    );
    for command in commands {
        let run = Command::new(python())
            .arg("manage.py")
            .args(*command)
            .current_dir(&project)
            .env("DATABASE_URL", url)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{command:?}: {said}");
    }
    fs::remove_dir_all(&project).unwrap();
}

fn ids(report: &Report) -> BTreeSet<&str> {
    report
        .findings
        .iter()
        .map(|finding| finding.id.id())
        .collect()
}

#[tokio::test]
async fn what_django_rls_tenants_leaves_open_is_named() {
    let db = Database::with(
        "CREATE ROLE {django} LOGIN PASSWORD 'secret'; CREATE ROLE {web} LOGIN PASSWORD 'secret';
         REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO {web};
         GRANT USAGE, CREATE ON SCHEMA public TO {django};",
    )
    .await;
    let url = db.url("django");
    let as_owner = url.clone();
    let migrate: [&[&str]; 2] = [&["makemigrations", "shop"], &["migrate", "--no-input"]];
    tokio::task::spawn_blocking(move || manage(&as_owner, &migrate))
        .await
        .unwrap();

    // One login for everything, as most projects have it: the owner is the application.
    let found = report(&db, &Options::default()).await;
    let inferred = &found.inferred;
    let app: Vec<&str> = inferred
        .app_roles
        .iter()
        .map(|it| it.value.as_str())
        .collect();
    assert_eq!(app, [db.role("django")], "{inferred:#?}");
    assert_eq!(inferred.root.as_ref().unwrap().value, "public.shop_tenant");
    assert_eq!(inferred.tenant_columns[0].value, "tenant_id");
    assert!(
        inferred
            .contexts
            .iter()
            .any(|it| it.value == "rls.current_tenant")
    );
    println!("{}", serde_json::to_string_pretty(&found).unwrap());
    assert!(ids(&found).contains("OWNER_DDL"), "{found:#?}");

    // A login of its own for requests.
    db.run(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {web};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {web};
         REVOKE ALL ON django_migrations FROM {web};",
    )
    .await;
    let found = report(&db, &Options::default()).await;
    let app: Vec<&str> = found
        .inferred
        .app_roles
        .iter()
        .map(|it| it.value.as_str())
        .collect();
    assert_eq!(app, [db.role("web")], "{:#?}", found.inferred);
    println!("{}", serde_json::to_string_pretty(&found).unwrap());
    let objects = |id: &str| -> Vec<&str> {
        let of = found
            .findings
            .iter()
            .filter(|finding| finding.id.id() == id);
        of.map(|finding| finding.object.as_str()).collect()
    };
    assert_eq!(objects("RLS_OFF"), ["public.shop_tenant"]);
    // Its policies of many-to-many tables come by a command that people forget.
    assert_eq!(objects("CHILD_UNSCOPED"), ["public.shop_product_labels"]);
    assert_eq!(objects("GUC_ADMIN_FLAG"), ["setting rls.is_admin"]);

    tokio::task::spawn_blocking(move || manage(&url, &[&["setup_m2m_rls"]]))
        .await
        .unwrap();
    let found = report(&db, &Options::default()).await;
    assert!(!ids(&found).contains("CHILD_UNSCOPED"), "{found:#?}");
    let flag = found
        .findings
        .iter()
        .find(|finding| finding.id.id() == "GUC_ADMIN_FLAG")
        .unwrap();
    assert_eq!(
        flag.tables,
        [
            "public.shop_label",
            "public.shop_order",
            "public.shop_product",
            "public.shop_product_labels"
        ]
    );
    // As the fix says, and as the owner of the tables.
    db.run(&flag.fix).await;
    let mended = report(&db, &Options::default()).await;
    assert!(!ids(&mended).contains("GUC_ADMIN_FLAG"), "{mended:#?}");
    assert!(!ids(&mended).contains("POLICY_TRUE"), "{mended:#?}");
}
