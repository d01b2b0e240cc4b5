use serde_json::json;

use super::*;

#[test]
fn kinds_together_leave_everything_else() {
    let text = "Am 01.02.2024 schrieb jo@example.com (+49 30 1234567): Karte 4111 1111 1111 1111, \
                password=hunter2, Rechnung 4711-0815 über 1.234,50 EUR, Version 1.20.3";
    assert_eq!(
        Redactor::all().text(text),
        "Am 01.02.2024 schrieb [email] ([phone]): Karte [card], password=[key], Rechnung 4711-0815 über 1.234,50 \
         EUR, Version 1.20.3"
    );
    assert!(matches!(Redactor::all().text("nothing to see, since 2024"), Cow::Borrowed(_)));
    assert_eq!(Redactor::new().card().text("jo@example.com"), "jo@example.com");
}

#[test]
fn only_what_changes_is_copied() {
    let messages = [Message::user("hi"), Message::user("I am jo@example.com"), Message::user("bye")];
    let redactor = Redactor::all();
    assert!(matches!(redactor.messages(&messages[..1]), Cow::Borrowed(_)));
    let redacted = redactor.messages(&messages);
    assert_eq!(*redacted, [Message::user("hi"), Message::user("I am [email]"), Message::user("bye")]);
}

#[test]
fn every_kind_of_content_is_reached_and_no_name_is() {
    let secret = "jo@example.com";
    let mut named = Message::new(
        "user",
        [
            Part::text(secret),
            Part::reasoning(secret),
            Part::tool_call(
                secret,
                secret,
                json!({"to": [secret], "cards": {"n": 4_111_111_111_111_111_u64}}),
            ),
            Part::tool_call_response(secret, secret),
            Part::uri("image", format!("https://example.com/{secret}")),
            Part::file("image", secret),
            Part::blob_base64("image", None, "4111111111111111"),
            Part::generic("x", Map::from_iter([("note".to_owned(), secret.into())])),
        ],
    )
    .named(secret);
    named.extra.insert("metadata".to_owned(), json!({"user": secret}));
    let redacted = serde_json::to_value(&*Redactor::all().message(&named)).unwrap();
    assert_eq!(
        redacted,
        json!({
            "role": "user",
            "name": "[email]",
            "metadata": {"user": "[email]"},
            "parts": [
                {"type": "text", "content": "[email]"},
                {"type": "reasoning", "content": "[email]"},
                {"type": "tool_call", "id": secret, "name": secret,
                 "arguments": {"to": ["[email]"], "cards": {"n": "[card]"}}},
                {"type": "tool_call_response", "id": secret, "response": "[email]"},
                {"type": "uri", "modality": "image", "uri": "https://example.com/[email]"},
                {"type": "file", "modality": "image", "file_id": secret},
                {"type": "blob", "modality": "image", "content": "4111111111111111"},
                {"type": "x", "note": "[email]"},
            ],
        })
    );
    let mut tool = ToolDefinition::function(secret);
    tool.description = Some(secret.to_owned());
    tool.parameters = Some(json!({"properties": {"password": {"type": "string", "default": secret}}}));
    let tools = [tool];
    let redacted = serde_json::to_value(&*Redactor::all().tools(&tools)).unwrap();
    assert_eq!(
        redacted[0],
        json!({"type": "function", "name": secret, "description": "[email]",
               "parameters": {"properties": {"password": {"type": "string", "default": "[email]"}}}})
    );
}

#[test]
fn the_name_of_a_property_may_tell() {
    let value = json!({"user": "jo", "password": "swordfish", "headers": {"X-Api-Key": "abc"}, "token": "next",
                       "key": "ab12cd34ef56", "keyboard": "qwertz", "secret": ["swordfish"]});
    assert_eq!(
        *Redactor::new().key().value(&value),
        json!({"user": "jo", "password": "[key]", "headers": {"X-Api-Key": "[key]"}, "token": "next",
               "key": "[key]", "keyboard": "qwertz", "secret": ["[key]"]})
    );
    assert!(matches!(Redactor::new().email().value(&value), Cow::Borrowed(_)));
    let variables = [("password".to_owned(), "swordfish".to_owned()), ("name".to_owned(), "jo".to_owned())];
    let redacted = Redactor::all().variables(&variables).into_owned();
    assert_eq!((redacted[0].1.as_str(), redacted[1].1.as_str()), ("[key]", "jo"));
}

#[test]
fn what_is_too_deep_to_look_at_is_not_let_through() {
    let mut deep = Value::from("jo@example.com");
    for _ in 0..50_000 {
        deep = Value::Array(vec![deep]);
    }
    let part = Part::tool_call("1", "dig", deep);
    let text = serde_json::to_string(&*Redactor::all().part(&part)).unwrap();
    assert!(text.contains(TOO_DEEP) && !text.contains("example.com"), "{text}");
    // Dropping such a value recurses in serde_json itself.
    std::mem::forget(part);
}

#[test]
fn a_redaction_that_panics_lets_nothing_through() {
    let redactor = Redactor::all().and(by(|text| {
        assert!(!text.contains("boom"), "a bug of the user's");
        Cow::Borrowed(text)
    }));
    assert_eq!(redactor.text("boom"), FAILED);
    assert_eq!(redactor.text("jo@example.com"), "[email]");
    let message = Message::user("boom");
    assert_eq!(*redactor.message(&message), Message::user(FAILED));
}

#[test]
fn a_constant_or_a_piece_is_another_text() {
    assert_eq!(
        *Redactor::new().and(by(|_| Cow::Borrowed("gone"))).message(&Message::user("x")),
        Message::user("gone")
    );
    assert_eq!(*by(|text| Cow::Borrowed(text.trim())).message(&Message::user(" x ")), Message::user("x"));
}

#[test]
fn a_structure_may_be_redacted_as_a_whole() {
    struct NoReasoning;

    impl Redact for NoReasoning {
        fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
            Cow::Borrowed(text)
        }

        fn part<'a>(&self, part: &'a Part) -> Cow<'a, Part> {
            match part {
                Part::Reasoning(_) => Cow::Owned(Part::reasoning("[left out]")),
                _ => Cow::Borrowed(part),
            }
        }
    }

    let message = Message::assistant_parts([Part::reasoning("hm"), Part::text("jo@example.com")]);
    assert_eq!(
        *Redactor::all().and(NoReasoning).message(&message),
        Message::assistant_parts([Part::reasoning("[left out]"), Part::text("[email]")])
    );
}

#[test]
fn settings_as_people_write_them() {
    let redactor: Redactor = " Email, key ,".parse().unwrap();
    assert_eq!(redactor.text("jo@example.com +49 30 1234567"), "[email] +49 30 1234567");
    assert_eq!("all".parse::<Redactor>().unwrap().text("+49 30 1234567"), "[phone]");
    assert!("none".parse::<Redactor>().unwrap().is_empty() && "".parse::<Redactor>().unwrap().is_empty());
    let error = "email,names".parse::<Redactor>().unwrap_err().to_string();
    assert!(error.contains("\"names\"") && error.contains("email, phone, card, key"), "{error}");
}

#[cfg(feature = "regex")]
#[test]
fn patterns_of_ones_own() {
    let redactor = Redactor::all().pattern(r"(?i)project \p{L}+", "[$1]").unwrap();
    assert_eq!(redactor.text("PROJECT Überfall: jo@example.com"), "[$1]: [email]");
    let error = Redactor::new().pattern("(", "x").unwrap_err().to_string();
    assert!(error.contains("\"(\"") && error.contains("regular expression"), "{error}");
}
