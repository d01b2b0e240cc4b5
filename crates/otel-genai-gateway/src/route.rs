//! Which provider a request is for: prefixes, the `/h/host` form, and the exact bytes that travel on.

use std::fmt::Write as _;

use http::header::HeaderValue;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Uri, uri};
use opentelemetry::Context;

use crate::hosts::{KnownHosts, host_header, resolve_any};

/// A path prefix of the gateway, and the provider that answers behind it.
///
/// `/openai/v1/models?limit=2` on a route `/openai` → `https://api.openai.com` is forwarded to
/// `https://api.openai.com/v1/models?limit=2`. Everything behind the prefix travels byte for byte: percent-encoding,
/// double slashes and trailing slashes are the provider's business. A path in the upstream stays in front of it; one
/// slash at the upstream's end is dropped.
#[derive(Debug, Clone)]
pub struct Route {
    prefix: String,
    upstream: Upstream,
    aliases: Vec<(String, String)>,
}

/// Why a route cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// The prefix is neither empty nor of the form `/name`.
    #[error(
        "the route prefix {0:?} must start with a slash, must not end with one, and must not be /h or below it"
    )]
    Prefix(String),
    /// The upstream is not an absolute `http://` or `https://` address with a host.
    #[error(
        "the upstream of route {prefix:?} must be an http:// or https:// address with a host, such as https://api.openai.com"
    )]
    Upstream {
        /// The route's prefix.
        prefix: String,
    },
    /// The upstream carries a user name or a query, which no request could be given unchanged.
    #[error(
        "the upstream of route {prefix:?} must not contain a user name, a password or a query; clients send credentials in headers"
    )]
    Decorated {
        /// The route's prefix.
        prefix: String,
    },
}

impl Route {
    /// A route from `prefix` (such as `/openai`; empty for a default route) to the provider's base address.
    ///
    /// # Errors
    /// When the prefix is not of the form `/name`, or the upstream is not a plain http(s) address.
    pub fn new(prefix: impl Into<String>, upstream: &Uri) -> Result<Self, RouteError> {
        let prefix = prefix.into();
        let reserved = prefix == "/h" || prefix.starts_with("/h/");
        if !prefix.is_empty() && (!prefix.starts_with('/') || prefix.ends_with('/') || reserved) {
            return Err(RouteError::Prefix(prefix));
        }
        match Upstream::of(upstream) {
            _ if is_decorated(upstream) => Err(RouteError::Decorated { prefix }),
            Some(upstream) => Ok(Self { prefix, upstream, aliases: Vec::new() }),
            None => Err(RouteError::Upstream { prefix }),
        }
    }

    /// The upstream is a mirror of `origin` (such as `https://api.openai.com`), or a gateway in front of it: what is
    /// observed are calls to `origin`, with the path behind the prefix.
    ///
    /// # Errors
    /// When the origin is not a plain http(s) address.
    pub fn observed_as(mut self, origin: &Uri) -> Result<Self, RouteError> {
        match Upstream::of(origin) {
            _ if is_decorated(origin) => return Err(RouteError::Decorated { prefix: self.prefix }),
            Some(origin) => self.upstream.observed = Some(Box::new(origin)),
            None => return Err(RouteError::Upstream { prefix: self.prefix }),
        }
        Ok(self)
    }

    /// Sends requests whose remaining path is `from`, or below it, to `to` instead.
    ///
    /// Two SDKs of one provider may disagree on whether the base address contains the version: with
    /// `alias("/messages", "/v1/messages")` both reach the same place.
    #[must_use]
    pub fn alias(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.aliases.push((from.into(), to.into()));
        self
    }

    /// The prefix, empty for a default route.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn into_upstream(self) -> Upstream {
        self.upstream
    }

    /// The provider's base address as text, for messages to people.
    #[must_use]
    pub fn upstream(&self) -> String {
        format!("{}://{}{}", self.upstream.scheme, self.upstream.authority, self.upstream.base)
    }
}

/// Whether there is more in an address than where it leads.
fn is_decorated(uri: &Uri) -> bool {
    uri.authority().is_some_and(|authority| authority.as_str().contains('@')) || uri.query().is_some()
}

/// One origin, with what every request to it needs.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    scheme: Scheme,
    authority: Authority,
    base: String,
    host: HeaderValue,
    /// Whom it stands for.
    observed: Option<Box<Upstream>>,
}

