//! The outbox is sent.

use std::{collections::BTreeSet, path::PathBuf};

use futures_util::future::join_all;
use partywall::identity::Mailer;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use uuid::Uuid;

use super::world::World;

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("partywall-mail-{}", Uuid::new_v4()))
}

async fn queue(world: &World, count: usize, subject: &str) {
    world.sql(&format!(
        "INSERT INTO identity.outbox (id, recipient, address, subject, body, created_at, due_at, attempts) \
         SELECT gen_random_uuid(), 'guest' || n || '@example.com', 'Guest' || n || '@Example.com', '{subject}', \
                'the body of ' || n, now(), now(), 0 FROM generate_series(1, {count}) n"
    )).await;
}

const LEFT: &str = "SELECT count(*) FROM identity.outbox WHERE sent_at IS NULL";
const BODIES: &str = "SELECT count(*) FROM identity.outbox WHERE body <> ''";

#[tokio::test]
async fn mail_is_written_into_a_folder_and_its_text_forgotten() {
    let world = World::new().await;
    queue(&world, 3, "Beitreten f\u{fc}r alle").await;
    // Without a transport it waits.
    assert_eq!(
        world.identity.mail_send_due(&Mailer::none()).await.unwrap(),
        0
    );
    assert_eq!((world.count(LEFT).await, world.count(BODIES).await), (3, 3));
    let folder = folder();
    let mailer = Mailer::folder(&folder).unwrap();
    assert_eq!(mailer.sent().await.unwrap(), []);
    assert_eq!(world.identity.mail_send_due(&mailer).await.unwrap(), 3);
    assert_eq!((world.count(LEFT).await, world.count(BODIES).await), (0, 0));
    assert_eq!(world.identity.mail_send_due(&mailer).await.unwrap(), 0);
    let sent = mailer.sent().await.unwrap();
    assert_eq!(sent.len(), 3);
    let two = sent
        .iter()
        .find(|mail| mail.to == "Guest2@Example.com")
        .unwrap();
    assert_eq!(
        (two.subject.as_str(), two.body.as_str()),
        ("Beitreten f\u{fc}r alle", "the body of 2")
    );
    let files = std::fs::read_dir(&folder).unwrap();
    let is_mail = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "eml");
    let files: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(is_mail)
        .collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(
            text.contains("From: notes@example.com\r\n") && text.contains("To: Guest"),
            "{text}"
        );
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_send_each_mail_once() {
    let world = World::new().await;
    queue(&world, 200, "Hello").await;
    let identity = &world.identity;
    let folders = [folder(), folder()];
    let mailers = folders
        .clone()
        .map(|folder| Mailer::folder(folder).unwrap());
    let both = mailers.iter().flat_map(|mailer| [mailer, mailer]);
    let sent = join_all(both.map(|mailer| identity.mail_send_due(mailer))).await;
    let total: u64 = sent.into_iter().map(Result::unwrap).sum();
    assert_eq!(total, 200);
    let mut to = BTreeSet::new();
    let mut written = 0;
    for mailer in &mailers {
        let sent = mailer.sent().await.unwrap();
        written += sent.len();
        to.extend(sent.into_iter().map(|mail| mail.to));
    }
    assert_eq!((written, to.len()), (200, 200));
    for folder in folders {
        std::fs::remove_dir_all(folder).unwrap();
    }
    // The way across was taken once for all of it.
    let crossings = "SELECT count(*) FROM partywall.crossing WHERE reason = 'mail is sent'";
    let probe = crate::probe::Probe::new(&world.test).await;
    let taken: i64 = probe.client.query_one(crossings, &[]).await.unwrap().get(0);
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn what_cannot_be_sent_is_tried_again_later_and_given_up() {
    let world = World::new().await;
    queue(&world, 1, "Hello").await;
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mailer = Mailer::smtp(&format!("smtp://{closed}")).unwrap();
    let later = "SELECT count(*) FROM identity.outbox WHERE due_at > now() + make_interval(secs => 60 * 2 ^ (attempts - 1) - 20)";
    for attempt in 1..=8 {
        assert_eq!(world.identity.mail_send_due(&mailer).await.unwrap(), 0);
        let tried = format!("SELECT count(*) FROM identity.outbox WHERE attempts = {attempt}");
        assert_eq!(world.count(&tried).await, 1, "{attempt}");
        assert_eq!(world.count(later).await, 1, "{attempt}");
        // Not before its time.
        assert_eq!(world.identity.mail_send_due(&mailer).await.unwrap(), 0);
        assert_eq!(world.count(&tried).await, 1, "{attempt}");
        assert_eq!(world.count(BODIES).await, i64::from(attempt < 8));
        world.sql("UPDATE identity.outbox SET due_at = now()").await;
    }
    world.identity.mail_send_due(&mailer).await.unwrap();
    assert_eq!(
        world
            .count("SELECT count(*) FROM identity.outbox WHERE attempts = 8 AND sent_at IS NULL")
            .await,
        1
    );
    // One that nobody can receive does not keep the others.
    world
        .sql("UPDATE identity.outbox SET attempts = 0, address = 'a b', recipient = 'a b'")
        .await;
    queue(&world, 1, "Hello").await;
    let folder = folder();
    let mailer = Mailer::folder(&folder).unwrap();
    assert_eq!(world.identity.mail_send_due(&mailer).await.unwrap(), 1);
    std::fs::remove_dir_all(folder).unwrap();
    assert!(Mailer::smtp("not a url").is_err());
}

/// Takes one mail, as a server of mail would, and hands out what it was told.
async fn take_one(listener: TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut told = String::new();
    write.write_all(b"220 test\r\n").await.unwrap();
    let mut is_text = false;
    while let Some(line) = lines.next_line().await.unwrap() {
        told += &line;
        told.push('\n');
        let answer: &[u8] = match (is_text, line.as_str()) {
            (true, ".") => {
                is_text = false;
                b"250 taken\r\n"
            }
            (true, _) => continue,
            (false, "DATA") => {
                is_text = true;
                b"354 go on\r\n"
            }
            (false, "QUIT") => break,
            (false, _) => b"250 fine\r\n",
        };
        write.write_all(answer).await.unwrap();
        if answer == b"250 taken\r\n" {
            break;
        }
    }
    told
}

#[tokio::test]
async fn mail_is_sent_by_smtp_and_a_subject_adds_no_header() {
    let world = World::new().await;
    queue(&world, 1, "Join us\r\nBcc: eve@example.com").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mailer = Mailer::smtp(&format!("smtp://{}", listener.local_addr().unwrap())).unwrap();
    let server = tokio::spawn(take_one(listener));
    assert_eq!(world.identity.mail_send_due(&mailer).await.unwrap(), 1);
    let told = server.await.unwrap();
    assert_eq!(told.matches("RCPT TO:").count(), 1, "{told}");
    assert!(told.contains("RCPT TO:<Guest1@Example.com>"), "{told}");
    assert!(told.contains("MAIL FROM:<notes@example.com>"), "{told}");
    assert!(!told.lines().any(|line| line.starts_with("Bcc")), "{told}");
    assert!(told.contains("the body of 1"), "{told}");
    assert_eq!(world.count(LEFT).await, 0);
}
