//! What calls cost, and what is said of prices that are written wrongly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use otel_genai_store::{Cost, CostSource, Day, Nanos, PriceTable, Pricing, Usage};

fn on(year: i32, month: u32, day: u32) -> Nanos {
    Nanos(Day::from_date(year, month, day).unwrap().start().0 + 12 * 3_600_000_000_000)
}

fn tokens(input: u64, output: u64) -> Usage {
    Usage { input: Some(input), output: Some(output), ..Usage::default() }
}

/// In millionths of the currency's unit.
fn micros(cost: Option<Cost>) -> Option<i64> {
    cost.map(|cost| {
        assert_eq!(cost.source, CostSource::Table);
        cost.nanos / 1000
    })
}

#[test]
fn each_provider_has_prices_under_the_names_that_calls_tell() {
    let table = PriceTable::builtin();
    assert_eq!(table.currency(), "USD");
    let day = on(2025, 12, 20);
    // A million of input, and a million of output where it makes some.
    for (provider, model, micro) in [
        ("openai", "gpt-5", 11_250_000),
        ("openai", "gpt-5-2025-08-07", 11_250_000),
        ("openai", "gpt-5-chat-latest", 11_250_000),
        ("openai", "openai/gpt-5-mini", 2_250_000),
        ("azure.ai.openai", "gpt-4o-2024-11-20", 12_500_000),
        ("openai", "gpt-4o-2024-05-13", 20_000_000),
        ("mistral_ai", "mistral-large-latest", 2_000_000),
        ("mistral_ai", "mistral-large-2411", 8_000_000),
        ("deepseek", "deepseek-chat", 700_000),
        ("cohere", "command-a-03-2025", 12_500_000),
        ("groq", "llama-3.3-70b-versatile", 1_380_000),
        ("aws.bedrock", "us.amazon.nova-pro-v1:0", 4_000_000),
        ("aws.bedrock", "amazon.nova-lite-v1:0", 300_000),
        ("", "gpt-4.1-nano-2025-04-14", 500_000),
    ] {
        let found = micros(table.cost(provider, model, day, &tokens(1_000_000, 1_000_000)));
        assert_eq!(found, Some(micro), "{provider} {model}");
    }
    // Short of where longer calls are dearer.
    for (provider, model, micro) in [
        ("anthropic", "claude-opus-4-5-20251101", 3_000_000),
        ("anthropic", "claude-opus-4-1-20250805", 9_000_000),
        ("anthropic", "claude-sonnet-4-20250514", 1_800_000),
        ("anthropic", "claude-3-5-haiku-latest", 480_000),
        ("gcp.gemini", "models/gemini-2.5-pro", 1_125_000),
        ("gcp.vertex_ai", "gemini-2.0-flash-001", 50_000),
        ("gcp.gen_ai", "gemini-3-pro-preview", 1_400_000),
        ("x_ai", "grok-4-latest", 1_800_000),
    ] {
        let found = micros(table.cost(provider, model, day, &tokens(100_000, 100_000)));
        assert_eq!(found, Some(micro), "{provider} {model}");
    }
    let embedding = Usage { input: Some(1_000_000), ..Usage::default() };
    assert_eq!(micros(table.cost("openai", "text-embedding-3-small", day, &embedding)), Some(20_000));
}

