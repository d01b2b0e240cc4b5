//! Token usage, brought to the conventions' arithmetic (conventions, *Anthropic*): Anthropic's input leaves out what was
//! read from the cache and written to it, the conventions' does not.

use std::borrow::Cow;

use otel_genai::Usage;

use crate::json::object;

object! {
    struct Report<'a> {
        "input_tokens" => input: Option<u64>,
        "output_tokens" => output: Option<u64>,
        "cache_read_input_tokens" => cache_read: Option<u64>,
        "cache_creation_input_tokens" => cache_write: Option<u64>,
        "cache_creation" => creation: Option<Creation<'a>>,
        "output_tokens_details" => details: Option<Details<'a>>,
        // One entry for each time that the model ran.
        "iterations" => iterations: Vec<Option<Iteration<'a>>>,
    }

    /// The same as the one count, by how long the cache lives.
    struct Creation<'a> {
        "ephemeral_5m_input_tokens" => short: Option<u64>,
        "ephemeral_1h_input_tokens" => long: Option<u64>,
    }

    struct Details<'a> {
        "thinking_tokens" => reasoning: Option<u64>,
    }

    struct Iteration<'a> {
        "type" => kind: Option<Cow<'a, str>>,
        "input_tokens" => input: Option<u64>,
        "output_tokens" => output: Option<u64>,
        "cache_read_input_tokens" => cache_read: Option<u64>,
        "cache_creation_input_tokens" => cache_write: Option<u64>,
    }
}

/// What the reports of one answer said. Those of a stream are sums so far, and a later one may leave a count out.
#[derive(Debug, Default)]
pub(super) struct Counts {
    own: Four,
    reasoning: Option<u64>,
    /// Spent on summing up the conversation: billed, but not in the other counts.
    compaction: Option<Four>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Four {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
}

impl Counts {
    pub(super) fn take(&mut self, report: &Report<'_>) {
        let parts = report.creation.as_ref().map(|creation| (creation.short, creation.long));
        let cache_write = report.cache_write.or_else(|| parts.and_then(|(short, long)| sum(short, long)));
        self.own.input = self.own.input.max(report.input);
        self.own.output = self.own.output.max(report.output);
        self.own.cache_read = self.own.cache_read.max(report.cache_read);
        self.own.cache_write = self.own.cache_write.max(cache_write);
        let reasoning = report.details.as_ref().and_then(|details| details.reasoning);
        self.reasoning = self.reasoning.max(reasoning);
        let compactions = report
            .iterations
            .iter()
            .flatten()
            .filter(|iteration| iteration.kind.as_deref() == Some("compaction"))
            .map(|one| Four {
                input: one.input,
                output: one.output,
                cache_read: one.cache_read,
                cache_write: one.cache_write,
            });
        self.compaction = compactions.reduce(Four::add).or(self.compaction);
    }

    /// Whether the conversation was summed up on the way.
    pub(super) fn is_compacted(&self) -> bool {
        self.compaction.is_some()
    }

    pub(super) fn usage(&self) -> Usage {
        let all = self.compaction.map_or(self.own, |compaction| self.own.add(compaction));
        let mut usage = Usage::default();
        usage.input_tokens =
            all.input.map(|_| sum(all.input, sum(all.cache_read, all.cache_write)).unwrap_or_default());
        usage.output_tokens = all.output;
        usage.cache_read_input_tokens = all.cache_read;
        usage.cache_write_input_tokens = all.cache_write;
        usage.reasoning_output_tokens = self.reasoning;
        usage
    }
}

impl Four {
    fn add(self, other: Four) -> Four {
        Four {
            input: sum(self.input, other.input),
            output: sum(self.output, other.output),
            cache_read: sum(self.cache_read, other.cache_read),
            cache_write: sum(self.cache_write, other.cache_write),
        }
    }
}

/// The sum of what is known.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn usage(reports: &[&str]) -> Usage {
        let mut counts = Counts::default();
        for report in reports {
            counts.take(&json::read::<Report<'_>>(report.as_bytes()).unwrap());
        }
        counts.usage()
    }

    #[test]
    fn the_cache_counts_as_input() {
        let usage =
            usage(&[r#"{"input_tokens":10,"cache_read_input_tokens":200,"cache_creation_input_tokens":30,
            "output_tokens":7,"output_tokens_details":{"thinking_tokens":5}}"#]);
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(240), Some(7)));
        assert_eq!((usage.cache_read_input_tokens, usage.cache_write_input_tokens), (Some(200), Some(30)));
        assert_eq!(usage.reasoning_output_tokens, Some(5));
    }

    #[test]
    fn later_reports_are_sums_so_far() {
        let start = r#"{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}"#;
        let told = |end| {
            let usage = usage(&[start, end]);
            (usage.input_tokens, usage.output_tokens)
        };
        assert_eq!(told(r#"{"output_tokens":20}"#), (Some(15), Some(20)));
        assert_eq!(told(r#"{"input_tokens":40,"output_tokens":20}"#), (Some(45), Some(20)));
        assert_eq!(told(r#"{"input_tokens":0,"output_tokens":20}"#), (Some(15), Some(20)));
        assert_eq!(told(r#"{"output_tokens":null}"#), (Some(15), Some(1)));
    }

    #[test]
    fn a_compaction_is_billed_beside_the_rest() {
        let usage = usage(&[r#"{"input_tokens":23000,"output_tokens":1000,"iterations":[
            {"type":"compaction","input_tokens":180000,"output_tokens":3500},
            {"type":"message","input_tokens":23000,"output_tokens":1000},null]}"#]);
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(203_000), Some(4500)));
    }

    #[test]
    fn the_parts_of_what_was_written_to_the_cache() {
        let creation = r#"{"input_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":3}}"#;
        assert_eq!(usage(&[creation]).cache_write_input_tokens, Some(5));
    }

    #[test]
    fn unknown_is_not_zero() {
        assert_eq!(usage(&[r#"{"input_tokens":"5","output_tokens":-1}"#]), Usage::default());
        assert_eq!(usage(&["{}"]), Usage::default());
    }
}
