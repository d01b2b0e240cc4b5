//! Values that their name says to be secret.

use std::ops::Range;

use super::super::scan::{at, before, run};
use super::{blanks, has_digit};
use crate::limit::up_to;

/// Names whose value is secret whatever it is; written without signs between the words, as `apikey`.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "clientsecret",
    "secretkey",
    "secretaccesskey",
    "apikey",
    "apisecret",
    "accesskey",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "bearertoken",
    "idtoken",
    "sessiontoken",
    "csrftoken",
    "securitytoken",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "setcookie",
    "connectionstring",
    "accountkey",
    "sharedaccesskey",
    "sharedkey",
    "密码",
    "口令",
];

/// Names whose value is secret where it looks random.
const DOUBTFUL: &[&str] = &["key", "token", "auth", "sig", "signature", "pass", "pin"];

/// Whether the value of a property with this name is secret.
pub(in super::super) fn is_secret(name: &str, value: &str) -> bool {
    let secret = is_secret_name(name) || (may_be_secret_name(name) && looks_random(beginning(value)));
    secret && !value.is_empty() && !is_placeholder(beginning(value), true)
}

/// Whether the name of a property says that its value is secret.
fn is_secret_name(name: &str) -> bool {
    matches(name, SECRET)
}

/// Whether the name says that its value may be.
fn may_be_secret_name(name: &str) -> bool {
    matches(name, DOUBTFUL)
}

/// Whether the name is one of these, or ends in one as in `db_password`, `DB-PASSWORD`, `dbPassword`.
fn matches(name: &str, words: &[&str]) -> bool {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return false;
    }
    let plain: String = name
        .chars()
        .filter(|char| !matches!(char, '_' | '-' | '.' | ' '))
        .map(|char| char.to_ascii_lowercase())
        .collect();
    words.iter().any(|word| {
        let Some(lead) = plain.strip_suffix(word) else { return false };
        // `monkey` ends in `key` and is none: a new word must begin there, by a sign or a capital.
        lead.is_empty() || begins_word(name, word.len())
    })
}

/// Whether a word begins in `name` where its last `length` letters begin, signs not counted.
fn begins_word(name: &str, length: usize) -> bool {
    let mut left = length;
    let mut chars = name.char_indices().rev();
    for (place, char) in chars.by_ref() {
        if matches!(char, '_' | '-' | '.' | ' ') {
            continue;
        }
        left = left.saturating_sub(char.len_utf8());
        if left == 0 {
            let sign = matches!(before(name.as_bytes(), place), b'_' | b'-' | b'.' | b' ');
            return sign || char.is_ascii_uppercase() || !char.is_ascii();
        }
    }
    false
}

/// Whether a value looks random enough to be a secret under a name that is not always one.
fn looks_random(value: &str) -> bool {
    let bytes = value.as_bytes();
    value.len() >= 12
        && has_digit(bytes)
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'(' | b'[' | b'{'))
}

/// Whether the value is no value yet, but where one would stand: `$PASSWORD`, `<password>`, `os.environ["X"]`, `None`.
/// Only unquoted it may be code.
pub(super) fn is_placeholder(value: &str, quoted: bool) -> bool {
    const WORDS: &[&str] = &[
        "string",
        "str",
        "text",
        "null",
        "none",
        "nil",
        "true",
        "false",
        "undefined",
        "required",
        "optional",
        "secret",
        "password",
        "redacted",
        "default",
        "any",
        "env",
        "bool",
        "boolean",
        "number",
        "int",
        "self",
        "this",
        "option",
    ];
    let bytes = value.as_bytes();
    let last = before(bytes, bytes.len());
    let variable = match (at(bytes, 0), at(bytes, 1)) {
        (b'$', b'{' | b'(') | (b'{', b'{') => true,
        (b'<', _) => last == b'>',
        (b'[', _) => last == b']',
        (b'$', _) => bytes
            .iter()
            .skip(1)
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_'),
        _ => false,
    };
    variable
        || (!quoted && value.contains(['(', '[']))
        || bytes.iter().all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'#'))
        || WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// `name=value`, `name: value`, `"name": "value"`; also with the quotes escaped, as JSON within JSON has them.
pub(super) fn find(text: &str, push: &mut impl FnMut(Range<usize>)) {
    let bytes = text.as_bytes();
    let mut unquoted = 0..0; // the last unquoted value: a sign within it begins another with the same end
    let mut place = 0;
    loop {
        place = run(bytes, place, |byte| byte != b'=' && byte != b':');
        if place >= bytes.len() {
            return;
        }
        let sign = place;
        place += 1;
        let Some(certain) = name_before(text, sign) else { continue };
        let Some(value) = value_after(text, sign, &mut unquoted) else { continue };
        if value.secret(certain, at(bytes, sign)) {
            place = value.range.end;
            push(value.range);
        }
    }
}

