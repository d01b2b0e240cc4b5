//! Who may ask. Any page in a browser on this machine can send requests to a local address, and can point its own name
//! there: names, origins and a header that no form can send keep such pages out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderMap, ORIGIN};
use http::uri::Authority;
use http::{HeaderName, Method, request};

use super::token::Token;
use crate::builder::BindError;

/// What a request that changes something must bring.
pub(crate) const CHANGES: HeaderName = HeaderName::from_static("x-otel-genai");
/// Where agents ask, by POST. It only reads.
pub(crate) const MCP: &str = "/mcp";
/// The token of senders whose `Authorization` is for somebody else on the way.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-otel-genai-token");
/// The cookie by which a browser shows that it knows the token.
pub(crate) const COOKIE_NAME: &str = "otel_genai";

/// The rules.
pub(crate) struct Guard {
    token: Option<Token>,
    hosts: Vec<String>,
    own: Vec<IpAddr>,
    /// Bound to all addresses: any address may be ours. Names are what an attacker could choose, addresses are not.
    any_address: bool,
    origins: Origins,
}

enum Origins {
    All,
    These(Vec<String>),
}

/// Why somebody may not ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    WrongHost(String),
    WrongOrigin,
    NoChangeHeader,
    NoToken,
    WrongToken,
}

impl Guard {
    pub(crate) fn new(
        token: Option<Token>,
        own: impl Iterator<Item = IpAddr>,
        hosts: &[String],
        origins: Vec<String>,
    ) -> Result<Self, BindError> {
        let own: Vec<_> = own.collect();
        let any = origins.iter().any(|origin| origin == "*");
        if any && token.is_some() {
            return Err(BindError::AnyOrigin);
        }
        if let Some(wrong) = origins.iter().find(|origin| *origin != "*" && authority(origin).is_none()) {
            return Err(BindError::Origin(wrong.clone()));
        }
        Ok(Self {
            token,
            hosts: hosts.iter().map(|host| host.trim_end_matches('.').to_ascii_lowercase()).collect(),
            any_address: own.iter().any(IpAddr::is_unspecified),
            own,
            origins: if any { Origins::All } else { Origins::These(origins) },
        })
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(Token::text)
    }

    /// Whether a text is the token; everything is where none is needed.
    pub(crate) fn is_token(&self, told: &str) -> bool {
        self.token.as_ref().is_none_or(|token| token.is(told))
    }

    /// What a browser gets for the right token.
    pub(crate) fn cookie(&self) -> Option<String> {
        let token = self.token.as_ref()?;
        Some(format!("{COOKIE_NAME}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000", token.cookie()))
    }

    /// Whether a request reaches us by a name of ours, and is no other page's.
    pub(crate) fn place(&self, head: &request::Parts) -> Result<(), Refusal> {
        let told = host(head).unwrap_or_default();
        let named = told.parse::<Authority>().ok().filter(|_| !told.contains('@'));
        if !named.is_some_and(|named| self.is_ours(named.host())) {
            return Err(Refusal::WrongHost(told.chars().take(100).collect()));
        }
        let mut origins = head.headers.get_all(ORIGIN).iter();
        if let Some(origin) = origins.next() {
            // Of either scheme: what stands before us may speak TLS.
            let same =
                origin.to_str().ok().and_then(authority).is_some_and(|from| from.eq_ignore_ascii_case(told));
            if !same || origins.next().is_some() {
                return Err(Refusal::WrongOrigin);
            }
        }
        let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&head.method);
        if !reads && head.uri.path() != MCP && !head.headers.contains_key(CHANGES) {
            return Err(Refusal::NoChangeHeader);
        }
        Ok(())
    }

    /// Whether a request to the page brings the token.
    pub(crate) fn knows(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else { return Ok(()) };
        if let Some(told) = bearer(headers) {
            return if token.is(told) { Ok(()) } else { Err(Refusal::WrongToken) };
        }
        let cookies = headers.get_all(COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
        let mut ours = cookies
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
            .peekable();
        if ours.peek().is_none() {
            return Err(Refusal::NoToken);
        }
        if ours.any(|cookie| token.is_cookie(cookie)) { Ok(()) } else { Err(Refusal::WrongToken) }
    }

    /// Whether somebody may send. Senders reach us by names that only they know, but no page sends that nobody let in.
    pub(crate) fn sends(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.contains_key(ORIGIN) && self.allowed_origin(headers).is_none() {
            return Err(Refusal::WrongOrigin);
        }
        let Some(token) = &self.token else { return Ok(()) };
        let own = headers.get(TOKEN).and_then(|told| told.to_str().ok());
        match own.or_else(|| bearer(headers)) {
            Some(told) if token.is(told) => Ok(()),
            Some(_) => Err(Refusal::WrongToken),
            None => Err(Refusal::NoToken),
        }
    }

    /// The origin of a page that was let in to send.
    pub(crate) fn allowed_origin<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let origin = headers.get(ORIGIN)?.to_str().ok()?;
        let allowed = match &self.origins {
            Origins::All => true,
            Origins::These(origins) => origins.iter().any(|one| one.eq_ignore_ascii_case(origin)),
        };
        allowed.then_some(origin)
    }

    fn is_ours(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let address = match bare {
            Some(address) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        };
        match address {
            Some(address) => address.is_loopback() || self.any_address || self.own.contains(&address),
            None => host == "localhost" || host.ends_with(".localhost") || self.hosts.contains(&host),
        }
    }
}

