//! Programs that a user of `otel-genai` would write. None of them needs a key or a network: what they ask is made up.
//!
//! * `cargo run -p otel-genai-examples --bin agent`: a whole agent, in [`agent`], with tools, retrieval and memory.
//! * `cargo run -p otel-genai-examples --bin callbacks`: the adapter of a framework that only has callbacks.
//! * `cargo run -p otel-genai-examples --bin embedding-batch`: many texts, in batches, some of which fail.
//! * `cargo run -p otel-genai-examples --bin evaluation`: an answer is judged, and the verdict stands beside it.
//!
//! Telemetry goes to the terminal, or where `OTEL_*` says. Prompts and answers are shown with
//! `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=SPAN_AND_EVENT`.

pub mod agent;
pub mod client;
pub mod handbook;
pub mod memory;
pub mod model;
pub mod telemetry;

/// The pages of `docs/`, whose examples are compiled and run with this package's tests.
#[cfg(doctest)]
mod pages {
    macro_rules! pages {
        ($($name:ident: $path:literal),* $(,)?) => {
            $(#[doc = include_str!(concat!("../../docs/", $path))] mod $name {})*
        };
    }

    pages! {
        from_python: "from-python.md",
        library: "library.md",
        operations: "operations/README.md",
        create_agent: "operations/create-agent.md",
        embeddings: "operations/embeddings.md",
        entry: "operations/entry.md",
        evaluation: "operations/evaluation.md",
        execute_tool: "operations/execute-tool.md",
        fetch_response: "operations/fetch-response.md",
        inference: "operations/inference.md",
        invoke_agent: "operations/invoke-agent.md",
        invoke_workflow: "operations/invoke-workflow.md",
        mcp: "operations/mcp.md",
        memory: "operations/memory.md",
        plan: "operations/plan.md",
        react_step: "operations/react-step.md",
        rerank: "operations/rerank.md",
        retrieval: "operations/retrieval.md",
    }
}
