//! Tokens that tell by themselves that they are tokens.

use std::ops::Range;

use super::super::scan::{at, run, word_begins, word_ends};
use super::{blanks, has_digit, in_token, lower};

/// Which bytes follow a prefix, and how many of them at least.
struct Shape {
    prefix: &'static str,
    rest: fn(u8) -> bool,
    least: usize,
    /// Whether an ordinary word might look so: then a digit and a long piece without hyphen are asked for.
    doubtful: bool,
}

const fn shape(prefix: &'static str, rest: fn(u8) -> bool, least: usize) -> Shape {
    Shape { prefix, rest, least, doubtful: false }
}

const fn doubtful(prefix: &'static str, least: usize) -> Shape {
    Shape { prefix, rest: in_token, least, doubtful: true }
}

fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn dotted(byte: u8) -> bool {
    in_token(byte) || byte == b'.'
}

/// The longest prefixes first where one begins with another.
const SHAPES: &[Shape] = &[
    doubtful("sk-", 16),                 // OpenAI, Anthropic, DeepSeek, OpenRouter, ...
    doubtful("pk-lf-", 16),              // Langfuse
    shape("sk_live_", alphanumeric, 10), // Stripe
    shape("sk_test_", alphanumeric, 10),
    shape("rk_live_", alphanumeric, 10),
    shape("rk_test_", alphanumeric, 10),
    shape("whsec_", alphanumeric, 16),
    shape("sk_", alphanumeric, 32), // ElevenLabs and others
    shape("AKIA", capital, 16),     // Amazon Web Services
    shape("ASIA", capital, 16),
    shape("ABIA", capital, 16),
    shape("ABSK", alphanumeric, 60), // Amazon Bedrock
    shape("LTAI", alphanumeric, 12), // Alibaba Cloud
    shape("AKID", alphanumeric, 13), // Tencent Cloud
    shape("AIza", in_token, 35),     // Google
    shape("AQ.Ab", in_token, 30),
    shape("GOCSPX-", in_token, 20),
    shape("ya29.", dotted, 20),
    shape("ghp_", alphanumeric, 30), // GitHub
    shape("gho_", alphanumeric, 30),
    shape("ghu_", alphanumeric, 30),
    shape("ghs_", alphanumeric, 30),
    shape("ghr_", alphanumeric, 30),
    shape("github_pat_", in_token, 22),
    shape("glpat-", in_token, 20), // GitLab
    shape("xoxa-", in_token, 10),  // Slack
    shape("xoxb-", in_token, 10),
    shape("xoxe-", in_token, 10),
    shape("xoxe.", dotted, 10),
    shape("xoxp-", in_token, 10),
    shape("xoxr-", in_token, 10),
    shape("xoxs-", in_token, 10),
    shape("xapp-", in_token, 10),
    shape("hf_", alphanumeric, 30),  // Hugging Face
    shape("gsk_", alphanumeric, 40), // Groq
    shape("xai-", alphanumeric, 40),
    shape("pplx-", alphanumeric, 40), // Perplexity
    shape("nvapi-", in_token, 40),    // NVIDIA
    shape("r8_", alphanumeric, 30),   // Replicate
    shape("tvly-", in_token, 20),     // Tavily
    shape("lsv2_", in_token, 32),     // LangSmith
    shape("npm_", alphanumeric, 36),
    shape("pypi-AgE", in_token, 40),
    shape("cio", alphanumeric, 32),     // crates.io
    shape("dop_v1_", alphanumeric, 40), // DigitalOcean
    shape("shpat_", alphanumeric, 32),  // Shopify
    shape("SG.", dotted, 40),           // SendGrid
    shape("PMAK-", in_token, 40),       // Postman
    shape("hvs.", in_token, 20),        // HashiCorp Vault
    shape("dckr_pat_", in_token, 20),   // Docker
];

pub(super) fn find(bytes: &[u8], push: &mut impl FnMut(Range<usize>)) {
    let mut place = 0;
    let mut tried = Tried::default();
    while place < bytes.len() {
        // The next place where a word begins.
        place = run(bytes, place, |byte| !byte.is_ascii_alphabetic());
        if !word_begins(bytes, place) {
            place = escape_or_end(bytes, place);
            continue;
        }
        let end = prefixed(bytes, place, &mut tried)
            .map(|end| (place, end))
            .or_else(|| web_token(bytes, place, &mut tried).map(|end| (place, end)))
            .or_else(|| credentials(bytes, place));
        match end {
            Some((start, end)) => {
                push(start..end);
                place = end;
            }
            None => place = escape_or_end(bytes, place),
        }
    }
}

/// The end of the word, or the end of an escape (`\n`) that only looks like the beginning of one.
fn escape_or_end(bytes: &[u8], place: usize) -> usize {
    if word_begins(bytes, place + 1) && place < bytes.len() {
        return place + 1;
    }
    run(bytes, place, |byte| byte.is_ascii_alphanumeric()).max(place + 1)
}

/// How far the text was read in vain: what begins before is a piece of that, and no token either.
#[derive(Default)]
struct Tried {
    doubtful: usize,
    web_token: usize,
}

fn prefixed(bytes: &[u8], place: usize, tried: &mut Tried) -> Option<usize> {
    let first = at(bytes, place);
    let rest = bytes.get(place..)?;
    SHAPES.iter().find_map(|shape| {
        let prefix = shape.prefix.as_bytes();
        let in_vain = shape.doubtful && place < tried.doubtful;
        if prefix.first() != Some(&first) || in_vain || !rest.starts_with(prefix) {
            return None;
        }
        let from = place + prefix.len();
        let end = run(bytes, from, shape.rest);
        // A full stop ends the sentence, not the token.
        let end = if at(bytes, end - 1) == b'.' { end - 1 } else { end };
        let token = bytes.get(from..end)?;
        let certain = !shape.doubtful
            || (has_digit(token) && token.split(|byte| *byte == b'-').any(|piece| piece.len() >= 12));
        if !certain {
            tried.doubtful = end;
        }
        (token.len() >= shape.least && certain && word_ends(bytes, end)).then_some(end)
    })
}

/// A header and a payload in base64, both JSON objects (`eyJ` is `{"`), and a signature that may be missing.
fn web_token(bytes: &[u8], place: usize, tried: &mut Tried) -> Option<usize> {
    if place < tried.web_token || !bytes.get(place..)?.starts_with(b"eyJ") {
        return None;
    }
    let header = run(bytes, place, in_token);
    tried.web_token = header;
    if header - place < 10 || at(bytes, header) != b'.' {
        return None;
    }
    let payload = run(bytes, header + 1, in_token);
    if payload - header <= 10 {
        return None;
    }
    let end = run(bytes, payload, dotted);
    Some(if at(bytes, end - 1) == b'.' { end - 1 } else { end })
}

/// What follows `Bearer` and `Basic`.
fn credentials(bytes: &[u8], place: usize) -> Option<(usize, usize)> {
    if !matches!(lower(bytes, place), b'b') {
        return None;
    }
    let scheme = bytes.get(place..run(bytes, place, |byte| byte.is_ascii_alphabetic()))?;
    if !scheme.eq_ignore_ascii_case(b"bearer") && !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let start = blanks(bytes, place + scheme.len());
    let end = run(bytes, start, |byte| in_token(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'='));
    let end = if at(bytes, end - 1) == b'.' { end - 1 } else { end };
    let token = bytes.get(start..end)?;
    let likely = if has_digit(token) { token.len() >= 8 } else { token.len() >= 24 };
    (start > place + scheme.len() && likely).then_some((start, end))
}
