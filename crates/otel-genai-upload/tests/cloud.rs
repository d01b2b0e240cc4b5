//! Clouds, as far as a small server on the loopback interface can play them: what is asked of them, and what becomes of
//! their answers.

#![cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otel_genai::opentelemetry::KeyValue;
use otel_genai::opentelemetry::trace::SpanContext;
use otel_genai::{Completion, CompletionHook as _, Message};
use otel_genai_upload::{Builder, Error, UploadHook};

const PATIENCE: Duration = Duration::from_secs(30);

/// A request as the server got it.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    /// With its query.
    path: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

/// A store that keeps what is put into it, until it is told to refuse everything.
#[derive(Clone, Default)]
struct Cloud {
    requests: Arc<Mutex<Vec<Request>>>,
    objects: Arc<Mutex<HashMap<String, usize>>>,
    refuses: Arc<AtomicBool>,
}

impl Cloud {
    /// Starts it; its URL.
    fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cloud = Cloud::default();
        let serving = cloud.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let cloud = serving.clone();
                std::thread::spawn(move || cloud.serve(stream));
            }
        });
        (cloud, url)
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(request) = read(&mut reader) {
            let answer = self.answer(&request);
            self.requests.lock().unwrap().push(request);
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> String {
        let object = request.path.split('?').next().unwrap().to_owned();
        let mut objects = self.objects.lock().unwrap();
        let head =
            "ETag: \"e\"\r\nLast-Modified: Sun, 22 Nov 2026 00:00:00 GMT\r\nx-ms-version: 2023-11-03\r\n";
        if self.refuses.load(Ordering::Relaxed) {
            return "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nDenied".to_owned();
        }
        match request.method.as_str() {
            "HEAD" => match objects.get(&object) {
                Some(length) => format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\n\r\n"),
                None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
            },
            "PUT" => {
                objects.insert(object, request.body.len());
                format!("HTTP/1.1 201 Created\r\n{head}Content-Length: 0\r\n\r\n")
            }
            "DELETE" => {
                objects.remove(&object);
                "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
            }
            _ => "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n".to_owned(),
        }
    }

    /// What was put, but for the trial at the start.
    fn puts(&self) -> Vec<Request> {
        let requests = self.requests.lock().unwrap();
        let put = |request: &&Request| request.method == "PUT" && !request.path.contains("-test");
        requests.iter().filter(put).cloned().collect()
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), decoded(words.next()?));
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}

/// Google's store encodes more than others do.
fn decoded(path: &str) -> String {
    ["/", ".", "-", "_"].into_iter().fold(path.to_owned(), |path, character| {
        path.replace(&format!("%{:02X}", character.as_bytes()[0]), character)
    })
}

fn ask(hook: &UploadHook, question: &str) -> Vec<KeyValue> {
    let (mut input, mut output, mut instructions) = (vec![Message::user(question)], vec![], vec![]);
    let (mut tools, mut attributes) = (vec![], vec![]);
    hook.on_completion(&mut Completion::new(
        "chat",
        &SpanContext::NONE,
        &mut input,
        &mut output,
        &mut instructions,
        &mut tools,
        &mut attributes,
    ));
    attributes
}

/// Uploads the same question twice, from two hooks: one file.
fn stores_once(builder: impl Fn(&str) -> Builder, base: &str, path: &str) -> Request {
    let (cloud, url) = Cloud::start();
    let hook = builder(&url).build().unwrap();
    assert_eq!(hook.base(), base);
    let references = ask(&hook, "Where is my order?");
    let counts = hook.shutdown(PATIENCE);
    assert_eq!((counts.stored, counts.failed), (1, 0), "{counts:?}");
    let puts = cloud.puts();
    assert_eq!(puts.len(), 1, "{puts:?}");
    let name = references[0].value.as_str().strip_prefix(&format!("{base}/")).unwrap().to_owned();
    assert_eq!(puts[0].path.split('?').next().unwrap(), format!("{path}/{name}"));
    // Azure has a header of its own for it.
    let content_type = ["x-ms-blob-content-type", "content-type"].map(|name| puts[0].headers.get(name));
    assert_eq!(content_type.into_iter().flatten().next().unwrap(), "application/json");
    assert_eq!(
        String::from_utf8_lossy(&puts[0].body),
        "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Where is my order?\"}]}]\n"
    );

    // The next run finds it there.
    let next = builder(&url).build().unwrap();
    assert_eq!(ask(&next, "Where is my order?"), references);
    let counts = next.flush(PATIENCE);
    assert_eq!((counts.known, counts.stored), (1, 0), "{counts:?}");

    // Refused meanwhile: counted, and the program goes on.
    cloud.refuses.store(true, Ordering::Relaxed);
    ask(&next, "And my refund?");
    let counts = next.shutdown(PATIENCE);
    assert_eq!((counts.failed, counts.pending), (1, 0), "{counts:?}");
    let error = builder(&url).build().unwrap_err();
    assert!(matches!(error, Error::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().contains(base) && !error.to_string().contains("hush"), "{error}");

    cloud.puts().remove(0)
}

#[cfg(feature = "aws")]
#[test]
fn s3_gets_signed_requests() {
    let builder = |url: &str| {
        UploadHook::builder("s3://bucket/team/prompts/")
            .option("aws_endpoint", url)
            .option("aws_allow_http", "true")
            .option("AWS_REGION", "eu-central-1")
            .option("aws_access_key_id", "test-id")
            .option("aws_secret_access_key", "hush-hush")
    };
    let put = stores_once(builder, "s3://bucket/team/prompts", "/bucket/team/prompts");
    let signature = &put.headers["authorization"];
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=test-id/"), "{signature}");
    assert!(put.headers["user-agent"].starts_with("otel-genai-upload/"), "{put:?}");
}

#[cfg(feature = "gcp")]
#[test]
fn google_cloud_storage() {
    let builder = |url: &str| {
        let account = format!(
            r#"{{"private_key":"hush","private_key_id":"hush","client_email":"","disable_oauth":true,"gcs_base_url":"{url}"}}"#
        );
        UploadHook::builder("gcs://bucket/prompts")
            .option("google_service_account_key", account)
            .option("allow_http", "true")
    };
    stores_once(builder, "gs://bucket/prompts", "/bucket/prompts");
}

#[cfg(feature = "azure")]
#[test]
fn azure_blob_storage() {
    let builder = |url: &str| {
        UploadHook::builder("az://container/prompts")
            .option("azure_storage_account_name", "account")
            .option("azure_storage_account_key", "aHVzaC1odXNo")
            .option("azure_storage_endpoint", url)
            .option("allow_http", "true")
    };
    let put = stores_once(builder, "az://container/prompts", "/container/prompts");
    assert!(put.headers["authorization"].starts_with("SharedKey account:"), "{put:?}");
}

#[cfg(feature = "aws")]
#[test]
fn what_a_cloud_does_not_know_is_told() {
    let error = UploadHook::builder("s3://bucket").option("aws_colour", "hush").build().unwrap_err();
    assert!(error.to_string().contains("aws_colour") && !error.to_string().contains("hush"), "{error}");
}

#[cfg(feature = "aws")]
#[test]
fn plain_http_needs_consent() {
    let (cloud, url) = Cloud::start();
    let error = UploadHook::builder("s3://bucket")
        .option("aws_endpoint", url)
        .option("aws_region", "eu-central-1")
        .option("aws_access_key_id", "test-id")
        .option("aws_secret_access_key", "hush-hush")
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap_err();
    assert!(!error.to_string().contains("hush"), "{error}");
    assert!(cloud.requests.lock().unwrap().is_empty(), "nothing is sent in the clear");
}
