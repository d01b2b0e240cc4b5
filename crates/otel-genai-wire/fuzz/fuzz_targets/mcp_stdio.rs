//! Any bytes as both directions of an MCP conversation, cut anywhere: no panic, every call ends once, and the same is told
//! however they are cut.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run mcp_stdio` in `crates/otel-genai-wire`. Lines that begin with `<` are the server's.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use otel_genai::McpSide;
use otel_genai_wire::{McpPipe, McpTold, Options};

fuzz_target!(|input: &[u8]| {
    let Some(([how, limit, piece], lines)) = input.split_first_chunk::<3>() else { return };
    let options = Options::new(how & 1 == 0).limit(usize::from(*limit) * 8);
    let read = |piece: usize| {
        let mut pipe = McpPipe::new(McpSide::Server, options);
        let (mut open, mut ended) = (BTreeMap::new(), Vec::new());
        let mut take = |told: Vec<McpTold>| {
            for told in told {
                match told {
                    McpTold::Begun { call, op, .. } => assert!(open.insert(call, op).is_none()),
                    McpTold::Ended { call, answer } => {
                        let mut op = open.remove(&call).expect("a call ends once");
                        let failure = answer.finish(&mut op);
                        ended.push((call, op, failure));
                    }
                    _ => {}
                }
            }
        };
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let (from, line) = match line.strip_prefix(b"<") {
                Some(line) => (McpSide::Server, line),
                None => (McpSide::Client, line),
            };
            line.chunks(piece).for_each(|piece| take(pipe.push(from, piece)));
        }
        take(pipe.close(McpSide::Client));
        take(pipe.close(McpSide::Server));
        assert!(open.is_empty());
        ended
    };
    assert_eq!(read(usize::MAX), read(usize::from(*piece) + 1));
});
