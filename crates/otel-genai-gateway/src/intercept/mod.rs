//! Reading TLS of programs that let themselves be told a proxy, but no base URL.
//!
//! The program takes the gateway for its HTTPS proxy and trusts an authority that was made for this run. Its
//! connections to the hosts that are asked for end here, and what they carry is forwarded as if it had come the usual
//! way; all others are tunnelled as they are.

mod authority;
mod hosts;
mod proxy;
mod refusals;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::header::PROXY_AUTHORIZATION;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri};

use authority::Authority as CertificateAuthority;
use hosts::Hosts;
pub(crate) use proxy::{is_for_proxy, serve};
use refusals::Refusals;
pub use refusals::{Refusal, RefusalKind};

use crate::hosts::Mirrors;
use crate::route::{RouteError, Target};

/// What programs give as their name; the word behind it is what counts.
const USER: &str = "otel-genai";

/// What a gateway needs to read TLS of some hosts: an authority for their certificates, with a key that only this
/// process has, and a password for the programs that may use the gateway as their proxy.
///
/// Cheap to clone; all clones are the same authority.
#[derive(Clone)]
pub struct Intercept {
    inner: Arc<Inner>,
    mirrors: Mirrors,
}

struct Inner {
    hosts: Hosts,
    authority: CertificateAuthority,
    password: String,
    /// What the header of a program says that knows the password.
    credentials: String,
    refusals: Refusals,
    said_expired: AtomicBool,
}

/// Why nothing can be intercepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InterceptError {
    /// A pattern is no host's name, or one that no authority should vouch for, as `*.com`.
    #[error(
        "{0:?} is no host to intercept; name a domain such as openai.com, which means its subdomains too, or a pattern such as *.openai.azure.com"
    )]
    Host(String),
    /// There is nothing to intercept.
    #[error("no host is named that should be intercepted")]
    NoHosts,
    /// The system gives no random numbers, or the like.
    #[error("no certificate authority could be made: {0}")]
    Authority(String),
}

impl Intercept {
    /// An authority for hosts that fit one of the patterns (see [`otel_genai_wire::is_host`]). Its certificate, and all
    /// it signs, are limited to the domains these lie in and to 24 hours; then everything is tunnelled.
    ///
    /// # Errors
    /// When a pattern fits half the world, or there is none.
    pub fn new<P: Into<String>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, InterceptError> {
        let hosts = Hosts::new(patterns.into_iter().map(Into::into))?;
        let authority = CertificateAuthority::new(hosts.domains());
        let authority = authority.map_err(|error| InterceptError::Authority(error.to_string()))?;
        let mut random = [0; 24];
        let filled = rustls::crypto::ring::default_provider().secure_random.fill(&mut random);
        filled.map_err(|_| InterceptError::Authority("the system gives no random numbers".to_owned()))?;
        let password = BASE64_URL_SAFE_NO_PAD.encode(random);
        let credentials = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        let inner = Inner {
            hosts,
            authority,
            password,
            credentials,
            refusals: Refusals::default(),
            said_expired: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner), mirrors: Mirrors::default() })
    }

    /// Sends what is read of calls to `origin` (such as `https://api.openai.com`) to `upstream`, a mirror or another
    /// gateway. What is observed remains a call to `origin`.
    ///
    /// # Errors
    /// When either is no plain http(s) address.
    pub fn mirror(mut self, origin: &Uri, upstream: &Uri) -> Result<Self, RouteError> {
        self.mirrors.add(origin, upstream)?;
        Ok(self)
    }

    /// Where a request for the host goes.
    fn target(&self, scheme: &Scheme, authority: &Authority, path: &str) -> Option<Target> {
        let origin = Uri::builder().scheme(scheme.clone()).authority(authority.clone()).path_and_query("/");
        let origin = origin.build().ok()?;
        match self.mirrors.of(&origin) {
            Some(upstream) => upstream.target(path),
            None => Target::at(scheme, authority, path),
        }
    }

    /// The authority's certificate, as PEM text. It is no secret.
    #[must_use]
    pub fn authority_pem(&self) -> String {
        self.inner.authority.pem()
    }

    /// What a program's `HTTPS_PROXY` has to say, with the gateway at `gateway`. It holds a password: other users of the
    /// machine could otherwise go out through the gateway, and with its credentials through the company's proxy.
    #[must_use]
    pub fn proxy_url(&self, gateway: SocketAddr) -> String {
        format!("http://{USER}:{}@{gateway}", self.inner.password)
    }

    /// The hosts whose certificates were refused so far, in words or by several connections that broke. Further
    /// connections to them are tunnelled unread, so that a program which tries again gets through.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.inner.refusals.all()
    }

    /// Whether connections to this host are to be read.
    fn reads(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.inner.hosts.contain(&host) && !self.inner.refusals.contain(&host) && self.is_alive()
    }

    fn is_alive(&self) -> bool {
        let is_alive = self.inner.authority.is_alive();
        if !is_alive && !self.inner.said_expired.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "otel_genai_gateway",
                "intercepting ends: the certificate authority of this run has reached its age; run the program again"
            );
        }
        is_alive
    }

    /// Whether the request comes from a program that was told the password.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let said = headers.get(PROXY_AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, said)) = said.and_then(|said| said.split_once(' ')) else { return false };
        let (said, wanted) = (said.trim().as_bytes(), self.inner.credentials.as_bytes());
        // All of it is compared, whatever the first difference is.
        let differences = said.iter().zip(wanted).fold(0, |all, (one, other)| all | (one ^ other));
        scheme.eq_ignore_ascii_case("basic") && said.len() == wanted.len() && differences == 0
    }
}

impl fmt::Debug for Intercept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intercept").field("hosts", &self.inner.hosts).finish_non_exhaustive()
    }
}
