//! Token usage, brought to the conventions' arithmetic: Google counts thoughts beside the answer, and what tools of its
//! own brought in beside the prompt. What was read from a cache is part of the prompt here as there.

use otel_genai::Usage;

use super::words::{MODALITIES, Word};
use crate::json::object;

object! {
    struct Report<'a> {
        "promptTokenCount" | "prompt_token_count" => prompt: Option<u64>,
        "candidatesTokenCount" | "candidates_token_count" | "responseTokenCount" => candidates: Option<u64>,
        "totalTokenCount" | "total_token_count" => total: Option<u64>,
        "cachedContentTokenCount" | "cached_content_token_count" => cached: Option<u64>,
        "thoughtsTokenCount" | "thoughts_token_count" => thoughts: Option<u64>,
        "toolUsePromptTokenCount" | "tool_use_prompt_token_count" => tools: Option<u64>,
        "promptTokensDetails" | "prompt_tokens_details" => prompt_details: Vec<Option<Detail<'a>>>,
        "cacheTokensDetails" | "cache_tokens_details" => cached_details: Vec<Option<Detail<'a>>>,
        "candidatesTokensDetails" | "candidates_tokens_details" | "responseTokensDetails" =>
            candidates_details: Vec<Option<Detail<'a>>>,
        "toolUsePromptTokensDetails" | "tool_use_prompt_tokens_details" => tools_details: Vec<Option<Detail<'a>>>,
    }

    /// The same in the words of interactions.
    struct InteractionReport<'a> {
        "total_input_tokens" => prompt: Option<u64>,
        "total_output_tokens" => candidates: Option<u64>,
        "total_tokens" => total: Option<u64>,
        "total_cached_tokens" => cached: Option<u64>,
        "total_thought_tokens" | "total_reasoning_tokens" => thoughts: Option<u64>,
        "total_tool_use_tokens" => tools: Option<u64>,
        "input_tokens_by_modality" => prompt_details: Vec<Option<Detail<'a>>>,
        "cached_tokens_by_modality" => cached_details: Vec<Option<Detail<'a>>>,
        "output_tokens_by_modality" => candidates_details: Vec<Option<Detail<'a>>>,
        "tool_use_tokens_by_modality" => tools_details: Vec<Option<Detail<'a>>>,
    }

    /// The tokens of one modality.
    struct Detail<'a> {
        "modality" => modality: Word<'a>,
        "tokenCount" | "token_count" | "tokens" => tokens: Option<u64>,
    }
}

impl<'a> From<InteractionReport<'a>> for Report<'a> {
    fn from(report: InteractionReport<'a>) -> Self {
        Report {
            prompt: report.prompt,
            candidates: report.candidates,
            total: report.total,
            cached: report.cached,
            thoughts: report.thoughts,
            tools: report.tools,
            prompt_details: report.prompt_details,
            cached_details: report.cached_details,
            candidates_details: report.candidates_details,
            tools_details: report.tools_details,
            ..Report::default()
        }
    }
}

/// What the reports of one answer said. Those of a stream are states, so a later one replaces what it mentions.
#[derive(Debug, Default)]
pub(super) struct Counts {
    prompt: Option<u64>,
    candidates: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    thoughts: Option<u64>,
    tools: Option<u64>,
    by_modality: Usage,
    tools_by_modality: Usage,
}

impl Counts {
    pub(super) fn take(&mut self, report: &Report<'_>) {
        self.prompt = report.prompt.or(self.prompt);
        self.candidates = report.candidates.or(self.candidates);
        self.total = report.total.or(self.total);
        self.cached = report.cached.or(self.cached);
        self.thoughts = report.thoughts.or(self.thoughts);
        self.tools = report.tools.or(self.tools);
        let split = &mut self.by_modality;
        let (mut text, mut image, mut audio) = (split.text, split.image, split.audio);
        for (details, modality, of) in [
            (&report.prompt_details, "TEXT", &mut text.input_tokens),
            (&report.prompt_details, "IMAGE", &mut image.input_tokens),
            (&report.prompt_details, "AUDIO", &mut audio.input_tokens),
            (&report.cached_details, "TEXT", &mut text.cache_read_input_tokens),
            (&report.cached_details, "IMAGE", &mut image.cache_read_input_tokens),
            (&report.cached_details, "AUDIO", &mut audio.cache_read_input_tokens),
            (&report.candidates_details, "TEXT", &mut text.output_tokens),
            (&report.candidates_details, "IMAGE", &mut image.output_tokens),
            (&report.candidates_details, "AUDIO", &mut audio.output_tokens),
            (&report.tools_details, "TEXT", &mut self.tools_by_modality.text.input_tokens),
            (&report.tools_details, "IMAGE", &mut self.tools_by_modality.image.input_tokens),
            (&report.tools_details, "AUDIO", &mut self.tools_by_modality.audio.input_tokens),
        ] {
            *of = tokens_of(details, modality).or(*of);
        }
        (split.text, split.image, split.audio) = (text, image, audio);
    }

