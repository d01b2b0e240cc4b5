//! What was billed. Cohere also tells how many tokens there were, its own instructions with them; the conventions want
//! the billed count where both are known.

use otel_genai::Usage;

use crate::json::object;

object! {
    /// `usage`, or `meta` of the older API.
    struct Meta<'a> {
        "billed_units" => billed: Option<Counts<'a>>,
        "tokens" => tokens: Option<Counts<'a>>,
        "cached_tokens" => cached: Option<u64>,
    }

    struct Counts<'a> {
        "input_tokens" => input: Option<u64>,
        "output_tokens" => output: Option<u64>,
        "reasoning_tokens" => reasoning: Option<u64>,
        // Of embeddings of images.
        "image_tokens" => images: Option<u64>,
        "images" => image_count: Option<u64>,
    }
}

impl Meta<'_> {
    pub(crate) fn usage(&self) -> Usage {
        let of = |count: fn(&Counts<'_>) -> Option<u64>| {
            self.billed.as_ref().and_then(count).or_else(|| self.tokens.as_ref().and_then(count))
        };
        let mut usage = Usage::default();
        usage.input_tokens = match (of(|counts| counts.input), of(|counts| counts.images)) {
            (Some(text), Some(images)) => Some(text.saturating_add(images)),
            (text, images) => text.or(images),
        };
        usage.output_tokens = of(|counts| counts.output);
        // These count all tokens, also those that are not billed: more of them than were billed are no part of these.
        let within = |part: Option<u64>, whole: Option<u64>| {
            part.filter(|part| whole.is_some_and(|whole| *part <= whole))
        };
        usage.cache_read_input_tokens = within(self.cached, usage.input_tokens);
        usage.reasoning_output_tokens = within(of(|counts| counts.reasoning), usage.output_tokens);
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn usage(meta: &str) -> Usage {
        json::read::<Meta<'_>>(meta.as_bytes()).unwrap().usage()
    }

    #[test]
    fn what_is_billed_counts() {
        let told = usage(
            r#"{"billed_units":{"input_tokens":11,"output_tokens":2},"tokens":{"input_tokens":506,"output_tokens":5},"cached_tokens":464}"#,
        );
        assert_eq!(told, Usage::new(11, 2));
        let cached = usage(r#"{"billed_units":{"input_tokens":700,"output_tokens":2},"cached_tokens":464}"#);
        assert_eq!((cached.input_tokens, cached.cache_read_input_tokens), (Some(700), Some(464)));
        assert_eq!(usage(r#"{"tokens":{"input_tokens":9.0,"output_tokens":1}}"#), Usage::new(9, 1));
        assert_eq!(usage(r#"{"billed_units":{"input_tokens":3,"image_tokens":4}}"#).input_tokens, Some(7));
        let reasoned = |tokens: u64| {
            let units = format!(
                r#"{{"billed_units":{{"output_tokens":314}},"tokens":{{"reasoning_tokens":{tokens}}}}}"#
            );
            usage(&units).reasoning_output_tokens
        };
        assert_eq!((reasoned(304), reasoned(315)), (Some(304), None));
        assert_eq!(usage(r#"{"billed_units":null,"tokens":[]}"#), Usage::default());
    }
}
