//! What belongs to one hop only, and is therefore not passed on.

use http::header::{
    CONNECTION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// Whether the request asks for another protocol on its connection, such as a WebSocket.
///
/// `Upgrade: h2c` is not meant: Java's HTTP client offers it on every plain connection, and declining is always allowed.
pub(crate) fn wants_upgrade(headers: &HeaderMap) -> bool {
    let Some(protocol) = headers.get(UPGRADE) else { return false };
    !protocol.as_bytes().eq_ignore_ascii_case(b"h2c")
        && connection_options(headers).any(|name| name == "upgrade")
}

/// Removes the headers of one hop; all others keep their place, order and case.
///
/// Two of them stay where that is safe, because both hops are served the same way: a lone `Connection: keep-alive`,
/// and (with `keep_chunked`) a lone `Transfer-Encoding: chunked`, which hyper then writes in its place and case.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap, keep_chunked: bool) {
    let stays = |name: &HeaderName, value: &HeaderValue| match *name {
        CONNECTION => value.as_bytes().eq_ignore_ascii_case(b"keep-alive"),
        TRANSFER_ENCODING => keep_chunked && value.as_bytes().eq_ignore_ascii_case(b"chunked"),
        TE => value.as_bytes().eq_ignore_ascii_case(b"trailers"),
        UPGRADE => false,
        _ => *name != KEEP_ALIVE && *name != PROXY_CONNECTION && *name != HTTP2_SETTINGS,
    };
    // Nearly every message is fine as it is.
    if headers.iter().all(|(name, value)| stays(name, value)) {
        return;
    }
    let named: Vec<String> = connection_options(headers).collect();
    refill(headers, |name, value| match *name {
        TE if mentions(&value, "trailers") => Some(HeaderValue::from_static("trailers")),
        _ if named.iter().any(|option| option == name.as_str()) => None,
        _ => stays(name, &value).then_some(value),
    });
}

/// Sets the provider's `Host`, in the place of the one that was there.
pub(crate) fn set_host(headers: &mut HeaderMap, host: HeaderValue) {
    headers.insert(HOST, host);
}

/// Leaves `Host` to hyper, which adds one over HTTP/1.1, while HTTP/2 has its own field for it.
pub(crate) fn leave_host(headers: &mut HeaderMap) {
    refill(headers, |name, value| (*name != HOST).then_some(value));
}

/// `HeaderMap::remove` would move the last header into the gap, so the map is filled anew.
fn refill(headers: &mut HeaderMap, keep: impl Fn(&HeaderName, HeaderValue) -> Option<HeaderValue>) {
    let all = std::mem::take(headers);
    headers.reserve(all.len());
    let mut name = None;
    for (next, value) in all {
        name = next.or(name);
        let Some(name) = &name else { continue };
        if let Some(value) = keep(name, value) {
            headers.append(name.clone(), value);
        }
    }
}

/// HTTP/2 may cut `Cookie` into pieces, HTTP/1.1 may not (RFC 9113, section 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(mut whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        whole.set_sensitive(true);
        headers.insert(COOKIE, whole);
    }
}

fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = String> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|option| option.trim().to_ascii_lowercase())
}

fn mentions(value: &HeaderValue, wanted: &str) -> bool {
    value.to_str().is_ok_and(|value| {
        value.split(',').any(|option| {
            option.split(';').next().is_some_and(|token| token.trim().eq_ignore_ascii_case(wanted))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn lines(headers: &HeaderMap) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn only_headers_of_the_hop_go_and_the_rest_keeps_its_order() {
        let mut headers = map(&[
            ("a", "1"),
            ("connection", "close, X-Hop"),
            ("b", "2"),
            ("x-hop", "gone"),
            ("keep-alive", "timeout=5"),
            ("te", "gzip;q=0.5, trailers"),
            ("proxy-connection", "keep-alive"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
            ("b", "3"),
            ("c", "4"),
            ("proxy-authorization", "stays"),
        ]);
        strip_hop_by_hop(&mut headers, true);
        assert_eq!(
            lines(&headers),
            [
                "a: 1",
                "b: 2",
                "b: 3",
                "te: trailers",
                "transfer-encoding: chunked",
                "c: 4",
                "proxy-authorization: stays"
            ]
        );
    }

    #[test]
    fn an_ordinary_message_is_left_alone() {
        let ordinary = map(&[("host", "x"), ("connection", "keep-alive"), ("transfer-encoding", "chunked")]);
        let mut headers = ordinary.clone();
        strip_hop_by_hop(&mut headers, true);
        assert_eq!(lines(&headers), lines(&ordinary));
        strip_hop_by_hop(&mut headers, false);
        assert_eq!(lines(&headers), ["host: x", "connection: keep-alive"]);
    }

    #[test]
    fn java_offering_h2c_is_not_an_upgrade() {
        assert!(!wants_upgrade(&map(&[("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c")])));
        assert!(!wants_upgrade(&map(&[("upgrade", "websocket")])));
        assert!(wants_upgrade(&map(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")])));
    }

    #[test]
    fn cookie_crumbs_become_one_cookie() {
        let mut headers = map(&[("cookie", "a=1"), ("cookie", "b=2"), ("x", "y")]);
        join_cookies(&mut headers);
        assert_eq!(lines(&headers), ["cookie: a=1; b=2", "x: y"]);
    }
}