    pub(super) fn usage(&self) -> Usage {
        let mut usage = self.by_modality;
        for (all, tools) in [
            (&mut usage.text, self.tools_by_modality.text),
            (&mut usage.image, self.tools_by_modality.image),
            (&mut usage.audio, self.tools_by_modality.audio),
        ] {
            all.input_tokens = sum(all.input_tokens, tools.input_tokens);
        }
        usage.input_tokens = sum(self.prompt, self.tools);
        usage.output_tokens = self.output();
        usage.cache_read_input_tokens = self.cached;
        usage.reasoning_output_tokens = self.thoughts;
        usage
    }

    fn output(&self) -> Option<u64> {
        let input = sum(self.prompt, self.tools);
        let rest = self.total.zip(input).and_then(|(total, input)| total.checked_sub(input));
        match (self.candidates, self.thoughts) {
            // Counts that are zero are left out.
            (None, None) => rest,
            // Some versions count the thoughts among the answer, which the total gives away.
            (Some(candidates), Some(thoughts)) if candidates >= thoughts && rest == Some(candidates) => rest,
            (candidates, thoughts) => sum(candidates, thoughts),
        }
    }
}

fn tokens_of(details: &[Option<Detail<'_>>], modality: &str) -> Option<u64> {
    let is_it = |detail: &&Detail<'_>| match &detail.modality {
        Word::Text(word) => word.eq_ignore_ascii_case(modality),
        Word::Number(number) => Word::Number(*number).of(MODALITIES).as_deref() == Some(modality),
        Word::None => false,
    };
    details.iter().flatten().filter(is_it).filter_map(|detail| detail.tokens).reduce(u64::saturating_add)
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
    fn thoughts_are_output_and_what_tools_brought_is_input() {
        let usage = usage(&[r#"{"promptTokenCount":25,"candidatesTokenCount":30,"thoughtsTokenCount":34,
            "toolUsePromptTokenCount":75,"cachedContentTokenCount":20,"totalTokenCount":164,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":15},{"modality":4,"tokenCount":10},null],
            "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":8}],
            "toolUsePromptTokensDetails":[{"modality":"TEXT","tokenCount":75}],
            "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":20},{"modality":"IMAGE","tokenCount":10},
                {"modality":"VIDEO","tokenCount":1}]}"#]);
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(100), Some(64)));
        assert_eq!((usage.cache_read_input_tokens, usage.reasoning_output_tokens), (Some(20), Some(34)));
        assert_eq!((usage.text.input_tokens, usage.audio.input_tokens), (Some(90), Some(10)));
        assert_eq!((usage.text.output_tokens, usage.image.output_tokens), (Some(20), Some(10)));
        assert_eq!(usage.audio.cache_read_input_tokens, Some(8));
    }

    #[test]
    fn thoughts_that_are_counted_already_are_not_counted_twice() {
        let report = r#"{"promptTokenCount":10,"candidatesTokenCount":30,"thoughtsTokenCount":20,"totalTokenCount":40}"#;
        assert_eq!(usage(&[report]).output_tokens, Some(30));
    }

    #[test]
    fn later_reports_replace_what_they_mention() {
        let usage = usage(&[
            r#"{"promptTokenCount":131,"candidatesTokenCount":9,"thoughtsTokenCount":37}"#,
            r#"{"trafficType":"ON_DEMAND"}"#,
            r#"{"promptTokenCount":1278,"candidatesTokenCount":"9","thoughtsTokenCount":null}"#,
        ]);
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(1278), Some(46)));
    }

    #[test]
    fn zeros_are_left_out_by_the_provider() {
        assert_eq!(usage(&[r#"{"promptTokenCount":5,"totalTokenCount":5}"#]).output_tokens, Some(0));
        assert_eq!(usage(&[r#"{"promptTokenCount":5}"#]).output_tokens, None);
        assert_eq!(usage(&["{}"]), Usage::default());
    }
}
