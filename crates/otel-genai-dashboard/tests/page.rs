//! The page's files: what the page names is there, is kept by browsers for good, and runs under the page's own policy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod support;

use std::io::Read as _;

use support::{Answer, Served, ask};

const GZIP: (&str, &str) = ("accept-encoding", "gzip, br");

/// The quoted paths of assets in some HTML.
fn assets(html: &str) -> Vec<String> {
    html.split('"').filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect()
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_page_names_is_there() {
    let served = Served::start().await;
    let index = served.get("/").await;
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(index.header("cache-control"), Some("no-cache"));
    if index.text().contains("The page was not built") {
        eprintln!("skipped: this program was compiled without the page");
        return;
    }
    assert_eq!(served.get("/trace/4bf92f3577b34da6a3ce929d0e0e4736").await.body, index.body);
    assert_eq!(served.get("/conversation/shop.example%2F42.7").await.body, index.body);
    let named = assets(&index.text());
    assert!(
        named.iter().any(|path| path.ends_with(".js")) && named.iter().any(|path| path.ends_with(".css"))
    );
    for path in named {
        let whole = served.get(&path).await;
        assert_eq!(whole.status, 200, "{path}");
        assert_eq!(whole.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        let packed = ask(served.page, "GET", &path, &[GZIP], b"").await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(packed.header("vary"), Some("accept-encoding"), "{path}");
        assert_eq!(unpacked(&packed), whole.body, "{path}");
        assert!(whole.body.len() > packed.body.len() || path.ends_with(".svg"), "{path}");
    }
    assert_eq!(served.get("/assets/main-GONE.js").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_browser_has_is_not_sent_again() {
    let served = Served::start().await;
    let etag = served.get("/").await.header("etag").unwrap().to_owned();
    let again = ask(served.page, "GET", "/doctor", &[("if-none-match", &etag), GZIP], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(etag.as_str()));
    let other = ask(served.page, "GET", "/", &[("if-none-match", "\"other\"")], b"").await;
    assert_eq!(other.status, 200);
    let head = ask(served.page, "HEAD", "/", &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_lets_the_inline_script_run_and_no_other() {
    use base64::Engine as _;
    let served = Served::start().await;
    let index = served.get("/").await;
    let html = index.text();
    let policy = index.header("content-security-policy").unwrap();
    let inline: Vec<_> =
        html.split("<script>").skip(1).filter_map(|rest| rest.split("</script>").next()).collect();
    for script in &inline {
        let hash = ring::digest::digest(&ring::digest::SHA256, script.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash.as_ref());
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    }
    assert_eq!(policy.matches("sha256-").count(), inline.len());
}
