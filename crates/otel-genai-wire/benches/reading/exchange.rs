//! An exchange as it passes on the wire, made from its parts.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Uri};
use otel_genai_wire::{Call, Options, RequestReader, Route, detect};

/// Lines of a text as they stand in JSON: mostly plain, some escapes, some that is not ASCII.
const LINE: &str =
    "The order left our store on Monday, and nothing has been \\\"late\\\" since \u{2014} so far.\\n";
/// How many turns a long history has: about 256 KB.
const TURNS: usize = 200;
/// How many chunks a streamed answer has.
pub(crate) const CHUNKS: usize = 1000;

pub(crate) struct Exchange {
    pub(crate) name: &'static str,
    pub(crate) route: Route,
    pub(crate) request: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    pub(crate) stream: Option<Stream>,
    /// The same request without its history.
    short: Vec<u8>,
}

/// A streamed answer.
pub(crate) struct Stream {
    pub(crate) route: Route,
    pub(crate) headers: HeaderMap,
    /// As they come on the wire.
    pub(crate) chunks: Vec<Vec<u8>>,
    /// The JSON in them.
    pub(crate) documents: Vec<Vec<u8>>,
}

/// How the chunks of a stream are told from each other.
#[derive(Clone, Copy)]
pub(crate) enum Framing {
    Events,
    NamedEvents,
    Lines,
    EventStream,
}

impl Exchange {
    /// `request`: `$TURNS` stands for the history, which is `turn` many times. In all of it `$TEXT` stands for half a
    /// kilobyte of text.
    pub(crate) fn new(name: &'static str, url: &str, request: &str, turn: &str, answer: &str) -> Self {
        let turns = vec![turn; TURNS].join(",");
        Exchange {
            name,
            route: route(url),
            request: filled(&request.replace("$TURNS", &turns)),
            answer: filled(answer),
            stream: None,
            short: filled(&request.replace("$TURNS", turn)),
        }
    }

    /// The answer may as well be streamed: its first events, one that comes many times, and its last ones; each with
    /// its name and its document.
    pub(crate) fn streamed(
        mut self,
        url: &str,
        framing: Framing,
        first: &[(&str, &str)],
        many: (&str, &str),
        last: &[(&str, &str)],
    ) -> Self {
        let events: Vec<(&str, Vec<u8>)> = first
            .iter()
            .chain(std::iter::repeat_n(&many, CHUNKS))
            .chain(last)
            .map(|(name, document)| (*name, filled(document)))
            .collect();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(framing.content_type()));
        self.stream = Some(Stream {
            route: route(url),
            headers,
            chunks: events.iter().map(|(name, document)| framing.chunk(name, document)).collect(),
            documents: events.into_iter().map(|(_, document)| document).collect(),
        });
        self
    }

    /// The call to which an answer comes.
    pub(crate) fn asked(&self, route: &Route) -> Call {
        let mut reader = RequestReader::new(route, Options::new(false));
        reader.push(&self.short);
        reader.finish().expect("a call")
    }
}

impl Framing {
    fn content_type(self) -> &'static str {
        match self {
            Framing::Events | Framing::NamedEvents => "text/event-stream",
            Framing::Lines => "application/x-ndjson",
            Framing::EventStream => "application/vnd.amazon.eventstream",
        }
    }

    fn chunk(self, name: &str, document: &[u8]) -> Vec<u8> {
        match self {
            Framing::Events => [b"data: ", document, b"\n\n"].concat(),
            Framing::NamedEvents => [b"event: ", name.as_bytes(), b"\ndata: ", document, b"\n\n"].concat(),
            Framing::Lines => [document, b"\n"].concat(),
            Framing::EventStream => message(name, document),
        }
    }
}

pub(crate) fn json() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

fn route(url: &str) -> Route {
    let url: Uri = url.parse().expect("a URL");
    // By this a message of the Model Context Protocol is known.
    let accept = HeaderValue::from_static("application/json, text/event-stream");
    detect(&Method::POST, &url, &HeaderMap::from_iter([(ACCEPT, accept)])).expect("a call of a model")
}

fn filled(template: &str) -> Vec<u8> {
    let vector: Vec<String> = (0..1536).map(|at| format!("{:.8}", f64::from(at) / 1536.0 - 0.5)).collect();
    template.replace("$TEXT", &LINE.repeat(6)).replace("$VECTOR", &vector.join(",")).into_bytes()
}

/// A message of Amazon's event stream.
fn message(name: &str, document: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (key, value) in
        [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")]
    {
        head.push(key.len() as u8);
        head.extend_from_slice(key.as_bytes());
        head.push(7);
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let mut message = ((head.len() + document.len() + 16) as u32).to_be_bytes().to_vec();
    message.extend_from_slice(&(head.len() as u32).to_be_bytes());
    message.extend_from_slice(&checksum(&message));
    message.extend_from_slice(&head);
    message.extend_from_slice(document);
    message.extend_from_slice(&checksum(&message));
    message
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum().to_be_bytes()
}
