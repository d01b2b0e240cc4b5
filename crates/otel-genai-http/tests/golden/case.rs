//! A recorded case: what the application did, what went over the wire, and which telemetry is expected.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use http::Method;
use serde_json::Value;

use crate::reference::Reference;
use crate::telemetry::Telemetry;

/// The server of cases that name none.
pub(crate) const ADDRESS: &str = "model.example";
pub(crate) const PORT: u16 = 4321;

pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) document: Value,
    pub(crate) exchanges: Vec<Exchange>,
}

pub(crate) struct Exchange {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) request: Value,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) frames: Vec<String>,
    pub(crate) fate: Fate,
}

/// What became of the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Read to its end.
    Read,
    /// The application lost interest after so many frames.
    LeftAfter(usize),
    /// The connection was lost after so many frames.
    CutAfter(usize),
    /// There was no connection.
    Refused,
    /// The client did not wait for the response.
    GivenUp,
}

/// All cases; `None` where there are none.
pub(crate) fn all() -> Option<Vec<Case>> {
    let folder = match env::var_os("OTEL_GENAI_GOLDEN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden/wire"),
    };
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let cases: Vec<Case> = files.iter().map(|file| Case::read(file)).collect();
    (!cases.is_empty()).then_some(cases)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a readable folder of cases").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}

impl Case {
    fn read(file: &Path) -> Case {
        let text = fs::read_to_string(file).expect("a readable case");
        let document: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let exchanges = document["exchanges"].as_array().expect("exchanges");
        let exchanges = exchanges
            .iter()
            .enumerate()
            .map(|(at, exchange)| Exchange::read(&document, at, exchange))
            .collect();
        Case { id: document["id"].as_str().expect("an id").to_owned(), exchanges, document }
    }

    /// What this reference wrote, if it was asked and its answer is worth something.
    pub(crate) fn expected(&self, reference: &Reference) -> Option<Telemetry> {
        let expected = &self.document["expected"];
        let name = format!("{} {}", reference.name, reference.mode);
        if reference.without_bugs && self.bugs(reference).next().is_some() {
            return None;
        }
        let mut telemetry = &expected[name];
        if let Some(other) = telemetry["same_as"].as_str() {
            telemetry = &expected[other];
        }
        telemetry.is_object().then(|| Telemetry::expected(telemetry))
    }

    /// The bugs that are known of what this reference wrote.
    pub(crate) fn bugs(&self, reference: &Reference) -> impl Iterator<Item = &str> {
        let name = format!("{} {}", reference.name, reference.mode);
        let caveats = self.document["caveats"][name].as_array();
        caveats.into_iter().flatten().filter(|it| it["kind"] == "bug").filter_map(|it| it["why"].as_str())
    }

    pub(crate) fn is_unsampled(&self) -> bool {
        self.document["providers"]["tracer"] == "unsampled"
    }

    /// The reference sees one call however often its client repeats it; on the wire every attempt is a call. The
    /// last one is compared with the reference's, the others are these.
    pub(crate) fn retried(&self) -> &[Exchange] {
        let calls = self.document["calls"].as_array().map_or(0, Vec::len);
        &self.exchanges[..self.exchanges.len().saturating_sub(calls)]
    }

    /// The exchanges that are compared, one for each call.
    pub(crate) fn compared(&self) -> &[Exchange] {
        &self.exchanges[self.retried().len()..]
    }
}

