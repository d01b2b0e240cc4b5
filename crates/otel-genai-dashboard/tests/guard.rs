//! Who may ask: names, origins, tokens, and what browsers are told with every answer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use support::{Served, ask};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_origins_of_others_are_refused_on_every_path() {
    let served = Served::with(|builder| builder.allow_host("dash.example")).await;
    for address in [served.page, served.http] {
        for path in ["/", "/traces", "/api/v1/about", "/api/v1/nothing", "/assets/main.js"] {
            let answer = ask(address, "GET", path, &[("host", "evil.example")], b"").await;
            assert_eq!((answer.status, answer.code().as_str()), (421, "wrong_host"), "{path}");
            let answer = ask(address, "GET", path, &[("origin", "http://evil.example")], b"").await;
            assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_origin"), "{path}");
        }
        let same = format!("http://{address}");
        let answer = ask(address, "GET", "/api/v1/about", &[("origin", &same)], b"").await;
        assert_eq!(answer.status, 200);
        let answer = ask(address, "GET", "/api/v1/about", &[("host", "dash.example:80")], b"").await;
        assert_eq!(answer.status, 200);
    }
    let about = served.json("/api/v1/about").await;
    assert_eq!(about["name"], "otel-genai");
    assert_eq!(about["needsToken"], false);
    assert_eq!(about["otlp"]["http"], format!("http://{}", served.http));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_tells_browsers_to_load_nothing_else() {
    let served = Served::start().await;
    for path in ["/", "/trace/abc", "/api/v1/about", "/api/v1/nothing", "/none.js"] {
        let answer = served.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(answer.header("access-control-allow-origin").is_none(), "{path}");
    }
    assert_eq!(served.get("/api/v1/about").await.header("cache-control"), Some("no-store"));
    for (path, status) in [("/", 200), ("/trace/abc", 200), ("/none.js", 404), ("/api/v1/nothing", 404)] {
        assert_eq!(served.get(path).await.status, status, "{path}");
    }
    let answer = ask(served.page, "DELETE", "/api/v1/about", &[("x-otel-genai", "1")], b"").await;
    assert_eq!(answer.status, 405);
    let answer = ask(served.page, "DELETE", "/api/v1/about", &[], b"").await;
    assert_eq!(answer.status, 403, "a change without the header that no form can send");
    let answer = served.get("/api/v1/about?verbose=1").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "bad_parameter"));
    assert_eq!(answer.json()["error"]["parameter"], "verbose");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_with_the_token_opens_the_page_and_hides_it() {
    let served = Served::with(|builder| builder.token("s3cret+/=")).await;
    let answer = served.get("/api/v1/status").await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "no_token"));
    let about = served.json("/api/v1/about").await;
    assert_eq!(about.as_object().unwrap().keys().collect::<Vec<_>>(), ["name", "needsToken", "version"]);
    assert_eq!(served.get("/traces").await.status, 200, "the page itself says that a token is asked for");

    assert_eq!(served.get("/?token=wrong").await.status, 401);
    let answer = served.get("/traces?service=shop&token=s3cret%2B%2F%3D&sort=cost").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/traces?service=shop&sort=cost")));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains("s3cret"), "{cookie}");
    let kept = cookie.split(';').next().unwrap();
    let answer = ask(served.page, "GET", "/api/v1/about", &[("cookie", kept)], b"").await;
    assert!(answer.json()["epoch"].is_string());
    let answer =
        ask(served.page, "GET", "/api/v1/about", &[("authorization", "Bearer s3cret+/=")], b"").await;
    assert!(answer.json()["epoch"].is_string());
    let answer = served.get("//evil.example/?token=s3cret%2B%2F%3D").await;
    assert_ne!(answer.header("location"), Some("//evil.example/"), "not to another host");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_machines_need_a_token_that_nobody_had_to_think_of() {
    let served = Served::with(|builder| builder.page("0.0.0.0:0".parse().unwrap())).await;
    let token = served.token.clone().unwrap();
    assert!(token.len() >= 32, "{token}");
    assert_eq!(served.get("/api/v1/status").await.status, 401);
    let bearer = format!("Bearer {token}");
    let answer = ask(served.page, "GET", "/api/v1/about", &[("authorization", &bearer)], b"").await;
    assert!(answer.json()["epoch"].is_string());
    let other = Served::with(|builder| builder.page("0.0.0.0:0".parse().unwrap())).await;
    assert_ne!(other.token.as_deref(), Some(token.as_str()));
    assert!(Served::start().await.token.is_none());
}
