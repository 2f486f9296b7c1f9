//! As whom `shell` and `each` go in: by which login and role, and with which settings a session is a tenant's.

use clap::Args;
use partywall_audit::{ContextForm, Entrance, EntranceError, Options, entrance};
use tokio_postgres::types::Type;

use crate::{
    args::{AppLogin, Common, Known},
    config::Config,
    database::{Login, Session},
    failure::Failure,
    interrupt::Interrupt,
};

/// How a tenant's scope is entered.
#[derive(Debug, Default, Args)]
pub(crate) struct Entering {
    #[command(flatten)]
    pub(crate) known: Known,

    #[command(flatten)]
    pub(crate) app: AppLogin,

    /// A setting that makes a session the tenant's, where it is not simply the tenant's id; `{tenant}` in it is replaced;
    /// may be repeated
    #[arg(long = "set", value_name = "SETTING=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, String)>,

    /// Go in even where policies do not hold for the role, and so see every tenant
    #[arg(long)]
    pub(crate) allow_bypass: bool,
}

/// What was found out about the way in.
pub(crate) struct Door {
    /// The login that sees the catalogues.
    pub(crate) admin: Session,
    pub(crate) entrance: Entrance,
    /// By which login sessions of tenants are opened.
    pub(crate) login: Login,
    /// The role that they become, where the login is not the application's own.
    pub(crate) role: Option<String>,
    set: Vec<(String, String)>,
    allow_bypass: bool,
}

impl Door {
    /// Finds out.
    pub(crate) async fn find(
        common: &Common,
        entering: Entering,
        interrupt: &Interrupt,
    ) -> Result<Self, Failure> {
        let config = Config::read(common)?;
        let options = config.options(common, &entering.known);
        let app = Login::app(&entering.app)?;
        // The application's login alone will do, where the catalogues can be read with it.
        let admin_login = match (Login::admin(common), &app) {
            (Ok(login), _) => login,
            (Err(Failure::Invalid { .. }), Some(app)) if !config_names_a_database(common) => {
                app.clone()
            }
            (Err(failure), _) => return Err(failure),
        };
        let mut admin = admin_login.connect(interrupt).await?;
        let entrance = entrance(&mut admin.client, &options).await?;
        let (login, role) = match app {
            Some(app) => (app, None),
            None => {
                let role = one_role(&entrance, &options)?;
                let is_own = role == admin_login.user();
                (admin_login, (!is_own).then_some(role))
            }
        };
        Ok(Self {
            admin,
            entrance,
            login,
            role,
            set: entering.set,
            allow_bypass: entering.allow_bypass,
        })
    }

    /// Whether the context is good for one transaction that begins within a minute.
    pub(crate) fn is_sealed(&self) -> bool {
        self.set.is_empty() && self.entrance.form == ContextForm::Sealed
    }

    /// Whether the context is Partywall's, which one function sets.
    pub(crate) fn is_partywall(&self) -> bool {
        self.set.is_empty()
            && matches!(
                self.entrance.form,
                ContextForm::Sealed | ContextForm::Partywall
            )
    }

    /// The settings of a tenant's session.
    pub(crate) async fn settings(&self, tenant: &str) -> Result<Vec<(String, String)>, Failure> {
        if tenant.contains('\0') {
            return Err(Failure::invalid(
                "a tenant's id cannot hold a zero byte",
                "",
            ));
        }
        if !self.set.is_empty() {
            return Ok(self
                .set
                .iter()
                .map(|(name, value)| (name.clone(), value.replace("{tenant}", tenant)))
                .collect());
        }
        self.entrance
            .settings(&self.admin.client, tenant)
            .await
            .map_err(refused)
    }

    /// The login of a tenant's session, with the settings that it begins with. For contexts that are not sealed.
    pub(crate) fn login_within(&self, settings: &[(String, String)]) -> Login {
        let role = self.role.iter().map(|role| ("role", role.as_str()));
        let settings = settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        self.login.beginning_with(role.chain(settings))
    }

    /// Refuses a tenant that is not there: a slip of the finger would read as an empty database.
    pub(crate) async fn must_have(&self, tenant: &str) -> Result<(), Failure> {
        if self.entrance.has(&self.admin.client, tenant).await == Some(false) {
            let some = self
                .entrance
                .tenants(&self.admin.client)
                .await
                .unwrap_or_default();
            let some: Vec<&str> = some.iter().take(3).map(String::as_str).collect();
            let mend = if some.is_empty() {
                "the table is empty, or this login does not see its rows".to_owned()
            } else {
                format!("give a tenant's key, such as {}", some.join(", "))
            };
            return Err(Failure::invalid(
                format!(
                    "there is no tenant `{tenant}` in {}",
                    self.entrance.root().unwrap_or_default()
                ),
                mend,
            ));
        }
        Ok(())
    }

