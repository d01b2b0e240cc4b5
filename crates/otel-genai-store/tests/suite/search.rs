//! What was said is found: each phrase where it was planted, and nothing else.

use std::time::{Duration, Instant};

use super::{SECOND, batch, noon, origin, span_id, trace_id};
use crate::support::string;
use otel_genai_store::{
    Attributes, Day, Facts, Filter, Hit, LogQuery, LogRecord, Nanos, Op, Range, SearchQuery, Snippet, Span,
    Store, StoreError, TraceQuery,
};

/// Until everything can be found.
pub(crate) async fn indexed(store: &impl Store) {
    let until = Instant::now() + Duration::from_secs(60);
    while store.status().await.unwrap().index_behind > 0 {
        assert!(Instant::now() < until, "the index stays behind");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A call in whose input somebody says something.
pub(crate) fn said(trace: u64, words: &str) -> Span {
    let mut span = super::span(trace, 0, None, noon() + trace * SECOND);
    let message = serde_json::json!([{"role": "user", "parts": [{"type": "text", "content": words}]}]);
    let attributes = vec![string("gen_ai.input.messages", &message.to_string())];
    span.attributes = Attributes::from_otlp(attributes);
    span
}

fn noted(trace: Option<u64>, body: &str, at: u64) -> LogRecord {
    let mut log = super::log(trace, "", at);
    let told =
        opentelemetry_proto::tonic::logs::v1::LogRecord { body: string("", body).value, ..log.to_otlp() };
    log = LogRecord::from_otlp(told, &origin("shop"), Nanos::now()).unwrap();
    log
}

pub(crate) fn query(text: &str) -> SearchQuery {
    SearchQuery { text: text.to_owned(), limit: 100, ..SearchQuery::default() }
}

fn marked(snippet: &Snippet) -> Vec<String> {
    let units: Vec<u16> = snippet.text.encode_utf16().collect();
    let mark = |(from, to): &(u32, u32)| String::from_utf16(&units[*from as usize..*to as usize]).unwrap();
    snippet.marks.iter().map(mark).collect()
}

/// The traces in which it was said, the last first, and what is marked in the first.
async fn find(store: &impl Store, text: &str) -> (Vec<u8>, Vec<String>) {
    let page = store.search(&query(text)).await.unwrap();
    let mut marks = Vec::new();
    let mut traces = Vec::new();
    for hit in page.items {
        let Hit::Content { trace, span, snippet, at, .. } = hit else { panic!("{hit:?}") };
        assert_eq!((span, at.0), (span_id(0), noon() + u64::from(trace.bytes()[15] - 1) * SECOND));
        if traces.is_empty() {
            marks = marked(&snippet);
        }
        traces.push(trace.bytes()[15] - 1);
    }
    (traces, marks)
}

const SAID: [&str; 11] = [
    "Where is my parcel? It was sent on Tuesday.",
    "My parcel is here, where it should be: is my day saved.",
    "Où est mon café déjà payé à Besançon?",
    "Wo ist die Größe der Übergabe, bitte?",
    "请问北京今天的天气怎么样？我想去天安门。",
    "京北的天气不好。",
    "東京の天気を教えてください。ラーメンも食べたい。",
    "서울의 날씨는 어때요? 내일은 비가 올까요?",
    "fn main() { let total_cost = self.price(42); println!(\"{total_cost}\"); }",
    "let total = cost; // price of self: 42, in main",
    "Что случилось с моей посылкой?",
];

pub(crate) async fn each_phrase_is_found_where_it_was_said_and_nowhere_else(store: &impl Store) {
    let spans = (0..).zip(SAID).map(|(trace, words)| said(trace, words)).collect();
    store.ingest(batch(spans, vec![])).await.unwrap();
    indexed(store).await;
    let cases: [(&str, &[u8], &[&str]); 31] = [
        ("parcel", &[1, 0], &["parcel"]),
        ("PARCEL tuesday", &[0], &["parcel", "Tuesday"]),
        ("\"is my parcel\"", &[0], &["is my parcel"]),
        ("\"is my\"", &[1, 0], &["is my"]),
        ("\"parcel is my\"", &[], &[]),
        ("\"my parc\"", &[], &[]),
        ("parc", &[1, 0], &["parc"]),
        ("parc my", &[], &[]),
        ("cafe deja", &[2], &["café", "déjà"]),
        ("\"CAFÉ DÉJÀ PAYÉ\"", &[2], &["café déjà payé"]),
        ("besancon", &[2], &["Besançon"]),
        ("grosse", &[], &[]),
        ("größe ubergabe", &[3], &["Größe", "Übergabe"]),
        ("北京", &[4], &["北京"]),
        ("天气", &[5, 4], &["天气"]),
        ("京", &[6, 5, 4], &["京"]),
        ("门", &[4], &["门"]),
        ("\"天气怎么样\"", &[4], &["天气怎么样"]),
        ("天气 天安门", &[4], &["天气", "天安门"]),
        ("京都", &[], &[]),
        ("天気", &[6], &["天気"]),
        ("らーめん", &[], &[]),
        ("ラーメン", &[6], &["ラーメン"]),
        ("教えて", &[6], &["教えて"]),
        ("날씨", &[7], &["날씨"]),
        ("\"비가 올까요\"", &[7], &["비가 올까요"]),
        ("total_cost", &[8], &["total_cost", "total_cost"]),
        ("\"fn main() {\"", &[8], &["fn main() {"]),
        ("self.price(42)", &[8], &["self.price(42"]),
        ("total cost 42", &[9, 8], &["total", "cost", "42"]),
        ("ПОСЫЛКОЙ", &[10], &["посылкой"]),
    ];
    for (text, traces, marks) in cases {
        let (found, marked) = find(store, text).await;
        assert_eq!((text, found.as_slice()), (text, traces));
        assert_eq!(marked, marks, "{text}");
    }
    for none in ["", "?!", "\"=>\""] {
        assert!(matches!(store.search(&query(none)).await, Err(StoreError::BadQuery(_))), "{none}");
    }
}

pub(crate) async fn log_records_are_found_and_listed_by_their_words(store: &impl Store) {
    let long = format!("{} a needle in the haystack", "hay ".repeat(200));
    let logs = vec![
        noted(None, "connection refused by 10.0.0.7", noon()),
        noted(Some(3), "refused: the order was cancelled", noon() + 1),
        noted(None, &long, noon() + 2),
        noted(Some(4), &long, noon() + 3),
        noted(Some(4), "nothing here", noon() + 4),
    ];
    store.ingest(batch(vec![], logs)).await.unwrap();
    indexed(store).await;
    let page = store.search(&query("refused")).await.unwrap();
    let Hit::Log { trace, snippet, at, .. } = &page.items[0] else { panic!("{page:?}") };
    assert_eq!((*trace, at.0, page.items.len()), (Some(trace_id(3)), noon() + 1, 2));
    assert_eq!(marked(snippet), ["refused"]);

    let times = async |text: &str, trace: Option<u64>| -> Vec<u64> {
        let query = LogQuery {
            text: Some(text.to_owned()),
            trace: trace.map(trace_id),
            limit: 10,
            ..LogQuery::default()
        };
        let logs = store.logs(&query).await.unwrap().items;
        logs.iter().map(|log| log.time.0 - noon()).collect()
    };
    assert_eq!(times("refused", None).await, [1, 0]);
    assert_eq!(times("\"refused by\"", None).await, [0]);
    assert_eq!(times("needle haystack", None).await, [3, 2]);
    assert_eq!(times("needle", Some(4)).await, [3]);
    assert_eq!(times("needle", Some(3)).await, [] as [u64; 0]);
}

const DAY: u64 = 86_400 * SECOND;

pub(crate) async fn traces_are_listed_by_what_was_said_in_them(store: &impl Store) {
    // One goes on for days, and what is looked for is said on one of them.
    let midnight = Day(Day::of(Nanos(noon())).0 + 1).start().0;
    let late = |id: u64, at: u64, words: &str| {
        let mut span = said(9, words);
        (span.start, span.end, span.key.span) = (Nanos(at), Nanos(at + 1), span_id(id));
        span
    };
    let mut spans: Vec<Span> = (0..).zip(SAID).map(|(trace, words)| said(trace + 20, words)).collect();
    spans.push(late(1, midnight - SECOND, "the first day"));
    spans.push(late(2, midnight + SECOND, "the second morning"));
    spans.push(late(3, midnight + DAY + SECOND, "the third evening"));
    spans.push(late(4, midnight + 2 * DAY + SECOND, "the fourth midnight"));
    let logs = vec![
        noted(Some(20), "an umbrella is missing", noon()),
        noted(Some(9), "the lighthouse is dark", midnight + 2 * DAY + 2 * SECOND),
    ];
    store.ingest(batch(spans, logs)).await.unwrap();
    indexed(store).await;
    let list = async |text: &str, error: Option<bool>| -> Vec<u8> {
        let filter = Filter { text: Some(text.to_owned()), error, ..Filter::default() };
        let page = store.traces(&TraceQuery { filter, limit: 50, ..TraceQuery::default() }).await.unwrap();
        page.items.iter().map(|trace| trace.id.bytes()[15] - 1).collect()
    };
    assert_eq!(list("parcel", None).await, [21, 20]);
    assert_eq!(list("\"is my parcel\"", Some(false)).await, [20]);
    assert_eq!(list("parcel", Some(true)).await, [] as [u8; 0]);
    for words in ["first", "morning", "evening", "fourth", "lighthouse"] {
        assert_eq!(list(words, None).await, [9], "{words}");
    }
    assert_eq!(list("umbrella", None).await, [20]);
    assert_eq!(list("天气", None).await, [25, 24]);
}

pub(crate) async fn pages_range_and_service_bound_what_is_found(store: &impl Store) {
    let day = DAY;
    let mut spans: Vec<Span> = (0..30u64)
        .map(|number| {
            let mut span = said(number, &format!("the raven said {number} times"));
            span.start = Nanos(noon() - (number % 3) * day + number);
            span
        })
        .collect();
    spans[7].origin = origin("other");
    let logs = (30..40).map(|number| noted(None, &format!("raven {number}"), noon() + number - 25)).collect();
    store.ingest(batch(spans, logs)).await.unwrap();
    indexed(store).await;
    let mut query = SearchQuery { limit: 7, ..query("raven") };
    let mut found = Vec::new();
    loop {
        let page = store.search(&query).await.unwrap();
        assert!(page.items.len() == 7 || page.next.is_none());
        found.extend(page.items.into_iter().map(|hit| match hit {
            Hit::Content { at, .. } | Hit::Log { at, .. } => at.0,
            other => panic!("{other:?}"),
        }));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 40);
    assert!(found.iter().rev().is_sorted(), "{found:?}");

    let other = SearchQuery { service: vec!["other".to_owned()], ..self::query("raven") };
    assert_eq!(store.search(&other).await.unwrap().items.len(), 1);
    let none = SearchQuery { service: vec!["nobody".to_owned()], ..self::query("raven") };
    assert!(store.search(&none).await.unwrap().items.is_empty());
    let range = Range { from: Nanos(noon() - day), to: Nanos(noon()) };
    let bounded = SearchQuery { range: Some(range), ..self::query("raven") };
    assert_eq!(store.search(&bounded).await.unwrap().items.len(), 10);
}

pub(crate) async fn a_trace_is_found_by_its_id_and_by_the_id_of_an_answer(store: &impl Store) {
    let mut span = said(5, "hello there, general");
    span.facts.response_id = Some("resp_0123456789".into());
    store.ingest(batch(vec![span, said(20, "hello again, general")], vec![])).await.unwrap();
    let id = trace_id(5).to_string();
    for text in [id.as_str(), &id[..31], " resp_0123456789 "] {
        let page = store.search(&query(text)).await.unwrap();
        let Hit::Trace { summary } = &page.items[0] else { panic!("{text}") };
        assert_eq!((summary.id, page.items.len()), (trace_id(5), 1));
    }
    assert_eq!(store.search(&query(&id[..20])).await.unwrap().items.len(), 2);
}

pub(crate) async fn names_are_found_by_their_parts(store: &impl Store) {
    let named = |trace: u64, model: &str| {
        let mut span = said(trace, "hello there, general");
        span.facts = Facts {
            op: Some(Op::Chat),
            agent: Some("Night porter".into()),
            response_model: Some(model.into()),
            ..Facts::default()
        };
        span
    };
    let spans = vec![named(1, "model-large"), named(2, "model-large"), named(3, "model-small")];
    store.ingest(batch(spans, vec![])).await.unwrap();
    let names = async |text: &str| -> Vec<String> {
        let hits = store.search(&query(text)).await.unwrap().items.into_iter();
        let name = |hit| match hit {
            Hit::Name { dimension, text, traces } => Some(format!("{dimension:?} {text} {traces}")),
            _ => None,
        };
        hits.filter_map(name).collect()
    };
    assert_eq!(names("MODEL-").await, ["Model model-large 2", "Model model-small 1"]);
    assert_eq!(names("porter").await, ["Agent Night porter 3"]);
    assert_eq!(names("mod_l").await, [] as [&str; 0]);
}

/// What is called so may fill a page; what was said comes after it.
pub(crate) async fn what_was_said_is_found_after_names(store: &impl Store) {
    let named = |trace: u64| {
        let mut span = said(trace, "which model is this");
        span.facts = Facts {
            op: Some(Op::Chat),
            response_model: Some(format!("model-{trace}").into()),
            ..Facts::default()
        };
        span
    };
    store.ingest(batch((1..=3).map(named).collect(), vec![])).await.unwrap();
    indexed(store).await;
    for limit in [2, 3, 100] {
        let mut query = SearchQuery { limit, ..query("model") };
        let (mut names, mut content) = (0, 0);
        loop {
            let page = store.search(&query).await.unwrap();
            for hit in page.items {
                match hit {
                    Hit::Name { .. } => names += 1,
                    Hit::Content { .. } => content += 1,
                    other => panic!("{other:?}"),
                }
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        // The last that says it.
        assert_eq!((names, content), (limit.min(3), 1), "{limit}");
    }
}

/// Several messages of a log record may say something, as far as an index knows, and one of them does.
pub(crate) async fn each_message_of_a_log_record_is_looked_at(store: &impl Store) {
    let messages: Vec<_> = (0..20)
        .map(|number| match number {
            7 => "call self.price(42) now".to_owned(),
            _ => format!("call self price 42 now, {number}"),
        })
        .map(|words| serde_json::json!({"role": "user", "parts": [{"type": "text", "content": words}]}))
        .collect();
    let log = super::log(Some(1), "gen_ai.client.inference.operation.details", noon());
    let attributes = vec![string("gen_ai.input.messages", &serde_json::Value::from(messages).to_string())];
    let told = opentelemetry_proto::tonic::logs::v1::LogRecord { attributes, ..log.to_otlp() };
    let log = LogRecord::from_otlp(told, &origin("shop"), Nanos::now()).unwrap();
    store.ingest(batch(vec![], vec![log])).await.unwrap();
    indexed(store).await;
    let page = store.search(&query("self.price(42)")).await.unwrap();
    let [Hit::Log { snippet, .. }] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!(marked(snippet), ["self.price(42"]);
}

/// A text of more than a MiB is searched at its beginning, and bounds what is spent on it.
pub(crate) async fn very_long_texts_are_searched_at_their_beginning(store: &impl Store) {
    let long = format!("needle {} haystack", "straw ".repeat(200 << 10));
    store.ingest(batch(vec![said(1, &long)], vec![])).await.unwrap();
    indexed(store).await;
    assert_eq!(find(store, "needle straw").await.0, [1]);
    assert_eq!(find(store, "haystack").await.0, [] as [u8; 0]);
}
