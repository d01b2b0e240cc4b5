//! Prints the table of variables as Markdown, for the documentation: `cargo run -p otel-genai-sdk --example variables`.

fn main() {
    println!("| variable | values | default | what it does |\n| --- | --- | --- | --- |");
    for variable in otel_genai_sdk::VARIABLES {
        let otel_genai_sdk::Variable { name, values, default, about, .. } = variable;
        println!("| `{name}` | {values} | {default} | {about} |");
    }
}
