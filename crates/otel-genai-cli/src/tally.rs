//! The last line: how much was recorded, or why nothing was.

use otel_genai_http::{Observer, Totals, Unread};

use crate::diagnostics;

/// What the last line is made of. It outlives the session, and can be told before that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// `None`: nobody wanted to know.
    pub(crate) observer: Option<Observer>,
    /// Where calls are sent, other than to people: empty, or `http://localhost:4318`.
    pub(crate) receivers: String,
}

impl Tally {
    /// Says how many calls there were; `nothing_seen` is why there may have been none. `delivered`: all of it has arrived.
    pub(crate) fn say(&self, delivered: bool, nothing_seen: impl FnOnce() -> Option<String>) {
        let Some(observer) = &self.observer else { return };
        let (totals, unread) = (observer.totals(), observer.unread());
        if totals.calls > 0 {
            let told = told(totals);
            if delivered && !self.receivers.is_empty() {
                diagnostics::remark(format_args!("{told}, sent to {}", self.receivers));
            } else {
                diagnostics::remark(told);
            }
        } else if unread.is_none()
            && let Some(why) = nothing_seen()
        {
            diagnostics::remark(why);
        }
        if let Some(unread) = unread {
            diagnostics::remark(passed_unread(&unread));
        }
    }
}

/// `2 model calls, 35 tokens in, 40 out, 1 error`
fn told(totals: Totals) -> String {
    let Totals { calls, errors, input_tokens, output_tokens, .. } = totals;
    let mut told = format!("{calls} model {}", if calls == 1 { "call" } else { "calls" });
    if input_tokens > 0 || output_tokens > 0 {
        told.push_str(&format!(", {input_tokens} tokens in, {output_tokens} out"));
    }
    match errors {
        0 => {}
        1 => told.push_str(", 1 error"),
        _ => told.push_str(&format!(", {errors} errors")),
    }
    told
}

fn passed_unread(unread: &Unread) -> String {
    let Unread { requests, first, .. } = unread;
    if *requests == 1 {
        format!("1 request passed unread ({first}): not a protocol that is read yet")
    } else {
        format!("{requests} requests passed unread (the first: {first}): not a protocol that is read yet")
    }
}
