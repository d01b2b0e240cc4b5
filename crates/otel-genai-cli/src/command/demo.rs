//! `otel-genai demo`: a client, the gateway and a scripted model in one process, and what is recorded of it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use otel_genai::Capture;
use otel_genai_gateway::{Gateway, Route};
use otel_genai_http::Runs;
use otel_genai_sdk::{ConsoleOptions, ConsoleTarget, Exporter};
#[cfg(feature = "dashboard")]
use otel_genai_store::{PriceTable, SqliteOptions};
use serde_json::{Value, json};
#[cfg(feature = "dashboard")]
use tokio::task::JoinHandle;

#[cfg(feature = "dashboard")]
use crate::dashboard::{browser, inside::Inside};
use crate::demo::client::Client;
use crate::demo::model::BUSY;
use crate::demo::server::Server;
use crate::diagnostics;
use crate::exit::Failure;
#[cfg(feature = "dashboard")]
use crate::options::Receiver;
use crate::options::TelemetryOptions;
use crate::session::{Session, Wanted};
use crate::settings::Listen;

const FLUSH: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  otel-genai demo                          five kinds of call, and what is recorded of each
  otel-genai demo --no-dashboard           printed only
  otel-genai demo --content no_content     without the words that were said
  otel-genai demo --endpoint http://localhost:4318
                                           sent to an OTLP receiver as well
  otel-genai demo --serve                  only the scripted model, for programs of your own:
      OPENAI_BASE_URL=http://127.0.0.1:4081/v1 OPENAI_API_KEY=none otel-genai run -- python main.py")]
pub(super) struct Demo {
    /// Only serve the scripted model, until it is stopped
    #[arg(long, help_heading = "Scripted model")]
    serve: bool,

    /// Where the scripted model listens [default: 127.0.0.1:4081 with --serve]
    #[arg(long, value_name = "ADDRESS:PORT", requires = "serve", help_heading = "Scripted model")]
    listen: Option<Listen>,

    /// Only print, even on a terminal: no page
    #[cfg(feature = "dashboard")]
    #[arg(long, help_heading = "Page")]
    no_dashboard: bool,

    /// Do not open the page in the browser
    #[cfg(feature = "dashboard")]
    #[arg(long, help_heading = "Page")]
    no_open: bool,

    #[command(flatten)]
    telemetry: TelemetryOptions,
}

impl Demo {
    pub(super) fn execute(mut self) -> Result<u8, Failure> {
        diagnostics::begin(self.telemetry.quiet);
        let runtime = super::runtime()?;
        let ended = if self.serve {
            let address = self.listen.unwrap_or_else(|| Listen::local(4081));
            runtime.block_on(serve(address.0))
        } else {
            let page = runtime.block_on(self.page());
            let shown = self.show(&runtime);
            if let Some(page) = page {
                runtime.block_on(page.end(shown.is_ok()));
            }
            shown
        };
        runtime.shutdown_background();
        ended
    }

    fn show(&self, runtime: &tokio::runtime::Runtime) -> Result<u8, Failure> {
        let session = Session::begin(Wanted {
            options: &self.telemetry,
            service: "otel-genai-demo".to_owned(),
            exporter: Exporter::ConsoleAlways,
            console: ConsoleOptions::new().target(ConsoleTarget::Stdout),
            runs: Runs::OfOneProgram,
            content: Capture::SpanAndEvent,
            calls: true,
        })?;
        let client = runtime.block_on(connect(&session))?;
        super::print(&introduction(&session, self.telemetry.dashboard.is_some()));
        for step in STEPS {
            super::print(&format!("\n{}\n", step.heading));
            runtime.block_on((step.make)(&client))?;
            session.show(FLUSH);
        }
        super::print("\nAnd the metrics of all of them\n");
        session.end(Instant::now() + FLUSH);
        super::print(ENDING);
        Ok(0)
    }

