//! Lines for a terminal: numbers as people read them, columns that fit, and nothing that the terminal would obey.

use std::io::IsTerminal as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How lines are drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) colour: bool,
    /// In columns.
    pub(crate) width: usize,
}

impl Style {
    /// For standard output: 80 columns where nobody says how wide it is.
    pub(crate) fn of_stdout() -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let terminal = std::io::stdout().is_terminal();
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
        Self { colour: terminal && !dumb && !is_set("NO_COLOR"), width: width.unwrap_or(80).clamp(60, 160) }
    }

    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\x1b[{}m{text}\x1b[0m", paint.code())
        } else {
            text.to_owned()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Strong,
    Faint,
    Agent,
    Model,
    Tool,
    Error,
    Other,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Agent => "35",
            Self::Model => "34",
            Self::Tool => "32",
            Self::Error => "31",
            Self::Other => "36",
        }
    }

    /// By an operation's word.
    pub(crate) fn of(op: &str) -> Self {
        match op {
            "invoke_agent" | "create_agent" | "invoke_workflow" | "react_step" | "plan" => Self::Agent,
            "chat" | "text_completion" | "generate_content" | "fetch_response" => Self::Model,
            "execute_tool" | "mcp" => Self::Tool,
            "" | "http" | "database" | "rpc" => Self::Faint,
            _ => Self::Other,
        }
    }
}

/// Foreign text in one line, without what a terminal would obey or show in another place.
pub(crate) fn clean(text: &str) -> String {
    let safe = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_unsafe(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(safe).collect()
}

/// The same in several lines.
pub(crate) fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(clean).collect()
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
}

/// Exactly `width` columns: cut with an ellipsis, or filled up.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let cut = shorten(text, width);
    let fill = width.saturating_sub(cut.width());
    format!("{cut}{}", " ".repeat(fill))
}

/// At most `width` columns.
pub(crate) fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Words in lines of at most `width` columns; what is longer alone is broken.
pub(crate) fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut now = String::new();
    for word in line.split_inclusive(' ') {
        if now.width() + word.trim_end().width() > width && !now.is_empty() {
            lines.push(std::mem::take(&mut now).trim_end().to_owned());
        }
        for c in word.chars() {
            if now.width() + c.width().unwrap_or(0) > width && c != ' ' {
                lines.push(std::mem::take(&mut now));
            }
            now.push(c);
        }
    }
    lines.push(now.trim_end().to_owned());
    lines
}

/// A duration in milliseconds.
pub(crate) fn duration(ms: f64) -> String {
    let whole = |seconds: f64, unit: f64| ((seconds / unit).floor(), (seconds % unit).floor());
    let seconds = ms / 1_000.0;
    match ms {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_950.0 => format!("{seconds:.1} s"),
        ms if ms < 3_600_000.0 => {
            let (minutes, seconds) = whole(seconds, 60.0);
            format!("{minutes}m {seconds:02}s")
        }
        _ => {
            let (hours, minutes) = whole(seconds / 60.0, 60.0);
            format!("{hours}h {minutes:02}m")
        }
    }
}

/// How many: `999`, `1.2k`, `34k`, `5.6M`.
pub(crate) fn count(n: u64) -> String {
    let n = n as f64;
    match n {
        n if n < 1_000.0 => format!("{n}"),
        n if n < 9_950.0 => format!("{:.1}k", n / 1e3),
        n if n < 999_500.0 => format!("{:.0}k", n / 1e3),
        n if n < 9_950_000.0 => format!("{:.1}M", n / 1e6),
        n => format!("{:.0}M", n / 1e6),
    }
}

/// Tokens in and out: `1.2k→34`; empty where nothing was told.
pub(crate) fn tokens(usage: &Value) -> String {
    let of = |name: &str| usage.get(name).and_then(Value::as_u64);
    match (of("input"), of("output")) {
        (None, None) => String::new(),
        (input, output) => {
            let told = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), count);
            format!("{}→{}", told(input), told(output))
        }
    }
}

/// Money: `$0.0123`; empty where there is no price.
pub(crate) fn money(cost: Option<&Value>) -> String {
    let amount = cost.and_then(|cost| cost.get("amount")?.as_f64());
    amount.map(|amount| otel_genai_dashboard::view::money(amount, "USD")).unwrap_or_default()
}

/// How long ago, of a moment in milliseconds since 1970: `now`, `12s`, `3m`, `5h`, `9d`, `4y`.
pub(crate) fn ago(ms: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let seconds = now - ms / 1_000.0;
    match seconds {
        s if s < 1.0 => "now".to_owned(),
        s if s < 60.0 => format!("{s:.0}s"),
        s if s < 3_600.0 => format!("{:.0}m", s / 60.0),
        s if s < 86_400.0 => format!("{:.0}h", s / 3_600.0),
        s if s < 86_400.0 * 999.0 => format!("{:.0}d", s / 86_400.0),
        s => format!("{:.0}y", s / 86_400.0 / 365.25),
    }
}

/// A text field, ready to be shown; empty where there is none.
pub(crate) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(clean).unwrap_or_default()
}

/// A number; 0 where there is none.
pub(crate) fn number(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

/// A count; 0 where there is none.
pub(crate) fn whole(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// `1 call`, `2 calls`.
pub(crate) fn plural(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        for (ms, text) in [
            (0.42, "0.4 ms"),
            (63.4, "63 ms"),
            (999.6, "1.0 s"),
            (12_340.0, "12.3 s"),
            (59_960.0, "0m 59s"),
            (125_000.0, "2m 05s"),
            (3_720_000.0, "1h 02m"),
        ] {
            assert_eq!(duration(ms), text, "{ms}");
        }
        for (n, text) in [(0, "0"), (999, "999"), (1_234, "1.2k"), (12_345, "12k"), (999_600, "1.0M")] {
            assert_eq!(count(n), text, "{n}");
        }
        assert_eq!(money(Some(&serde_json::json!({"amount": 0.01234}))), "$0.0123");
        assert_eq!(money(None), "");
        assert_eq!(tokens(&serde_json::json!({"input": 1200})), "1.2k→?");
    }

    #[test]
    fn columns_fit_whatever_is_in_them() {
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("日本語", 4), "日… ", "wide characters count twice");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    #[test]
    fn a_terminal_is_told_nothing_by_others() {
        let told = clean("a\x1b]0;title\x07b\u{202e}c\nd\u{9b}e");
        assert_eq!(told, "a\u{fffd}]0;title\u{fffd}b\u{fffd}c d\u{fffd}e");
        let style = Style { colour: false, width: 80 };
        assert_eq!(style.paint(Paint::Error, "x"), "x");
    }
}
