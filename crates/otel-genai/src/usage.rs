//! Token usage, by kind, modality and cache.

use crate::operation::fact::of;
use crate::operation::{Fact, Field};

/// Tokens that one call used, as the provider billed them. `None` means "not said", which is not zero.
///
/// The conventions' arithmetic holds: `input_tokens` includes every kind of input token, the cached ones too, and
/// `output_tokens` includes reasoning (conventions, *Inference*, notes on `gen_ai.usage.*`). Providers that count
/// otherwise are brought to this shape by whoever reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// All input tokens.
    pub input_tokens: Option<u64>,
    /// All output tokens.
    pub output_tokens: Option<u64>,
    /// Input tokens served from the provider's cache; part of `input_tokens`.
    pub cache_read_input_tokens: Option<u64>,
    /// Input tokens written to the provider's cache; part of `input_tokens`.
    pub cache_write_input_tokens: Option<u64>,
    /// Output tokens spent on reasoning; part of `output_tokens`.
    pub reasoning_output_tokens: Option<u64>,
    /// Text tokens among them.
    pub text: ModalityUsage,
    /// Image tokens among them.
    pub image: ModalityUsage,
    /// Audio tokens among them.
    pub audio: ModalityUsage,
}

/// The tokens of one modality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModalityUsage {
    /// Input tokens.
    pub input_tokens: Option<u64>,
    /// Output tokens.
    pub output_tokens: Option<u64>,
    /// Input tokens served from the provider's cache.
    pub cache_read_input_tokens: Option<u64>,
}

impl Usage {
    /// Input and output tokens, nothing else known.
    pub fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Usage { input_tokens: Some(input_tokens), output_tokens: Some(output_tokens), ..Usage::default() }
    }

    /// Takes over every count that `newer` knows and keeps the others: streams report usage in pieces, and a later
    /// piece that leaves a count out must not erase it.
    pub fn merge(&mut self, newer: Usage) {
        fn take(into: &mut Option<u64>, from: Option<u64>) {
            if from.is_some() {
                *into = from;
            }
        }
        take(&mut self.input_tokens, newer.input_tokens);
        take(&mut self.output_tokens, newer.output_tokens);
        take(&mut self.cache_read_input_tokens, newer.cache_read_input_tokens);
        take(&mut self.cache_write_input_tokens, newer.cache_write_input_tokens);
        take(&mut self.reasoning_output_tokens, newer.reasoning_output_tokens);
        for (into, from) in
            [(&mut self.text, newer.text), (&mut self.image, newer.image), (&mut self.audio, newer.audio)]
        {
            take(&mut into.input_tokens, from.input_tokens);
            take(&mut into.output_tokens, from.output_tokens);
            take(&mut into.cache_read_input_tokens, from.cache_read_input_tokens);
        }
    }
}

impl Usage {
    pub(crate) fn fact(&self, field: Field) -> Option<Fact<'static>> {
        of::count(match field {
            Field::InputTokens => self.input_tokens,
            Field::OutputTokens => self.output_tokens,
            Field::TotalTokens => self.total(),
            Field::CacheReadInputTokens => self.cache_read_input_tokens,
            Field::CacheWriteInputTokens => self.cache_write_input_tokens,
            Field::ReasoningOutputTokens => self.reasoning_output_tokens,
            Field::TextInputTokens => self.text.input_tokens,
            Field::TextOutputTokens => self.text.output_tokens,
            Field::TextCacheReadInputTokens => self.text.cache_read_input_tokens,
            Field::ImageInputTokens => self.image.input_tokens,
            Field::ImageOutputTokens => self.image.output_tokens,
            Field::ImageCacheReadInputTokens => self.image.cache_read_input_tokens,
            Field::AudioInputTokens => self.audio.input_tokens,
            Field::AudioOutputTokens => self.audio.output_tokens,
            Field::AudioCacheReadInputTokens => self.audio.cache_read_input_tokens,
            _ => None,
        })
    }

    /// Input and output, as far as known. Nothing known, or nothing used, is no total.
    fn total(&self) -> Option<u64> {
        let sum = self.input_tokens.unwrap_or(0).saturating_add(self.output_tokens.unwrap_or(0));
        Some(sum).filter(|sum| *sum > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_report_without_a_count_keeps_the_earlier_one() {
        let mut usage = Usage { cache_read_input_tokens: Some(3), ..Usage::new(10, 1) };
        usage.merge(Usage { output_tokens: Some(20), ..Usage::default() });
        assert_eq!(usage, Usage { cache_read_input_tokens: Some(3), ..Usage::new(10, 20) });
    }
}
