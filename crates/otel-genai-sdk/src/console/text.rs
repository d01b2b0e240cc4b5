//! Foreign text on a terminal: made harmless, measured, cut, wrapped.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text on one line that cannot speak to the terminal: control characters become pictures, line breaks and the
/// characters that reverse or hide text become spaces or marks.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(harmless).collect()
}

fn harmless(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        // U+2400 and the following picture the control characters, in their order.
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '␡',
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        // Bidirectional overrides and isolates, byte order mark.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        c => c,
    }
}

/// Columns of a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// At most so many columns, the last of them `…` where something was cut.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > columns {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// The first lines of a text of any length, and how many characters are not shown. Costs what is shown, not what is
/// there.
pub(crate) fn fold(text: &str, columns: usize, lines: usize) -> (Vec<String>, usize) {
    let columns = columns.max(8);
    let mut folded = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && folded.len() < lines {
        let end = line_end(rest, columns);
        let (line, after) = rest.split_at(end);
        folded.push(plain(line.trim_end()));
        rest = after.trim_start();
    }
    (folded, rest.chars().count())
}

/// Where the line that begins here ends: at a line break, else at the last space that fits, else where it is full.
fn line_end(text: &str, columns: usize) -> usize {
    let mut used = 0;
    let mut space = None;
    for (at, c) in text.char_indices() {
        if c == '\n' {
            return at;
        }
        used += harmless(c).width().unwrap_or(0);
        if used > columns {
            return if c == ' ' { at } else { space.unwrap_or(at.max(c.len_utf8())) };
        }
        if c == ' ' {
            space = Some(at);
        }
    }
    text.len()
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Three significant digits at most, in the unit that suits: `312 ms`, `1.24 s`, `2 m 05 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    if seconds < 0.000_999_5 {
        return format!("{:.0} µs", seconds * 1e6);
    }
    if seconds < 0.009_995 {
        return format!("{:.1} ms", seconds * 1e3);
    }
    if seconds < 0.999_5 {
        return format!("{:.0} ms", seconds * 1e3);
    }
    if seconds < 9.995 {
        return format!("{seconds:.2} s");
    }
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    format!("{minutes:.0} m {:02.0} s", (seconds - minutes * 60.0).min(59.0))
}

/// `15 June 2026 10:11:12.345` is for logs; people at a terminal want `10:11:12.345`, and the Z says which clock.
pub(crate) fn clock(time: std::time::SystemTime) -> String {
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let second = since.as_secs() % 86_400;
    format!("{:02}:{:02}:{:02}.{:03}Z", second / 3600, second / 60 % 60, second % 60, since.subsec_millis())
}
