//! JSON that was cut off or is not quite JSON: how much of it can be read.

use serde_json::Value as Json;

/// The elements of a list's text, as far as they can be read, and what is left.
pub(super) struct Elements<'a> {
    /// In order.
    pub(super) read: Vec<Json>,
    /// Whether the last one was cut off: what there is of it was read.
    pub(super) cut: bool,
    /// From the first that cannot be read to the end.
    pub(super) rest: Option<&'a str>,
}

/// The elements of a text that begins with `[` and is not JSON as a whole. Linear in its length.
pub(super) fn elements(text: &str) -> Elements<'_> {
    let mut found = Elements { read: Vec::new(), cut: false, rest: None };
    let Some(inner) = text.trim_start().strip_prefix('[') else {
        found.rest = Some(text);
        return found;
    };
    let mut left = inner;
    loop {
        left = left.trim_start_matches([',', ' ', '\n', '\r', '\t']);
        if left.is_empty() || left.trim() == "]" {
            return found;
        }
        match end_of_element(left) {
            Some(end) => {
                let (element, after) = left.split_at(end);
                match serde_json::from_str(element) {
                    Ok(json) => found.read.push(json),
                    Err(_) => {
                        found.rest = Some(left);
                        return found;
                    }
                }
                left = after;
            }
            None => {
                match repaired(left).and_then(|text| serde_json::from_str(&text).ok()) {
                    Some(json) => {
                        found.read.push(json);
                        found.cut = true;
                    }
                    None => found.rest = Some(left),
                }
                return found;
            }
        }
    }
}

/// Where the first element of a list ends: before the comma or bracket behind it.
fn end_of_element(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some(at),
            },
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// A text of JSON that was cut off, ended: an open string is closed, a half-told name or number is left out, what is open
/// is closed. `None` if nothing can be made of it.
pub(super) fn repaired(text: &str) -> Option<String> {
    // What is open, and for an object whether its next string is a name.
    let mut open: Vec<(u8, bool)> = Vec::new();
    let (mut in_string, mut escaped, mut string_is_name) = (false, false, false);
    // Up to here, and closed, it would be JSON.
    let mut safe = 0;
    let mut string_start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    in_string = false;
                    if !string_is_name {
                        safe = at + 1;
                    }
                }
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => {
                in_string = true;
                string_start = at;
                string_is_name = open.last().is_some_and(|(bracket, name)| *bracket == b'{' && *name);
            }
            b'{' | b'[' => {
                open.push((byte, byte == b'{'));
                safe = at + 1;
            }
            b'}' | b']' => {
                open.pop()?;
                safe = at + 1;
            }
            b':' => {
                if let Some((_, name)) = open.last_mut() {
                    *name = false;
                }
            }
            b',' => {
                // A number or word before it is complete.
                safe = at;
                if let Some((bracket, name)) = open.last_mut() {
                    *name = *bracket == b'{';
                }
            }
            _ => {}
        }
    }
    if safe == 0 && !in_string {
        return None;
    }
    let mut whole = if in_string && !string_is_name {
        let told = text.get(string_start + 1..)?;
        let mut kept = text.get(..=string_start)?.to_owned();
        kept.push_str(whole_escapes(told));
        kept.push('"');
        kept
    } else {
        // Half a name, or half a number; anything else is no JSON.
        let left = text.get(safe..)?.trim_start_matches([',', ' ', '\n', '\r', '\t']);
        if !left.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_alphanumeric())
            && !left.is_empty()
        {
            return None;
        }
        text.get(..safe)?.to_owned()
    };
    whole.extend(open.iter().rev().map(|(bracket, _)| if *bracket == b'{' { '}' } else { ']' }));
    Some(whole)
}

/// The inside of a JSON string without an escape that was cut in the middle, or half of a pair of two.
fn whole_escapes(text: &str) -> &str {
    let bytes = text.as_bytes();
    let (mut at, mut end) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let length = match (byte, bytes.get(at + 1)) {
            (b'\\', None) => break,
            (b'\\', Some(b'u')) => {
                let high = bytes.get(at + 2..at + 4).is_some_and(|two| {
                    matches!(two.first(), Some(b'd' | b'D'))
                        && matches!(two.get(1), Some(b'8' | b'9' | b'a' | b'b' | b'A' | b'B'))
                });
                if high { 12 } else { 6 }
            }
            (b'\\', Some(_)) => 2,
            _ => 1,
        };
        if at + length > bytes.len() {
            break;
        }
        at += length;
        end = at;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_cut_anywhere_is_read_up_to_there() {
        let whole = json!([{"role": "user", "parts": [{"type": "text", "content": "größer \"als\" 😀 \\ ja"}], "n": 12},
            {"role": "assistant", "parts": [null, true, [1, 2]]}]);
        let text = whole.to_string().replace('😀', "\\ud83d\\ude00");
        for end in (1..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let cut = &text[..end];
            let found = elements(cut);
            assert!(found.rest.is_none_or(|rest| rest.len() <= 1), "{cut} leaves {:?}", found.rest);
            if end > text.find("größer").unwrap() + 10 {
                let said = found.read[0].pointer("/parts/0/content").and_then(Json::as_str).unwrap();
                assert!(said.starts_with("größer"), "{cut} gives {said}");
            }
        }
    }

    #[test]
    fn what_is_no_json_is_left() {
        let found = elements("[{\"a\": 1}, {'b': 2}, {\"c\": 3}]");
        assert_eq!(found.read, [json!({"a": 1})]);
        assert_eq!(found.rest, Some("{'b': 2}, {\"c\": 3}]"));
        assert_eq!(elements("[{'b").rest, Some("{'b"));
    }
}
