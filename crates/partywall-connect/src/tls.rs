use std::{error::Error as _, fmt, io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// How the server proves who it is, where the connection string asks for TLS (`sslmode=require`, or
/// `prefer`, which is the default and gives way to a server without TLS).
///
/// The certificate and the host name are always verified: there is no setting that skips it.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Tls {
    /// By the certificates that the operating system trusts.
    #[default]
    System,
    /// By an own `rustls` configuration: private roots, client certificates.
    Custom(Arc<ClientConfig>),
}

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file with the trusted certificates could not be read.
    #[error("cannot read the certificates in `{path}`")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A certificate or the protocol setup was refused.
    #[error("cannot set up TLS")]
    Setup(#[from] rustls::Error),
}

impl Tls {
    /// Trusts the certificates in a PEM file, and no others.
    ///
    /// # Errors
    ///
    /// [`TlsError`] when the file cannot be read or holds something else.
    pub fn roots(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        let unreadable = |source| TlsError::Certificates {
            path: path.display().to_string(),
            source,
        };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
            roots.add(certificate.map_err(unreadable)?)?;
        }
        Ok(Self::Custom(Arc::new(client(roots)?)))
    }

    pub(super) fn client_config(&self) -> Result<ClientConfig, TlsError> {
        match self {
            Self::Custom(config) => Ok(config.as_ref().clone()),
            Self::System => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                client(roots)
            }
        }
    }
}

/// Names the provider instead of relying on a process-wide default, which another crate may set.
fn client(roots: RootCertStore) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Whether a connection failed because TLS was asked for and is not to be had, which trying again does
/// not change. A connection that breaks while TLS is being set up is not meant.
#[must_use]
pub fn is_refusal(error: &tokio_postgres::Error) -> bool {
    let Some(source) = error.source() else {
        return false;
    };
    match source.downcast_ref::<io::Error>() {
        Some(broken) => broken
            .get_ref()
            .is_some_and(|inner| inner.is::<rustls::Error>()),
        // A server without TLS: the driver tells it by the text alone.
        None => error.to_string().starts_with("error performing TLS"),
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Custom(_) => "Custom",
        })
    }
}
