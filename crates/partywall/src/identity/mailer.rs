use std::{
    convert::Infallible,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, Identity, Settings};
use crate::db::Sql as _;

/// Takes mail away. One for each process.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: Transport,
}

#[derive(Clone, Debug)]
enum Transport {
    None,
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// A mail in a [folder](Mailer::folder), as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SentMail {
    /// To whom.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When it was sent.
    pub at: DateTime<Utc>,
}

/// How often a mail is tried. Between the tries lie 1, 2, 4 … minutes: four hours in all.
const TRIES: i32 = 8;

/// How long one try may take. Shorter than the time before the next, so that no two run at once.
const TRY: Duration = Duration::from_secs(30);

/// The mails of a folder, one line of JSON each.
const RECORD: &str = "mail.jsonl";

impl Mailer {
    /// Sends nothing: mail waits in the outbox.
    #[must_use]
    pub fn none() -> Self {
        Self {
            transport: Transport::None,
        }
    }

    /// Sends by SMTP: `smtps://user:password@mail.example`, or
    /// `smtp://user:password@mail.example:587?tls=required`.
    ///
    /// # Errors
    ///
    /// [`Error::Mail`] for what is no such URL.
    pub fn smtp(url: &str) -> Result<Self, Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(mail)?;
        Ok(Self {
            transport: Transport::Smtp(builder.timeout(Some(TRY)).build()),
        })
    }

    /// Writes each mail into a file of the folder, which is made where it is missing. For development:
    /// mail holds links that sign people up and set passwords.
    ///
    /// # Errors
    ///
    /// [`Error::Mail`] when the folder cannot be made.
    pub fn folder(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        fs::create_dir_all(&path).map_err(mail)?;
        Ok(Self {
            transport: Transport::Folder(path),
        })
    }

    /// Whether mail goes into a folder, where whoever develops may read it.
    #[must_use]
    pub fn is_folder(&self) -> bool {
        matches!(self.transport, Transport::Folder(_))
    }

    /// The mails in the folder, the newest first. None where there is no folder.
    ///
    /// # Errors
    ///
    /// [`Error::Mail`] when they cannot be read.
    pub async fn sent(&self) -> Result<Vec<SentMail>, Error> {
        let Transport::Folder(folder) = &self.transport else {
            return Ok(Vec::new());
        };
        let record = folder.join(RECORD);
        blocking(move || {
            let text = match fs::read_to_string(record) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                text => text?,
            };
            let mails = text.lines().rev();
            Ok(mails
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect())
        })
        .await
    }

    async fn send(&self, settings: &Settings, due: &Due) -> Result<(), Error> {
        let message = due.message(settings)?;
        match &self.transport {
            Transport::None => Ok(()),
            Transport::Smtp(smtp) => match tokio::time::timeout(TRY, smtp.send(message)).await {
                Ok(sent) => sent.map(|_| ()).map_err(mail),
                Err(late) => Err(mail(late)),
            },
            Transport::Folder(folder) => {
                let file = folder.join(format!("{}.eml", due.id));
                let record = folder.join(RECORD);
                let sent = SentMail {
                    to: due.to().to_owned(),
                    subject: one_line(&due.subject),
                    body: due.body.clone(),
                    at: Utc::now(),
                };
                blocking(move || {
                    fs::write(file, message.formatted())?;
                    append(&record, &sent)
                })
                .await
            }
        }
    }
}

fn append(record: &Path, sent: &SentMail) -> io::Result<()> {
    let line = format!("{}\n", serde_json::to_string(sent)?);
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(record)?;
    file.write_all(line.as_bytes())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(mail),
        Err(panicked) => Err(mail(panicked)),
    }
}

fn mail(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Mail(error.into())
}

/// A mail whose time has come.
#[derive(FromQueryResult)]
struct Due {
    id: Uuid,
    recipient: String,
    address: String,
    subject: String,
    body: String,
    attempts: i32,
}

impl Due {
    /// The address as it was typed where only the letter case is its own, or else the canonical one: a
    /// look-alike of an address is not written to.
    fn to(&self) -> &str {
        if self.address.to_lowercase() == self.recipient {
            &self.address
        } else {
            &self.recipient
        }
    }

    fn message(&self, settings: &Settings) -> Result<Message, Error> {
        let from: Mailbox = settings.mail_from.parse().map_err(mail)?;
        let to = Mailbox::new(None, self.to().parse().map_err(mail)?);
        // A mail that is sent twice is seen to be one.
        let id = format!("<{}@{}>", self.id, from.email.domain());
        Message::builder()
            .from(from)
            .to(to)
            .subject(one_line(&self.subject))
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(self.body.clone())
            .map_err(mail)
    }
}

/// A header is one line, whatever a tenant calls itself.
fn one_line(text: &str) -> String {
    let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.replace(is_break, " ")
}

