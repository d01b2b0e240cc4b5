//! Token usage as OpenAI and the compatible servers report it, brought to the conventions' arithmetic.

use otel_genai::Usage;

use crate::json::object;

object! {
    /// `usage` of a chat or embeddings answer. Each alias is some server's own word.
    struct Report<'a> {
        "prompt_tokens" | "input_tokens" => input: Option<u64>,
        "completion_tokens" | "output_tokens" => output: Option<u64>,
        "total_tokens" => total: Option<u64>,
        // Realtime's word is the last.
        "prompt_tokens_details" | "input_tokens_details" | "input_token_details" => input_details: Option<InputDetails<'a>>,
        "completion_tokens_details" | "output_tokens_details" | "output_token_details" => output_details: Option<OutputDetails<'a>>,
        // DeepSeek; Moonshot; servers that translate from Anthropic.
        "prompt_cache_hit_tokens" | "cached_tokens" | "cache_read_input_tokens" => cache_read: Option<u64>,
        "cache_creation_input_tokens" => cache_write: Option<u64>,
        // Perplexity.
        "reasoning_tokens" => reasoning: Option<u64>,
    }

    struct InputDetails<'a> {
        "cached_tokens" => cache_read: Option<u64>,
        "cache_write_tokens" | "cache_creation_tokens" | "cache_creation_input_tokens" => cache_write: Option<u64>,
        "text_tokens" => text: Option<u64>,
        "image_tokens" => image: Option<u64>,
        "audio_tokens" => audio: Option<u64>,
        "cached_tokens_details" => cached: Option<CachedDetails<'a>>,
    }

    struct CachedDetails<'a> {
        "text_tokens" => text: Option<u64>,
        "image_tokens" => image: Option<u64>,
        "audio_tokens" => audio: Option<u64>,
    }

    struct OutputDetails<'a> {
        "reasoning_tokens" => reasoning: Option<u64>,
        "text_tokens" => text: Option<u64>,
        "image_tokens" => image: Option<u64>,
        "audio_tokens" => audio: Option<u64>,
    }
}

impl Report<'_> {
    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        usage.input_tokens = self.input;
        usage.output_tokens = self.output;
        usage.cache_read_input_tokens = self.cache_read;
        usage.cache_write_input_tokens = self.cache_write;
        usage.reasoning_output_tokens = self.reasoning;
        if let Some(details) = &self.input_details {
            usage.cache_read_input_tokens = details.cache_read.or(self.cache_read);
            usage.cache_write_input_tokens = details.cache_write.or(self.cache_write);
            usage.text.input_tokens = details.text;
            usage.image.input_tokens = details.image;
            usage.audio.input_tokens = details.audio;
            if let Some(cached) = &details.cached {
                usage.text.cache_read_input_tokens = cached.text;
                usage.image.cache_read_input_tokens = cached.image;
                usage.audio.cache_read_input_tokens = cached.audio;
            }
        }
        if let Some(details) = &self.output_details {
            usage.reasoning_output_tokens = details.reasoning.or(self.reasoning);
            usage.text.output_tokens = details.text;
            usage.image.output_tokens = details.image;
            usage.audio.output_tokens = details.audio;
        }
        // The conventions count reasoning as output. xAI and others count it beside, which their total gives away.
        if let (Some(input), Some(output), Some(total), Some(reasoning)) =
            (self.input, self.output, self.total, usage.reasoning_output_tokens)
        {
            let beside = output.checked_add(reasoning);
            if reasoning > 0 && beside.and_then(|sum| sum.checked_add(input)) == Some(total) {
                usage.output_tokens = beside;
            }
        }
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn usage(json: &str) -> Usage {
        json::read::<Report<'_>>(json.as_bytes()).unwrap().usage()
    }

    #[test]
    fn openai() {
        let usage = usage(
            r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":64,"audio_tokens":12,"cache_write_tokens":9},
            "completion_tokens_details":{"reasoning_tokens":32,"audio_tokens":7,"text_tokens":11}}"#,
        );
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(100), Some(50)));
        assert_eq!((usage.cache_read_input_tokens, usage.cache_write_input_tokens), (Some(64), Some(9)));
        assert_eq!(usage.reasoning_output_tokens, Some(32));
        assert_eq!((usage.audio.input_tokens, usage.audio.output_tokens), (Some(12), Some(7)));
        assert_eq!((usage.text.input_tokens, usage.text.output_tokens), (None, Some(11)));
    }

    #[test]
    fn realtime() {
        let usage = usage(
            r#"{"total_tokens":253,"input_tokens":132,"output_tokens":121,
            "input_token_details":{"text_tokens":119,"audio_tokens":13,"image_tokens":0,"cached_tokens":64,
            "cached_tokens_details":{"text_tokens":60,"audio_tokens":4,"image_tokens":0}},
            "output_token_details":{"text_tokens":30,"audio_tokens":91}}"#,
        );
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(132), Some(121)));
        assert_eq!((usage.text.input_tokens, usage.audio.input_tokens), (Some(119), Some(13)));
        assert_eq!((usage.text.output_tokens, usage.audio.output_tokens), (Some(30), Some(91)));
        assert_eq!(usage.cache_read_input_tokens, Some(64));
        assert_eq!(
            (usage.text.cache_read_input_tokens, usage.audio.cache_read_input_tokens),
            (Some(60), Some(4))
        );
    }

    #[test]
    fn the_words_of_others() {
        assert_eq!(usage(r#"{"prompt_cache_hit_tokens":3}"#).cache_read_input_tokens, Some(3));
        assert_eq!(
            usage(r#"{"cached_tokens":3,"prompt_tokens_details":null}"#).cache_read_input_tokens,
            Some(3)
        );
        assert_eq!(
            usage(r#"{"reasoning_tokens":3,"completion_tokens_details":{}}"#).reasoning_output_tokens,
            Some(3)
        );
    }

    #[test]
    fn reasoning_beside_the_output_is_added() {
        let xai = r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,
            "completion_tokens_details":{"reasoning_tokens":94}}"#;
        assert_eq!(usage(xai).output_tokens, Some(103));
        let openai = r#"{"prompt_tokens":32,"completion_tokens":103,"total_tokens":135,
            "completion_tokens_details":{"reasoning_tokens":94}}"#;
        assert_eq!(usage(openai).output_tokens, Some(103));
    }

    #[test]
    fn unknown_is_not_zero() {
        assert_eq!(
            usage(r#"{"prompt_tokens":"5","completion_tokens":-1,"total_tokens":null}"#),
            Usage::default()
        );
    }
}
