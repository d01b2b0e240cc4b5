use super::super::{Redact as _, Redactor};

fn redacted(text: &str) -> String {
    Redactor::new().key().text(text).into_owned()
}

/// Sixty-four letters and digits that open nothing.
const RANDOM: &str = "q7Zk2mXv9Lr4Tn8Bw3Yc6Hd1Fj5Gp0SsAaUuEeIiOoQqWw2233445566778899Kk";

/// A token of this shape; put together here, so that no scanner takes the source for a leak.
fn token(prefix: &str, length: usize) -> String {
    format!("{prefix}{}", &RANDOM[..length])
}

#[test]
fn tokens_of_known_issuers() {
    let capitals = RANDOM[..16].to_uppercase();
    for token in [
        token("sk-", 48),
        token("sk-proj-", 60),
        token("sk-ant-api03-", 60),
        format!("AKIA{capitals}"),
        token("ghp_", 36),
        token("github_pat_", 40),
        token("xoxb-", 30),
        token("AIza", 35),
        token("hf_", 34),
        token("gsk_", 52),
        token("LTAI", 20),
        token("sk_live_", 24),
        format!("{}.{}.{}", token("eyJ", 20), token("eyJ", 40), token("", 43)),
    ] {
        for (before, after) in [
            ("", ""),
            ("the key is ", "."),
            ("\"", "\""),
            ("https://example.com/?key=", "&x=1"),
            ("KEY=", "\n"),
            ("(", ")"),
            (r"\n", r"\n"),
            ("密钥", "，谢谢"),
        ] {
            assert_eq!(redacted(&format!("{before}{token}{after}")), format!("{before}[key]{after}"));
        }
    }
}

#[test]
fn credentials_and_private_keys() {
    let bearer = token("", 24);
    for (text, expected) in [
        (format!("Authorization: Bearer {bearer}"), "Authorization: Bearer [key]"),
        (
            format!("curl -H 'authorization: bearer {bearer}' url"),
            "curl -H 'authorization: bearer [key]' url",
        ),
        (format!("{{\"Authorization\": \"Basic {bearer}==\"}}"), "{\"Authorization\": \"Basic [key]\"}"),
        (format!("send it as Bearer {bearer}."), "send it as Bearer [key]."),
        (
            format!(
                "a\n-----BEGIN RSA PRIVATE KEY-----\n{RANDOM}\n{RANDOM}\n-----END RSA PRIVATE KEY-----\nb"
            ),
            "a\n[key]\nb",
        ),
        (format!("-----BEGIN PRIVATE KEY-----\\n{RANDOM}\\n{RANDOM}"), "[key]"),
        ("postgres://app:hunter2@db.internal:5432/x".to_owned(), "postgres://app:[key]@db.internal:5432/x"),
    ] {
        assert_eq!(redacted(&text), expected, "{text}");
    }
}

#[test]
fn values_with_a_name_that_tells() {
    for (text, expected) in [
        ("password=hunter2", "password=[key]"),
        ("DB_PASSWORD=hunter2 next", "DB_PASSWORD=[key] next"),
        ("dbPassword: 'correct horse'", "dbPassword: '[key]'"),
        ("{\"password\": \"correct horse\", \"a\": 1}", "{\"password\": \"[key]\", \"a\": 1}"),
        (r#"{\"api_key\": \"abc def\"}"#, r#"{\"api_key\": \"[key]\"}"#),
        ("Password: swordfish\nUser: jo", "Password: [key]\nUser: jo"),
        ("x-api-key: 0123456789abcdef", "x-api-key: [key]"),
        ("https://example.com/?api_key=abc&x=1", "https://example.com/?api_key=[key]&x=1"),
        ("?key=abcdefgh12345678", "?key=[key]"),
        ("client_secret = \"s3cr3t\"", "client_secret = \"[key]\""),
        ("AccountKey=abc==;EndpointSuffix=x", "AccountKey=[key];EndpointSuffix=x"),
        ("密码：hunter2 密码:hunter2", "密码：hunter2 密码:[key]"),
    ] {
        assert_eq!(redacted(text), expected, "{text}");
    }
}

#[test]
fn what_only_looks_like_a_key() {
    for text in [
        "sk-fading-circle-container-wrapper",
        "sk-learn and sklearn",
        "task-0123456789abcdef0123456789",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "550e8400-e29b-41d4-a716-446655440000",
        "call_abcdefghijklmnop0123456789",
        "chatcmpl-9abcdefghijklmnop0123456789",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "the bearer of this letter",
        "Basic principles of authentication",
        "max_tokens=4096, tokens: 12",
        "sorted(items, key=lambda item: item.name)",
        "key: value",
        "monkey=banana1234567890",
        "password: must be at least twelve characters",
        "password=$PASSWORD",
        "password=${PASSWORD}",
        "api_key=os.environ[\"API_KEY\"]",
        "api_key: str = None",
        "password: string;",
        "password=<your password>",
        "password=********",
        "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "https://example.com:8080/a@b",
        "eyJhbGciOi",
        "AKIA is a prefix",
        "password=",
        "password: ",
    ] {
        assert_eq!(redacted(text), text);
    }
}
