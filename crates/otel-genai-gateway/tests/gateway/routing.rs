//! Where requests go, seen from outside.

use otel_genai_gateway::{BindError, Gateway, Route, UpstreamProxy};

use tokio::io::AsyncWriteExt as _;

use crate::support::{Running, answering, ask, read_until, to};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn an_unknown_path_is_told_which_exist() {
    let gateway = Running::start(to(answering(OK).await).hosts(true)).await;
    let got =
        ask(&gateway, "GET /opneai/v1?key=hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let (head, body) = got.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("no route for /opneai/v1; the routes are: /p/ -> http://127.0.0.1:"),
        "{message}"
    );
    assert!(message.contains("/h/HOST"), "{message}");
}

#[tokio::test]
async fn a_host_is_reached_by_name_when_that_is_allowed() {
    let upstream = answering(OK).await;
    let request = format!("GET /h/http:{upstream}/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let gateway = Running::start(to(upstream).hosts(true)).await;
    assert!(ask(&gateway, &request).await.ends_with("\r\n\r\nok"));
    let gateway = Running::before(upstream).await;
    assert!(ask(&gateway, &request).await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn a_default_route_takes_what_no_other_takes() {
    let upstream = format!("http://{}/base/", answering(OK).await).parse().unwrap();
    let builder = Gateway::builder(None)
        .route(Route::new("", &upstream).unwrap())
        .upstream_proxy(UpstreamProxy::Direct);
    let gateway = Running::start(builder).await;
    for path in ["/", "/v1/x", "/v1/x?y", "*"] {
        let got =
            ask(&gateway, &format!("OPTIONS {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        assert!(got.ends_with("\r\n\r\nok") || path == "*", "{path}: {got}");
    }
}

#[tokio::test]
async fn a_forward_proxy_request_is_declined_in_words() {
    let gateway = Running::before(answering(OK).await).await;
    let mut client = gateway.connect().await;
    let request = "CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let got = read_until(&mut client, "}}").await.unwrap();
    assert!(got.starts_with("HTTP/1.1 404 Not Found\r\n") && got.contains("the routes are"), "{got}");
}

#[tokio::test]
async fn an_address_in_use_is_reported_with_its_name() {
    let gateway = Running::before(answering(OK).await).await;
    let refused = Gateway::builder(None).bind(gateway.address).await.err().unwrap();
    assert!(refused.to_string().contains(&gateway.address.to_string()), "{refused}");
    let refused =
        Gateway::builder(None).extra_roots("not a certificate").bind(([127, 0, 0, 1], 0).into()).await;
    assert!(matches!(refused.err(), Some(BindError::Roots)));
}