    /// Where a person can see it: there is one at the terminal, who has not named a place of their own.
    #[cfg(feature = "dashboard")]
    async fn page(&mut self) -> Option<Page> {
        use std::io::IsTerminal as _;

        if self.no_dashboard || self.telemetry.has_destination() || !std::io::stdout().is_terminal() {
            return None;
        }
        match Page::start(!self.no_open).await {
            Ok(page) => {
                self.telemetry.dashboard = page.receiver();
                Some(page)
            }
            Err(why) => {
                tracing::warn!(target: "otel_genai", "no dashboard: {why}");
                None
            }
        }
    }

    #[cfg(not(feature = "dashboard"))]
    async fn page(&mut self) -> Option<Page> {
        None
    }
}

/// A dashboard that forgets everything with the demo's end.
#[cfg(feature = "dashboard")]
struct Page {
    inside: Inside,
    open: bool,
    /// Caught from the start: it must leave nothing behind.
    interrupted: JoinHandle<()>,
}

#[cfg(feature = "dashboard")]
impl Page {
    async fn start(open: bool) -> Result<Self, Failure> {
        let interrupted = tokio::spawn(super::interrupted());
        let prices = std::sync::Arc::new(PriceTable::builtin());
        let store = SqliteOptions::temporary().pricing(prices).open().map_err(Failure::ours)?;
        Ok(Self { inside: Inside::start(std::sync::Arc::new(store), true).await?, open, interrupted })
    }

    fn receiver(&self) -> Option<Receiver> {
        let endpoint = self.inside.found.otlp.clone()?;
        Some(Receiver { endpoint, token: None, only: false })
    }

    /// Shows where it is until nobody wants to look any more, if there is something to see.
    async fn end(self, shown: bool) {
        if shown {
            self.tell().await;
            let _ = self.interrupted.await;
        }
        self.inside.end().await;
    }

    async fn tell(&self) {
        let found = &self.inside.found;
        let all = found.link("/");
        let list = found.api.get("/traces").await.unwrap_or_default();
        let rows = list.get("items").and_then(Value::as_array).into_iter().flatten();
        let name = |row: &Value| row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let agent = rows.into_iter().find(|row| name(row).starts_with("invoke_agent"));
        let agent = agent.and_then(|row| row.get("id")?.as_str());
        let agent = agent.map(|id| found.link(&format!("/trace/{id}")));
        let mut text = format!("\nSee it on a page, until Ctrl-C:\n  {all}\n");
        if let Some(agent) = &agent {
            text.push_str(&format!("  {agent}  the agent's run\n"));
        }
        super::print(&text);
        if self.open {
            browser::open(agent.as_ref().unwrap_or(&all));
        }
    }
}

/// There is no dashboard in this program.
#[cfg(not(feature = "dashboard"))]
enum Page {}

#[cfg(not(feature = "dashboard"))]
impl Page {
    async fn end(self, _: bool) {
        match self {}
    }
}

const ENDING: &str = "
Next:  otel-genai run -- python main.py      see the calls of a program of yours, in any language
       otel-genai run --help                 where to send them, what to record
";

fn introduction(session: &Session, is_on_page: bool) -> String {
    let mut text = String::from(
        "A client asks a scripted model through the gateway; below each call is what is recorded.\n",
    );
    text.push_str(if session.config.capture == Capture::NoContent {
        "Content is not recorded.\n"
    } else {
        "Prompts and answers are recorded too, which is off by default elsewhere (here: --content no_content).\n"
    });
    if !session.is_for_people() || (session.destinations().contains("http") && !is_on_page) {
        text.push_str(&format!("Telemetry: {}.\n", session.destinations()));
    }
    text
}

/// The scripted model, the gateway in front of it, and a client in front of that.
async fn connect(session: &Session) -> Result<Client, Failure> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::bind(any).await.map_err(Failure::ours)?;
    let upstream: http::Uri = format!("http://{}", server.address).parse().map_err(Failure::ours)?;
    tokio::spawn(server.serve());
    let route = Route::new("/openai", &upstream).map_err(Failure::ours)?;
    let proxy = otel_genai_gateway::UpstreamProxy::Direct;
    let gateway = Gateway::builder(session.observer()).route(route).upstream_proxy(proxy);
    let gateway = gateway.bind(any).await.map_err(Failure::ours)?;
    let base = format!("http://{}/openai/v1", gateway.local_addr());
    tokio::spawn(gateway.serve(std::future::pending()));
    Ok(Client::new(base))
}

