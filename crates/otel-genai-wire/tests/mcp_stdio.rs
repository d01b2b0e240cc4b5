//! The Model Context Protocol over standard input and output: which calls begin and end, however the bytes are cut.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use otel_genai::{Failure, McpCall, McpSide};
use otel_genai_wire::{McpPipe, McpTold, Options};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use McpSide::{Client, Server};

/// A call from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    op: McpCall,
    trace: Map<String, Value>,
    within: Option<u64>,
    /// `None`: it is still open.
    ended: Option<Option<Failure>>,
}

/// A pipe, and all that it has told: calls by their number.
struct Pipe {
    pipe: McpPipe,
    calls: Vec<Told>,
}

impl Pipe {
    fn new(options: Options) -> Self {
        Pipe { pipe: McpPipe::new(Server, options), calls: Vec::new() }
    }

    fn take(&mut self, told: Vec<McpTold>) {
        for told in told {
            match told {
                McpTold::Begun { call, op, trace, within } => {
                    assert_eq!(call, self.calls.len() as u64, "calls are numbered as they come");
                    self.calls.push(Told { op: *op, trace, within, ended: None });
                }
                McpTold::Ended { call, answer } => {
                    let call = &mut self.calls[usize::try_from(call).unwrap()];
                    assert!(call.ended.is_none(), "a call ends once: {call:?}");
                    call.ended = Some(answer.finish(&mut call.op));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn push(&mut self, from: McpSide, bytes: &[u8]) {
        let told = self.pipe.push(from, bytes);
        self.take(told);
    }

    fn say(&mut self, from: McpSide, message: &Value) {
        self.push(from, format!("{message}\n").as_bytes());
    }

    fn close(&mut self, from: McpSide) {
        let told = self.pipe.close(from);
        self.take(told);
    }

    fn ask(&mut self, from: McpSide, id: impl Into<Value>, method: &str, params: impl Into<Value>) -> usize {
        let params: Value = params.into();
        self.say(from, &json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}));
        self.calls.len() - 1
    }

    fn notify(&mut self, from: McpSide, method: &str, params: impl Into<Value>) -> usize {
        let params: Value = params.into();
        self.say(from, &json!({"jsonrpc": "2.0", "method": method, "params": params}));
        self.calls.len() - 1
    }

    fn answer(&mut self, from: McpSide, id: impl Into<Value>, result: impl Into<Value>) {
        let result: Value = result.into();
        self.say(from, &json!({"jsonrpc": "2.0", "id": id.into(), "result": result}));
    }

    fn failure(&self, call: usize) -> Option<&Failure> {
        self.calls[call].ended.as_ref().expect("it is over").as_ref()
    }

    fn kind(&self, call: usize) -> Option<&str> {
        self.failure(call).map(|failure| &*failure.error_type)
    }

    fn is_open(&self, call: usize) -> bool {
        self.calls[call].ended.is_none()
    }
}

fn pipe() -> Pipe {
    Pipe::new(Options::new(true))
}

#[test]
fn a_session_agrees_on_a_version_and_says_so_from_then_on() {
    for content in [true, false] {
        let mut pipe = Pipe::new(Options::new(content));
        let asked = pipe.ask(Client, 0, "initialize", json!({"protocolVersion": "2099-01-01"}));
        assert_eq!(pipe.calls[asked].op.protocol_version.as_deref(), Some("2099-01-01"), "as proposed");
        assert_eq!(pipe.pipe.protocol_version(), None);
        pipe.answer(Server, 0, json!({"protocolVersion": "2025-06-18", "serverInfo": {"name": "s"}}));
        assert_eq!(pipe.calls[asked].op.protocol_version.as_deref(), Some("2025-06-18"));
        assert_eq!(pipe.pipe.protocol_version(), Some("2025-06-18"));
        let told = pipe.notify(Client, "notifications/initialized", json!({}));
        assert_eq!((pipe.failure(told), pipe.calls[told].op.request_id.as_deref()), (None, None));
        let ping = pipe.ask(Server, 0, "ping", Value::Null);
        let op = &pipe.calls[ping].op;
        assert_eq!((op.protocol_version.as_deref(), op.session_id.as_deref()), (Some("2025-06-18"), None));
        assert_eq!(op.network.transport.as_deref(), Some("pipe"));
        // Without sessions, each request says it.
        let meta = json!({"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}});
        let list = pipe.ask(Client, 1, "tools/list", meta);
        assert_eq!(pipe.calls[list].op.protocol_version.as_deref(), Some("2026-07-28"));
    }
}

#[test]
fn a_tool_is_called() {
    let mut pipe = pipe();
    let params = json!({"name": "track", "arguments": {"order": 17}, "_meta": {
        "progressToken": 1, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1"}});
    let call = pipe.ask(Client, "abc", "tools/call", params);
    assert!(pipe.is_open(call));
    pipe.answer(Server, "abc", json!({"content": [{"type": "text", "text": "late"}]}));
    let told = &pipe.calls[call];
    assert_eq!(told.ended, Some(None));
    assert_eq!((told.op.tool_name.as_deref(), told.op.request_id.as_deref()), (Some("track"), Some("abc")));
    assert_eq!(told.op.arguments, Some(json!({"order": 17})));
    assert_eq!(told.op.result, Some(json!({"content": [{"type": "text", "text": "late"}]})));
    let trace = json!({"_meta": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=1"}});
    assert_eq!(Value::Object(told.trace.clone()), trace);

    let mut brief = Pipe::new(Options::new(false));
    let call = brief.ask(Client, 1, "tools/call", json!({"name": "track", "arguments": {"order": 17}}));
    brief.answer(Server, 1, json!({"isError": true, "content": [{"type": "text", "text": "private"}]}));
    let op = &brief.calls[call].op;
    assert_eq!((op.tool_name.as_deref(), &op.arguments, &op.result), (Some("track"), &None, &None));
    assert_eq!(brief.failure(call), Some(&Failure::new("tool_error")));
}

#[test]
fn who_asks_is_the_client_of_the_call() {
    let sides = |side| {
        let mut pipe = Pipe { pipe: McpPipe::new(side, Options::new(false)), calls: Vec::new() };
        pipe.ask(Client, 1, "tools/list", json!({}));
        pipe.ask(Server, 1, "sampling/createMessage", json!({}));
        [pipe.calls[0].op.side, pipe.calls[1].op.side]
    };
    assert_eq!(sides(Server), [Server, Client]);
    assert_eq!(sides(Client), [Client, Server]);
}

#[test]
fn failures() {
    let mut pipe = pipe();
    let tool = pipe.ask(Client, 1, "tools/call", json!({"name": "a"}));
    let unknown = pipe.ask(Client, 2, "no/such", json!({}));
    pipe.say(
        Server,
        &json!({"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "Method not found"}}),
    );
    pipe.answer(Server, 1, json!({"isError": true, "content": [{"type": "text", "text": "no such order"}]}));
    assert_eq!(pipe.failure(tool), Some(&Failure::new("tool_error").message("no such order")));
    assert_eq!(pipe.failure(unknown), Some(&Failure::new("-32601").message("Method not found")));
    assert_eq!(pipe.calls[unknown].op.response_status_code.as_deref(), Some("-32601"));
}

#[test]
fn answers_find_their_requests() {
    let mut pipe = pipe();
    let number = pipe.ask(Client, 1, "ping", json!({}));
    let text = pipe.ask(Client, "1", "tools/list", json!({}));
    let theirs = pipe.ask(Server, 1, "roots/list", json!({}));
    pipe.answer(Server, "1", json!({}));
    assert!(pipe.is_open(number) && !pipe.is_open(text) && pipe.is_open(theirs), "kinds of id differ");
    pipe.answer(Client, 1, json!({"roots": []}));
    assert!(pipe.is_open(number) && !pipe.is_open(theirs), "each side has ids of its own");
    pipe.answer(Server, 7, json!({}));
    assert!(pipe.is_open(number), "nobody asked that");
    pipe.answer(Server, "1", json!({}));
    assert!(!pipe.is_open(number), "some servers answer with text");

    // An id that is used again while it waits.
    let (first, second) = (pipe.ask(Client, 3, "ping", json!({})), pipe.ask(Client, 3, "ping", json!({})));
    pipe.answer(Server, 3, json!({}));
    assert!(!pipe.is_open(first) && pipe.is_open(second));
    pipe.answer(Server, 3, json!({}));
    assert!(!pipe.is_open(second));
    // An error without an id is nobody's answer.
    let waiting = pipe.ask(Client, "", "ping", json!({}));
    pipe.say(
        Server,
        &json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "Parse error"}}),
    );
    assert!(pipe.is_open(waiting));
}

#[test]
fn what_belongs_together() {
    let mut pipe = pipe();
    let call = pipe.ask(Client, 1, "tools/call", json!({"name": "a", "_meta": {"progressToken": "p"}}));
    let sampling = pipe.ask(Server, 1, "sampling/createMessage", json!({}));
    assert_eq!(pipe.calls[sampling].within, Some(call as u64), "the only request that is worked on");
    pipe.answer(Client, 1, json!({"role": "assistant"}));
    pipe.ask(Client, 2, "tools/call", json!({"name": "b", "_meta": {"progressToken": 2}}));
    let elicitation = pipe.ask(Server, 2, "elicitation/create", json!({}));
    let log = pipe.notify(Server, "notifications/message", json!({"level": "info"}));
    assert_eq!((pipe.calls[elicitation].within, pipe.calls[log].within), (None, None), "either may be it");
    let progress =
        pipe.notify(Server, "notifications/progress", json!({"progressToken": "p", "progress": 1}));
    assert_eq!(pipe.calls[progress].within, Some(call as u64));
    let ping = pipe.ask(Server, 3, "ping", json!({}));
    assert_eq!(pipe.calls[ping].within, None);
}

#[test]
fn a_cancelled_request_is_over() {
    let mut pipe = pipe();
    let one = pipe.ask(Client, 1, "tools/call", json!({"name": "a"}));
    let two = pipe.ask(Client, 2, "tools/call", json!({"name": "a"}));
    let theirs = pipe.ask(Server, 1, "sampling/createMessage", json!({}));
    let told = pipe.notify(Client, "notifications/cancelled", json!({"requestId": 1, "reason": "private"}));
    assert_eq!((pipe.kind(one), pipe.calls[told].within), (Some("cancelled"), Some(one as u64)));
    assert!(pipe.is_open(two) && pipe.is_open(theirs));
    pipe.say(
        Server,
        &json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 0, "message": "Request cancelled"}}),
    );
    assert_eq!(pipe.kind(one), Some("cancelled"), "a late answer changes nothing");
    pipe.notify(Server, "notifications/cancelled", json!({"requestId": 2}));
    assert!(pipe.is_open(two), "only who asked cancels");
    pipe.notify(Server, "notifications/cancelled", json!({"requestId": 1}));
    assert_eq!(pipe.kind(theirs), Some("cancelled"));
}

#[test]
fn batches_of_older_revisions() {
    for content in [true, false] {
        let mut pipe = Pipe::new(Options::new(content));
        pipe.say(
            Client,
            &json!([
            {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "a"}}]),
        );
        assert_eq!(pipe.calls.len(), 3);
        pipe.say(Server, &json!([
            {"jsonrpc": "2.0", "id": 2, "result": {"isError": true}}, 7, {"jsonrpc": "2.0", "id": 1, "result": {}}]));
        assert_eq!([pipe.kind(0), pipe.kind(1), pipe.kind(2)], [None, None, Some("tool_error")]);
    }
}

#[test]
fn lines_that_are_no_messages_are_counted_and_change_nothing() {
    for content in [true, false] {
        let mut pipe = Pipe::new(Options::new(content));
        pipe.push(
            Server,
            b"\n\r\n  \nServer listening on stdio\n{\"level\":30}\n{\"jsonrpc\":\"2.0\",\n[]\n7\n\xff\xfe\n",
        );
        assert_eq!((pipe.pipe.strange_lines(Server), pipe.pipe.strange_lines(Client)), (6, 0));
        let call = pipe.ask(Client, 1, "ping", json!({}));
        pipe.push(Server, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\r\n");
        assert_eq!(pipe.kind(call), None);
    }
}

#[test]
fn a_long_line_keeps_what_matters() {
    let mut pipe = Pipe::new(Options::new(true).limit(1000));
    let long = "x".repeat(3000);
    let call = pipe.ask(Client, 1, "tools/call", json!({"arguments": {"text": long}, "name": "a"}));
    pipe.answer(Server, 1, json!({"content": [{"type": "text", "text": long}], "isError": true}));
    let op = &pipe.calls[call].op;
    assert_eq!((op.tool_name.as_deref(), &op.arguments, &op.result), (Some("a"), &None, &None));
    assert_eq!(pipe.kind(call), Some("tool_error"));
}

#[test]
fn a_server_that_ends_leaves_no_answer() {
    let mut pipe = pipe();
    let asked = pipe.ask(Client, 1, "tools/call", json!({"name": "a"}));
    let theirs = pipe.ask(Server, 1, "roots/list", json!({}));
    // The last line may lack its end.
    pipe.push(Server, br#"{"jsonrpc":"2.0","method":"notifications/message"}"#);
    pipe.close(Server);
    let message = "the server ended before it answered";
    assert_eq!(pipe.failure(asked), Some(&Failure::new("connection_closed").message(message)));
    assert_eq!(pipe.kind(theirs), Some("cancelled"));
    assert_eq!(pipe.calls.len(), 3);
    pipe.close(Client);
}

#[test]
fn a_client_that_ends_may_still_be_answered() {
    let mut pipe = pipe();
    let (first, second) = (pipe.ask(Client, 1, "ping", json!({})), pipe.ask(Client, 2, "ping", json!({})));
    let theirs = pipe.ask(Server, 1, "roots/list", json!({}));
    pipe.close(Client);
    assert_eq!(pipe.kind(theirs), Some("connection_closed"));
    pipe.answer(Server, 1, json!({}));
    assert_eq!(pipe.kind(first), None);
    assert!(pipe.is_open(second));
    pipe.close(Server);
    assert_eq!(pipe.kind(second), Some("cancelled"));
}

#[test]
fn bytes_that_are_missing_make_no_errors() {
    let mut pipe = pipe();
    let call = pipe.ask(Client, 1, "tools/call", json!({"name": "a"}));
    pipe.push(Server, br#"{"jsonrpc":"2.0","id":1,"#);
    pipe.pipe.lose(Server);
    pipe.push(Server, b"\"id\":2,\"result\":{}}\n");
    let next = pipe.ask(Client, 2, "ping", json!({}));
    pipe.answer(Server, 2, json!({}));
    assert_eq!(pipe.kind(next), None, "the next line is read again");
    pipe.close(Server);
    assert_eq!(pipe.kind(call), None, "its answer may be in what is missing");
    assert_eq!(pipe.pipe.strange_lines(Server), 0);
}

#[test]
fn requests_that_nobody_answers_are_given_up() {
    let mut pipe = Pipe::new(Options::new(false));
    for id in 0..5000 {
        pipe.ask(Client, id, "ping", json!({}));
    }
    assert_eq!((pipe.kind(0), pipe.kind(903)), (Some("_OTHER"), Some("_OTHER")));
    assert!(pipe.is_open(904));
}

/// What may be on a line.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let id = prop_oneof![
        (0..4_i64).prop_map(Value::from),
        Just(Value::from("1")),
        Just(Value::from("ä\n")),
        Just(Value::Null)
    ];
    let method = prop_oneof![
        Just("initialize"),
        Just("tools/call"),
        Just("ping"),
        Just("notifications/cancelled"),
        Just("notifications/progress"),
        Just("sampling/createMessage")
    ];
    let params = |id: &Value| {
        json!({"name": "n", "requestId": id, "progressToken": id, "arguments": {"a": ["ü", 1.5]},
            "protocolVersion": "v", "_meta": {"progressToken": id, "traceparent": "00-x"}})
    };
    let message = (id, method, 0..5).prop_map(move |(id, method, what)| match what {
        0 | 1 => json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params(&id)}),
        2 => json!({"jsonrpc": "2.0", "method": method, "params": params(&id)}),
        3 => json!({"jsonrpc": "2.0", "id": id, "result": {"isError": true, "content": [{"text": "t"}]}}),
        _ => json!({"jsonrpc": "2.0", "id": id, "error": {"code": -1, "message": "m"}}),
    });
    prop_oneof![
        4 => message.clone().prop_map(|message| message.to_string().into_bytes()),
        1 => prop::collection::vec(message.clone(), 0..3).prop_map(|batch| Value::from(batch).to_string().into_bytes()),
        1 => message.prop_map(|message| { let mut text = message.to_string().into_bytes(); text.truncate(text.len() / 2); text }),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #[test]
    fn how_bytes_are_cut_does_not_matter(
        lines in prop::collection::vec((any::<bool>(), line()), 0..20),
        cuts in prop::collection::vec(1..40_usize, 1..8),
        content in any::<bool>(),
        limit in prop_oneof![Just(60_usize), Just(1 << 20)],
    ) {
        let options = Options::new(content).limit(limit);
        let (mut whole, mut cut) = (Pipe::new(options), Pipe::new(options));
        let mut sizes = cuts.iter().cycle();
        for (is_client, mut line) in lines {
            line.push(b'\n');
            let from = if is_client { Client } else { Server };
            whole.push(from, &line);
            let mut rest = &line[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                cut.push(from, piece);
                rest = after;
            }
        }
        for pipe in [&mut whole, &mut cut] {
            pipe.close(Client);
            pipe.close(Server);
            prop_assert!(pipe.calls.iter().all(|call| call.ended.is_some()), "nothing stays open");
        }
        prop_assert_eq!(&whole.calls, &cut.calls);
        prop_assert_eq!(whole.pipe.strange_lines(Server), cut.pipe.strange_lines(Server));
        prop_assert_eq!(whole.pipe.protocol_version(), cut.pipe.protocol_version());
    }
}