#[test]
fn what_has_no_price_is_not_free() {
    let table = PriceTable::builtin();
    let day = on(2025, 12, 20);
    for (provider, model) in [
        ("openai", "gpt-99"),
        ("openai", ""),
        ("somebody", "gpt-5"),
        ("", "nobody's"),
        // Its price depends on the region.
        ("aws.bedrock", "eu.amazon.nova-pro-v1:0"),
        ("aws.bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        // Not a date.
        ("openai", "gpt-5-99"),
    ] {
        assert_eq!(table.cost(provider, model, day, &tokens(1, 1)), None, "{provider} {model}");
    }
    let before = table.cost("openai", "gpt-5", on(2024, 1, 1), &tokens(1, 1));
    assert_eq!(before, None, "before it was sold");
    let later = table.cost("deepseek", "deepseek-chat", on(2026, 3, 1), &tokens(1, 1));
    assert_eq!(later, None, "after the last day that is known of");
    let sound = Usage { audio_output: Some(1), ..tokens(10, 10) };
    assert_eq!(table.cost("openai", "gpt-4o", day, &sound), None, "sound costs something else");
    let embedded = table.cost("openai", "text-embedding-3-small", day, &tokens(10, 10));
    assert_eq!(embedded, None, "it makes no output");
}

#[test]
fn prices_change_with_the_day_and_with_the_length() {
    let table = PriceTable::builtin();
    let o3 = |day| micros(table.cost("openai", "o3-2025-04-16", day, &tokens(1_000_000, 0)));
    assert_eq!((o3(on(2025, 6, 9)), o3(on(2025, 6, 10))), (Some(10_000_000), Some(2_000_000)));
    let long = |input| micros(table.cost("gcp.gemini", "gemini-2.5-pro", on(2025, 12, 1), &tokens(input, 0)));
    assert_eq!((long(200_000), long(200_001)), (Some(250_000), Some(500_002)));
}

#[test]
fn caches_are_counted_once() {
    let table = PriceTable::builtin();
    let usage = Usage { cache_read: Some(3000), cache_write: Some(50), ..tokens(3060, 200) };
    let cost = table.cost("anthropic", "claude-opus-4-1", on(2025, 9, 1), &usage).unwrap();
    // 10 of input, 3000 read, 50 written, 200 of output: 150 + 4500 + 937.5 + 15000 millionths.
    assert_eq!(cost.nanos, 20_587_500);
    // Without a cache those 3050 had cost 45750 millionths.
    assert_eq!(cost.saved, 45_750_000 - 5_437_500);
    let written = Usage { cache_write: Some(1000), ..tokens(1000, 0) };
    let cost = table.cost("anthropic", "claude-opus-4-1", on(2025, 9, 1), &written).unwrap();
    assert!(cost.saved < 0, "writing costs more than not caching: {cost:?}");
    let heard = Usage { audio_input: Some(500), ..tokens(1000, 0) };
    let cost = table.cost("gcp.gemini", "gemini-2.5-flash", on(2025, 12, 1), &heard).unwrap();
    assert_eq!(cost.nanos, 500 * 300 + 500 * 1000);
}

#[test]
fn own_prices_replace_what_is_known_of_a_model() {
    let builtin = PriceTable::builtin();
    let own = "
[[price]]
provider = \"OpenAI\"
rows = [
    { model = \"o3\", input = 1, output = 2 },
    { model = \"house-model\", from = \"2026-01-01\", input = 0, output = 0 },
]
";
    let table = builtin.clone().with_overrides(own).unwrap();
    assert_ne!(table.version(), builtin.version());
    let o3 = |day| micros(table.cost("openai", "o3", day, &tokens(1_000_000, 1_000_000)));
    assert_eq!((o3(on(2025, 6, 9)), o3(on(2026, 6, 9))), (Some(3_000_000), Some(3_000_000)), "on every day");
    let house = |day| micros(table.cost("openai", "house-model", day, &tokens(5, 5)));
    assert_eq!((house(on(2025, 12, 31)), house(on(2026, 1, 1))), (None, Some(0)), "a price of 0 is a price");
    assert_eq!(table.rows().iter().filter(|row| row.is_override).count(), 2);
    assert!(!table.rows().iter().any(|row| row.model == "o3" && !row.is_override));
    assert!(table.rows().iter().any(|row| row.model == "gpt-5"));
}

#[test]
fn wrong_prices_are_told_by_their_line() {
    let of = |row: &str| {
        let text = format!("[[price]]\nprovider = \"openai\"\nrows = [\n    {row},\n]\n");
        PriceTable::builtin().with_overrides(&text).unwrap_err()
    };
    for (row, said) in [
        ("{ model = \"m\", input = -1 }", "`input` of m is -1: write what a million tokens cost"),
        ("{ model = \"m\", input = 1, output = inf }", "`output` of m is inf"),
        (
            "{ model = \"m\", input = 1, from = \"2026-02-30\" }",
            "`from` of m is \"2026-02-30\": write a day as",
        ),
        ("{ model = \"m\", input = 1, inptu = 2 }", "unknown field `inptu`"),
        ("{ model = \"m\", input = \"1\" }", "invalid type: string"),
        ("{ model = \"m\" }", "missing field `input`"),
        ("{ model = \" \", input = 1 }", "`model` or `provider` is empty"),
    ] {
        let error = of(row);
        assert_eq!(error.line(), Some(4), "{row}: {error}");
        assert!(
            error.to_string().starts_with("line 4: ") && error.to_string().contains(said),
            "{row}: {error}"
        );
    }
    let error = PriceTable::builtin().with_overrides("currency = \"EUR\"").unwrap_err();
    assert!(error.to_string().contains("write the prices in USD"), "{error}");
    assert!(PriceTable::builtin().with_overrides("").is_ok());
}

#[test]
fn the_table_is_in_order() {
    let table = PriceTable::builtin();
    assert!(table.rows().len() > 100);
    for row in table.rows() {
        let same = table.rows().iter().filter(|other| {
            (&other.provider, &other.model, other.from, other.over)
                == (&row.provider, &row.model, row.from, row.over)
        });
        assert_eq!(same.count(), 1, "{row:?}");
        assert!(table.known(&row.provider).is_some(), "as known on which day? {}", row.provider);
        assert!(row.cache_read.is_none_or(|price| price < row.input), "{row:?}");
        assert!(row.until.is_none_or(|until| until > row.from), "{row:?}");
    }
    assert_eq!(table.date().len(), 10);
}