impl Identity {
    /// Sends the mail whose time has come, and tells how many were sent. Several processes may do so
    /// at once: each mail is one's. A process that ends while it sends leaves the mail to be sent
    /// again: it is sent at least once.
    ///
    /// What cannot be sent is tried again later, each time after twice the time, and given up after
    /// eight tries. The text of what was sent or given up is not kept: it may hold a link.
    ///
    /// # Errors
    ///
    /// What the database reports. A mail that cannot be sent is no error: it is written to the log.
    pub async fn mail_send_due(&self, mailer: &Mailer) -> Result<u64, Error> {
        if let Transport::None = mailer.transport {
            return Ok(0);
        }
        let across = || self.inner.db.across("mail is sent");
        let across = self.inner.mail.get_or_try_init(across).await?;
        let mut sent = 0;
        loop {
            let due: Option<Due> = across
                .optional(
                    "WITH due AS MATERIALIZED ( \
                       SELECT recipient, id FROM identity.outbox \
                       WHERE sent_at IS NULL AND due_at <= now() AND attempts < $1 \
                       ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) \
                     UPDATE identity.outbox o \
                     SET attempts = o.attempts + 1, due_at = now() + interval '1 minute' * (2 ^ o.attempts) \
                     FROM due WHERE o.recipient = due.recipient AND o.id = due.id \
                     RETURNING o.id, o.recipient, o.address, o.subject, o.body, o.attempts",
                    [TRIES.into()],
                )
                .await?;
            let Some(due) = due else { return Ok(sent) };
            match mailer.send(self.settings(), &due).await {
                Ok(()) => {
                    sent += 1;
                    across
                        .execute_sql(
                            "UPDATE identity.outbox SET sent_at = now(), body = '' \
                             WHERE recipient = $1 AND id = $2",
                            [due.recipient.into(), due.id.into()],
                        )
                        .await?;
                }
                Err(error) if due.attempts < TRIES => {
                    let cause = cause(&error);
                    tracing::warn!(mail = %due.id, tries = due.attempts, cause, "a mail was not sent, and will be tried again");
                }
                Err(error) => {
                    let cause = cause(&error);
                    tracing::error!(mail = %due.id, tries = due.attempts, cause, "a mail is given up");
                    across
                        .execute_sql(
                            "UPDATE identity.outbox SET body = '' WHERE recipient = $1 AND id = $2",
                            [due.recipient.into(), due.id.into()],
                        )
                        .await?;
                }
            }
        }
    }

    /// Sends mail as it comes, for ever: for a task of its own.
    pub async fn mail_run(&self, mailer: &Mailer, every: Duration) -> Infallible {
        loop {
            if let Err(error) = self.mail_send_due(mailer).await {
                tracing::warn!(%error, "mail waits: the outbox cannot be read");
            }
            tokio::time::sleep(every).await;
        }
    }
}

fn cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(address: &str, recipient: &str, subject: &str) -> Due {
        Due {
            id: Uuid::nil(),
            recipient: recipient.to_owned(),
            address: address.to_owned(),
            subject: subject.to_owned(),
            body: "Hello".to_owned(),
            attempts: 1,
        }
    }

    fn headers(due: &Due) -> Result<String, Error> {
        let settings = Settings::new("http://127.0.0.1", "Notes <notes@example.com>");
        let text = String::from_utf8(due.message(&settings)?.formatted()).unwrap();
        Ok(text.split("\r\n\r\n").next().unwrap().to_owned())
    }

    #[test]
    fn no_subject_adds_a_header() {
        for subject in [
            "Join us\r\nBcc: eve@example.com",
            "Join us\nBcc: eve@example.com",
            "Join us\rBcc: eve@example.com",
            "Join us\u{2028}Bcc: eve@example.com",
            "Beitreten f\u{fc}r alle\r\n\r\nBcc: eve@example.com",
        ] {
            let headers = headers(&due("ann@example.com", "ann@example.com", subject)).unwrap();
            let is_added = headers.lines().any(|line| line.starts_with("Bcc"));
            assert!(!is_added, "{headers}");
            assert_eq!(headers.matches("Subject:").count(), 1, "{headers}");
        }
    }

    #[test]
    fn no_address_adds_a_header_or_a_recipient() {
        for address in [
            "ann@example.com\r\nBcc: eve@example.com",
            "ann@example.com, eve@example.com",
            "ann@example.com>\r\nRCPT TO:<eve@example.com",
        ] {
            assert!(
                headers(&due(address, address, "Hello")).is_err(),
                "{address:?}"
            );
        }
        // The control.
        let headers = headers(&due("Ann@Example.com", "ann@example.com", "Hello")).unwrap();
        assert!(headers.contains("To: Ann@Example.com"), "{headers}");
    }

    #[test]
    fn a_look_alike_is_not_written_to() {
        let look_alike = due("\u{ff41}nn@example.com", "ann@example.com", "Hello");
        assert_eq!(look_alike.to(), "ann@example.com");
        let domain = due(
            "ann@b\u{fc}cher.example",
            "ann@xn--bcher-kva.example",
            "Hello",
        );
        assert_eq!(domain.to(), "ann@xn--bcher-kva.example");
    }
}
