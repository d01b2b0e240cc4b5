//! Keys, tokens and passwords.

mod assignment;
mod known;

use super::Sensitive;
use super::scan::{Found, at, run};

pub(super) use assignment::is_secret;

/// Finds tokens by their issuers' prefixes, JSON web tokens, credentials of `Authorization`, private keys in PEM,
/// passwords in URLs, and values that a name like `password` says to be secret. Of the latter only the value goes.
pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut push = |range| found.push(Found { range, what: Sensitive::Key });
    known::find(bytes, &mut push);
    private_keys(text, &mut push);
    in_urls(text, &mut push);
    assignment::find(text, &mut push);
}

/// `-----BEGIN ... PRIVATE KEY-----` to its end; where the end is missing, as far as it may reach.
fn private_keys(text: &str, push: &mut impl FnMut(std::ops::Range<usize>)) {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    let bytes = text.as_bytes();
    let mut place = 0;
    let mut ended = true; // false once no end follows any more
    while let Some(start) = text.get(place..).and_then(|rest| rest.find(BEGIN)).map(|at| place + at) {
        place = start + BEGIN.len();
        let label_end = run(bytes, place, |byte| byte.is_ascii_uppercase() || byte == b' ');
        let label = text.get(place..label_end).unwrap_or_default();
        if !label.contains("PRIVATE KEY") {
            continue;
        }
        let body = run(bytes, label_end, |byte| byte == b'-');
        let end = ended.then(|| text.get(body..).and_then(|rest| rest.find(END))).flatten();
        ended &= end.is_some();
        place = match end {
            Some(at) => {
                let label = body + at + END.len();
                run(bytes, run(bytes, label, |byte| byte.is_ascii_uppercase() || byte == b' '), |byte| {
                    byte == b'-'
                })
            }
            None => run(bytes, body, |byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b'\n' | b'\r' | b' ')
            }),
        };
        push(start..place);
    }
}

/// The password in `scheme://user:password@host`.
fn in_urls(text: &str, push: &mut impl FnMut(std::ops::Range<usize>)) {
    let bytes = text.as_bytes();
    let mut place = 0;
    while let Some(start) = text.get(place..).and_then(|rest| rest.find("://")).map(|at| place + at + 3) {
        let authority = run(bytes, start, |byte| {
            byte > b' ' && !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\')
        });
        place = authority;
        let Some(user_info) = text
            .get(start..authority)
            .and_then(|authority| authority.rsplit_once('@'))
            .map(|(user_info, _)| user_info)
        else {
            continue;
        };
        if let Some((user, password)) = user_info.split_once(':')
            && !password.is_empty()
            && !assignment::is_placeholder(password, true)
        {
            push(start + user.len() + 1..start + user_info.len());
        }
    }
}

/// Whether the byte may be part of a token that is written in one piece.
fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Whether the bytes hold a digit.
fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit)
}

/// Whether blanks of one line begin here, and where they end.
fn blanks(bytes: &[u8], from: usize) -> usize {
    run(bytes, from, |byte| matches!(byte, b' ' | b'\t'))
}

/// The first byte of the text from `from` on, lower-case.
fn lower(bytes: &[u8], from: usize) -> u8 {
    at(bytes, from).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
