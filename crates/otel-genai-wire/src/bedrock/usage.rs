//! Token usage, brought to the conventions' arithmetic: Bedrock's input leaves out what was read from the cache and
//! written to it, the conventions' does not.

use otel_genai::Usage;

use crate::json::object;

object! {
    struct Report<'a> {
        // The second names are those of the metrics that InvokeModel adds to a stream.
        "inputTokens" | "inputTokenCount" => input: Option<u64>,
        "outputTokens" | "outputTokenCount" => output: Option<u64>,
        "totalTokens" | "totalTokenCount" => total: Option<u64>,
        "cacheReadInputTokens" | "cacheReadInputTokenCount" => cache_read: Option<u64>,
        "cacheWriteInputTokens" | "cacheWriteInputTokenCount" => cache_write: Option<u64>,
    }
}

impl Report<'_> {
    pub(super) fn usage(&self) -> Usage {
        let cached = self.cache_read.unwrap_or(0).saturating_add(self.cache_write.unwrap_or(0));
        let beside = |input: u64| {
            let plain = input.saturating_add(self.output.unwrap_or(0));
            // Where the total has no room for the cache beside the input, the cache is within it.
            let is_within = cached <= input && self.total == Some(plain);
            if is_within { input } else { input.saturating_add(cached) }
        };
        let mut usage = Usage::default();
        usage.input_tokens = self.input.map(beside);
        usage.output_tokens = self.output;
        usage.cache_read_input_tokens = self.cache_read;
        usage.cache_write_input_tokens = self.cache_write;
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn usage(report: &str) -> Usage {
        json::read::<Report<'_>>(report.as_bytes()).unwrap().usage()
    }

    #[test]
    fn the_cache_counts_as_input() {
        let usage = usage(
            r#"{"inputTokens":4,"outputTokens":10,"totalTokens":1514,"cacheReadInputTokens":1000,"cacheWriteInputTokens":500}"#,
        );
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(1504), Some(10)));
        assert_eq!((usage.cache_read_input_tokens, usage.cache_write_input_tokens), (Some(1000), Some(500)));
    }

    #[test]
    fn a_cache_within_the_input_is_not_counted_twice() {
        let within = r#"{"inputTokens":20,"outputTokens":5,"totalTokens":25,"cacheReadInputTokens":12}"#;
        assert_eq!(usage(within).input_tokens, Some(20));
        assert_eq!(usage(r#"{"inputTokens":20,"outputTokens":5,"totalTokens":25}"#).input_tokens, Some(20));
    }

    #[test]
    fn unknown_is_not_zero() {
        assert_eq!(usage(r#"{"inputTokens":null,"outputTokens":"5"}"#), Usage::default());
    }
}
