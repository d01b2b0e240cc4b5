//! The words of the OpenTelemetry GenAI conventions: attribute, metric, event and enum names as constants.
//!
//! ```
//! use otel_genai_semconv::{attribute, metric, value::ProviderName};
//!
//! assert_eq!(attribute::GEN_AI_REQUEST_MODEL, "gen_ai.request.model");
//! assert_eq!(metric::GEN_AI_CLIENT_TOKEN_USAGE, "gen_ai.client.token.usage");
//! assert_eq!(metric::definition::GEN_AI_CLIENT_TOKEN_USAGE.unit, "{token}");
//! assert_eq!(ProviderName::from("openai"), ProviderName::OpenAi);
//! assert_eq!(ProviderName::from("acme").as_str(), "acme");
//! ```
//!
//! Four published vocabularies, called *conventions* here, are covered. Each item says which of them know it:
//!
//! | convention | what it is |
//! | --- | --- |
//! | `2026-08` | `open-telemetry/semantic-conventions-genai` as its conformance suite pins it |
//! | `2026-10` | the same, two months later |
//! | `loongsuite` | LoongSuite's GenAI utilities |
//! | `v1.30` | OpenTelemetry semantic conventions v1.30 |
//!
//! One line of description with each item comes from the conventions themselves (the OpenTelemetry Authors,
//! Apache-2.0). `cargo xtask semconv` writes the lists.
//!
//! The crate has no dependencies. The feature `serde` lets the enums of [`value`] read and write as strings.
//! Everything in the conventions themselves is in development, so a new release may rename what it holds;
//! names that went out of one convention stay as long as another one here has them.

pub mod attribute;
pub mod event;
pub mod metric;
#[doc(hidden)]
pub mod requirement;
pub mod schema_url;
#[doc(hidden)]
pub mod table;
pub mod value;