    /// Whether a session is one that policies hold for, and has the settings that it shall have.
    pub(crate) async fn verify(
        &self,
        session: &Session,
        settings: &[(String, String)],
    ) -> Result<(), Failure> {
        let doing = "ask who the session is";
        let sql = "SELECT current_user::text, rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user";
        let rows = session
            .client
            .query_typed(sql, &[])
            .await
            .map_err(Failure::sql(doing))?;
        let Some(row) = rows.first() else {
            return Err(Failure::refused("the session's role is gone", ""));
        };
        let (user, bypasses): (String, bool) = row
            .try_get(0)
            .and_then(|user| Ok((user, row.try_get(1)?)))
            .map_err(Failure::sql(doing))?;
        if bypasses && !self.allow_bypass {
            return Err(Failure::refused(
                format!("policies do not hold for `{user}`, which would see every tenant"),
                "give the application's own login with --app-url, or its role with --app-role; --allow-bypass goes in nevertheless",
            ));
        }
        if !self.allow_bypass {
            self.must_be_walled(session, &user).await?;
        }
        for (name, value) in settings {
            let doing = "read the context back";
            let rows = session
                .client
                .query_typed(
                    "SELECT pg_catalog.current_setting($1, true)",
                    &[(name, Type::TEXT)],
                )
                .await
                .map_err(Failure::sql(doing))?;
            let is: Option<String> = match rows.first() {
                Some(row) => row.try_get(0).map_err(Failure::sql(doing))?,
                None => None,
            };
            if is.as_deref() != Some(value) {
                return Err(Failure::refused(
                    format!("the session did not take the setting `{name}`"),
                    "a pooler may drop start-up options: give the server's own address",
                ));
            }
        }
        Ok(())
    }

    /// Refuses where a tenant's session would be in tables that no policy holds for, as before the plan is carried out.
    async fn must_be_walled(&self, session: &Session, user: &str) -> Result<(), Failure> {
        let open = self.entrance.unwalled(&session.client).await?;
        let (named, more) = open.split_at(open.len().min(3));
        if named.is_empty() {
            return Ok(());
        }
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Err(Failure::refused(
            format!(
                "row-level security does not hold for `{user}` in {}{more}, where it would be in every tenant's rows",
                named.join(", ")
            ),
            "see `partywall check`, or `partywall plan` where there is none yet; --allow-bypass goes in nevertheless",
        ))
    }
}

/// Whether somebody tried to name a database, and got it wrong.
fn config_names_a_database(common: &Common) -> bool {
    common
        .database_url
        .as_deref()
        .is_some_and(|url| !url.trim().is_empty())
}

fn one_role(entrance: &Entrance, options: &Options) -> Result<String, Failure> {
    match (options.app_roles.as_slice(), entrance.app_roles.as_slice()) {
        ([one], _) | ([], [one]) => Ok(one.clone()),
        ([], []) => Err(Failure::refused(
            "it is not known which role the application runs as",
            "give its login with --app-url, or its name with --app-role",
        )),
        (many, _) if many.len() > 1 => Err(Failure::refused(
            format!("the application has several roles: {}", many.join(", ")),
            "choose one with --app-role",
        )),
        (_, many) => Err(Failure::refused(
            format!(
                "the application seems to have several roles: {}",
                many.join(", ")
            ),
            "choose one with --app-role",
        )),
    }
}

/// A reason, with what would help.
pub(crate) fn refused(error: EntranceError) -> Failure {
    let mend = match &error {
        EntranceError::NoRoot => {
            "list the tenants yourself: --tenants 'SELECT id FROM …', or --tenants-file FILE"
        }
        EntranceError::Unseen => {
            "give --database-url of a login that sees their table, or list them with --tenants-file"
        }
        EntranceError::NoContext => {
            "name the setting with --context, such as --context app.tenant_id"
        }
        EntranceError::Claims(_) => {
            "say it in full: --set 'request.jwt.claims={\"tenant_id\":\"{tenant}\"}'"
        }
        EntranceError::Sealed => {
            "give --database-url of the tables' owner or of a superuser, who may"
        }
        EntranceError::Audit(_) | _ => "",
    };
    if let EntranceError::Audit(error) = error {
        return Failure::Audit(error);
    }
    Failure::refused(error.to_string(), mend)
}

/// Reads `setting=value`.
pub(crate) fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write it as SETTING=VALUE, such as app.tenant_id=1")?;
    let is_name = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    if name.is_empty() || !is_name {
        return Err(format!("`{name}` is no name of a setting"));
    }
    if value.contains('\0') {
        return Err("a value cannot hold a zero byte".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_name_and_any_value() {
        assert_eq!(setting("a.b=c=d"), Ok(("a.b".into(), "c=d".into())));
        assert_eq!(setting("a.b="), Ok(("a.b".into(), String::new())));
        assert!(setting("a.b").is_err());
        assert!(setting("=x").is_err());
        assert!(setting("a b=x").is_err());
        assert!(setting("-c role=x").is_err());
    }
}
