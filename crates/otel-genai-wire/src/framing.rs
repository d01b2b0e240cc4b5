//! How the body of an answer is cut into documents, whatever they say.

mod array;
mod event_stream;
mod lines;
mod sse;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// How a body is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The body is one document.
    Whole,
    /// Server-sent events.
    Events,
    /// A document a line (NDJSON, JSON lines).
    Lines,
    /// The items of one list, which comes piece by piece.
    Items,
    /// Amazon's binary event stream.
    EventStream,
    /// Not at all: the body is data, of which nothing is a document.
    Data,
}

/// What the content type says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Events,
    Lines,
    EventStream,
    Json,
    /// Something else, or nothing.
    Other,
}

/// A document of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The event's name, if it has one, and what it says.
    Data { name: Option<&'a [u8]>, data: &'a [u8] },
    /// The framing itself says that this is an error, and of which kind.
    Error { kind: &'a [u8], data: &'a [u8] },
    /// An event that was too long to be held.
    TooLong,
    /// The framing is broken, so that nothing can be read from here on. Why, for people.
    Broken(&'static str),
}

/// Cuts one stream, in pieces of any size. Holds no more than one event, and no more than a bound of it.
#[derive(Debug)]
pub(crate) enum Frames {
    Events(sse::Reader),
    Lines(lines::Reader),
    Items(array::Reader),
    EventStream(event_stream::Reader),
}

/// What the body says it is.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
}

impl Media {
    pub(crate) fn of(headers: &HeaderMap) -> Media {
        let value = content_type(headers).unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/event-stream" => Media::Events,
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/stream+json" => Media::Lines,
            "application/vnd.amazon.eventstream" => Media::EventStream,
            essence if essence.ends_with("/json") || essence.ends_with("+json") => Media::Json,
            _ => Media::Other,
        }
    }
}

impl Framing {
    /// What most protocols mean by a content type: where it says nothing, a stream that was asked for is one of
    /// server-sent events.
    pub(crate) fn usual(media: Media, is_stream: bool) -> Framing {
        match media {
            Media::Events => Framing::Events,
            Media::Lines => Framing::Lines,
            Media::EventStream => Framing::EventStream,
            Media::Other if is_stream => Framing::Events,
            Media::Json | Media::Other => Framing::Whole,
        }
    }

    /// The framing of a body that begins so: servers send a document where a stream was asked for, and say otherwise.
    pub(crate) fn seen(self, first: u8) -> Framing {
        match (self, first) {
            // A page for browsers is no stream either.
            (Framing::Events, b'{' | b'<') => Framing::Whole,
            (Framing::Events, b'[') => Framing::Items,
            (Framing::Items | Framing::EventStream, b'{' | b'<') => Framing::Whole,
            (framing, _) => framing,
        }
    }
}

impl Frames {
    /// A reader of a stream, of which no event may be longer than `limit`. `None`: it is one document.
    pub(crate) fn new(framing: Framing, limit: usize) -> Option<Frames> {
        match framing {
            Framing::Whole | Framing::Data => None,
            Framing::Events => Some(Frames::Events(sse::Reader::new(limit))),
            Framing::Lines => Some(Frames::Lines(lines::Reader::new(limit))),
            Framing::Items => Some(Frames::Items(array::Reader::new(limit))),
            Framing::EventStream => Some(Frames::EventStream(event_stream::Reader::new(limit))),
        }
    }

    /// The next bytes; every event that they complete is told.
    pub(crate) fn push(&mut self, bytes: &[u8], tell: impl FnMut(Event<'_>)) {
        match self {
            Frames::Events(reader) => reader.push(bytes, tell),
            Frames::Lines(reader) => reader.push(bytes, tell),
            Frames::Items(reader) => reader.push(bytes, tell),
            Frames::EventStream(reader) => reader.push(bytes, tell),
        }
    }

    /// The stream is over: what needs no end of its own is told.
    pub(crate) fn finish(self, tell: impl FnMut(Event<'_>)) {
        match self {
            Frames::Events(reader) => reader.finish(tell),
            Frames::Lines(reader) => reader.finish(tell),
            // Half an item, or half a message, is none.
            Frames::Items(_) | Frames::EventStream(_) => {}
        }
    }
}

/// What the readers' own tests share.
#[cfg(test)]
mod test {
    use super::*;

    pub(super) fn tell(event: Event<'_>) -> String {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        match event {
            Event::Data { name: Some(name), data } => format!("{}|{}", text(name), text(data)),
            Event::Data { name: None, data } => text(data),
            Event::Error { kind, data } => format!("ERROR {}|{}", text(kind), text(data)),
            Event::TooLong => "TOO LONG".to_owned(),
            Event::Broken(why) => format!("BROKEN {why}"),
        }
    }

    /// The events of a stream, which are the same wherever it is cut.
    pub(super) fn events(framing: Framing, limit: usize, stream: &[u8]) -> Vec<String> {
        let read = |pieces: &[&[u8]]| {
            let mut told = Vec::new();
            let mut frames = Frames::new(framing, limit).unwrap();
            pieces.iter().for_each(|piece| frames.push(piece, |event| told.push(tell(event))));
            frames.finish(|event| told.push(tell(event)));
            told
        };
        let whole = read(&[stream]);
        for at in 0..=stream.len() {
            let (one, two) = stream.split_at(at);
            assert_eq!(read(&[one, two]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read(&bytes), whole, "byte by byte");
        whole
    }
}
