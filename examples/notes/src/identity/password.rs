use argon2::{
    Argon2,
    password_hash::{Error, PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

/// Checks passwords, a few at a time: each takes 19 MiB and some tens of milliseconds on purpose.
#[derive(Debug)]
pub(crate) struct Passwords {
    /// A hash of nobody's password, so that an unknown address takes as long as a known one.
    nobody: String,
    turns: Semaphore,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self {
            nobody: hash("nobody")?,
            turns: Semaphore::new(4),
        })
    }

    /// Whether this is the password of the hash. There is none for an unknown address.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let Ok(_turn) = self.turns.acquire().await else {
            return false;
        };
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.nobody).to_owned();
        let password = password.to_owned();
        let matches = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&hash)
                .map(|hash| Argon2::default().verify_password(password.as_bytes(), &hash))
                .is_ok_and(|verified| verified.is_ok())
        });
        matches.await.unwrap_or(false) && known
    }
}

pub(crate) fn hash(password: &str) -> Result<String, Error> {
    Ok(Argon2::default()
        .hash_password(password.as_bytes())?
        .to_string())
}
