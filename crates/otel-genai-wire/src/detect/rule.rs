//! What a row of the tables says, and whether a request fits it.

use http::header::ACCEPT;
use http::{HeaderMap, Method, Uri};
use otel_genai::ProviderName;

use crate::percent;
use crate::protocol::Protocol;

/// Which requests are calls of which protocol.
#[derive(Debug)]
pub(super) struct Rule {
    method: &'static str,
    path: &'static str,
    host: Option<&'static str>,
    header: Option<&'static str>,
    accepted: &'static [&'static str],
    kept_headers: &'static [&'static str],
    kept_queries: &'static [&'static str],
    /// `None`: the request is known to be no call.
    pub(super) protocol: Option<Protocol>,
    pub(super) provider: Option<ProviderName>,
    pub(super) is_stream: bool,
    pub(super) is_certain: bool,
}

/// A call that is sent to such a path.
///
/// A path is written in segments: `**` at the beginning stands for any others before, `*` for any one, `{name}` for any
/// one that is kept under this name, and `{name}:verb` for any one that ends so.
pub(super) const fn post(path: &'static str, protocol: Protocol) -> Rule {
    Rule {
        method: "POST",
        path,
        host: None,
        header: None,
        accepted: &[],
        kept_headers: &[],
        kept_queries: &[],
        protocol: Some(protocol),
        provider: None,
        is_stream: false,
        is_certain: true,
    }
}

/// A path that looks like one of a call below and is none.
pub(super) const fn no_call(path: &'static str) -> Rule {
    let mut rule = post(path, Protocol::OpenAiChat);
    rule.protocol = None;
    rule
}

#[allow(dead_code, reason = "not every word of the tables' language is in use at all times")]
impl Rule {
    /// A call that is fetched.
    pub(super) const fn get(path: &'static str, protocol: Protocol) -> Rule {
        let mut rule = post(path, protocol);
        rule.method = "GET";
        rule
    }

    /// At hosts that fit this pattern only; see [`is_host`].
    pub(super) const fn at(mut self, host: &'static str) -> Rule {
        self.host = Some(host);
        self
    }

    /// With this header only.
    pub(super) const fn with(mut self, header: &'static str) -> Rule {
        self.header = Some(header);
        self
    }

    /// Only of who accepts each of these media types.
    pub(super) const fn accepting(mut self, types: &'static [&'static str]) -> Rule {
        self.accepted = types;
        self
    }

    /// Keeps these headers as parameters of the route, by their lower-case names.
    pub(super) const fn keep_headers(mut self, names: &'static [&'static str]) -> Rule {
        self.kept_headers = names;
        self
    }

    /// Keeps these keys of the query as parameters of the route. Never one that may hold a secret.
    pub(super) const fn keep_queries(mut self, names: &'static [&'static str]) -> Rule {
        self.kept_queries = names;
        self
    }

    /// Whoever is asked at such a path, whatever the host's name is.
    pub(super) const fn of(mut self, provider: ProviderName) -> Rule {
        // A constant function may not drop what was there; nothing was.
        std::mem::forget(self.provider.replace(provider));
        self
    }

    /// The answer is streamed, whatever the body says.
    pub(super) const fn stream(mut self) -> Rule {
        self.is_stream = true;
        self
    }

    /// Others use such a path too: it is a call only if its body names a model.
    pub(super) const fn guess(mut self) -> Rule {
        self.is_certain = false;
        self
    }

    /// What of the request is kept, if the rule fits it.
    pub(super) fn fits(
        &self,
        method: &Method,
        host: &str,
        upstream: &Uri,
        path: &Path<'_>,
        headers: &HeaderMap,
    ) -> Option<Vec<(&'static str, String)>> {
        let fits = self.method == method.as_str()
            && self.host.is_none_or(|pattern| is_host(host, pattern))
            && self.header.is_none_or(|name| headers.contains_key(name))
            && self.accepted.iter().all(|media_type| accepts(headers, media_type));
        if !fits {
            return None;
        }
        let mut kept = path.fits(self.path)?;
        for name in self.kept_headers {
            if let Some(value) = headers.get(*name).and_then(|value| value.to_str().ok()) {
                kept.push((name, value.to_owned()));
            }
        }
        for pair in upstream.query().unwrap_or_default().split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let Some(name) = self.kept_queries.iter().find(|name| **name == key) {
                kept.push((name, decoded(value)));
            }
        }
        Some(kept)
    }
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|accepted| {
        let essence = accepted.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(media_type)
    })
}

