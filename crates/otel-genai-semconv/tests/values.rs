//! Open enums: well-known text has its variant, any other text is kept as it is.

use std::borrow::Cow;

use otel_genai_semconv::value::{
    FinishReason, GenAiSpanKind, GenAiSystem, McpMethodName, Modality, OpenAiApiType,
    OpenAiRequestServiceTier, OperationName, OutputType, ProviderName, ResponseStatus, Role, TokenModality,
    TokenType,
};

macro_rules! for_every_enum {
    ($check:ident) => {
        $check!(
            FinishReason,
            GenAiSpanKind,
            GenAiSystem,
            McpMethodName,
            Modality,
            OpenAiApiType,
            OpenAiRequestServiceTier,
            OperationName,
            OutputType,
            ProviderName,
            ResponseStatus,
            Role,
            TokenModality,
            TokenType,
        )
    };
}

#[test]
fn well_known_text_always_becomes_its_variant() {
    macro_rules! check {
        ($($name:ident,)+) => {$(
            assert!(!$name::WELL_KNOWN.is_empty());
            for value in $name::WELL_KNOWN {
                assert!(!value.is_custom());
                assert_eq!(&$name::from(value.as_str()), value);
                assert_eq!(&$name::from(value.as_str().to_owned()), value);
                assert_eq!(&$name::from(Cow::Owned(value.as_str().to_owned())), value);
                assert_eq!(&value.as_str().parse::<$name>().unwrap(), value);
                assert!(matches!(Cow::from(value.clone()), Cow::Borrowed(text) if text == value.as_str()));
            }
        )+};
    }
    for_every_enum!(check);
}

#[test]
fn any_other_text_comes_back_unchanged() {
    macro_rules! check {
        ($($name:ident,)+) => {$(
            for text in ["", "acme", " chat", "CHAT", "llm", "模型"] {
                let value = $name::from(text);
                assert!(value.is_custom(), "{text}");
                assert_eq!(value, text);
                assert_eq!(value.as_str(), text);
                assert_eq!(value.to_string(), text);
                assert_eq!(value, $name::from_static(text));
                assert_eq!(value, $name::from(text.to_owned()));
                assert_eq!(value, text.parse::<$name>().unwrap());
                assert_eq!(Cow::from(value), text);
            }
        )+};
    }
    for_every_enum!(check);
}

#[test]
fn variants_spell_what_the_conventions_say() {
    assert_eq!(ProviderName::AzureAiOpenAi, "azure.ai.openai");
    assert_eq!(GenAiSystem::XAi, "xai");
    assert_eq!(ProviderName::XAi, "x_ai");
    assert_eq!(GenAiSpanKind::Llm, "LLM");
    assert_eq!(FinishReason::ToolCall, "tool_call");
    assert_eq!(McpMethodName::ToolsCall, "tools/call");
    assert_eq!(format!("{:>6}|", OperationName::Chat), "  chat|");
}

#[cfg(feature = "serde")]
#[test]
fn values_are_strings_in_json() {
    let values: Vec<Role> = serde_json::from_str(r#"["user", "\u0074ool", "critic"]"#).unwrap();
    assert_eq!(values, [Role::User, Role::Tool, Role::from("critic")]);
    assert_eq!(serde_json::to_string(&values).unwrap(), r#"["user","tool","critic"]"#);
    assert!(serde_json::from_str::<Role>("1").is_err());
}