impl Exchange {
    fn read(case: &Value, at: usize, exchange: &Value) -> Exchange {
        let call = &case["calls"][at.min(case["calls"].as_array().map_or(0, |calls| calls.len() - 1))];
        let client = &case["client"];
        let (request, response) = (&exchange["request"], &exchange["response"]);
        // Two requests were not recorded because the client had to be given objects of Python.
        let request_json = match &request["json"] {
            Value::Null => without_python(&call["kwargs"]),
            json => json.clone(),
        };
        let frames: Vec<String> = match (&response["sse_chunks"], &response["body"]) {
            (Value::Array(chunks), _) => {
                chunks.iter().map(|chunk| chunk.as_str().unwrap().to_owned()).collect()
            }
            (_, Value::String(body)) => vec![body.clone()],
            _ => Vec::new(),
        };
        let consume = call["consume"].as_str().unwrap_or("none");
        let frames_read = consume.rsplit(':').next().and_then(|count| count.parse().ok());
        let fate = if client["closed_port"] == true {
            Fate::Refused
        } else if response["sleep_s"].is_number() {
            Fate::GivenUp
        } else if let Some(cut) = response["cut_after"].as_u64() {
            Fate::CutAfter(cut as usize)
        } else if let Some(frames) = frames_read {
            Fate::LeftAfter(frames)
        } else if matches!(consume, "never_read" | "close_without_reading" | "no_parse") {
            Fate::LeftAfter(0)
        } else {
            Fate::Read
        };
        let headers = response["headers"].as_object().into_iter().flatten();
        let mut url = url(client, request["url"].as_str().unwrap(), &request_json);
        if call["api"] == "responses.retrieve" {
            url = fetched(&url, call);
        }
        Exchange {
            method: request["method"].as_str().unwrap_or("POST").parse().unwrap(),
            url,
            request: request_json,
            status: response["status"].as_u64().unwrap() as u16,
            headers: headers
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            frames,
            fate,
        }
    }

    /// The JSON documents of the response, for independent statements about it.
    pub(crate) fn documents(&self) -> Vec<Value> {
        let text = self.frames.concat();
        if self.is_events() {
            return text
                .lines()
                .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?).ok())
                .collect();
        }
        serde_json::from_str(&text).into_iter().collect()
    }

    /// Whether the last event of a stream of Responses is there.
    pub(crate) fn is_finished(&self) -> bool {
        self.has_event(&["response.completed", "response.incomplete"]) || self.is_failed()
    }

    /// Whether a stream of Responses tells an error.
    pub(crate) fn is_failed(&self) -> bool {
        self.has_event(&["response.failed", "error"])
    }

    fn has_event(&self, kinds: &[&str]) -> bool {
        self.documents().iter().any(|document| kinds.iter().any(|kind| document["type"] == *kind))
    }

    pub(crate) fn has_malformed_event(&self) -> bool {
        let text = self.frames.concat();
        let mut data =
            text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
        self.is_events() && data.any(|data| serde_json::from_str::<Value>(data).is_err())
    }

    pub(crate) fn is_events(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream"))
    }
}

/// Where the client sent the request.
fn url(client: &Value, path: &str, request: &Value) -> String {
    // The expected telemetry of these, too, is that of a server of no name.
    let path = path.trim_start_matches("https://api.openai.com");
    let operation = path.trim_start_matches("/v1");
    if let Some(base) = client["fake_base_url"].as_str() {
        // Names that are not ASCII never reach the wire.
        let base = base.replace("bücher.example", "xn--bcher-kva.example");
        return format!("{}{operation}", base.trim_end_matches('/'));
    }
    if client["azure"].is_object() {
        let model = request["model"].as_str().unwrap();
        return format!("https://{ADDRESS}:{PORT}/openai/deployments/{model}{operation}");
    }
    format!("https://{ADDRESS}:{PORT}{path}")
}

/// What is fetched was left out where the exchange was recorded.
fn fetched(url: &str, call: &Value) -> String {
    let queries = call["kwargs"].as_object().into_iter().flatten();
    let queries: Vec<String> = queries.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{url}/{}?{}", call["args"][0].as_str().unwrap(), queries.join("&"))
}

/// The arguments without those that only mean something to Python.
fn without_python(arguments: &Value) -> Value {
    let mut arguments = arguments.clone();
    arguments.as_object_mut().unwrap().retain(|_, value| value.get("$not_given").is_none());
    if arguments["response_format"].get("$pydantic").is_some() {
        arguments["response_format"] = serde_json::json!({"type": "json_schema"});
    }
    // A client's word of its own.
    if let Some(format) = arguments.as_object_mut().unwrap().remove("text_format") {
        assert!(format.get("$pydantic").is_some());
        arguments["text"] = serde_json::json!({"format": {"type": "json_schema"}});
    }
    arguments
}