/// Whether the name before the sign is secret (`true`), may be (`false`), or is neither.
fn name_before(text: &str, sign: usize) -> Option<bool> {
    const LONGEST: usize = 64;
    let bytes = text.as_bytes();
    let mut end = sign;
    let mut skipped = 0;
    while skipped < 4 && matches!(before(bytes, end), b' ' | b'"' | b'\'' | b'\\' | b'`') {
        end -= 1;
        skipped += 1;
    }
    let part_of_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'_' | b'-' | b'.');
    let lead = bytes.get(end.saturating_sub(LONGEST)..end)?;
    let length = lead.iter().rev().position(|byte| !part_of_name(byte)).unwrap_or(lead.len());
    let name = text.get(end - length..end)?;
    match (is_secret_name(name), may_be_secret_name(name)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

struct Assigned<'a> {
    range: Range<usize>,
    /// How it begins: enough to judge it.
    text: &'a str,
    quoted: bool,
    /// Whether it must be meant as a value: nothing else stands on the line, or a scheme stands before.
    alone: bool,
}

impl Assigned<'_> {
    fn secret(&self, certain: bool, sign: u8) -> bool {
        if self.text.is_empty() || is_placeholder(self.text, self.quoted) {
            return false;
        }
        match (certain, sign) {
            (false, b':') => self.quoted && looks_random(self.text),
            (false, _) => looks_random(self.text),
            // After a colon the sentence may just go on: "Password: must be long".
            (true, b':') => self.quoted || self.alone || has_digit(self.text.as_bytes()),
            (true, _) => true,
        }
    }
}

/// The value after the sign, on the same line, without its quotes and without the scheme of `Authorization`.
fn value_after<'a>(text: &'a str, sign: usize, unquoted: &mut Range<usize>) -> Option<Assigned<'a>> {
    let bytes = text.as_bytes();
    let sign_end = sign + 1 + usize::from(matches!(at(bytes, sign + 1), b'=' | b'>'));
    let start = sign_end
        + bytes.iter().skip(sign_end).take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let escaped = at(bytes, start) == b'\\' && matches!(at(bytes, start + 1), b'"' | b'\'');
    let quote_at = start + usize::from(escaped);
    let quote = Some(at(bytes, quote_at)).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    let range = match quote {
        Some(quote) => quoted(bytes, quote_at + 1, if escaped { b'\\' } else { quote }),
        None if unquoted.contains(&start) => start..unquoted.end,
        None => {
            *unquoted = start..run(bytes, start, in_unquoted);
            unquoted.clone()
        }
    };
    let value = text.get(range.clone())?;
    let after_scheme = SCHEMES.iter().find_map(|scheme| {
        let lead = value.get(..scheme.len())?;
        let end = if quote.is_some() { range.start + scheme.len() } else { range.end };
        (lead.eq_ignore_ascii_case(scheme)
            && end == range.start + scheme.len()
            && matches!(at(bytes, end), b' ' | b'\t'))
        .then(|| blanks(bytes, end))
    });
    if let Some(start) = after_scheme {
        let end = if quote.is_some() { range.end } else { run(bytes, start, in_unquoted) };
        let text = beginning(text.get(start..end)?);
        let likely = has_digit(text.as_bytes()) || text.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
        return Some(Assigned { range: start..end, text, quoted: quote.is_some(), alone: likely });
    }
    let rest =
        range.end + bytes.iter().skip(range.end).take(4).take_while(|byte| b" .;,".contains(byte)).count();
    let alone = matches!(at(bytes, rest), b'\n' | b'\r' | b'&' | b'\\' | 0);
    Some(Assigned { range, text: beginning(value), quoted: quote.is_some(), alone })
}

const SCHEMES: &[&str] = &["bearer", "basic", "token", "digest", "apikey"];

/// Up to the closing sign, or the end of the line.
fn quoted(bytes: &[u8], start: usize, closing: u8) -> Range<usize> {
    let mut skip = false;
    let length = bytes
        .iter()
        .skip(start)
        .take_while(|byte| {
            let stop = !skip && (**byte == closing || **byte == b'\n');
            skip = !skip && **byte == b'\\';
            !stop
        })
        .count();
    start..start + length
}

fn in_unquoted(byte: u8) -> bool {
    byte > b' ' && !b",;&\"'`\\<>})".contains(&byte)
}

/// As much of a value as is needed to judge it.
fn beginning(value: &str) -> &str {
    const ENOUGH: usize = 128;
    up_to(value, ENOUGH)
}
