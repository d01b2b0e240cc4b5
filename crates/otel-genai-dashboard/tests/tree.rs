//! The order in which the spans of a trace are drawn, whatever their parents say.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use otel_genai_dashboard::tree::{Node, Options, What, rows};
use otel_genai_dashboard::view::{self, Row};
use otel_genai_store::{
    Cost, CostSource, Facts, Nanos, Op, SpanId, SpanKey, SpanRow, SpanState, TraceId, Usage,
};
use proptest::prelude::*;

const MS: u64 = 1_000_000;
const DONE: Options = Options { until: Nanos(1_000 * MS), running: false, fold_http: false };
const RUNNING: Options = Options { running: true, ..DONE };

fn id(number: u64) -> SpanId {
    SpanId::new(&number.to_be_bytes()).unwrap()
}

/// From and to are milliseconds.
fn span(number: u64, parent: u64, from: u64, to: u64) -> SpanRow {
    SpanRow {
        key: SpanKey { trace: TraceId::new(&[1; 16]).unwrap(), span: id(number), variant: 0 },
        parent: (parent > 0).then(|| id(parent)),
        name: format!("span {number}").into(),
        service: "shop".into(),
        scope: "".into(),
        kind: 1,
        start: Nanos(from * MS),
        end: Nanos(to * MS),
        state: SpanState::Ended,
        error: false,
        n_events: 0,
        n_links: 0,
        facts: Facts::default(),
    }
}

fn of(op: Op, span: SpanRow) -> SpanRow {
    SpanRow { facts: Facts { op: Some(op), ..span.facts.clone() }, ..span }
}

fn call(input: u64, cost: Option<i64>, span: SpanRow) -> SpanRow {
    let facts = Facts {
        op: Some(Op::Chat),
        request_model: Some("gpt-5".into()),
        usage: Usage { input: Some(input), output: Some(1), ..Usage::default() },
        cost: cost.map(|nanos| Cost { nanos, saved: 0, source: CostSource::Table }),
        ..Facts::default()
    };
    SpanRow { facts, ..span }
}

/// Who stands in each row, indented.
fn drawn(spans: &[SpanRow], options: &Options) -> Vec<String> {
    let number = |span: &SpanId| u64::from_be_bytes(*span.bytes());
    let who = |node: &Node| match &node.what {
        What::Span(index) => number(&spans[*index].key.span).to_string(),
        What::Ghost(ghost) => format!("({})", number(&ghost.span)),
    };
    let line = |node: &Node| format!("{}{}", ".".repeat(node.depth as usize), who(node));
    rows(spans, options).iter().map(line).collect()
}

#[test]
fn parents_come_first_and_siblings_by_their_start() {
    let spans =
        [span(4, 2, 30, 40), span(3, 1, 50, 90), span(1, 0, 0, 100), span(2, 1, 10, 45), span(5, 2, 20, 29)];
    assert_eq!(drawn(&spans, &DONE), ["1", ".2", "..5", "..4", ".3"]);
    let below: Vec<_> = rows(&spans, &DONE).iter().map(|node| node.below).collect();
    assert_eq!(below, [4, 2, 0, 0, 0]);
}

#[test]
fn a_parent_that_is_not_here_yet_has_a_row_that_runs() {
    let spans = [span(1, 0, 0, 5), span(3, 2, 10, 20), span(4, 2, 30, 40)];
    assert_eq!(drawn(&spans, &RUNNING), ["1", "(2)", ".3", ".4"]);
    let rows = view::rows(&spans, Nanos(0), &RUNNING);
    assert!(rows[1].ghost && !rows[2].orphan);
    assert_eq!((rows[1].at, rows[1].duration_ms, rows[1].state), (10.0, 990.0, view::SpanState::Running));
}

#[test]
fn a_parent_that_never_came_holds_its_children_together() {
    let spans = [span(3, 2, 10, 20), span(4, 2, 30, 40), span(6, 5, 50, 60)];
    assert_eq!(drawn(&spans, &DONE), ["(2)", ".3", ".4", "6"]);
    let rows = view::rows(&spans, Nanos(0), &DONE);
    assert_eq!(rows.iter().map(|row| row.orphan).collect::<Vec<_>>(), [false, true, true, true]);
    assert_eq!((rows[0].duration_ms, rows[0].state), (30.0, view::SpanState::Ended));
}

#[test]
fn circles_are_cut_before_the_span_that_began_first() {
    let spans = [span(1, 3, 20, 30), span(2, 1, 10, 30), span(3, 2, 30, 40), span(4, 3, 31, 32)];
    assert_eq!(drawn(&spans, &DONE), ["2", ".3", "..1", "..4"]);
    let cut: Vec<_> = rows(&spans, &DONE).iter().map(|node| node.cycle).collect();
    assert_eq!(cut, [true, false, false, false]);
    assert_eq!(drawn(&[span(1, 1, 0, 1)], &DONE), ["1"], "a span that is its own parent");
}

