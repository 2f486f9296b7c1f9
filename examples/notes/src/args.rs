use std::path::PathBuf;

use clap::ArgGroup;
use partywall::identity::{Error, Mailer};

/// Notes for several tenants, kept apart by PostgreSQL.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "notes", version)]
#[command(group(ArgGroup::new("file").args(["import", "export_tenant", "import_tenant"])))]
pub struct Args {
    /// Throws the example's own data away and starts anew.
    #[arg(long)]
    pub reset: bool,
    /// Adds a page where a visitor types any SQL.
    #[arg(long)]
    pub playground: bool,
    /// Loads notes from a CSV file, prints how many, and exits.
    #[arg(long, value_name = "FILE", requires = "tenant")]
    pub import: Option<PathBuf>,
    /// Writes all that a tenant has to a file, and exits.
    #[arg(long, value_name = "FILE", requires = "tenant")]
    pub export_tenant: Option<PathBuf>,
    /// Reads such a file as a new tenant, and exits.
    #[arg(long, value_name = "FILE", requires = "tenant")]
    pub import_tenant: Option<PathBuf>,
    /// The e-mail address of a user who shall own the new tenant, beside whom the file names.
    #[arg(long, value_name = "EMAIL", requires = "import_tenant")]
    pub owner: Option<String>,
    /// The tenant, by its slug: the one that the notes are loaded into or that is written, or the new
    /// one.
    #[arg(long, value_name = "SLUG", requires = "file")]
    pub tenant: Option<String>,
    /// Removes the tenants that were deleted and whose time of grace is over, and exits. The running
    /// application does so every hour.
    #[arg(long, conflicts_with = "file")]
    pub purge: bool,
    /// The file's encoding, by the name that the web knows it by, as in `windows-1252`.
    #[arg(
        long,
        value_name = "NAME",
        requires = "import",
        default_value = "utf-8"
    )]
    pub encoding: String,
    /// The heading of the column with the titles.
    #[arg(
        long,
        value_name = "NAME",
        requires = "import",
        default_value = "title"
    )]
    pub title_column: String,
    /// The heading of the column with the texts.
    #[arg(long, value_name = "NAME", requires = "import", default_value = "body")]
    pub body_column: String,
    /// The port on 127.0.0.1.
    #[arg(long, env = "PORT", default_value_t = 8080)]
    pub port: u16,
    /// Where the data and the secrets are kept.
    #[arg(
        long = "data",
        value_name = "FOLDER",
        env = "NOTES_DATA",
        default_value = ".partywall/notes"
    )]
    pub data: PathBuf,
    /// A superuser's URL of a database that the example may take over, instead of the embedded server:
    /// it changes the database's owner and rights, and `--reset` drops all that the owner has there.
    #[arg(
        long,
        value_name = "URL",
        env = "NOTES_SUPERUSER_URL",
        hide_env_values = true
    )]
    pub superuser_url: Option<String>,
    /// The URL of a server that takes mail away. Without one mail goes into a folder beside the data,
    /// and everybody can read it at /dev/mail.
    #[arg(long, value_name = "URL", env = "SMTP_URL", hide_env_values = true)]
    pub smtp: Option<String>,
}

impl Args {
    /// How mail is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Mail`] when the URL cannot be read, or the folder cannot be made or emptied.
    pub fn mailer(&self) -> Result<Mailer, Error> {
        let folder = self.data.join("mail");
        if self.reset && folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| Error::Mail(error.into()))?;
        }
        match &self.smtp {
            Some(url) => Mailer::smtp(url),
            None => Mailer::folder(folder),
        }
    }

    /// Where the database is.
    #[must_use]
    pub fn place(&self) -> crate::Place {
        crate::Place {
            folder: self.data.clone(),
            url: self.superuser_url.clone(),
        }
    }
}
