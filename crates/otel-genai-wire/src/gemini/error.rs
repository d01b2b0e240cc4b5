//! Errors of Google's APIs: `{"error": {"code": 429, "message": ..., "status": "RESOURCE_EXHAUSTED"}}`, where the
//! status says more than the number.

use std::borrow::Cow;

use otel_genai::Failure;

use crate::error;
use crate::json::{self, object};

object! {
    struct Refusal<'a> {
        "error" => error: Option<Details<'a>>,
    }

    struct Details<'a> {
        "status" => status: Option<Cow<'a, str>>,
    }
}

/// The failure that an answer with an error status tells.
pub(super) fn of_body(status: u16, body: &[u8]) -> Failure {
    worded(error::of_body(status, body), body)
}

/// The failure that a document in place of an answer tells.
pub(super) fn of_document(document: &[u8]) -> Failure {
    worded(error::of_event(document), document)
}

fn worded(mut failure: Failure, document: &[u8]) -> Failure {
    let status = json::read::<Refusal<'_>>(document).ok().and_then(|refusal| refusal.error?.status);
    let is_word = |status: &Cow<'_, str>| {
        (1..=64).contains(&status.len())
            && status.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    };
    if let Some(status) = status.filter(is_word) {
        failure.error_type = status.into_owned().into();
    }
    failure
}
