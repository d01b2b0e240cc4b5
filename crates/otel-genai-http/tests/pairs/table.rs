//! The table of `docs/providers.md`: what the reviewed snapshots prove of whom.

use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- providers: made by crates/otel-genai-http/tests/pairs/table.rs -->\n";
const END: &str = "<!-- providers: end -->";

/// Who answered, in which snapshots.
const ROWS: &[(&str, &[&str])] = &[
    ("Anthropic", &["anthropic"]),
    ("AWS Bedrock", &["bedrock"]),
    ("Cohere", &["cohere"]),
    ("DashScope", &["agentscope", "dashscope", "qwen-agent"]),
    ("DashScope, OpenAI-compatible", &["crewai", "google-adk", "hermes-agent", "litellm", "mem0"]),
    ("DeepSeek", &["deepseek"]),
    ("Gemini API", &["gemini"]),
    ("GitHub Copilot", &["copilot"]),
    ("Groq", &["groq"]),
    ("llama.cpp", &["llamacpp"]),
    ("Mistral", &["mistral"]),
    ("mistral.rs", &["mistralrs"]),
    ("Ollama", &["ollama"]),
    ("OpenAI", &["chatgpt", "langchain"]),
    ("OpenRouter", &["openrouter"]),
    ("Perplexity", &["perplexity"]),
    ("Venice", &["venice"]),
    ("Vertex AI", &["google-genai", "vertexai", "vertexai-loongsuite"]),
    ("xAI", &["xai"]),
];

type Proof = fn(&str) -> bool;

/// A column, and what an exchange's snapshot looks like that proves it.
const COLUMNS: &[(&str, Proof)] = &[
    ("whole", |told| is_good(told) && !told.contains(" stream=true")),
    ("stream", |told| is_good(told) && told.contains(" stream=true")),
    ("error", |told| told.contains(" ERROR\n")),
    ("tools", |told| {
        let output = told.split("gen_ai.output.messages=").nth(1);
        output.is_some_and(|output| output.lines().next().is_some_and(|line| line.contains("tool_call (")))
    }),
    ("reasoning", |told| told.contains("reasoning of ") || told.contains(" reasoning.output_tokens=")),
    ("cached tokens", |told| told.contains(" cache_read.") || told.contains(" cache_creation.")),
    ("media", |told| ["blob \"", "uri \"", "file \""].iter().any(|part| told.contains(part))),
    ("embeddings", |told| is_good(told) && told.contains("\nembeddings ")),
    ("rerank", |told| is_good(told) && told.contains("\nrerank")),
];

fn is_good(told: &str) -> bool {
    told.contains(" UNSET\n")
}

/// The page with its table made anew.
pub(crate) fn page(old: &str, snapshots: &Path) -> String {
    let (before, rest) = old.split_once(BEGIN).expect("the beginning of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    format!("{before}{BEGIN}{}{END}{after}", table(snapshots))
}

fn table(snapshots: &Path) -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut table =
        format!("| provider | calls | {} |\n|---|--:|{}\n", names.join(" | "), ":-:|".repeat(names.len()));
    for (provider, files) in ROWS {
        let read = |file| fs::read_to_string(snapshots.join(format!("{file}.txt"))).expect("a snapshot");
        let text: String = files.iter().map(read).collect();
        let calls: Vec<&str> = text
            .split("\n\n")
            .filter(|told| told.contains(" CLIENT ") || told.contains(" INTERNAL "))
            .collect();
        let cells: Vec<&str> = COLUMNS
            .iter()
            .map(|(_, proves)| if calls.iter().any(|told| proves(told)) { "✓" } else { " " })
            .collect();
        table += &format!("| {provider} | {} | {} |\n", calls.len(), cells.join(" | "));
    }
    table
}
