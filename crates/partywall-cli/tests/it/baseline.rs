use crate::{database::Database, run::Partywall};

const OPEN: &str = "GRANT TRIGGER ON customers TO {app}; GRANT TRUNCATE ON invoices TO {app};";

#[tokio::test]
async fn accepted_findings_pass_and_stale_ones_fail() {
    let db = Database::shop(OPEN).await;
    let partywall = Partywall::at(&db);
    partywall
        .run(&["check", "--write-baseline"])
        .code(3)
        .says(&["--baseline"]);
    partywall
        .run(&["check", "--baseline", "b.toml"])
        .code(3)
        .says(&["there is no baseline", "--write-baseline"]);
    partywall
        .run(&["check", "--baseline", "b.toml", "--write-baseline"])
        .code(0)
        .says(&["2 accepted, 2 without a reason"]);

    // Without reasons it is refused.
    partywall
        .run(&["check", "--baseline", "b.toml"])
        .code(3)
        .says(&["without a reason"]);
    partywall.write(
        "b.toml",
        &partywall
            .read("b.toml")
            .replace("reason = \"\"", "reason = \"until the migration of May\""),
    );
    let ended = partywall.run(&["check", "--baseline", "b.toml"]).code(0);
    let ended = ended.says(&[
        "Accepted (2)",
        "until the migration of May",
        "no fault was found",
    ]);
    assert!(!ended.out.contains("HIGH"), "{}", ended.out);

    // In the documents of other tools as well.
    let json = partywall
        .run(&["check", "--baseline", "b.toml", "--json"])
        .code(0)
        .json();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert_eq!(json["accepted"][0]["reason"], "until the migration of May");
    let sarif = partywall
        .run(&["check", "--baseline", "b.toml", "--sarif"])
        .code(0)
        .json();
    assert_eq!(
        sarif["runs"][0]["results"][0]["suppressions"][0]["status"],
        "accepted"
    );

    // A new fault is no accepted one.
    db.run("ALTER TABLE invoices DISABLE ROW LEVEL SECURITY")
        .await;
    partywall
        .run(&["check", "--baseline", "b.toml"])
        .code(2)
        .says(&["HIGH (1)", "POLICY_DORMANT"]);
    db.run("ALTER TABLE invoices ENABLE ROW LEVEL SECURITY")
        .await;

    // What was mended has to leave the file.
    db.run("REVOKE TRIGGER ON customers FROM {app}").await;
    partywall
        .run(&["check", "--baseline", "b.toml"])
        .code(2)
        .says(&["STALE", "PRIV_TRIGGER", "take the entry out"]);
    partywall
        .run(&["check", "--baseline", "b.toml", "--github"])
        .code(2)
        .says(&["::error title=stale%3A PRIV_TRIGGER"]);
    // Where only a part was looked at, the rest is not judged.
    partywall
        .run(&["check", "--baseline", "b.toml", "--schema", "public"])
        .code(0);
    // Reasons that were given stay.
    partywall
        .run(&["check", "--baseline", "b.toml", "--write-baseline"])
        .code(0)
        .says(&["1 accepted, 0 without a reason"]);
    partywall.run(&["check", "--baseline", "b.toml"]).code(0);
}

#[tokio::test]
async fn a_wrong_file_is_refused() {
    let db = Database::shop("").await;
    let partywall = Partywall::at(&db);
    for (text, says) in [
        ("version = 2\n", "version 2"),
        ("nonsense", "b.toml"),
        (
            "version = 1\n[[accepted]]\nid = \"RLS_OFF\"\nobject = \"x\"\n",
            "reason",
        ),
        (
            "version = 1\n[[accepted]]\nid = \"NOPE\"\nobject = \"x\"\nreason = \"y\"\n",
            "is no fault",
        ),
        (
            "version = 1\n[[accepted]]\nid = \"RLS_OFF\"\nobject = \"x\"\nreason = \" \"\n",
            "without a reason",
        ),
        (
            "version = 1\n[[accepted]]\nid = \"RLS_OFF\"\nobject = \"x\"\nreason = \"y\"\n[[accepted]]\nid = \"RLS_OFF\"\nobject = \"x\"\nreason = \"z\"\n",
            "twice",
        ),
        (
            "version = 1\n[[accepted]]\nid = \"RLS_OFF\"\nobject = \"x\"\nreason = \"y\"\nwho = \"me\"\n",
            "who",
        ),
    ] {
        partywall.write("b.toml", text);
        partywall
            .run(&["check", "--baseline", "b.toml"])
            .code(3)
            .says(&[says]);
    }
    // By the configuration, relative to it.
    partywall.write(
        "partywall.toml",
        "version = 1\n[check]\nbaseline = \"b.toml\"\n",
    );
    partywall.write(
        "b.toml",
        "version = 1\n[[accepted]]\nid = \"RLS_OFF\"\nobject = \"x\"\nreason = \"y\"\n",
    );
    partywall.run(&["check"]).code(2).says(&["STALE"]);
}