#[test]
fn spans_with_the_same_id_are_both_drawn_and_the_first_has_the_children() {
    let mut second = span(1, 0, 0, 9);
    second.key.variant = 1;
    let spans = [second, span(1, 0, 5, 9), span(2, 1, 6, 7)];
    assert_eq!(drawn(&spans, &DONE), ["1", "1", ".2"]);
    let rows = view::rows(&spans, Nanos(0), &DONE);
    assert_eq!((rows[0].variant, rows[1].variant, rows[1].children), (Some(1), None, 1));
}

#[test]
fn calls_that_failed_are_tried_again() {
    let failed = |span: SpanRow| SpanRow { error: true, ..span };
    let spans = [
        span(1, 0, 0, 100),
        failed(call(1, None, span(2, 1, 1, 10))),
        failed(call(1, None, span(3, 1, 11, 20))),
        call(1, None, span(4, 1, 21, 30)),
        call(1, None, span(5, 1, 31, 40)),
        // At the same time as another that fails: none of its tries.
        failed(call(1, None, span(6, 1, 41, 60))),
        call(1, None, span(7, 1, 42, 50)),
    ];
    let tries: Vec<_> = view::rows(&spans, Nanos(0), &DONE).iter().map(|row| row.retry).collect();
    assert_eq!(tries, [None, None, Some(1), Some(2), None, None, None]);
}

#[test]
fn the_plumbing_of_a_call_is_folded_but_not_that_of_an_agent() {
    let spans = [
        of(Op::InvokeAgent, span(1, 0, 0, 100)),
        of(Op::Chat, span(2, 1, 1, 10)),
        of(Op::Http, span(3, 2, 2, 9)),
        span(4, 3, 3, 4),
        of(Op::Http, span(5, 1, 20, 30)),
        of(Op::ExecuteTool, span(6, 1, 40, 50)),
        of(Op::Http, span(7, 6, 41, 49)),
        of(Op::Chat, span(8, 7, 42, 48)),
    ];
    let folds: Vec<_> = view::rows(&spans, Nanos(0), &DONE).iter().map(|row| row.fold.is_some()).collect();
    assert_eq!(folds, [false, false, true, true, false, false, false, false]);
    let folded = Options { fold_http: true, ..DONE };
    assert_eq!(drawn(&spans, &folded), ["1", ".2", ".5", ".6", "..7", "...8"]);
    assert_eq!(rows(&spans, &folded)[0].below, 5);
}

#[test]
fn agents_are_told_what_they_did_themselves_and_with_those_below() {
    let mut reported = of(Op::InvokeAgent, span(1, 0, 0, 100));
    reported.facts.usage.input = Some(999);
    let mut running = call(7, Some(1), span(9, 4, 61, 0));
    running.state = SpanState::Running;
    let spans = [
        reported,
        call(10, Some(5), span(2, 1, 0, 10)),
        of(Op::ExecuteTool, span(3, 1, 20, 70)),
        of(Op::InvokeAgent, span(4, 3, 30, 50)),
        call(100, None, span(5, 4, 31, 40)),
        of(Op::InvokeAgent, span(6, 3, 40, 60)),
        call(1_000, Some(7), span(7, 6, 41, 50)),
        running,
    ];
    let rows = view::rows(&spans, Nanos(0), &DONE);
    let row = |number: u64| rows.iter().find(|row| row.span == id(number).to_string()).unwrap();
    let sums = |row: &Row| {
        let (own, total) = (row.own.as_ref().unwrap(), row.total.as_ref().unwrap());
        (own.sum.usage.input, own.sum.llm_calls, own.ms, total.usage.input, total.llm_calls, total.tool_calls)
    };
    assert_eq!(sums(row(1)), (Some(10), 1, 70.0, Some(1_110), 4, 1));
    assert_eq!(sums(row(4)), (Some(100), 2, 20.0, Some(100), 2, 0), "a call that runs has no tokens yet");
    assert_eq!(sums(row(6)), (Some(1_000), 1, 20.0, Some(1_000), 1, 0));
    assert_eq!(row(1).total.as_ref().unwrap().cost.unwrap().amount, 12e-9);
    assert_eq!(row(4).total.as_ref().unwrap().cost, None, "no price is not the price 0");
    assert!(row(2).own.is_none());
}

#[test]
fn a_call_that_is_told_twice_counts_once() {
    let spans = [
        of(Op::InvokeAgent, span(1, 0, 0, 100)),
        call(10, Some(5), span(2, 1, 0, 50)),
        call(10, Some(5), span(3, 2, 1, 49)),
        call(20, Some(5), span(4, 1, 60, 70)),
    ];
    let rows = view::rows(&spans, Nanos(0), &DONE);
    assert_eq!(rows.iter().map(|row| row.wrapper).collect::<Vec<_>>(), [false, true, false, false]);
    let total = rows[0].total.as_ref().unwrap();
    assert_eq!((total.usage.input, total.llm_calls), (Some(30), 2));
}

