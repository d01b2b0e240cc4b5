//! Providers that are reached by their names, without a route: all of them, or the known ones for who knows a token.

use std::fmt;
use std::sync::Arc;

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};

use crate::route::{Route, RouteError, Target, Upstream};

/// Providers that a program reaches by name: `/TOKEN/h/HOST[:PORT]/path` goes to `https://HOST[:PORT]/path`, and
/// `/TOKEN/h/http:HOST[:PORT]/path` to `http://HOST[:PORT]/path`, where the host is an allowed one.
///
/// For hooks inside a program, which change nothing of a request but where it goes first. Whoever does not know the
/// token finds nothing there, so that other users of the machine cannot send through the gateway.
#[derive(Clone)]
pub struct KnownHosts {
    /// `/TOKEN/h/`
    prefix: String,
    allowed: Arc<dyn Fn(&Uri) -> bool + Send + Sync>,
    mirrors: Mirrors,
}

/// What a host is called, and where its calls go instead.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mirrors(Vec<(Uri, Upstream)>);

impl Mirrors {
    /// Of two for one host the first counts.
    pub(crate) fn add(&mut self, origin: &Uri, upstream: &Uri) -> Result<(), RouteError> {
        let route = Route::new("/mirror", upstream)?.observed_as(origin)?;
        self.0.push((origin.clone(), route.into_upstream()));
        Ok(())
    }

    pub(crate) fn of(&self, origin: &Uri) -> Option<&Upstream> {
        self.0.iter().find(|(name, _)| same_origin(name, origin)).map(|(_, upstream)| upstream)
    }
}

impl KnownHosts {
    /// Those origins (scheme, host and port, without a path) that `allowed` says yes to.
    ///
    /// # Errors
    /// When the token is not one segment of a path: letters, digits, `-` and `_`, or is `h`.
    pub fn new(
        token: &str,
        allowed: impl Fn(&Uri) -> bool + Send + Sync + 'static,
    ) -> Result<Self, RouteError> {
        let plain = token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if token.is_empty() || token == "h" || !plain {
            // Not the token itself: errors are shown.
            return Err(RouteError::Prefix("the token".to_owned()));
        }
        Ok(Self { prefix: format!("/{token}/h/"), allowed: Arc::new(allowed), mirrors: Mirrors::default() })
    }

    /// Sends calls for `origin` (such as `https://api.openai.com`) to `upstream`, a mirror or another gateway. What is
    /// observed remains a call to `origin`.
    ///
    /// # Errors
    /// When either is no plain http(s) address.
    pub fn mirror(mut self, origin: &Uri, upstream: &Uri) -> Result<Self, RouteError> {
        self.mirrors.add(origin, upstream)?;
        Ok(self)
    }

    /// `None`: it is not asked for in this way.
    pub(crate) fn resolve(&self, asked: &str) -> Option<Target> {
        let (origin, path) = split(asked.strip_prefix(self.prefix.as_str())?)?;
        if let Some(upstream) = self.mirrors.of(&origin) {
            return upstream.target(&path);
        }
        (self.allowed)(&origin).then(|| Upstream::of(&origin)?.target(&path)).flatten()
    }
}

impl fmt::Debug for KnownHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The prefix is the secret.
        f.debug_struct("KnownHosts").field("mirrors", &self.mirrors).finish_non_exhaustive()
    }
}

/// `host[:port]/path` without a token: any host.
pub(crate) fn resolve_any(rest: &str) -> Option<Target> {
    let (origin, path) = split(rest)?;
    Upstream::of(&origin)?.target(&path)
}

/// `host[:port]/path`, or with the scheme named: `http:host[:port]/path`, `https:host[:port]/path`.
fn split(rest: &str) -> Option<(Uri, String)> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (name, path) = rest.split_at_checked(end)?;
    let (scheme, name) = match name.split_once(':') {
        Some(("http", name)) => (Scheme::HTTP, name),
        Some(("https", name)) => (Scheme::HTTPS, name),
        _ => (Scheme::HTTPS, name),
    };
    let authority = Authority::try_from(name).ok()?;
    if authority.host().is_empty() || name.contains('@') {
        return None;
    }
    let origin = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build().ok()?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some((origin, path))
}

/// Names are compared without case, ports with the scheme's own where there is none.
fn same_origin(one: &Uri, other: &Uri) -> bool {
    let host = |uri: &Uri| uri.host().unwrap_or_default().to_ascii_lowercase();
    one.scheme() == other.scheme() && host(one) == host(other) && port(one) == port(other)
}

fn port(uri: &Uri) -> Option<u16> {
    uri.port_u16().or(if uri.scheme() == Some(&Scheme::HTTP) { Some(80) } else { Some(443) })
}

/// The `Host` that clients send: the scheme's own port is not written.
pub(crate) fn host_header(scheme: &Scheme, authority: &Authority) -> Option<HeaderValue> {
    let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    let shown = if authority.port_u16() == Some(default) { authority.host() } else { authority.as_str() };
    HeaderValue::from_str(shown).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> KnownHosts {
        KnownHosts::new("T0k-en", |origin| {
            origin.scheme_str() == Some("https") && origin.host() == Some("api.example.com")
        })
        .unwrap()
        .mirror(&Uri::from_static("https://mirrored.example"), &Uri::from_static("http://127.0.0.1:9/base/"))
        .unwrap()
    }

    fn resolve(asked: &str) -> Option<String> {
        let target = known().resolve(asked)?;
        let host = target.host.to_str().unwrap();
        Some(format!("{} {host} {}", target.uri, target.observed()))
    }

    #[test]
    fn known_hosts_are_reached_and_no_others() {
        assert_eq!(
            resolve("/T0k-en/h/api.example.com/v1//a%2Fb?x=1").as_deref(),
            Some(
                "https://api.example.com/v1//a%2Fb?x=1 api.example.com https://api.example.com/v1//a%2Fb?x=1"
            )
        );
        for refused in [
            "/T0k-en/h/other.example/v1",
            "/T0k-en/h/http:api.example.com/v1",
            "/T0k-en/h/user:pw@api.example.com/v1",
            "/wrong/h/api.example.com/v1",
            "/h/api.example.com/v1",
            "/T0k-en/h/",
            "/T0k-en",
        ] {
            assert_eq!(resolve(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_mirror_answers_and_the_provider_is_observed() {
        let seen = "http://127.0.0.1:9/base/v1/x?y 127.0.0.1:9 https://mirrored.example/v1/x?y";
        assert_eq!(resolve("/T0k-en/h/mirrored.example/v1/x?y").as_deref(), Some(seen));
        assert_eq!(resolve("/T0k-en/h/Mirrored.Example:443/v1/x?y").as_deref(), Some(seen));
        assert_eq!(resolve("/T0k-en/h/mirrored.example:8443/v1"), None);
    }

    #[test]
    fn a_token_is_a_segment_and_never_shown() {
        for token in ["", "h", "a/b", "a b", "a?b"] {
            assert!(KnownHosts::new(token, |_| true).is_err(), "{token:?}");
        }
        assert!(!format!("{:?}", known()).contains("T0k-en"));
    }
}
