//! A certificate authority for one run: its key never leaves the memory, it lives for hours, and it can vouch for the
//! intercepted domains alone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// From the beginning to the end of a certificate's life; it starts in the past for clocks that are late.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
const BACKDATED: Duration = Duration::from_secs(5 * 60);
/// Nobody is given a certificate that ends while it is looked at.
const SPARE: Duration = Duration::from_secs(10 * 60);
/// As many hosts have their certificates kept; then all are made anew.
const KEPT: usize = 256;
/// Certificates say who made them, for whoever finds one.
const NAME: &str = "otel-genai run --intercept (this run only)";

/// Signs certificates for hosts.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    began: SystemTime,
    kept: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) enum CertificateError {
    Make(#[from] rcgen::Error),
    Use(#[from] rustls::Error),
}

impl Authority {
    pub(super) fn new(domains: &[String]) -> Result<Self, rcgen::Error> {
        let began = SystemTime::now();
        let mut params = params(NAME, began);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: domains.iter().cloned().map(GeneralSubtree::DnsName).collect(),
            // A kind of name that is not mentioned would be free.
            excluded_subtrees: [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
                .into_iter()
                .map(|all: IpAddr| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(all, 0)))
                .collect(),
        });
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, began, kept: Mutex::default() })
    }

    pub(super) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Whether its certificates are still believed for a while.
    pub(super) fn is_alive(&self) -> bool {
        let age = SystemTime::now().duration_since(self.began).unwrap_or_default();
        age + BACKDATED + SPARE < LIFETIME
    }

    /// How TLS is spoken in the name of `host`.
    pub(super) fn config(&self, host: &str) -> Result<Arc<ServerConfig>, CertificateError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = kept.get(host) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.make(host)?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(host.to_owned(), Arc::clone(&config));
        Ok(config)
    }

    fn make(&self, host: &str) -> Result<ServerConfig, CertificateError> {
        // Longer names do not fit into this field, which nobody reads any more.
        let name = if host.len() <= 64 { host } else { NAME };
        let mut params = params(name, self.began);
        params.subject_alt_names = CertificateParams::new([host.to_owned()])?.subject_alt_names;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // A key of its own, because serial numbers are made of it, and two alike are refused by some.
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let chain = vec![certificate.der().clone(), self.issuer.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn params(name: &str, began: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let start = began.checked_sub(BACKDATED).unwrap_or(began);
    params.not_before =
        rcgen::date_time_ymd(1970, 1, 1) + start.duration_since(UNIX_EPOCH).unwrap_or_default();
    params.not_after = params.not_before + LIFETIME;
    params
}

#[cfg(test)]
mod tests {
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{CertificateError, Error, RootCertStore};

    use super::*;

    fn authority() -> Authority {
        Authority::new(&["openai.com".to_owned(), "amazonaws.com".to_owned()]).unwrap()
    }

    /// Whether a client that trusts the authority believes a certificate it signed, at a time.
    fn believes(authority: &Authority, host: &str, at: SystemTime) -> Result<(), Error> {
        let mut params = params("anything", authority.began);
        params.subject_alt_names = CertificateParams::new([host.to_owned()]).unwrap().subject_alt_names;
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &authority.issuer).unwrap();
        check(authority, leaf.der(), host, at)
    }

    fn check(
        authority: &Authority,
        leaf: &CertificateDer<'_>,
        host: &str,
        at: SystemTime,
    ) -> Result<(), Error> {
        let mut roots = RootCertStore::empty();
        roots.add(authority.issuer.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(host).unwrap();
        let at = UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap());
        verifier.verify_server_cert(leaf, &[], &name, &[], at).map(|_| ())
    }

    #[test]
    fn it_vouches_for_its_domains_and_for_nobody_else() {
        let authority = authority();
        for host in ["openai.com", "api.openai.com", "bedrock-runtime.eu-west-1.amazonaws.com"] {
            believes(&authority, host, authority.began).unwrap();
        }
        for host in ["example.com", "notopenai.com", "openai.com.evil.example", "127.0.0.1", "::1"] {
            let refused = believes(&authority, host, authority.began).unwrap_err().to_string();
            assert!(refused.contains("NameConstraintViolation"), "{host}: {refused}");
        }
    }

    #[test]
    fn it_lives_for_a_day_at_most() {
        let authority = authority();
        let began = authority.began;
        assert!(authority.is_alive());
        believes(&authority, "openai.com", began - Duration::from_secs(60)).unwrap();
        believes(&authority, "openai.com", began + Duration::from_secs(23 * 3600)).unwrap();
        for at in [began - Duration::from_secs(3600), began + LIFETIME] {
            let refused = believes(&authority, "openai.com", at).unwrap_err();
            assert!(
                matches!(
                    refused,
                    Error::InvalidCertificate(
                        CertificateError::ExpiredContext { .. } | CertificateError::NotValidYetContext { .. }
                    )
                ),
                "{refused:?}"
            );
        }
        let old = Authority { began: began - LIFETIME + SPARE, ..authority };
        assert!(!old.is_alive());
    }

    #[test]
    fn certificates_are_kept_but_not_without_end() {
        let authority = authority();
        let first = authority.config("api.openai.com").unwrap();
        assert!(Arc::ptr_eq(&first, &authority.config("api.openai.com").unwrap()));
        for number in 0..KEPT + 5 {
            authority.config(&format!("h{number}.openai.com")).unwrap();
        }
        assert!(authority.kept.lock().unwrap().len() <= KEPT);
        let long = format!("{}.{}.openai.com", "a".repeat(60), "b".repeat(60));
        authority.config(&long).unwrap();
    }
}