/// Host and port that a request names.
pub(crate) fn host(head: &request::Parts) -> Option<&str> {
    let in_target = head.uri.authority().map(Authority::as_str);
    in_target.or_else(|| head.headers.get(HOST)?.to_str().ok())
}

/// Host and port of an origin.
fn authority(origin: &str) -> Option<&str> {
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
    let sound = rest.parse::<Authority>().is_ok() && !rest.contains('@');
    sound.then_some(rest)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, told) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| told.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().uri("/api/v1/traces");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn guard(token: Option<&str>, own: &str, origins: &[&str]) -> Guard {
        Guard::new(
            token.map(|token| Token::new(token).unwrap()),
            std::iter::once(own.parse().unwrap()),
            &["Dash.Example".to_owned()],
            origins.iter().map(|origin| (*origin).to_owned()).collect(),
        )
        .unwrap()
    }

    #[test]
    fn only_names_of_ours_are_answered() {
        let local = guard(None, "127.0.0.1", &[]);
        let here = [
            "localhost",
            "localhost:18888",
            "LOCALHOST:1",
            "app.localhost:80",
            "127.0.0.1:18888",
            "127.9.9.9",
            "[::1]:18888",
            "dash.example",
            "localhost.:80",
        ];
        for host in here {
            assert_eq!(local.place(&head(&[("host", host)])), Ok(()), "{host}");
        }
        let elsewhere = [
            "evil.example",
            "localhost.evil.example",
            "10.0.0.1:18888",
            "127.0.0.1.evil.example",
            "",
            "user@localhost",
            "[::2]",
            "notlocalhost",
            "local host",
        ];
        for host in elsewhere {
            let refused = local.place(&head(&[("host", host)]));
            assert_eq!(refused, Err(Refusal::WrongHost(host.to_owned())), "{host}");
        }
        assert_eq!(guard(None, "10.0.0.1", &[]).place(&head(&[("host", "10.0.0.1:18888")])), Ok(()));
        assert_eq!(guard(None, "0.0.0.0", &[]).place(&head(&[("host", "192.168.1.5:18888")])), Ok(()));
        assert!(guard(None, "0.0.0.0", &[]).place(&head(&[("host", "evil.example")])).is_err());
    }

    #[test]
    fn other_pages_may_not_ask() {
        let guard = guard(None, "127.0.0.1", &[]);
        let ask = |origin: &str| guard.place(&head(&[("host", "localhost:18888"), ("origin", origin)]));
        assert_eq!(ask("http://localhost:18888"), Ok(()));
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:3000",
            "http://localhost",
            "file://localhost:18888",
        ] {
            assert_eq!(ask(origin), Err(Refusal::WrongOrigin), "{origin}");
        }
        let twice =
            [("host", "a.localhost"), ("origin", "http://a.localhost"), ("origin", "http://evil.example")];
        assert_eq!(guard.place(&head(&twice)), Err(Refusal::WrongOrigin));
    }

    #[test]
    fn the_token_is_asked_of_pages_and_senders() {
        let guard = guard(Some("s3cret"), "0.0.0.0", &["https://app.example"]);
        let cookie = guard.cookie().unwrap();
        assert!(!cookie.contains("s3cret"), "a browser keeps no token");
        let kept = cookie.split(';').next().unwrap();
        for headers in
            [("authorization", "Bearer s3cret"), ("authorization", "bearer s3cret"), ("cookie", kept)]
        {
            assert_eq!(guard.knows(&head(&[headers]).headers), Ok(()), "{headers:?}");
        }
        let among = format!("other=1; {kept}");
        assert_eq!(guard.knows(&head(&[("cookie", &among)]).headers), Ok(()));
        for (headers, refusal) in [
            (("authorization", "Bearer wrong"), Refusal::WrongToken),
            (("cookie", "otel_genai=s3cret"), Refusal::WrongToken),
            (("cookie", "otel_genai_other=1"), Refusal::NoToken),
            (("authorization", "Basic s3cret"), Refusal::NoToken),
        ] {
            assert_eq!(guard.knows(&head(&[headers]).headers), Err(refusal), "{headers:?}");
        }

        assert_eq!(guard.sends(&head(&[("x-otel-genai-token", "s3cret")]).headers), Ok(()));
        assert_eq!(guard.sends(&head(&[("authorization", "Bearer s3cret")]).headers), Ok(()));
        assert_eq!(guard.sends(&head(&[]).headers), Err(Refusal::NoToken));
        assert_eq!(guard.sends(&head(&[("cookie", kept)]).headers), Err(Refusal::NoToken));
        let page = |origin| head(&[("x-otel-genai-token", "s3cret"), ("origin", origin)]).headers;
        assert_eq!(guard.sends(&page("https://app.example")), Ok(()));
        assert_eq!(guard.sends(&page("https://evil.example")), Err(Refusal::WrongOrigin));
    }

    #[test]
    fn what_makes_no_sense_is_told_at_the_start() {
        let with = |token: Option<&str>, origin: &str| {
            let token = token.and_then(Token::new);
            Guard::new(token, std::iter::empty(), &[], vec![origin.to_owned()]).err()
        };
        assert!(matches!(with(Some("a"), "*"), Some(BindError::AnyOrigin)));
        assert!(with(None, "*").is_none());
        for origin in ["example.com", "http://", "http://a b", "http://a/path"] {
            assert!(matches!(with(None, origin), Some(BindError::Origin(_))), "{origin}");
        }
        for token in ["", "two words", "ü"] {
            assert!(Token::new(token).is_none(), "{token}");
        }
    }
}
