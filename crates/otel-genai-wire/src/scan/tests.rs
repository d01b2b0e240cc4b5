//! What the scanner picks, and that it picks the same as a whole parser would.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const WANT: Want = Want::Fields(&[
    ("model", Want::Keep(32)),
    ("usage", Want::Keep(64)),
    ("n", Want::Keep(16)),
    ("choices", Want::Items(&Want::Fields(&[("index", Want::Keep(8)), ("why", Want::Keep(16))]))),
    ("data", Want::First(&Want::Fields(&[("embedding", Want::Length)]))),
    ("format", Want::Fields(&[("type", Want::Keep(32))])),
]);

fn scan(document: &[u8]) -> (String, End) {
    let whole = run(document, document.len().max(1));
    for piece in 1..=document.len().min(7) {
        assert_eq!(run(document, piece), whole, "in pieces of {piece}");
    }
    whole
}

fn run(document: &[u8], piece: usize) -> (String, End) {
    let mut scan = Scan::new(&WANT);
    for piece in document.chunks(piece) {
        scan.push(piece);
    }
    let (out, end) = scan.finish();
    (String::from_utf8(out).unwrap(), end)
}

#[test]
fn what_is_wanted_is_kept_in_any_order() {
    let document =
        br#" {"messages":[{"role":"user","content":"{\"model\":\"no\"}"}], "usage" : {"a": [1, 2]} ,
        "choices":[{"message":{"index":9},"index":0,"why":"stop"},7,{"why":null,"index":1}],
        "mod\u0065l":"gpt\"","n":-1.5e3,"data":[{"embedding":[0.1, -2,3e-5],"x":1},{"embedding":[1]}],
        "format":{"schema":{"type":"x"},"type":"json"}}"#;
    assert_eq!(
        scan(document),
        (
            r#"{"usage":{"a": [1, 2]},"choices":[{"index":0,"why":"stop"},{"why":null,"index":1}],"model":"gpt\"","n":-1.5e3,"data":[{"embedding":{"items":3}}],"format":{"type":"json"}}"#
                .to_owned(),
            End::Whole
        )
    );
}

