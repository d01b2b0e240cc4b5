//! What a browser is told about every answer: nothing from elsewhere, nothing inline, nobody around it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

fn always() -> [(HeaderName, HeaderValue); 5] {
    [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static(
                "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
             microphone=(), midi=(), payment=(), usb=(), screen-wake-lock=(), xr-spatial-tracking=()",
            ),
        ),
    ]
}

/// Adds them; what an answer has set itself stands.
pub(crate) fn secure(headers: &mut HeaderMap, policy: &HeaderValue) {
    for (name, value) in always() {
        headers.entry(name).or_insert(value);
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert_with(|| policy.clone());
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The policy of the page: `boot` is the hash of its one inline script, as `sha256-…`.
pub(crate) fn policy(boot: Option<&str>) -> HeaderValue {
    let boot = boot.map(|hash| format!(" '{hash}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'{boot}; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self' data: blob:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