impl Upstream {
    /// `None`: no http(s) address with a host.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme()?, uri.authority()?);
        if authority.host().is_empty() || (*scheme != Scheme::HTTP && *scheme != Scheme::HTTPS) {
            return None;
        }
        let base = uri.path().strip_suffix('/').unwrap_or(uri.path()).to_owned();
        let host = host_header(scheme, authority)?;
        Some(Self { scheme: scheme.clone(), authority: authority.clone(), base, host, observed: None })
    }

    /// Where a request goes that asks for `path`, with its query; it begins with a slash, or is empty, or is a query.
    pub(crate) fn target(&self, path: &str) -> Option<Target> {
        let observed = match &self.observed {
            Some(origin) => Some(origin.uri(path)?),
            None => None,
        };
        Some(Target { uri: self.uri(path)?, host: self.host.clone(), observed, within: None })
    }

    fn uri(&self, path: &str) -> Option<Uri> {
        let mut whole = String::with_capacity(self.base.len() + path.len() + 1);
        whole.push_str(&self.base);
        if whole.is_empty() && !path.starts_with('/') {
            whole.push('/');
        }
        whole.push_str(path);
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
        Uri::from_parts(parts).ok()
    }
}

/// Where one request goes.
#[derive(Debug)]
pub(crate) struct Target {
    /// The absolute address at the provider.
    pub(crate) uri: Uri,
    /// The provider's `Host`.
    pub(crate) host: HeaderValue,
    observed: Option<Uri>,
    /// Where in this process the request comes from, where that is known.
    pub(crate) within: Option<Context>,
}

impl Target {
    /// The address as telemetry tells it.
    pub(crate) fn observed(&self) -> &Uri {
        self.observed.as_ref().unwrap_or(&self.uri)
    }

    /// The host itself, as a program would address it that knows no gateway.
    pub(crate) fn at(scheme: &Scheme, authority: &Authority, path_and_query: &str) -> Option<Self> {
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return None;
        }
        let is_default = match authority.port_u16() {
            Some(80) => *scheme == Scheme::HTTP,
            Some(443) => *scheme == Scheme::HTTPS,
            _ => false,
        };
        let authority = if is_default { authority.host().parse().ok()? } else { authority.clone() };
        let origin =
            Uri::builder().scheme(scheme.clone()).authority(authority).path_and_query("/").build().ok()?;
        Upstream::of(&origin)?.target(path_and_query)
    }
}

/// All routes of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Longest prefix first.
    routes: Vec<Route>,
    hosts: bool,
    known: Option<KnownHosts>,
}

impl Routes {
    pub(crate) fn new(mut routes: Vec<Route>, hosts: bool, known: Option<KnownHosts>) -> Self {
        // A stable sort, reversed first: of two equal prefixes the later one wins.
        routes.reverse();
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix.len()));
        Self { routes, hosts, known }
    }

    /// For a path with its query.
    pub(crate) fn resolve(&self, asked: &str) -> Option<Target> {
        if self.hosts
            && let Some(rest) = asked.strip_prefix("/h/")
        {
            return resolve_any(rest);
        }
        if let Some(target) = self.known.as_ref().and_then(|known| known.resolve(asked)) {
            return Some(target);
        }
        let (route, rest) = self.routes.iter().find_map(|route| {
            let rest = asked.strip_prefix(route.prefix.as_str())?;
            ends_segment(rest).then_some((route, rest))
        })?;
        let alias = route.aliases.iter().find_map(|(from, to)| {
            let below = rest.strip_prefix(from.as_str())?;
            ends_segment(below).then_some((to.as_str(), below))
        });
        match alias {
            Some((to, below)) => route.upstream.target(&format!("{to}{below}")),
            None => route.upstream.target(rest),
        }
    }

    /// The routes as a sentence for whoever asked for one that does not exist.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for route in self.routes.iter().rev() {
            let _ = write!(text, "{}/ -> {}, ", route.prefix, route.upstream());
        }
        if self.hosts {
            text.push_str("/h/HOST[:PORT]/ -> https://HOST, /h/http:HOST[:PORT]/ -> http://HOST, ");
        }
        if text.is_empty() {
            return "none".to_owned();
        }
        text.truncate(text.len() - 2);
        text
    }
}

