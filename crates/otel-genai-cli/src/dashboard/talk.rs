//! A transcript as a chat in a terminal.

use serde_json::Value;

use super::text::{self, Paint, Style};

/// Longer texts are cut, unless all is asked for.
const LONG: usize = 1_500;

/// What was said in each call, without what was said in the call before.
pub(crate) fn lines(transcript: &Value, style: Style, all: bool) -> String {
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let chains = list(transcript, "chains");
    let mut out = String::new();
    let mut last = None;
    for call in list(transcript, "calls") {
        let chain = text::whole(&call, "chain");
        if chains.len() > 1 && last != Some(chain) {
            let agent =
                chains.iter().find(|one| text::whole(one, "id") == chain).map(|one| text::text(one, "agent"));
            let agent =
                agent.filter(|agent| !agent.is_empty()).unwrap_or_else(|| format!("conversation {chain}"));
            out.push_str(&format!("\n{}\n", style.paint(Paint::Agent, &format!("── {agent} ──"))));
        }
        last = Some(chain);
        out.push_str(&heading(&call, style));
        let is_new = text::whole(&call, "carried") == 0;
        let slots = [("system", is_new), ("input", true), ("output", true)];
        for (slot, _) in slots.iter().filter(|(_, shown)| *shown) {
            for seen in list(&call, slot) {
                let hash = seen.get("message").and_then(Value::as_str).unwrap_or_default();
                if let Some(message) = transcript.get("messages").and_then(|messages| messages.get(hash)) {
                    out.push_str(&said(message, style, all));
                }
            }
        }
        if let Some(error) = call.get("error") {
            let told = format!("✗ {} {}", text::text(error, "type"), text::text(error, "message"));
            out.push_str(&block("", &[(Paint::Error, told)], style, all));
        }
        let hint = text::text(&call, "hint");
        if !hint.is_empty() {
            out.push_str(&block("", &[(Paint::Faint, hint)], style, all));
        }
    }
    if transcript.get("next").is_some() {
        out.push_str(&style.paint(Paint::Faint, "\nThere are more calls; --md has them all.\n"));
    }
    out
}

fn heading(call: &Value, style: Style) -> String {
    let model = text::text(call, "model");
    let model = if model.is_empty() { text::text(call, "requestModel") } else { model };
    let mut facts = vec![model];
    facts.extend(call.get("durationMs").and_then(Value::as_f64).map(text::duration));
    let usage = call.get("usage").map(text::tokens).unwrap_or_default();
    facts.extend(Some(format!("{usage} tokens")).filter(|_| !usage.is_empty()));
    facts.push(text::text(call, "finish"));
    facts.retain(|fact| !fact.is_empty());
    // People count from 1, as the page and the exports do.
    let number = text::whole(call, "ordinal").saturating_add(1);
    let told = format!("{number}. {}", text::text(call, "op"));
    format!("\n{}  {}\n", style.paint(Paint::Strong, &told), style.paint(Paint::Faint, &facts.join(" · ")))
}

fn said(message: &Value, style: Style, all: bool) -> String {
    let role = text::text(message, "role");
    let parts = message.get("parts").and_then(Value::as_array).into_iter().flatten();
    let parts: Vec<_> = parts.map(part).collect();
    block(&role, &parts, style, all)
}

fn part(part: &Value) -> (Paint, String) {
    let string = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let whole = |name: &str| match part.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    match part.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text" => (Paint::Strong, string("content")),
        "reasoning" | "compaction" => (Paint::Faint, string("content")),
        "tool_call" => {
            let arguments = if part.get("raw").is_some() { string("raw") } else { whole("arguments") };
            (Paint::Tool, format!("→ {}({arguments})", string("name")))
        }
        "server_tool_call" => (Paint::Tool, format!("→ {}({})", string("name"), whole("call"))),
        "tool_call_response" | "server_tool_call_response" => {
            (Paint::Tool, format!("← {}", whole("response")))
        }
        "media" => (Paint::Faint, format!("[{} {}]", string("modality"), string("mime"))),
        _ => (Paint::Faint, format!("[{}]", string("kind"))),
    }
}

/// Parts beside the role that says them.
fn block(role: &str, parts: &[(Paint, String)], style: Style, all: bool) -> String {
    const ROLE: usize = 11;
    let width = style.width.saturating_sub(ROLE + 2).max(20);
    let mut out = String::new();
    let mut first = true;
    for (paint, text) in parts {
        let length = text.chars().count();
        let cut = !all && length > LONG;
        let shown: String = if cut { text.chars().take(LONG).collect() } else { text.clone() };
        let mut lines: Vec<_> = text::clean_lines(&shown)
            .iter()
            .flat_map(|line| text::wrap(line, width))
            .map(|line| (*paint, line))
            .collect();
        if cut {
            lines.push((
                Paint::Faint,
                format!("… {} more characters; --all shows them", text::count((length - LONG) as u64)),
            ));
        }
        for (paint, line) in lines {
            let name = if first { text::fit(role, ROLE) } else { " ".repeat(ROLE) };
            first = false;
            // The words themselves are plain: most of what is read should not shout.
            let line = if paint == Paint::Strong { line } else { style.paint(paint, &line) };
            out.push_str(format!("  {}{line}", style.paint(Paint::Faint, &name)).trim_end());
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn a_transcript_reads_like_a_chat() {
        let seen = |hash: &str| json!({"message": hash, "sources": []});
        let call = |ordinal: u64, carried: u64, input: Value, output: Value| {
            json!({"ordinal": ordinal, "chain": 0, "op": "chat", "model": "m", "durationMs": 5.0, "carried": carried,
                "system": [seen("s")], "input": input, "output": output})
        };
        let transcript = json!({
            "chains": [{"id": 0}],
            "calls": [call(0, 0, json!([seen("u")]), json!([seen("a")])), call(1, 2, json!([seen("t")]), json!([seen("b")]))],
            "messages": {
                "s": {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
                "u": {"role": "user", "parts": [{"type": "text", "content": "The weather\n in\u{1b}[2J Paris?"}]},
                "a": {"role": "assistant", "parts": [{"type": "tool_call", "name": "get_weather", "arguments": {"place": "Paris"}}]},
                "t": {"role": "tool", "parts": [{"type": "tool_call_response", "response": "18 degrees"}]},
                "b": {"role": "assistant", "parts": [{"type": "text", "content": "word ".repeat(1_000)}]},
            },
        });
        let style = Style { colour: false, width: 80 };
        let text = lines(&transcript, style, false);
        let expected = "\n1. chat  m · 5.0 ms\n  system     Be brief.\n  user       The weather\n              in\u{fffd}[2J Paris?\n  \
            assistant  → get_weather({\"place\":\"Paris\"})\n\n2. chat  m · 5.0 ms\n  tool       ← 18 degrees\n  assistant  word";
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains("3.5k more characters") && text.lines().all(|line| line.width() <= 80),
            "{text}"
        );
        assert_eq!(lines(&transcript, style, true).matches("word").count(), 1_000);
    }
}
