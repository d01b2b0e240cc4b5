//! E-mail addresses.

use super::Sensitive;
use super::scan::{Found, at, is_escape, run};

/// Finds addresses: a local part, `@` (or `%40`, as in URLs), a domain of at least two labels.
///
/// Left alone: versions (`react@18.2.0-beta.rc`), pictures (`logo@2x.png`), SSH remotes (`git@github.com:org/repo`).
pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut from = 0; // where the text begins that no address has claimed
    let mut place = 0;
    while let Some(sign) = next_sign(bytes, place) {
        place = sign.end;
        let Some(end) = domain_end(bytes, sign.end) else { continue };
        let start = local_start(bytes, from, sign.start);
        if start == sign.start {
            from = sign.start;
            continue;
        }
        if !is_remote(bytes, start, sign.start, end) {
            found.push(Found { range: start..end, what: Sensitive::Email });
        }
        (from, place) = (end, end);
    }
}

fn next_sign(bytes: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
    let mut place = from;
    loop {
        place = run(bytes, place, |byte| byte != b'@' && byte != b'%');
        match at(bytes, place) {
            b'@' => return Some(place..place + 1),
            b'%' if (at(bytes, place + 1), at(bytes, place + 2)) == (b'4', b'0') => {
                return Some(place..place + 3);
            }
            b'%' => place += 1,
            _ => return None,
        }
    }
}

/// Bytes beyond ASCII belong: addresses may be written in any script.
fn in_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

/// Where the local part before `end` begins; `end` where there is none.
fn local_start(bytes: &[u8], from: usize, end: usize) -> usize {
    let length = bytes
        .get(from..end)
        .unwrap_or_default()
        .iter()
        .rev()
        .position(|byte| !in_local(*byte))
        .unwrap_or(end - from);
    let mut start = end - length;
    // The letter of an escape in quoted JSON (`\njo@example.com`) belongs to the escape.
    if start < end && is_escape(bytes, start + 1) {
        start += 1;
    }
    // What separates is no part of an address: quotes, and signs that are not ASCII (“, 、, …).
    start + leading_marks(bytes.get(start..end).unwrap_or_default())
}

/// The length of what stands before the first letter or digit.
fn leading_marks(local: &[u8]) -> usize {
    // The bytes are a piece of a text cut at ASCII, so they are a text.
    let Ok(local) = std::str::from_utf8(local) else { return 0 };
    let stop = local
        .char_indices()
        .rev()
        .find(|(_, char)| !char.is_ascii() && !char.is_alphanumeric())
        .map_or(0, |(place, char)| place + char.len_utf8());
    let rest = local.get(stop..).unwrap_or_default();
    stop + rest.find(|char: char| char.is_alphanumeric() || matches!(char, '_' | '+')).unwrap_or(rest.len())
}

/// Where the domain ends that begins here: labels of letters, digits and hyphens, the last of two letters or more.
fn domain_end(bytes: &[u8], start: usize) -> Option<usize> {
    let in_label = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || byte == b'-';
    let mut labels = 0;
    let mut numbers = 0; // labels from the first on that are numbers alone
    let mut end = None;
    let mut label = start;
    loop {
        let label_end = run(bytes, label, in_label);
        let content = label_text(bytes, label, label_end);
        if content.is_empty() {
            break;
        }
        labels += 1;
        if labels == numbers + 1 && content.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers += 1;
        }
        if labels >= 2 && is_top(content) && numbers < 2 && !is_picture(bytes, start, label, content) {
            end = Some(label + content.len());
        }
        // A label that was cut short ends the domain.
        if label + content.len() != label_end || at(bytes, label_end) != b'.' {
            break;
        }
        label = label_end + 1;
    }
    end
}

/// The label without what follows its last letter or digit, and up to the first sign that is none.
fn label_text(bytes: &[u8], start: usize, end: usize) -> &str {
    let text = bytes.get(start..end).map(std::str::from_utf8).and_then(Result::ok).unwrap_or_default();
    let stop = text.find(|char: char| !char.is_alphanumeric() && char != '-').unwrap_or(text.len());
    text.get(..stop).unwrap_or_default().trim_end_matches('-')
}

fn is_top(label: &str) -> bool {
    let punycode = label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    punycode || (label.chars().nth(1).is_some() && label.chars().all(char::is_alphabetic))
}

/// `logo@2x.png` and the like.
fn is_picture(bytes: &[u8], domain: usize, label: usize, top: &str) -> bool {
    let scale = label == domain + 3 && at(bytes, domain).is_ascii_digit() && at(bytes, domain + 1) == b'x';
    scale && ["png", "jpg", "jpeg", "gif", "webp", "svg", "avif"].contains(&top)
}

/// The user `git` names no person, and what follows the colon is a path.
fn is_remote(bytes: &[u8], start: usize, sign: usize, end: usize) -> bool {
    bytes.get(start..sign) == Some(b"git") && matches!(at(bytes, end), b':' | b'/')
}

#[cfg(test)]
mod tests {
    use super::super::{Redact as _, Redactor};

    fn redacted(text: &str) -> String {
        Redactor::new().email().text(text).into_owned()
    }

    #[test]
    fn addresses_in_any_surroundings() {
        for (text, expected) in [
            ("jo@example.com", "[email]"),
            ("Write to jo.o'neil+news@mail.example.co.uk.", "Write to [email]."),
            ("<jo@example.com>, 'ann@example.org'; \"bo@example.net\"", "<[email]>, '[email]'; \"[email]\""),
            ("mailto:jo@example.com?subject=hi", "mailto:[email]?subject=hi"),
            ("https://example.com/?to=jo%40example.com&x=1", "https://example.com/?to=[email]&x=1"),
            (r#"{"a":"x\njo@example.com\nann@example.org"}"#, r#"{"a":"x\n[email]\n[email]"}"#),
            ("user_1@163.com", "[email]"),
            ("björn@exämple.de, 用户@例子.公司。", "[email], [email]。"),
            ("邮箱：li@example.cn，谢谢", "邮箱：[email]，谢谢"),
            ("“jo@example.com”", "“[email]”"),
            ("JO@EXAMPLE.COM", "[email]"),
            ("x@xn--bcher-kva.xn--p1ai", "[email]"),
            ("a@b.co@c.de", "[email]@c.de"),
            ("jo@example.com-", "[email]-"),
        ] {
            assert_eq!(redacted(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one() {
        for text in [
            "@types/node@20.1.0",
            "react@18.2.0-beta.rc",
            "logo@2x.png",
            "git@github.com:org/repo.git",
            "ssh://git@github.com/org/repo",
            "a @ b.com",
            "@jo on example.com",
            "jo@localhost",
            "root@192.168.0.1",
            "5 apples @ 1.20 each",
            "@Override\npublic",
            "jo@",
            "@",
            "%40",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
