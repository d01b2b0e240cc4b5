//! How much room a request takes once it is read, told from its bytes alone. An empty span is two bytes on the wire and
//! hundreds in memory: whoever only counts bytes can be made to run out of memory by a small request.

use prost::encoding::decode_varint;

/// A message of OTLP, by what stands in it. Requests, resources, scopes and records of all signals are alike.
#[derive(Clone, Copy)]
enum Kind {
    Request,
    OfResource,
    Resource,
    OfScope,
    Scope,
    /// What a resource is, with lists of names.
    Entity,
    /// A span or a log record, by the signal; for metrics a metric.
    Record,
    /// The points of a metric of one kind.
    Points,
    Point,
    /// Those of exponential histograms.
    ExponentialPoints,
    ExponentialPoint,
    /// A list of counts, each a byte on the wire and eight in memory.
    Buckets,
    /// What has attributes in its third field: an event.
    Event,
    /// What has attributes in its fourth field: a link.
    Link,
    /// What has attributes in its seventh field: a single measurement.
    Exemplar,
    KeyValue,
    Value,
    Array,
    Map,
    /// Nothing that is looked into.
    Other,
}

/// Which records a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Records {
    Spans,
    Logs,
    Metrics,
}

/// Nobody nests deeper, and what reads the request refuses it.
const DEEPEST: u8 = 100;
/// What reads a list takes room for more than there is in it.
const SPARE: usize = 2;

impl Kind {
    /// What a field holds, if that is messages.
    fn field(self, field: u64, records: Records) -> Option<Self> {
        Some(match (self, field) {
            (Self::Request, 1) => Self::OfResource,
            (Self::OfResource, 1) => Self::Resource,
            (Self::OfResource, 2) => Self::OfScope,
            (Self::OfScope, 1) => Self::Scope,
            (Self::OfScope, 2) => Self::Record,
            (Self::Resource, 1) | (Self::Scope, 3) => Self::KeyValue,
            (Self::Resource, 3) => Self::Entity,
            (Self::Entity, 3 | 4) => Self::Other,
            (Self::Record, _) => match (records, field) {
                (Records::Spans, 9) | (Records::Logs, 6) | (Records::Metrics, 12) => Self::KeyValue,
                (Records::Spans, 11) => Self::Event,
                (Records::Spans, 13) => Self::Link,
                (Records::Logs, 5) => Self::Value,
                (Records::Metrics, 5 | 7 | 9 | 11) => Self::Points,
                (Records::Metrics, 10) => Self::ExponentialPoints,
                _ => return None,
            },
            (Self::Points, 1) => Self::Point,
            (Self::ExponentialPoints, 1) => Self::ExponentialPoint,
            (Self::ExponentialPoint, 1) => Self::KeyValue,
            (Self::ExponentialPoint, 8 | 9) => Self::Buckets,
            (Self::ExponentialPoint, 11) => Self::Exemplar,
            // By the kind of point attributes, exemplars, quantiles and buckets have different numbers. A list of numbers
            // may be taken for a message so, which makes little of it.
            (Self::Point, 1 | 7 | 9) => Self::KeyValue,
            (Self::Point, 5 | 8 | 11) => Self::Exemplar,
            (Self::Point, 6) => Self::Other,
            (Self::Event, 3) | (Self::Link, 4) | (Self::Exemplar, 7) | (Self::Map, 1) => Self::KeyValue,
            (Self::KeyValue, 2) | (Self::Array, 1) => Self::Value,
            (Self::Value, 5) => Self::Array,
            (Self::Value, 6) => Self::Map,
            _ => return None,
        })
    }

    /// About how much room one takes, without what texts and lists in it take.
    const fn size(self) -> usize {
        match self {
            Self::Record => 320,
            Self::ExponentialPoint => 256,
            Self::Point | Self::OfResource | Self::OfScope | Self::Resource => 160,
            Self::Event
            | Self::Link
            | Self::Exemplar
            | Self::Scope
            | Self::Entity
            | Self::Points
            | Self::ExponentialPoints
            | Self::Buckets
            | Self::Other => 96,
            Self::KeyValue => 64,
            Self::Request | Self::Value | Self::Array | Self::Map => 32,
        }
    }
}

/// About how much room the messages of a protobuf request take. Bytes that make no sense are counted up to there: whoever
/// reads them says so.
pub(crate) fn protobuf(bytes: &[u8], records: Records) -> usize {
    let mut room = 0;
    let _ = walk(bytes, Kind::Request, records, DEEPEST, &mut room);
    room
}

