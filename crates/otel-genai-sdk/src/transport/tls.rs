//! Whom we trust and who we are.

use std::path::Path;
use std::sync::Arc;

use hyper_rustls::ConfigBuilderExt;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::config::Credentials;

/// Reads roots and client certificate. Takes some milliseconds: only done when the first https connection is made.
pub(crate) fn client_config(credentials: &Credentials) -> Result<ClientConfig, String> {
    let roots = match &credentials.roots {
        Some(path) => own_roots(path)?,
        None => native_roots()?,
    };
    match (&credentials.certificate, &credentials.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| format!("no private key in {}: {error}", key.display()))?;
            roots.with_client_auth_cert(chain, key).map_err(|error| {
                format!("the client certificate {} is not usable: {error}", certificate.display())
            })
        }
        _ => Ok(roots.with_no_client_auth()),
    }
}

/// For plain http, where nobody is asked for a certificate.
pub(crate) fn no_config() -> Result<ClientConfig, String> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

type Verified = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    // The provider is named, so that no other crate's choice of a process-wide one matters.
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))
}

/// The system's roots, or Mozilla's where the system has none (small containers).
fn native_roots() -> Result<Verified, String> {
    Ok(match builder()?.with_native_roots() {
        Ok(verified) => verified,
        Err(_) => builder()?.with_webpki_roots(),
    })
}

fn own_roots(path: &Path) -> Result<Verified, String> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(path)?);
    if added == 0 {
        return Err(format!("no usable certificate in {}", path.display()));
    }
    Ok(builder()?.with_root_certificates(roots))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| format!("no certificate in {}: {error}", path.display());
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if all.is_empty() { Err(format!("no certificate in {}", path.display())) } else { Ok(all) }
}