struct Step {
    heading: &'static str,
    make: for<'a> fn(&'a Client) -> Made<'a>,
}

type Made<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), Failure>> + 'a>>;

const STEPS: [Step; 5] = [
    Step { heading: "1. A question", make: |client| Box::pin(question(client)) },
    Step { heading: "2. A streamed answer, word by word", make: |client| Box::pin(streamed(client)) },
    Step {
        heading: "3. An agent with a tool: recovered from its calls of the model",
        make: |client| Box::pin(tool(client)),
    },
    Step { heading: "4. Embeddings of two texts", make: |client| Box::pin(embeddings(client)) },
    Step { heading: "5. A call that fails: too many requests", make: |client| Box::pin(refused(client)) },
];

const CHAT: &str = "/chat/completions";

async fn question(client: &Client) -> Result<(), Failure> {
    let messages = json!([
        { "role": "system", "content": "You are a helpful assistant. Be brief." },
        { "role": "user", "content": "What is the capital of France?" },
    ]);
    let body = json!({ "model": "gpt-4o-mini", "messages": messages, "temperature": 0.2, "max_tokens": 100 });
    client.post(CHAT, &body).await.map(drop)
}

async fn streamed(client: &Client) -> Result<(), Failure> {
    let messages = json!([{ "role": "user", "content": "Write a haiku about tracing." }]);
    let body = json!({
        "model": "gpt-4o-mini", "messages": messages, "stream": true, "stream_options": { "include_usage": true },
    });
    client.post(CHAT, &body).await.map(drop)
}

async fn tool(client: &Client) -> Result<(), Failure> {
    let tools = json!([{ "type": "function", "function": {
        "name": "get_weather", "description": "The weather at a place",
        "parameters": { "type": "object", "properties": { "place": { "type": "string" } }, "required": ["place"] },
    } }]);
    let question = json!({ "role": "user", "content": "What is the weather in Paris?" });
    let ask = |messages: Value| json!({ "model": "gpt-4o-mini", "messages": messages, "tools": tools });
    let answer = client.post(CHAT, &ask(json!([question]))).await?.json();
    let called = answer.pointer("/choices/0/message").cloned().unwrap_or_default();
    let id = called.pointer("/tool_calls/0/id").cloned().unwrap_or_default();
    let result = json!({
        "role": "tool", "tool_call_id": id, "content": "18 degrees and sunny",
    });
    client.post(CHAT, &ask(json!([question, called, result]))).await.map(drop)
}

async fn embeddings(client: &Client) -> Result<(), Failure> {
    let input = json!(["where is my order?", "when will it arrive?"]);
    let body = json!({ "model": "text-embedding-3-small", "input": input, "encoding_format": "float" });
    client.post("/embeddings", &body).await.map(drop)
}

async fn refused(client: &Client) -> Result<(), Failure> {
    let messages = json!([{ "role": "user", "content": "Are you there?" }]);
    let answer = client.post(CHAT, &json!({ "model": BUSY, "messages": messages })).await?;
    // The demo shows what it says it shows.
    if answer.status == 429 { Ok(()) } else { Err(Failure::ours("the scripted model did not refuse")) }
}

async fn serve(address: SocketAddr) -> Result<u8, Failure> {
    let server = Server::bind(address).await.map_err(|error| {
        Failure::ours(format!("cannot listen on {address}: {error}; --listen chooses another"))
    })?;
    let address = server.address;
    let interrupted = super::interrupted();
    super::print(&format!(
        "listening on http://{address}\n\
         Try:  OPENAI_BASE_URL=http://{address}/v1 OPENAI_API_KEY=none otel-genai run -- python main.py\n"
    ));
    tokio::select! {
        () = server.serve() => {}
        () = interrupted => {}
    }
    Ok(0)
}
