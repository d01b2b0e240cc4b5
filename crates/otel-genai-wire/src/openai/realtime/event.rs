//! What both sides say.

use std::borrow::Cow;

use crate::json::{Raw, object};
use crate::scan::Want;

object! {
    /// An event of the client or of the provider.
    struct Event<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "event_id" => event_id: Option<Cow<'a, str>>,
        "session" => session: Raw<'a>,
        "response" => response: Raw<'a>,
        "response_id" => response_id: Option<Cow<'a, str>>,
        "item" => item: Raw<'a>,
        "item_id" => item_id: Option<Cow<'a, str>>,
        "output_index" => output_index: Option<u64>,
        "content_index" => content_index: Option<u64>,
        "delta" => delta: Option<Cow<'a, str>>,
        "transcript" => transcript: Option<Cow<'a, str>>,
        "audio" => audio: Option<Cow<'a, str>>,
        "error" => error: Raw<'a>,
    }

    /// What an error is about.
    struct Error<'a> {
        "event_id" => event_id: Option<Cow<'a, str>>,
        "param" => param: Option<Cow<'a, str>>,
    }
}

/// What is picked out of a message whose content is not wanted, or that is too long.
pub(super) static WANT: Want = Want::Fields(&[
    ("type", Want::Keep(256)),
    ("event_id", Want::Keep(1024)),
    (
        "session",
        Want::Fields(&[
            ("model", Want::Keep(1024)),
            ("temperature", Want::Keep(64)),
            ("max_response_output_tokens", Want::Keep(64)),
            ("max_output_tokens", Want::Keep(64)),
            ("modalities", Want::Keep(1024)),
            ("output_modalities", Want::Keep(1024)),
            ("reasoning", Want::Fields(&[("effort", Want::Keep(256))])),
            ("prompt", Want::Fields(&[("id", Want::Keep(1024)), ("version", Want::Keep(256))])),
        ]),
    ),
    (
        "response",
        Want::Fields(&[
            ("id", Want::Keep(1024)),
            ("status", Want::Keep(64)),
            ("status_details", Want::Keep(16 << 10)),
            ("conversation", Want::Keep(256)),
            ("conversation_id", Want::Keep(1024)),
            ("temperature", Want::Keep(64)),
            ("max_response_output_tokens", Want::Keep(64)),
            ("max_output_tokens", Want::Keep(64)),
            ("modalities", Want::Keep(1024)),
            ("output_modalities", Want::Keep(1024)),
            ("reasoning", Want::Fields(&[("effort", Want::Keep(256))])),
            ("prompt", Want::Fields(&[("id", Want::Keep(1024)), ("version", Want::Keep(256))])),
            ("usage", Want::Keep(16 << 10)),
            ("output", Want::Items(&Want::Fields(&[("type", Want::Keep(256)), ("status", Want::Keep(64))]))),
        ]),
    ),
    ("response_id", Want::Keep(1024)),
    (
        "item",
        Want::Fields(&[("id", Want::Keep(1024)), ("type", Want::Keep(256)), ("status", Want::Keep(64))]),
    ),
    ("item_id", Want::Keep(1024)),
    ("output_index", Want::Keep(64)),
    ("content_index", Want::Keep(64)),
    ("error", Want::Keep(64 << 10)),
]);
