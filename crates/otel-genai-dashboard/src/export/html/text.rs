//! Foreign text, and numbers as the page shows them.

use std::fmt::{self, Display, Formatter, Write as _};

use otel_genai_store::{Day, Nanos};

use crate::view::{Usage, grouped};

/// Text, and nothing but text. What changes the direction of writing is shown as a mark.
pub(super) struct Safe<'a>(pub &'a str);

impl Display for Safe<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => f.write_char('\u{fffd}')?,
                c if c.is_control() && !matches!(c, '\n' | '\t') => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The beginning of a text: at most so many bytes, and no half character.
pub(in crate::export) fn beginning(text: &str, max: usize) -> &str {
    let mut at = max.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or_default()
}

/// 412 µs, 38 ms, 1.21 s, 2 m 05 s, 3 h 12 m.
pub(in crate::export) fn took(ms: f64) -> String {
    match ms {
        ms if ms <= 0.0 => "0 ms".to_owned(),
        ms if ms < 0.9995 => format!("{:.0} µs", ms * 1_000.0),
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_995.0 => format!("{:.2} s", ms / 1_000.0),
        ms if ms < 3_599_500.0 => {
            let seconds = (ms / 1_000.0).round();
            format!("{:.0} m {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0)
        }
        ms => {
            let minutes = (ms / 60_000.0).round();
            format!("{:.0} h {:02.0} m", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// 1,317 exactly.
pub(in crate::export) fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// 842, 4.1k, 18k, 1.2M: where room is short.
fn short(n: u64) -> String {
    let value = n as f64;
    match value {
        value if value < 1e3 => n.to_string(),
        value if value < 9.95e3 => format!("{:.1}k", value / 1e3),
        value if value < 999.5e3 => format!("{:.0}k", value / 1e3),
        value => format!("{:.1}M", value / 1e6),
    }
}

/// 4.1k → 212
pub(super) fn tokens(usage: &Usage) -> Option<String> {
    let told = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), short);
    (usage.input.is_some() || usage.output.is_some())
        .then(|| format!("{} → {}", told(usage.input), told(usage.output)))
}

/// 2026-11-22 10:30:05 UTC
pub(super) fn when(moment: Nanos) -> String {
    let day = Day::of(moment);
    let (year, month, date) = day.date();
    let seconds = moment.0.saturating_sub(day.start().0) / 1_000_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `1 span`, `2 spans`
pub(in crate::export) fn plural(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let safe = Safe("<script>\"&'\u{202e}\u{0}").to_string();
        assert_eq!(safe, "&lt;script&gt;&quot;&amp;&#39;\u{fffd}\u{fffd}");
    }

    #[test]
    fn numbers_look_as_on_the_page() {
        let durations = [0.0, 0.4121, 3.26, 38.4, 1_212.0, 125_000.0, 11_540_000.0];
        let told = ["0 ms", "412 µs", "3.3 ms", "38 ms", "1.21 s", "2 m 05 s", "3 h 12 m"];
        assert_eq!(durations.map(took), told);
        assert_eq!([842, 4_102, 18_300, 1_240_000].map(short), ["842", "4.1k", "18k", "1.2M"]);
        assert_eq!([7, 1_317, 21_654_000].map(count), ["7", "1,317", "21,654,000"]);
        assert_eq!(when(Nanos(1_795_363_720_500_000_000)), "2026-11-22 16:08:40 UTC");
        assert_eq!(beginning("aü", 2), "a");
    }
}