fn walk(mut bytes: &[u8], kind: Kind, records: Records, depth: u8, room: &mut usize) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    while !bytes.is_empty() {
        let tag = decode_varint(&mut bytes).ok()?;
        let length = match tag & 7 {
            0 => {
                decode_varint(&mut bytes).ok()?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(decode_varint(&mut bytes).ok()?).ok()?,
            5 => 4,
            // Groups, which OTLP has not: what reads the request passes over them, and so over these bytes. What stands in
            // one is counted as if it were outside.
            3 | 4 => continue,
            _ => return None,
        };
        let (field, rest) = bytes.split_at_checked(length)?;
        bytes = rest;
        if tag & 7 == 2 && matches!((kind, tag >> 3), (Kind::Buckets, 2)) {
            *room = room.saturating_add(field.len().saturating_mul(size_of::<u64>() * SPARE));
        }
        if tag & 7 == 2
            && let Some(inner) = kind.field(tag >> 3, records)
        {
            *room = room.saturating_add(inner.size() * SPARE);
            // What is broken inside keeps nothing behind it from being counted.
            let _ = walk(field, inner, records, depth, room);
        }
    }
    Some(())
}

/// The same of a JSON request: by its objects, and by what else stands in its lists.
pub(crate) fn json(bytes: &[u8]) -> usize {
    /// An attribute, or anything that is a field of another object.
    const OBJECT: usize = 192;
    const RECORD: usize = Kind::Record.size() * SPARE;
    const VALUE: usize = Kind::Value.size() * SPARE;
    const NUMBER: usize = size_of::<u64>() * SPARE;
    const TEXT: usize = size_of::<String>() * SPARE;
    /// What stands before a byte, outside of texts.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Before {
        /// The beginning of an item of a list, or of a key.
        Begin,
        /// A text that began so: a key if a colon follows, else an item.
        Text,
        Colon,
        Other,
    }
    let mut room = 0usize;
    let (mut before, mut is_first) = (Before::Other, false);
    let (mut in_text, mut escaped) = (false, false);
    // Where the last text began, and what it was.
    let (mut start, mut last) = (0, &[][..]);
    // A bit for each list and object that is open: whether it is a list of attributes or values, as OTLP or Jaeger call
    // them. Any other may be one of records, and what is nested too deep for the bits counts as such.
    let mut of_values = 0u128;
    for (at, byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    in_text = false;
                    last = bytes.get(start..at).unwrap_or_default();
                    before = if is_first { Before::Text } else { Before::Other };
                }
                _ => {}
            }
            continue;
        }
        let (begins, in_values) = (before == Before::Begin, of_values & 1 == 1);
        let takes = match byte {
            byte if byte.is_ascii_whitespace() => continue,
            b'"' => {
                (in_text, is_first, start) = (true, begins, at + 1);
                continue;
            }
            b'{' if begins && !in_values => RECORD,
            b'{' => OBJECT,
            b',' | b']' if before == Before::Text => TEXT,
            b'[' | b',' | b']' | b'}' | b':' => 0,
            _ if begins && in_values => VALUE,
            _ if begins => NUMBER,
            _ => 0,
        };
        room = room.saturating_add(takes);
        let is_of_values = || matches!(last, b"attributes" | b"values" | b"tags" | b"fields");
        of_values = match byte {
            b'[' if before == Before::Colon && is_of_values() => (of_values << 1) | 1,
            b'[' | b'{' => of_values << 1,
            b']' | b'}' => of_values >> 1,
            _ => of_values,
        };
        before = match byte {
            b'[' | b',' => Before::Begin,
            b':' => Before::Colon,
            _ => Before::Other,
        };
    }
    room
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
    use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use opentelemetry_proto::tonic::metrics::v1::{
        ExponentialHistogram, ExponentialHistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics,
    };
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use otel_genai_store::otlp;
    use prost::Message as _;

    use super::*;

    fn request(spans: Vec<Span>) -> Vec<u8> {
        let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
        let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }

    #[test]
    fn counts_of_buckets_take_more_room_than_on_the_wire() {
        let counts = Buckets { bucket_counts: vec![0; 10_000], ..Buckets::default() };
        for negative in [false, true] {
            let mut point = ExponentialHistogramDataPoint::default();
            *(if negative { &mut point.negative } else { &mut point.positive }) = Some(counts.clone());
            let points = ExponentialHistogram { data_points: vec![point], ..ExponentialHistogram::default() };
            let data = Some(Data::ExponentialHistogram(points));
            let scope_metrics = vec![ScopeMetrics {
                metrics: vec![Metric { data, ..Metric::default() }],
                ..ScopeMetrics::default()
            }];
            let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
            let bytes = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
            assert!(protobuf(&bytes, Records::Metrics) >= 80_000, "{negative}");
        }
    }

    #[test]
    fn numbers_in_lists_of_json_take_more_room_than_on_the_wire() {
        let list = |item: &str| format!("[{}]", vec![item; 10_000].join(" , "));
        for (item, least) in [("1", 8), ("-0.5e9", 8), ("\"1\"", 24), ("\"a\\\",\"", 24)] {
            let room = json(list(item).as_bytes());
            assert!((least * 10_000..=3 * least * 10_000).contains(&room), "{item}: {room}");
        }
        // Keys and their values are of the objects that have them.
        let object = format!("{{{}}}", vec![r#""a" : "b", "c" : 7"#; 10_000].join(","));
        assert_eq!(json(object.as_bytes()), json(b"{}"));
    }

    #[test]
    fn what_is_empty_takes_room_and_text_does_not_count_twice() {
        let empty = request(vec![Span::default(); 1_000]);
        assert!(protobuf(&empty, Records::Spans) >= 1_000 * size_of::<Span>(), "{}", empty.len());
        let value = Some(Value::StringValue("\u{12}\0".repeat(10_000)));
        let long = KeyValue { key: "a".into(), value: Some(AnyValue { value }), ..KeyValue::default() };
        let long = request(vec![Span { attributes: vec![long], ..Span::default() }]);
        assert!(protobuf(&long, Records::Spans) < 2_000);
        let keys = request(vec![Span { attributes: vec![KeyValue::default(); 1_000], ..Span::default() }]);
        assert!(protobuf(&keys, Records::Spans) >= 1_000 * size_of::<KeyValue>());
        // A group that nobody knows hides nothing behind it.
        let mut behind = vec![0x9b, 0x06, 0x9c, 0x06];
        behind.extend(&empty);
        assert!(protobuf(&behind, Records::Spans) >= 1_000 * size_of::<Span>());
        // Cut anywhere, it is looked at up to there.
        for length in 0..keys.len() {
            assert!(protobuf(&keys[..length], Records::Spans) <= protobuf(&keys, Records::Spans));
        }
        let objects = json(br#"{"a":"{{{\"{","b":[{},{}],"c":null,"d":{},"e":1}"#);
        assert_eq!(objects, 2 * json(b"{}") + 2 * json(b"[{}]"));
    }

    /// A few bytes of which something large is read are counted as that.
    #[test]
    fn what_is_little_in_json_is_counted_as_what_it_becomes() {
        fn read(before: &str, item: &str, behind: &str) -> (ResourceSpans, usize) {
            let text = format!("{before}{}{behind}", vec![item; 10_000].join(", "));
            let text = format!(r#"{{"resourceSpans":[{text}]}}"#);
            let mut request: ExportTraceServiceRequest = otlp::from_json(text.as_bytes()).unwrap();
            (request.resource_spans.remove(0), json(text.as_bytes()))
        }
        for item in ["null", "{}", r#"{"x":1}"#, r#"{"x":"attributes","y":"values"}"#] {
            // A key may be escaped.
            for key in ["spans", "sp\\u0061ns"] {
                let (read, room) = read(&format!(r#"{{"scopeSpans":[{{"{key}":["#), item, "]}]}");
                let spans = &read.scope_spans[0].spans;
                assert_eq!(spans.len(), if item == "null" { 0 } else { 10_000 });
                assert!(room >= spans.capacity() * size_of::<Span>(), "{item}: {room}");
            }
            let (of_resource, room) = read(r#"{"resource":{"attributes":["#, item, "]}}");
            let attributes = of_resource.resource.unwrap().attributes;
            assert!(room >= attributes.capacity() * size_of::<KeyValue>(), "{item}: {room}");
            let before = r#"{"resource":{"attributes":[{"value":{"arrayValue":{"values":["#;
            let (mut of_resource, room) = read(before, item, "]}}}]}}");
            let attribute = of_resource.resource.as_mut().unwrap().attributes.remove(0);
            let Some(Value::ArrayValue(list)) = attribute.value.and_then(|value| value.value) else {
                panic!()
            };
            assert_eq!(list.values.len(), 10_000, "{item}");
            assert!(room >= list.values.capacity() * size_of::<AnyValue>(), "{item}: {room}");
        }
        // What everybody sends is not made more of than it is by far.
        let attribute = r#"{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5"}}"#;
        let (_, room) = read(r#"{"resource":{"attributes":["#, attribute, "]}}");
        assert!(room < 10_000 * 400, "{room}");
    }
}