#[test]
fn lengths() {
    let length = |embedding: &str| scan(format!(r#"{{"data":[{{"embedding":{embedding}}}]}}"#).as_bytes()).0;
    assert_eq!(length("[]"), r#"{"data":[{"embedding":{"items":0}}]}"#);
    assert_eq!(length("[ ]"), r#"{"data":[{"embedding":{"items":0}}]}"#);
    assert_eq!(length("[[1,2],\"a,b\",3]"), r#"{"data":[{"embedding":{"items":3}}]}"#);
    assert_eq!(length(r#""ab\/c\u002Bd==""#), r#"{"data":[{"embedding":{"chars":8,"padding":2}}]}"#);
    assert_eq!(length("null"), r#"{"data":[{"embedding":null}]}"#);
}

#[test]
fn a_key_of_another_type_is_told() {
    for other in ["null", "7", r#""x""#, r#"{"0":[]}"#] {
        assert_eq!(scan(format!(r#"{{"choices":{other}}}"#).as_bytes()).0, r#"{"choices":null}"#);
    }
    // And again and again takes no memory.
    let again = format!("{{{}\"n\":1}}", r#""choices":[],"data":0,"#.repeat(100_000));
    assert!(scan(again.as_bytes()).0.len() < 300 << 10);
}

#[test]
fn a_document_that_stops_gives_what_was_complete() {
    assert_eq!(scan(br#"{"model":"m","usage":{"a":1"#), (r#"{"model":"m"}"#.into(), End::Cut));
    assert_eq!(
        scan(br#"{"choices":[{"index":0},{"index":1,"why":"s"#),
        (r#"{"choices":[{"index":0},{"index":1}]}"#.into(), End::Cut)
    );
    assert_eq!(scan(b""), ("{}".into(), End::Cut));
    assert_eq!(scan(br#"{"n":1"#), ("{}".into(), End::Cut));
}

#[test]
fn what_does_not_fit_or_cannot_be_read_is_left_out() {
    let long = format!(r#"{{"model":"{}","n":1}}"#, "x".repeat(40));
    assert_eq!(scan(long.as_bytes()), (r#"{"n":1}"#.into(), End::Whole));
    assert_eq!(scan(br#"{"n":1e999,"model":"m"}"#), (r#"{"model":"m"}"#.into(), End::Whole));
    assert_eq!(scan(br#"{"n":zero,"usage":{"a":},"model":"m"}"#), (r#"{"model":"m"}"#.into(), End::Whole));
    assert_eq!(
        scan(b"{\"model\":\"a\xff\\ud800\"}"),
        ("{\"model\":\"a\u{fffd}\\ufffd\"}".into(), End::Whole)
    );
}

#[test]
fn what_is_no_document() {
    assert_eq!(scan(b"<html>").1, End::Broken);
    assert_eq!(scan(b"OK").1, End::Broken);
    assert_eq!(scan(b"17").1, End::Broken);
    assert_eq!(scan(br#"{"n":1 ;"model":"m"}"#), (r#"{"n":1}"#.into(), End::Broken));
    assert_eq!(scan(b"{]").1, End::Broken);
}

#[test]
fn a_document_in_a_list() {
    assert_eq!(scan(br#"[{"n":1},{"n":2}]"#), (r#"[{"n":1}]"#.into(), End::Whole));
    assert_eq!(scan(b"\xef\xbb\xbf[]"), ("[]".into(), End::Whole));
}

#[test]
fn memory_is_bounded() {
    let mut scan = Scan::new(&WANT);
    scan.push(br#"{"choices":["#);
    for _ in 0..20_000 {
        scan.push(br#"{"index":1,"why":"stop"},"#);
    }
    scan.push(br#"{}],""#);
    scan.push(&vec![b'k'; 1 << 20]);
    scan.push(br#"":[[["#);
    for _ in 0..20_000 {
        scan.push(b"[[[[{");
    }
    assert!(scan.out.capacity() < 64 << 10 && scan.frames.capacity() < 16);
}

/// What is wanted of a value, picked by a parser that holds it all.
fn pick(want: &Want, value: &Value) -> Option<Value> {
    Some(match (want, value) {
        (Want::Keep(limit), value) => value.clone().take_if_short(*limit)?,
        (Want::Fields(fields), Value::Object(object)) => {
            let picked = fields.iter().filter_map(|(name, want)| {
                let something = (!matches!(want, Want::Keep(_))).then_some(Value::Null);
                Some(((*name).to_owned(), pick(want, object.get(*name)?).or(something)?))
            });
            Value::Object(picked.collect())
        }
        (Want::Items(want), Value::Array(items)) => {
            items.iter().filter_map(|item| pick(want, item)).collect()
        }
        (Want::First(want), Value::Array(items)) => {
            items.iter().take(1).filter_map(|item| pick(want, item)).collect()
        }
        (Want::Length, Value::Array(items)) => json!({"items": items.len()}),
        (Want::Length, Value::String(text)) => {
            let padding = text.len() - text.trim_end_matches('=').len();
            json!({"chars": text.len(), "padding": padding})
        }
        _ => return None,
    })
}

trait Short: Sized {
    fn take_if_short(self, limit: usize) -> Option<Self>;
}

impl Short for Value {
    /// As short as it would be written without blanks.
    fn take_if_short(self, limit: usize) -> Option<Self> {
        (self.to_string().len() <= limit).then_some(self)
    }
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z=ä\\\\\"{}\\[\\],:]{0,8}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "model",
            "usage",
            "n",
            "choices",
            "index",
            "why",
            "data",
            "embedding",
            "format",
            "type"
        ])
        .prop_map(str::to_owned),
        "[a-z\\\\\"ä]{0,4}",
    ];
    let value = leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    });
    prop::collection::hash_map(
        prop::sample::select(vec!["model", "usage", "n", "choices", "data", "format", "other"]),
        value,
        0..8,
    )
    .prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_agrees_with_a_parser(document in document(), piece in 1_usize..40) {
        // Bounds apply to what is written, blanks and all, so a document without them is compared exactly.
        let (picked, end) = run(document.to_string().as_bytes(), piece);
        prop_assert_eq!(end, End::Whole);
        prop_assert_eq!(serde_json::from_str::<Value>(&picked).unwrap(), pick(&WANT, &document).unwrap());
        let (pretty, _) = run(serde_json::to_string_pretty(&document).unwrap().as_bytes(), piece);
        prop_assert!(serde_json::from_str::<Value>(&pretty).is_ok());
    }

    #[test]
    fn whatever_comes_the_result_is_json(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1_usize..20) {
        let bytes = [b"{\"model\":".as_slice(), &bytes].concat();
        let (picked, _) = run(&bytes, piece);
        prop_assert!(serde_json::from_str::<Value>(&picked).is_ok(), "{}", picked);
    }
}
