//! TLS towards providers: made when the first `https` call needs it, because reading the system's roots takes time.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

/// What the far end may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocols {
    /// HTTP/2 where the provider offers it, else HTTP/1.1.
    Newest,
    /// HTTP/1.1, the only one whose connections can become something else.
    Upgradable,
}

/// Why no TLS connection can be made at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the root certificates could not be read: {0}")]
    Task(#[from] tokio::task::JoinError),
    #[error("TLS is not usable: {0}")]
    Config(#[from] rustls::Error),
}

#[derive(Debug)]
pub(crate) struct Tls {
    extra_roots: Vec<CertificateDer<'static>>,
    newest: OnceCell<Arc<ClientConfig>>,
    upgradable: OnceCell<Arc<ClientConfig>>,
}

/// The certificates in a PEM text, or `None` when there are none or one is broken.
pub(crate) fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

impl Tls {
    pub(crate) fn new(extra_roots: Vec<CertificateDer<'static>>) -> Self {
        Self { extra_roots, newest: OnceCell::new(), upgradable: OnceCell::new() }
    }

    pub(crate) async fn config(&self, protocols: Protocols) -> Result<Arc<ClientConfig>, TlsError> {
        let cell = match protocols {
            Protocols::Newest => &self.newest,
            Protocols::Upgradable => &self.upgradable,
        };
        let config = cell.get_or_try_init(async || {
            let extra = self.extra_roots.clone();
            let config = tokio::task::spawn_blocking(move || config(extra, protocols)).await??;
            Ok::<_, TlsError>(Arc::new(config))
        });
        config.await.cloned()
    }
}

fn config(extra: Vec<CertificateDer<'static>>, protocols: Protocols) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(extra))
        .with_no_client_auth();
    config.alpn_protocols = match protocols {
        Protocols::Newest => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Protocols::Upgradable => vec![b"http/1.1".to_vec()],
    };
    Ok(config)
}

/// The system's roots (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`), Mozilla's where there are none, and `extra`.
fn roots(extra: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    if let Some(error) = native.errors.first() {
        tracing::warn!(target: "otel_genai_gateway", "some root certificates could not be read: {error}");
    }
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots.add_parsable_certificates(extra);
    roots
}