#[test]
fn a_row_has_what_is_known_and_nothing_else() {
    let mut chat = call(12, None, span(2, 1, 1_000, 1_500));
    chat.start = Nanos(1_000_000_123);
    chat.facts.response_model = Some("gpt-5-2025".into());
    chat.facts.first_chunk = Some(Duration::from_micros(1_500));
    let row = Row::of(&chat, Nanos(1_000 * MS), Nanos(0));
    let json = serde_json::to_value(&row).unwrap();
    let expected = serde_json::json!({
        "span": "0000000000000002", "parent": "0000000000000001", "depth": 0, "children": 0, "name": "span 2",
        "service": "shop", "kind": "internal", "at": 0.000123, "durationMs": 499.999877, "state": "ended",
        "op": "chat", "model": "gpt-5-2025", "requestModel": "gpt-5", "usage": {"input": 12, "output": 1},
        "ttftMs": 1.5, "content": "unknown",
    });
    assert_eq!(json, expected);
    assert_eq!(serde_json::from_value::<Row>(json).unwrap(), row);
    let before = Row::of(&span(3, 0, 5, 4), Nanos(7 * MS), Nanos(0));
    assert_eq!((before.at, before.duration_ms), (-2.0, 0.0), "clocks go wrong");
}

#[test]
fn a_chain_of_a_hundred_thousand_is_drawn() {
    let spans: Vec<_> = (1..=100_000).map(|n| of(Op::InvokeAgent, span(n, n - 1, n, 200_000))).collect();
    let nodes = rows(&spans, &DONE);
    assert_eq!((nodes.len(), nodes[0].below, nodes[99_999].depth), (100_000, 99_999, 99_999));
}

prop_compose! {
    fn any_span()(number in 1..20u64, parent in 0..22u64, variant in 0..2u8, from in 0..50u64, to in 0..50u64,
        op in prop_oneof![Just(None), (1..33u8).prop_map(Op::from_number)], error: bool) -> SpanRow {
        let mut span = span(number, parent, from, to);
        span.key.variant = variant;
        span.error = error;
        span.facts.op = op;
        span.facts.usage.input = Some(from);
        span
    }
}

proptest! {
    #[test]
    fn every_span_is_drawn_once_below_its_parent(
        spans in prop::collection::vec(any_span(), 0..40), running: bool, fold_http: bool,
    ) {
        let nodes = rows(&spans, &Options { running, fold_http, ..DONE });
        let mut seen = vec![0; spans.len()];
        for (index, node) in nodes.iter().enumerate() {
            let below = &nodes[index + 1..=index + node.below as usize];
            prop_assert!(below.iter().all(|below| below.depth > node.depth));
            let after = nodes.get(index + 1 + node.below as usize);
            prop_assert!(after.is_none_or(|after| after.depth <= node.depth), "below is all that follows deeper");
            match node.parent {
                Some(parent) => {
                    prop_assert!(parent < index);
                    prop_assert_eq!(nodes[parent].depth + 1, node.depth);
                    prop_assert!(parent + nodes[parent].below as usize >= index);
                }
                None => prop_assert_eq!(node.depth, 0),
            }
            let What::Span(place) = node.what else { continue };
            seen[place] += 1;
            let span = &spans[place];
            let named = node.parent.map(|parent| match &nodes[parent].what {
                What::Span(place) => spans[*place].key.span,
                What::Ghost(ghost) => ghost.span,
            });
            if !node.cycle && !node.orphan {
                prop_assert_eq!(named, span.parent);
            }
            if let Some(sums) = &node.sums {
                prop_assert!(sums.total.llm_calls >= sums.own.llm_calls);
                prop_assert!(sums.total.usage.input >= sums.own.usage.input);
            }
        }
        prop_assert!(seen.iter().all(|count| *count == 1 || fold_http && *count == 0));
        for pair in nodes.windows(2).filter(|pair| pair[0].parent == pair[1].parent) {
            let start = |node: &Node| match &node.what {
                What::Span(place) => spans[*place].start,
                What::Ghost(ghost) => ghost.start,
            };
            prop_assert!(start(&pair[0]) <= start(&pair[1]));
        }
    }

    #[test]
    fn the_outermost_agents_have_all_calls_between_them(spans in prop::collection::vec(any_span(), 0..40)) {
        let root = of(Op::InvokeAgent, span(1_000, 0, 0, 100));
        let under = spans.into_iter().map(|span| SpanRow { parent: span.parent.or(Some(id(1_000))), ..span });
        let spans: Vec<_> = std::iter::once(root).chain(under).collect();
        let nodes = rows(&spans, &DONE);
        let below = nodes.iter().position(|node| node.what == What::Span(0)).unwrap();
        let inside = &nodes[below..=below + nodes[below].below as usize];
        let counted = |node: &&Node| {
            !node.wrapper && node.span(&spans).and_then(|span| span.facts.op).is_some_and(Op::counts_tokens)
        };
        let input: u64 = inside.iter().filter(counted)
            .filter_map(|node| node.span(&spans)?.facts.usage.input).sum();
        let total = nodes[below].sums.as_ref().unwrap().total;
        prop_assert_eq!(total.usage.input.unwrap_or(0), input);
        let own: u64 = inside.iter().filter_map(|node| node.sums.as_ref()?.own.usage.input).sum();
        prop_assert_eq!(own, input, "each call is one agent's own");
    }
}
