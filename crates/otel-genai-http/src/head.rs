//! What the heads of request and response tell of a call and their bodies do not: that it was tried before, and where it
//! failed, what the provider calls it and when to come back. Read from a few headers that an allow-list names.

use http::{HeaderMap, HeaderName};
use opentelemetry::{KeyValue, Value};

/// How often OpenAI's and Anthropic's SDKs have tried this call before.
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-stainless-retry-count");

/// Of requests.
pub(crate) static REQUEST: [HeaderName; 1] = [RETRY_COUNT];

/// A header, the attribute that it becomes, and how it is read.
type Told = (HeaderName, &'static str, fn(&str) -> Option<Value>);

/// Of responses that are failures. Of several headers for one attribute the first that can be read counts.
static FAILURE: [Told; 11] = [
    (HeaderName::from_static("request-id"), REQUEST_ID, id),
    (HeaderName::from_static("x-request-id"), REQUEST_ID, id),
    (HeaderName::from_static("x-amzn-requestid"), REQUEST_ID, id),
    (HeaderName::from_static("apim-request-id"), REQUEST_ID, id),
    (HeaderName::from_static("retry-after-ms"), RETRY_AFTER, milliseconds),
    (HeaderName::from_static("retry-after"), RETRY_AFTER, seconds),
    (HeaderName::from_static("x-ratelimit-remaining-requests"), REMAINING_REQUESTS, count),
    (HeaderName::from_static("anthropic-ratelimit-requests-remaining"), REMAINING_REQUESTS, count),
    (HeaderName::from_static("x-ratelimit-remaining-tokens"), REMAINING_TOKENS, count),
    (HeaderName::from_static("anthropic-ratelimit-tokens-remaining"), REMAINING_TOKENS, count),
    (HeaderName::from_static("anthropic-ratelimit-input-tokens-remaining"), REMAINING_TOKENS, count),
];

const RESEND_COUNT: &str = "http.request.resend_count";
const REQUEST_ID: &str = "otel_genai.provider_request_id";
const RETRY_AFTER: &str = "otel_genai.retry_after";
const REMAINING_REQUESTS: &str = "otel_genai.rate_limit.remaining_requests";
const REMAINING_TOKENS: &str = "otel_genai.rate_limit.remaining_tokens";

/// The headers of responses that are failures.
pub(crate) fn failure_headers() -> impl Iterator<Item = &'static HeaderName> {
    FAILURE.iter().map(|(header, ..)| header)
}

/// `http.request.resend_count`, of a call that is not the first of its kind.
pub(crate) fn resends(request: &HeaderMap) -> Option<KeyValue> {
    let count: i64 = request.get(RETRY_COUNT)?.to_str().ok()?.parse().ok()?;
    (count > 0).then(|| KeyValue::new(RESEND_COUNT, count))
}

/// What the head of a failure tells.
pub(crate) fn failure(response: &HeaderMap) -> Vec<KeyValue> {
    let mut told: Vec<KeyValue> = Vec::new();
    for (header, attribute, read) in &FAILURE {
        let value = response.get(header).and_then(|value| value.to_str().ok()).and_then(read);
        if let Some(value) = value
            && told.iter().all(|known| known.key.as_str() != *attribute)
        {
            told.push(KeyValue::new(*attribute, value));
        }
    }
    told
}

/// What looks like an id: nothing long, and nothing with spaces.
fn id(text: &str) -> Option<Value> {
    let is_id = !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_id.then(|| text.to_owned().into())
}

fn count(text: &str) -> Option<Value> {
    text.parse::<i64>().ok().map(Value::from)
}

/// A number of seconds; a date is not read, for the clock that it belongs to is another one.
fn seconds(text: &str) -> Option<Value> {
    let seconds: f64 = text.parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| seconds.into())
}

fn milliseconds(text: &str) -> Option<Value> {
    match seconds(text)? {
        Value::F64(milliseconds) => Some((milliseconds / 1000.0).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn failures() {
        let told = failure(&headers(&[
            ("x-request-id", "req_1"),
            ("retry-after", "20"),
            ("retry-after-ms", "1500"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-remaining-requests", "many"),
            ("set-cookie", "session=secret"),
        ]));
        assert_eq!(
            told,
            [
                KeyValue::new(REQUEST_ID, "req_1"),
                KeyValue::new(RETRY_AFTER, 1.5),
                KeyValue::new(REMAINING_TOKENS, 0),
            ]
        );
        let odd = [("request-id", "two words"), ("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")];
        assert_eq!(failure(&headers(&odd)), []);
    }

    #[test]
    fn retries() {
        let count = |text| resends(&headers(&[("x-stainless-retry-count", text)]));
        assert_eq!(count("2"), Some(KeyValue::new(RESEND_COUNT, 2)));
        assert_eq!((count("0"), count("-1"), count("x")), (None, None, None));
    }
}
