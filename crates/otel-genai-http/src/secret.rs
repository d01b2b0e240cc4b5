//! Credentials that a request carries, known only to be kept out of what is told of it.
//!
//! Nothing reads a credential header into telemetry. But providers repeat keys in their error messages ("Incorrect
//! API key provided: ..."), and those messages are told.

use std::fmt;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderName, Uri};
use otel_genai::Failure;

/// Whether a header holds a credential, whatever the provider.
fn is_credential(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "authorization"
            | "proxy-authorization"
            | "cookie"
            | "api-key"
            | "x-api-key"
            | "x-goog-api-key"
            | "x-amz-security-token"
    )
}

/// What is known not to be a secret, and is worth reading in a message.
const PLAIN: [&str; 4] = ["model", "deployment", "api-version", "intent"];

fn in_query(upstream: &Uri) -> impl Iterator<Item = &str> {
    let pairs = upstream.query().unwrap_or_default().split('&');
    pairs.filter(|pair| !PLAIN.contains(&pair.split('=').next().unwrap_or_default()))
}

/// Keys that browsers put among the protocols of a WebSocket, for want of any other header.
fn in_subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|value| value.to_str().ok());
    let protocols = values.flat_map(|value| value.split(',')).map(str::trim);
    protocols.filter_map(|protocol| protocol.split_once("-key.").map(|(_, key)| key))
}

/// Shorter words occur in messages by chance.
const SHORTEST: usize = 8;
const INSTEAD: &str = "[redacted]";

/// The credentials of one request, one after another. (Copied: a clone of a header would keep the connection's read
/// buffer.)
#[derive(Default)]
pub(crate) struct Secrets(String);

impl Secrets {
    pub(crate) fn of(headers: &HeaderMap, upstream: &Uri) -> Self {
        let found = headers.iter().filter(|(name, _)| is_credential(name));
        let values = found.filter_map(|(_, value)| value.to_str().ok());
        let values = values.chain(in_subprotocols(headers)).chain(in_query(upstream));
        let mut all = String::new();
        for value in values {
            all.reserve(value.len() + 1);
            all.push_str(value);
            all.push(' ');
        }
        Secrets(all)
    }

    /// The failure without any of the credentials in its message.
    pub(crate) fn redact(&self, mut failure: Failure) -> Failure {
        if let Some(message) = &mut failure.message {
            for secret in self.words().filter(|word| word.len() >= SHORTEST) {
                if message.contains(secret) {
                    *message = message.replace(secret, INSTEAD);
                }
            }
        }
        failure
    }

    /// `Bearer abc`, `a=b; c=d` and `key=abc&x=y` hold several words each; longer ones first, should one contain
    /// another.
    fn words(&self) -> impl Iterator<Item = &str> {
        let mut words: Vec<&str> = self.0.split([' ', ';', '=', '&', ',']).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.into_iter()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_comes_back_in_a_message_is_taken_out() {
        for (name, value, said) in [
            ("authorization", "Bearer sk-0123456789", "sk-0123456789"),
            ("authorization", "Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            ("proxy-authorization", "Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            ("api-key", "0123456789abcdef", "0123456789abcdef"),
            ("x-api-key", "sk-ant-0123456789", "sk-ant-0123456789"),
            ("x-goog-api-key", "AIza0123456789", "AIza0123456789"),
            ("x-amz-security-token", "FwoGZXIvYXdz", "FwoGZXIvYXdz"),
            ("cookie", "session=0123456789", "0123456789"),
        ] {
            let headers = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            let secrets = Secrets::of(&headers, &Uri::from_static("https://host/v1"));
            let told = secrets.redact(Failure::new("401").message(format!("wrong key: {said}!")));
            assert_eq!(told.message.as_deref(), Some("wrong key: [redacted]!"), "{name}");
        }
    }

    #[test]
    fn a_key_among_subprotocols_is_one_and_a_model_in_the_query_is_none() {
        let protocols = "realtime, openai-insecure-api-key.sk-0123456789, openai-beta.realtime-v1";
        let headers = [(SEC_WEBSOCKET_PROTOCOL, protocols.parse().unwrap())].into_iter().collect();
        let secrets = Secrets::of(&headers, &Uri::from_static("wss://host/v1/realtime?model=gpt-realtime"));
        let told =
            secrets.redact(Failure::new("401").message("no realtime with gpt-realtime for sk-0123456789"));
        assert_eq!(told.message.as_deref(), Some("no realtime with gpt-realtime for [redacted]"));
    }

    #[test]
    fn a_key_in_the_query_is_one_too() {
        let upstream = Uri::from_static("https://host/v1?alt=sse&key=AIza0123456789");
        let secrets = Secrets::of(&HeaderMap::new(), &upstream);
        let told = secrets.redact(Failure::new("400").message("AIza0123456789 is not valid (alt=sse)"));
        assert_eq!(told.message.as_deref(), Some("[redacted] is not valid (alt=sse)"));
    }
}
