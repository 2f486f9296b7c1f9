use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

use super::Error;

/// The least length in characters, for a password that stands alone (NIST SP 800-63B, section 3.1.1.2,
/// asks for 8 beside a second factor and for more without; it forbids rules of composition).
const LEAST: usize = 10;

/// The greatest length in characters. Without one, hashing is a way to keep the service busy.
const MOST: usize = 1_024;

/// What is checked for people who do not exist, so that they take as long as those who do. Nothing
/// is known that hashes to it, and whatever did would be refused all the same.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$cGFydHl3YWxsLW5vYm9keQ\
    $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password to be, of a length that is allowed, in normal form (NFKC, UAX #15): it is the same
/// whatever keyboard it is typed on.
#[derive(Clone)]
pub(super) struct NewPassword(String);

impl NewPassword {
    /// # Errors
    ///
    /// [`Error::Invalid`], naming the field.
    pub(super) fn parse(field: &'static str, typed: &str) -> Result<Self, Error> {
        let normal = normal_form(typed).filter(|text| text.chars().count() >= LEAST);
        normal.map(Self).ok_or_else(|| {
            let message = format!("a password has from {LEAST} to {MOST} characters");
            Error::invalid(field, message)
        })
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

fn normal_form(typed: &str) -> Option<String> {
    let is_short = typed.chars().nth(MOST).is_none();
    is_short.then(|| typed.nfkc().collect())
}

/// Hashes and checks passwords with Argon2id at OWASP's floor (19 MiB, 2 passes), on threads where
/// that may take its time, and no more at once than the machine bears.
#[derive(Debug)]
pub(super) struct Passwords {
    at_once: Arc<Semaphore>,
}

/// What came of a check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// The password is another, or there is nobody.
    Wrong,
    /// The password is right. If the stored hash is weaker than today's, this is today's.
    Right { renewed: Option<String> },
}

impl Passwords {
    pub(super) fn new(at_once: usize) -> Self {
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            at_once: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// The hash to be stored, in PHC form.
    pub(super) async fn hash(&self, password: NewPassword) -> Result<String, Error> {
        self.aside(move || hash(password.0.as_bytes())).await
    }

    /// Checks a password. Without a stored hash it takes the same time and is wrong.
    pub(super) async fn check(&self, typed: &str, stored: Option<&str>) -> Result<Checked, Error> {
        // What is too long to be anybody's is nobody's.
        let normal = normal_form(typed);
        let is_somebodys = stored.is_some() && normal.is_some();
        let stored = stored
            .filter(|_| is_somebodys)
            .unwrap_or(NOBODYS)
            .to_owned();
        let typed = normal.unwrap_or_default();
        self.aside(move || {
            match Argon2::default().verify_password(typed.as_bytes(), &*stored) {
                Ok(()) if is_somebodys => {}
                Ok(()) | Err(password_hash::Error::PasswordInvalid) => return Ok(Checked::Wrong),
                Err(error) => return Err(error),
            }
            let renewed = is_weak(&stored)
                .then(|| hash(typed.as_bytes()))
                .transpose()?;
            Ok(Checked::Right { renewed })
        })
        .await
    }

    /// Runs on a thread that may block. The permit goes along: a caller that goes away does not make
    /// room before the work is done.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> password_hash::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let internal = password_hash::Error::Internal;
        let permit = self.at_once.clone().acquire_owned().await;
        let permit = permit.map_err(|_| internal)?;
        let worked = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        Ok(worked.await.map_err(|_| internal)??)
    }
}

fn hash(password: &[u8]) -> password_hash::Result<String> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

/// Whether a hash was made in another way than today's, or with less effort.
fn is_weak(stored: &str) -> bool {
    let Ok(stored) = PasswordHash::new(stored) else {
        return true;
    };
    let today = Params::default();
    let is_today = |params: Params| {
        params.m_cost() >= today.m_cost()
            && params.t_cost() >= today.t_cost()
            && stored.algorithm == Algorithm::default().ident()
            && stored.version == Some(Version::default().into())
    };
    !Params::try_from(&stored).is_ok_and(is_today)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(typed: &str) -> Option<String> {
        NewPassword::parse("password", typed).ok().map(|new| new.0)
    }

    #[test]
    fn the_hash_of_nobody_is_one_of_today() {
        assert!(!is_weak(NOBODYS));
        let params = Params::try_from(&PasswordHash::new(NOBODYS).unwrap()).unwrap();
        let today = Params::default();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (today.m_cost(), today.t_cost(), today.p_cost())
        );
    }

    /// OWASP, Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes and 1 lane at least.
    #[test]
    fn i1_the_parameters_are_at_the_floor_or_above() {
        let today = Params::default();
        assert_eq!(Algorithm::default(), Algorithm::Argon2id);
        assert!(today.m_cost() >= 19 * 1_024 && today.t_cost() >= 2 && today.p_cost() >= 1);
    }

    #[test]
    fn length_is_counted_in_characters() {
        for (typed, is_good) in [
            ("123456789", false),
            ("1234567890", true),
            (&"é".repeat(9), false),
            (&"é".repeat(10), true),
            (&"x".repeat(1_024), true),
            (&"x".repeat(1_025), false),
        ] {
            assert_eq!(parse(typed).is_some(), is_good, "{}", typed.len());
        }
        assert_eq!(parse("ｐassword e\u{301}"), parse("password é"));
    }

    #[test]
    fn weaker_hashes_are_told_apart() {
        let today = hash(b"a password").unwrap();
        assert!(!is_weak(&today));
        for other in [
            today.replace("argon2id", "argon2i"),
            today.replace("m=19456", "m=8192"),
            today.replace("t=2", "t=1"),
            today.replace("v=19", "v=16"),
            "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
        ] {
            assert!(is_weak(&other), "{other}");
        }
        assert!(!is_weak(&today.replace("m=19456", "m=65536")));
    }

    #[tokio::test]
    async fn a_password_is_checked_whatever_its_unicode_form() {
        let passwords = Passwords::new(2);
        let new = NewPassword::parse("password", "zoe\u{308} and friends").unwrap();
        let stored = passwords.hash(new).await.unwrap();
        let check = async |typed: &str| passwords.check(typed, Some(&stored)).await.unwrap();
        let right = Checked::Right { renewed: None };
        assert_eq!(check("zo\u{eb} and friends").await, right);
        assert_eq!(check("Zo\u{eb} and friends").await, Checked::Wrong);
        assert_eq!(check(&"x".repeat(2_000)).await, Checked::Wrong);
        assert_eq!(passwords.check("x", None).await.unwrap(), Checked::Wrong);
        // A hash that cannot be read is a failure and no wrong password.
        assert!(passwords.check("x", Some("nonsense")).await.is_err());
    }
}