/// Whether a host, in lower case, fits a pattern. `openai.com` is fitted by `api.openai.com`, not by `notopenai.com`;
/// in a pattern with
/// asterisks each stands for anything, and nothing may stand around it.
#[must_use]
pub fn is_host(host: &str, pattern: &str) -> bool {
    if pattern.contains('*') {
        return is_like(host, pattern);
    }
    host.strip_suffix(pattern).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_like(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(text) = text.strip_prefix(start) else { return false };
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| {
        let end = text.get(at..).unwrap_or_default();
        is_like(end, rest)
    })
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent::decode(text)).into_owned()
}

/// A path's segments, without empty ones.
pub(super) struct Path<'a>(Vec<&'a str>);

impl<'a> Path<'a> {
    pub(super) fn new(path: &'a str) -> Self {
        Path(path.split('/').filter(|segment| !segment.is_empty()).collect())
    }

    pub(super) fn starts_with(&self, segment: &str) -> bool {
        self.0.first() == Some(&segment)
    }

    /// The segments that the pattern names, if the path fits it.
    fn fits(&self, pattern: &'static str) -> Option<Vec<(&'static str, String)>> {
        let mut segments = self.0.iter().rev();
        let mut named = Vec::new();
        for pattern in pattern.rsplit('/').filter(|pattern| !pattern.is_empty()) {
            if pattern == "**" {
                return Some(named);
            }
            let segment = segments.next()?;
            match pattern.strip_prefix('{').and_then(|pattern| pattern.split_once('}')) {
                Some((name, end)) => {
                    let value = segment.strip_suffix(end).filter(|value| !value.is_empty())?;
                    named.push((name, decoded(value)));
                }
                None if pattern == "*" || pattern == *segment => {}
                None => return None,
            }
        }
        segments.next().is_none().then_some(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(path: &str, pattern: &'static str) -> Option<Vec<(&'static str, String)>> {
        Path::new(path).fits(pattern)
    }

    #[test]
    fn paths() {
        assert_eq!(fits("/x/y/a/b/", "**/a/b"), Some(vec![]));
        assert_eq!(fits("/a/b", "**/a/b"), Some(vec![]));
        assert_eq!(fits("/x/a/b", "/a/b"), None);
        assert_eq!(fits("/a/x/b", "/a/*/b"), Some(vec![]));
        assert_eq!(fits("/b", "**/a/b"), None);
        assert_eq!(fits("/m/one%2Ftwo:run", "/m/{model}:run"), Some(vec![("model", "one/two".to_owned())]));
        assert_eq!(fits("/m/:run", "/m/{model}:run"), None);
        assert_eq!(fits("/m/one:count", "/m/{model}:run"), None);
    }

    #[test]
    fn hosts() {
        assert!(is_host("openai.com", "openai.com") && is_host("eu.api.openai.com", "openai.com"));
        assert!(!is_host("notopenai.com", "openai.com"));
        assert!(is_host("bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.*.amazonaws.com*"));
        assert!(is_host("bedrock-runtime.cn-north-1.amazonaws.com.cn", "bedrock-runtime.*.amazonaws.com*"));
        assert!(!is_host("bedrock-runtime.us-east-1.example.com", "bedrock-runtime.*.amazonaws.com*"));
        assert!(is_host("us-central1-aiplatform.googleapis.com", "*-aiplatform.googleapis.com"));
        assert!(!is_host("x.us-aiplatform.googleapis.com.evil.example", "*-aiplatform.googleapis.com"));
    }
}
