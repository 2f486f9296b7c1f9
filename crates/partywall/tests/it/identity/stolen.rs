//! The identity login in the wrong hands, without the seal's key: what SECURITY.md says of it.

use tokio_postgres::{Client, SimpleQueryMessage};
use uuid::Uuid;

use super::world::{World, hex, id, token};
use crate::probe::session;

/// The tables of the room, by the room's own list.
async fn tables(client: &Client) -> Vec<String> {
    let sql = "SELECT format('identity.%I', relname) FROM pg_class \
               WHERE relnamespace = 'identity'::regnamespace AND relkind = 'r' ORDER BY 1";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn count(client: &Client, sql: &str) -> usize {
    let messages = client.simple_query(sql).await.unwrap();
    let is_row = |message: &&SimpleQueryMessage| matches!(message, SimpleQueryMessage::Row(_));
    messages.iter().filter(is_row).count()
}

#[tokio::test]
async fn a_stolen_identity_login_sees_no_row() {
    let World { test, a, .. } = World::new().await;
    test.as_superuser("CREATE TABLE public.invoice (id int)")
        .await
        .unwrap();
    let thief = session(&test.url("people_identity")).await;
    let superuser = session(&test.superuser_url()).await;
    let all = tables(&thief).await;
    assert_eq!(all.len(), 20, "{all:?}");
    let mut filled = 0;
    for table in &all {
        let read = format!("SELECT * FROM {table}");
        assert_eq!(count(&thief, &read).await, 0, "{table}");
        filled += usize::from(count(&superuser, &read).await > 0);
        for write in [
            format!("DELETE FROM {table} RETURNING *"),
            format!("TRUNCATE {table}"),
        ] {
            match thief.simple_query(&write).await {
                Ok(messages) => {
                    let is_row = |message| matches!(message, &SimpleQueryMessage::Row(_));
                    assert!(!messages.iter().any(is_row), "{write}: {messages:?}");
                }
                Err(error) => assert_eq!(error.code().unwrap().code(), "42501", "{write}"),
            }
        }
    }
    // The control: there was something to see.
    assert!(filled >= 6, "{filled}");
    let session_row = format!(
        "INSERT INTO identity.session (id, user_id, token_hash, created_at, seen_at, expires_at) \
         VALUES (gen_random_uuid(), '{}', 'x', now(), now(), 'infinity')",
        id("ann")
    );
    for sql in [
        session_row.as_str(),
        "SELECT * FROM public.invoice",
        "SELECT * FROM partywall.seal_key",
        "SELECT partywall.cross('a', 'b', 1)",
        "INSERT INTO identity.staff (user_id) VALUES (gen_random_uuid())",
        "UPDATE identity.audit SET actor_name = 'x'",
        "SET ROLE people_app",
        "SET ROLE people_across",
    ] {
        let error = thief.simple_query(sql).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{sql}: {error:?}");
    }
    // A context of one's own making has no seal, and is refused wherever there is a row to compare.
    let context = format!("{{\"user\":\"{}\",\"tenant\":\"{a}\"}}", id("ann"));
    let forged = format!("SET partywall.context = '{context}'");
    thief.simple_query(&forged).await.unwrap();
    let mut refused = 0;
    for table in &all {
        match thief.simple_query(&format!("SELECT * FROM {table}")).await {
            Ok(messages) => {
                let is_row = |message| matches!(message, &SimpleQueryMessage::Row(_));
                assert!(!messages.iter().any(is_row), "{table}: {messages:?}");
            }
            Err(error) => {
                assert_eq!(error.code().unwrap().code(), "PW002", "{table}");
                refused += 1;
            }
        }
    }
    assert!(refused >= filled, "{refused} of {filled}");
}

#[tokio::test]
async fn the_functions_of_a_stolen_login_answer_to_secrets_alone() {
    let World { test, a, .. } = World::new().await;
    let thief = session(&test.url("people_identity")).await;
    let guess = "0".repeat(64);
    for sql in [
        format!("SELECT * FROM partywall.identity_session('{guess}', 1000000, '{a}', NULL, NULL)"),
        format!("SELECT * FROM partywall.identity_session(NULL, 1000000, '{a}', NULL, NULL)"),
        format!("SELECT * FROM partywall.identity_accounts('{guess}', 1000000, NULL)"),
        format!("SELECT * FROM partywall.identity_key('{guess}', '{a}', NULL, NULL)"),
        format!(
            "SELECT * FROM partywall.identity_first_account('{}')",
            id("ann")
        ),
        format!("SELECT 1 FROM partywall.identity_reset('{guess}') r WHERE r IS NOT NULL"),
        format!("SELECT 1 FROM partywall.identity_invitation('{guess}') i WHERE i IS NOT NULL"),
        format!(
            "SELECT 1 FROM partywall.identity_domain_lapsed('{guess}', ARRAY['{guess}'], 0) d WHERE d IS NOT NULL"
        ),
        format!("SELECT 1 FROM partywall.identity_sign_up('{guess}') s WHERE s IS NOT NULL"),
    ] {
        assert_eq!(count(&thief, &sql).await, 0, "{sql}");
    }
    // Without a context nobody's account is held, be there one or not.
    for account in [id("bob in a"), Uuid::now_v7()] {
        let hold = format!("SELECT partywall.identity_hold('{account}')");
        let refused = thief.query(&hold, &[]).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "PW003");
    }
    // The controls: whoever has the secret's hash, and what two known ids tell.
    let hash = {
        use sha2::{Digest as _, Sha256};
        hex(&Sha256::digest(token("ann").expose()))
    };
    let opened =
        format!("SELECT * FROM partywall.identity_session('{hash}', 1000000, '{a}', NULL, NULL)");
    assert_eq!(count(&thief, &opened).await, 1);
    let rights = format!(
        "SELECT 1 FROM partywall.identity_rights('{a}', '{}') r WHERE r.builtins = '{{member}}'",
        id("bob in a")
    );
    assert_eq!(count(&thief, &rights).await, 1);
}
