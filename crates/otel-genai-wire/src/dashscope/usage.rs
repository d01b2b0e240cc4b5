//! Token usage, which already is what the conventions mean; the modalities are told in several ways.

use otel_genai::Usage;

use crate::json::object;

object! {
    struct Report<'a> {
        "input_tokens" => input: Option<u64>,
        "output_tokens" => output: Option<u64>,
        "total_tokens" => total: Option<u64>,
        "image_tokens" => image: Option<u64>,
        "audio_tokens" => audio: Option<u64>,
        "cached_tokens" => cached: Option<u64>,
        "prompt_tokens_details" => prompt_details: Option<Details<'a>>,
        "input_tokens_details" => input_details: Option<Details<'a>>,
        "output_tokens_details" => output_details: Option<Details<'a>>,
    }

    struct Details<'a> {
        "cached_tokens" => cached: Option<u64>,
        "cache_creation_input_tokens" => written: Option<u64>,
        "reasoning_tokens" => reasoning: Option<u64>,
        "text_tokens" => text: Option<u64>,
        "image_tokens" => image: Option<u64>,
        "audio_tokens" => audio: Option<u64>,
    }
}

impl Report<'_> {
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        usage.input_tokens = self.input;
        usage.output_tokens = self.output;
        usage.image.input_tokens = self.image;
        usage.audio.input_tokens = self.audio;
        usage.cache_read_input_tokens = self.cached;
        for details in [&self.prompt_details, &self.input_details].into_iter().flatten() {
            usage.cache_read_input_tokens = details.cached.or(usage.cache_read_input_tokens);
            usage.cache_write_input_tokens = details.written.or(usage.cache_write_input_tokens);
            usage.text.input_tokens = details.text.or(usage.text.input_tokens);
            usage.image.input_tokens = details.image.or(usage.image.input_tokens);
            usage.audio.input_tokens = details.audio.or(usage.audio.input_tokens);
        }
        if let Some(details) = &self.output_details {
            usage.reasoning_output_tokens = details.reasoning;
            usage.text.output_tokens = details.text;
            usage.image.output_tokens = details.image;
            usage.audio.output_tokens = details.audio;
        }
        usage
    }
}
