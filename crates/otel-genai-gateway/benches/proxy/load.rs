//! Requests in a closed loop over plain sockets: each connection sends the next one when it has the last answer.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unary,
    Burst,
    Paced,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    /// Ends after this time, or after `calls` where that is not zero.
    pub(crate) time: Duration,
    pub(crate) calls: usize,
}

impl Plan {
    pub(crate) fn arguments(self) -> [String; 4] {
        let kind = match self.kind {
            Kind::Unary => "unary",
            Kind::Burst => "burst",
            Kind::Paced => "paced",
        };
        [
            kind.to_owned(),
            self.connections.to_string(),
            self.time.as_millis().to_string(),
            self.calls.to_string(),
        ]
    }

    pub(crate) fn parse(arguments: &[String]) -> Self {
        let kind = match arguments[0].as_str() {
            "unary" => Kind::Unary,
            "burst" => Kind::Burst,
            _ => Kind::Paced,
        };
        let number = |n: usize| arguments[n].parse::<u64>().unwrap();
        Self {
            kind,
            connections: usize::try_from(number(1)).unwrap(),
            time: Duration::from_millis(number(2)),
            calls: usize::try_from(number(3)).unwrap(),
        }
    }
}

/// What a load reports, on one line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) calls: usize,
    pub(crate) seconds: f64,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// Socket reads for each answer.
    pub(crate) reads: f64,
}

impl Outcome {
    pub(crate) fn parse(line: &str) -> Self {
        let numbers: Vec<f64> = line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [calls, seconds, p50, p99, p999, reads] = numbers[..] else { panic!("not an outcome: {line}") };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number, printed as one"
        )]
        let calls = calls as usize;
        Self { calls, seconds, p50, p99, p999, reads }
    }
}

#[derive(Default)]
struct Record {
    nanoseconds: Vec<u64>,
    reads: usize,
    left: usize,
}

pub(crate) async fn drive(address: SocketAddr, plan: Plan) {
    let record = Rc::new(RefCell::new(Record {
        left: if plan.calls == 0 { usize::MAX } else { plan.calls },
        ..Record::default()
    }));
    let request: Rc<[u8]> = request(plan.kind).into_bytes().into();
    let start = Instant::now();
    let end = if plan.calls == 0 { Some(start + plan.time) } else { None };
    let connections = LocalSet::new();
    for _ in 0..plan.connections {
        let (request, record) = (request.clone(), record.clone());
        connections.spawn_local(async move { connection(address, &request, &record, end).await });
    }
    connections.await;
    let seconds = start.elapsed().as_secs_f64();
    let mut record = record.borrow_mut();
    record.nanoseconds.sort_unstable();
    let calls = record.nanoseconds.len();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let at = |per_mille: usize| {
        record.nanoseconds[(calls * per_mille / 1000).min(calls.saturating_sub(1))] as f64 / 1000.0
    };
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let reads = record.reads as f64 / calls as f64;
    println!("{calls} {seconds} {} {} {} {reads}", at(500), at(990), at(999));
}

async fn connection(address: SocketAddr, request: &[u8], record: &RefCell<Record>, end: Option<Instant>) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let mut answer = Vec::with_capacity(1 << 16);
    loop {
        {
            let mut record = record.borrow_mut();
            if record.left == 0 || end.is_some_and(|end| Instant::now() >= end) {
                return;
            }
            record.left -= 1;
        }
        answer.clear();
        let start = Instant::now();
        socket.write_all(request).await.unwrap();
        let mut reads = 0;
        let mut wanted = None;
        loop {
            assert!(socket.read_buf(&mut answer).await.unwrap() > 0, "the proxy closed a connection");
            reads += 1;
            if is_whole(&answer, &mut wanted) {
                break;
            }
        }
        let took = start.elapsed();
        let mut record = record.borrow_mut();
        record.nanoseconds.push(u64::try_from(took.as_nanos()).unwrap());
        record.reads += reads;
    }
}

enum Wanted {
    Bytes(usize),
    LastChunk,
}

fn is_whole(answer: &[u8], wanted: &mut Option<Wanted>) -> bool {
    if wanted.is_none() {
        let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
        let text = std::str::from_utf8(&answer[..head]).unwrap().to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200 "), "{text}");
        *wanted = Some(match text.split_once("content-length: ") {
            Some((_, rest)) => {
                Wanted::Bytes(head + 4 + rest.lines().next().unwrap().trim().parse::<usize>().unwrap())
            }
            None => Wanted::LastChunk,
        });
    }
    match wanted {
        Some(Wanted::Bytes(bytes)) => answer.len() >= *bytes,
        _ => answer.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn request(kind: Kind) -> String {
    let (stream, pace) = match kind {
        Kind::Unary => ("", ""),
        Kind::Burst => (r#","stream":true,"stream_options":{"include_usage":true}"#, ""),
        Kind::Paced => (r#","stream":true,"stream_options":{"include_usage":true}"#, r#","user":"paced""#),
    };
    let body = format!(
        r#"{{"messages":[{{"role":"system","content":"You are a helpful assistant that knows the weather."}},{{"role":"user","content":"What is the weather in Paris today, and should I take a coat?"}}],"model":"gpt-4o-mini","temperature":0.2,"max_tokens":200{stream}{pace}}}"#
    );
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip, deflate\r\nConnection: \
         keep-alive\r\nAccept: application/json\r\nContent-Type: application/json\r\nUser-Agent: OpenAI/Python \
         2.54.0\r\nX-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.54.0\r\nX-Stainless-OS: \
         Linux\r\nX-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\nX-Stainless-Async: \
         false\r\nx-stainless-retry-count: 0\r\nAuthorization: Bearer bench\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
