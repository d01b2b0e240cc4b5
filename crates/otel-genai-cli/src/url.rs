//! Base URLs as users write them: taken apart without changing a byte.

use http::Uri;
use http::uri::Authority;
use otel_genai_sdk::shown_url;

/// `http://user:key@host:8080/base/v1?x=1`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    /// `http://host:8080`: where requests go in the end.
    pub(crate) origin: Uri,
    /// `user:key@`, or nothing. Clients make a header of it themselves.
    pub(crate) userinfo: String,
    /// `/base/v1?x=1`, byte for byte; may be empty.
    pub(crate) rest: String,
}

impl BaseUrl {
    /// `None`: no `http://` or `https://` URL with a host.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (format!("{user}@"), host),
            None => (String::new(), authority),
        };
        let authority: Authority = host.parse().ok()?;
        let port = host.strip_prefix(authority.host())?;
        let numeric = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().is_ok();
        if authority.host().is_empty() || !numeric {
            return None;
        }
        let origin = format!("{scheme}://{host}").parse().ok()?;
        // What no request line could carry is no base of one.
        let plain = rest.bytes().all(|byte| byte.is_ascii_graphic() || byte >= 0x80);
        plain.then(|| Self { origin, userinfo, rest: rest.to_owned() })
    }

    /// The origin without the slash that `Uri` adds.
    pub(crate) fn origin(&self) -> String {
        let origin = self.origin.to_string();
        origin.strip_suffix('/').unwrap_or(&origin).to_owned()
    }

    /// The whole URL, without the user's name. What no address can be made of is its origin.
    pub(crate) fn whole(&self) -> Uri {
        let origin = self.origin();
        format!("{origin}{}", self.rest).parse().unwrap_or_else(|_| self.origin.clone())
    }

    /// Whether it is of this machine, or of all its addresses, as servers say it.
    pub(crate) fn is_here(&self) -> bool {
        let host = self.origin.host().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    }

    /// Its origin, as a client finds what listens at all addresses.
    pub(crate) fn here(&self) -> Uri {
        let found = self.origin().replacen("//0.0.0.0", "//127.0.0.1", 1).replacen("//[::]", "//[::1]", 1);
        found.parse().unwrap_or_else(|_| self.origin.clone())
    }

    /// The same URL at another origin.
    pub(crate) fn at(&self, origin: &str, prefix: &str) -> String {
        let (scheme, host) = origin.split_once("://").unwrap_or(("http", origin));
        format!("{scheme}://{}{host}{prefix}{}", self.userinfo, self.rest)
    }

    /// For people: without user name, password and query.
    pub(crate) fn shown(&self) -> String {
        shown_url(&self.at(&self.origin(), ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_on_the_way_through() {
        for (text, origin, moved) in [
            ("https://api.openai.com/v1", "https://api.openai.com", "http://127.0.0.1:9/openai/v1"),
            ("HTTPS://Host:8443/v1/", "https://Host:8443", "http://127.0.0.1:9/openai/v1/"),
            ("http://host", "http://host", "http://127.0.0.1:9/openai"),
            ("http://u:p%40@h/a%2Fb?x=1&y", "http://h", "http://u:p%40@127.0.0.1:9/openai/a%2Fb?x=1&y"),
            (" http://[::1]:80/v1 ", "http://[::1]:80", "http://127.0.0.1:9/openai/v1"),
        ] {
            let url = BaseUrl::parse(text).unwrap();
            assert_eq!(url.origin(), origin);
            assert_eq!(url.at("http://127.0.0.1:9", "/openai"), moved);
        }
    }

    #[test]
    fn what_is_no_base_url() {
        for text in [
            "",
            "localhost:1234",
            "/v1",
            "ftp://x/v1",
            "http://",
            "http:///v1",
            "http://h:x/",
            "http://h/a b",
        ] {
            assert_eq!(BaseUrl::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let url = BaseUrl::parse("https://user:SECRET@h/v1?key=SECRET").unwrap();
        assert_eq!(url.shown(), "https://h/v1");
    }
}
