//! How programs are made to send here: what a person types.

use crate::serve::Doors;
use crate::shared::Shared;
use crate::view::{McpWays, Way};

/// The ways, with the addresses that are really listened on. The token is not told: who may read it has it.
pub(crate) fn ways(shared: &Shared) -> Vec<Way> {
    let way = |language: &str, text: String| Way { language: language.to_owned(), text };
    let mut ways = Vec::new();
    let http = shared.doors.http.map(Doors::url);
    let grpc = shared.doors.grpc.map(Doors::url);
    let (endpoint, protocol) = match (&http, &grpc) {
        (Some(http), _) => (http, "http/protobuf"),
        (None, Some(grpc)) => (grpc, "grpc"),
        (None, None) => return ways,
    };
    let token = if shared.guard.token().is_some() {
        "export OTEL_EXPORTER_OTLP_HEADERS=x-otel-genai-token=TOKEN\n"
    } else {
        ""
    };
    let otlp = format!(
        "export OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nexport OTEL_EXPORTER_OTLP_PROTOCOL={protocol}\n{token}"
    );
    ways.push(way("Any program, unchanged", format!("{otlp}otel-genai run --content true -- python app.py")));
    ways.push(way(
        "Python",
        format!(
            "pip install opentelemetry-distro opentelemetry-exporter-otlp opentelemetry-instrumentation-openai-v2\n\
             {otlp}export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true\n\
             export OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED=true\n\
             opentelemetry-instrument --logs_exporter otlp python app.py"
        ),
    ));
    ways.push(way(
        "Node.js",
        format!(
            "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node\n\
             {otlp}export OTEL_LOGS_EXPORTER=otlp\n\
             export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true\n\
             node --experimental-loader=@opentelemetry/instrumentation/hook.mjs \
             --require @opentelemetry/auto-instrumentations-node/register app.js"
        ),
    ));
    ways.push(way(
        "Rust",
        format!(
            "# with the crate otel-genai and its feature `sdk`; first in main: let _telemetry = otel_genai::init()?;\n\
             {otlp}export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true\ncargo run"
        ),
    ));
    ways.push(way(
        "Claude Code",
        format!(
            "{otlp}export CLAUDE_CODE_ENABLE_TELEMETRY=1\nexport OTEL_LOGS_EXPORTER=otlp\n\
             export OTEL_METRICS_EXPORTER=otlp\nexport OTEL_LOG_USER_PROMPTS=1\nclaude"
        ),
    ));
    ways.push(way("Everything that speaks OpenTelemetry", otlp.trim_end().to_owned()));
    ways
}

/// How a coding agent is made to ask here.
pub(crate) fn mcp(shared: &Shared) -> McpWays {
    let stdio = serde_json::json!({ "command": "otel-genai", "args": ["mcp-server"] });
    let mut http =
        serde_json::json!({ "type": "http", "url": format!("{}/mcp", Doors::url(shared.doors.page)) });
    if shared.guard.token().is_some()
        && let Some(entry) = http.as_object_mut()
    {
        entry.insert("headers".to_owned(), serde_json::json!({ "Authorization": "Bearer TOKEN" }));
    }
    let whole = |server: &serde_json::Value| {
        let file = serde_json::json!({ "mcpServers": { "otel-genai": server } });
        serde_json::to_string_pretty(&file).unwrap_or_default()
    };
    McpWays { stdio: whole(&stdio), http: whole(&http) }
}