/// `/openai` is the prefix of `/openai/x` and `/openai?x`, not of `/openai-eu`.
fn ends_segment(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(prefix: &str, upstream: &str) -> Route {
        Route::new(prefix, &upstream.parse().unwrap()).unwrap()
    }

    fn resolve(routes: &Routes, path: &str) -> Option<String> {
        let target = routes.resolve(path)?;
        Some(format!("{} {}", target.uri, target.host.to_str().unwrap()))
    }

    #[test]
    fn paths_and_queries_travel_byte_for_byte() {
        let routes = Routes::new(vec![route("/openai", "https://api.openai.com/")], false, None);
        for rest in [
            "/v1/models",
            "/v1//a%2Fb/%7e/",
            "/",
            "/x?",
            "/x?a=b&a=%20+&c[]=1&u=http://h/?y",
            "/a/./../b",
            "/{id}/\"'?{}",
        ] {
            let wanted = format!("https://api.openai.com{rest} api.openai.com");
            assert_eq!(resolve(&routes, &format!("/openai{rest}")), Some(wanted));
        }
        assert_eq!(resolve(&routes, "/openai").as_deref(), Some("https://api.openai.com/ api.openai.com"));
        assert_eq!(
            resolve(&routes, "/openai?a=b").as_deref(),
            Some("https://api.openai.com/?a=b api.openai.com")
        );
        assert_eq!(resolve(&routes, "/openai-eu/v1"), None);
        assert_eq!(resolve(&routes, "/"), None);
    }

    #[test]
    fn the_longest_prefix_wins_and_a_base_path_is_kept() {
        let routes = Routes::new(
            vec![
                route("", "http://127.0.0.1:9/all/"),
                route("/a", "http://short:8080/base"),
                route("/a/b", "https://long:443/x"),
            ],
            false,
            None,
        );
        assert_eq!(resolve(&routes, "/a/b/c").as_deref(), Some("https://long:443/x/c long"));
        assert_eq!(resolve(&routes, "/a/bc").as_deref(), Some("http://short:8080/base/bc short:8080"));
        assert_eq!(resolve(&routes, "/a").as_deref(), Some("http://short:8080/base short:8080"));
        assert_eq!(resolve(&routes, "/z?q").as_deref(), Some("http://127.0.0.1:9/all/z?q 127.0.0.1:9"));
    }

    #[test]
    fn an_alias_moves_whole_segments_only() {
        let routes = Routes::new(
            vec![route("/anthropic", "https://api.anthropic.com").alias("/messages", "/v1/messages")],
            false,
            None,
        );
        for (asked, reached) in [
            ("/messages", "/v1/messages"),
            ("/messages?beta=true", "/v1/messages?beta=true"),
            ("/messages/batches", "/v1/messages/batches"),
            ("/v1/messages", "/v1/messages"),
            ("/messagesX", "/messagesX"),
        ] {
            let wanted = format!("https://api.anthropic.com{reached} api.anthropic.com");
            assert_eq!(resolve(&routes, &format!("/anthropic{asked}")), Some(wanted));
        }
    }

    #[test]
    fn hosts_are_reached_by_name_when_allowed() {
        let routes = Routes::new(Vec::new(), true, None);
        for (asked, reached) in [
            ("/h/api.mistral.ai/v1/chat", "https://api.mistral.ai/v1/chat api.mistral.ai"),
            ("/h/host:8443//x/", "https://host:8443//x/ host:8443"),
            ("/h/http:localhost:11434/api/chat", "http://localhost:11434/api/chat localhost:11434"),
            ("/h/http:localhost:80", "http://localhost:80/ localhost"),
            ("/h/https:http:8080/x", "https://http:8080/x http:8080"),
            ("/h/[::1]:99/x?y", "https://[::1]:99/x?y [::1]:99"),
        ] {
            assert_eq!(resolve(&routes, asked).as_deref(), Some(reached));
        }
        for refused in ["/h/", "/h//x", "/h/user:pw@host/x", "/h/http:/x", "/h"] {
            assert_eq!(resolve(&routes, refused), None, "{refused}");
        }
        assert_eq!(resolve(&Routes::default(), "/h/host/x"), None);
    }

    #[test]
    fn unusable_routes_are_refused() {
        for prefix in ["openai", "/openai/", "/", "/h", "/h/x"] {
            let refused = Route::new(prefix, &Uri::from_static("https://x"));
            assert_eq!(refused.unwrap_err(), RouteError::Prefix(prefix.to_owned()));
        }
        for upstream in ["/x", "host", "ftp://x"] {
            let refused = Route::new("/x", &upstream.parse().unwrap());
            assert!(matches!(refused, Err(RouteError::Upstream { .. })), "{upstream}");
        }
        for upstream in ["https://u:p@x", "https://x/?key=1"] {
            let refused = Route::new("/x", &upstream.parse().unwrap());
            assert!(matches!(refused, Err(RouteError::Decorated { .. })), "{upstream}");
        }
    }
}
