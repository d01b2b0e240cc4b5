//! A recorded case: what the application did, in which environment, and which telemetry the references wrote.

use std::path::{Path, PathBuf};
use std::{env, fs};

use otel_genai::ConventionName;
use serde_json::Value;

/// An implementation whose telemetry was recorded, and the convention that is to equal it.
pub(crate) struct Reference {
    pub(crate) name: &'static str,
    pub(crate) convention: ConventionName,
    /// The module of an application's own errors, where the reference tells it in `error.type`.
    pub(crate) error_module: &'static str,
}

pub(crate) const REFERENCES: [Reference; 2] = [
    Reference {
        name: "loongsuite-otel-util-genai==0.9.1",
        convention: ConventionName::LoongSuite,
        error_module: "",
    },
    Reference {
        name: "opentelemetry-util-genai==1.3b0",
        convention: ConventionName::V2026_08,
        error_module: "myapp.errors.",
    },
];

pub(crate) struct Case {
    pub(crate) id: String,
    document: Value,
}

/// Where the cases are.
const FOLDER: &str = "OTEL_GENAI_GOLDEN_DIR";
/// Which of them are wanted: `convention/beginning of the id`.
const ONLY: &str = "GOLDEN_ONLY";

/// All cases; `None` where there are none.
pub(crate) fn all() -> Option<Vec<Case>> {
    let folder = match env::var_os(FOLDER) {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden"),
    };
    let mut files = Vec::new();
    collect(&folder.join("handler"), &mut files);
    files.sort();
    let cases: Vec<Case> = files.iter().map(|file| Case::read(file)).collect();
    (!cases.is_empty()).then_some(cases)
}

/// Whether the cases are those that the list of deviations was made for, and all of them.
pub(crate) fn are_all() -> bool {
    env::var_os(FOLDER).is_none() && env::var(ONLY).unwrap_or_default().is_empty()
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
        Case { id: document["id"].as_str().expect("an id").to_owned(), document }
    }

    /// Whether the reference played the case, and it is to be played now.
    pub(crate) fn is_wanted(&self, reference: &Reference) -> bool {
        let path = format!("{}/{}", reference.convention, self.id);
        let wanted = path.starts_with(&env::var(ONLY).unwrap_or_default());
        wanted && self.expected(reference).is_some()
    }

    /// The telemetry that the reference wrote.
    pub(crate) fn expected(&self, reference: &Reference) -> Option<&Value> {
        let expected = &self.document["expected"];
        let mut telemetry = &expected[reference.name];
        if let Some(other) = telemetry["same_as"].as_str() {
            telemetry = &expected[other];
        }
        telemetry.is_object().then_some(telemetry)
    }

    /// What the application did, in the words of the reference.
    pub(crate) fn steps(&self, reference: &Reference) -> &[Value] {
        let input = &self.document["input"];
        let own = match reference.convention {
            ConventionName::LoongSuite => &Value::Null,
            _ => &input["steps_opentelemetry_util_genai"],
        };
        own.as_array().or(input["steps"].as_array()).expect("steps")
    }

    /// The environment in which the application ran.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.document["input"]["env"][name].as_str().map(str::to_owned)
    }

    pub(crate) fn is_sampled(&self) -> bool {
        self.document["input"]["providers"]["tracer"] != "unsampled"
    }

    pub(crate) fn has_logger(&self) -> bool {
        self.document["input"]["providers"]["logger"] != false
    }

    pub(crate) fn has_meter(&self) -> bool {
        self.document["input"]["providers"]["meter"] != false
    }

    /// What a completion hook does: `record`, `mutate`, `raise`.
    pub(crate) fn hook(&self) -> Option<&str> {
        self.document["input"]["completion_hook"].as_str()
    }

    /// Why the reference's result is said to be a mistake.
    pub(crate) fn bugs(&self, reference: &Reference) -> impl Iterator<Item = &str> {
        let caveats = self.document["caveats"][reference.name].as_array().into_iter().flatten();
        caveats.filter(|caveat| caveat["kind"] == "bug").filter_map(|caveat| caveat["why"].as_str())
    }

    /// Every step of the program, those within others too.
    pub(crate) fn all_steps(&self, reference: &Reference) -> Vec<&Value> {
        fn add<'a>(steps: &'a [Value], all: &mut Vec<&'a Value>) {
            for step in steps {
                all.push(step);
                add(step["body"].as_array().map_or(&[], Vec::as_slice), all);
            }
        }
        let mut all = Vec::new();
        add(self.steps(reference), &mut all);
        all
    }

    /// Whether the program has such a step.
    pub(crate) fn does(&self, reference: &Reference, is: impl Fn(&Value) -> bool) -> bool {
        self.all_steps(reference).into_iter().any(is)
    }

    /// Every value that the program gives to this field of an operation.
    pub(crate) fn given<'a>(
        &'a self,
        reference: &Reference,
        field: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        let of_step = move |step: &'a Value| [step["init"].get(field), step["fields"].get(field)];
        self.all_steps(reference).into_iter().flat_map(of_step).flatten()
    }

    /// Whether a value of the program is one of Python's that has this tag.
    pub(crate) fn has_tag(&self, reference: &Reference, tag: &str) -> bool {
        self.steps(reference).iter().any(|step| step.to_string().contains(tag))
    }

    /// Whether the program ends an operation that has ended.
    pub(crate) fn ends_twice(&self, reference: &Reference) -> bool {
        let mut ended = Vec::new();
        self.all_steps(reference).into_iter().any(|step| {
            let inv = &step["inv"];
            let ends = step["op"] == "stop" || step["op"] == "fail";
            let again = ends && ended.contains(&inv);
            ended.extend(ends.then_some(inv));
            again
        })
    }

    /// Whether the program starts a call within one of its type.
    pub(crate) fn overlaps(&self, reference: &Reference) -> bool {
        overlaps(self.steps(reference), &mut Vec::new(), |step, running| {
            running.iter().any(|running| running["type"] == step["type"])
        })
    }

    /// Whether it does so with an operation of another type in between.
    pub(crate) fn overlaps_from_afar(&self, reference: &Reference) -> bool {
        overlaps(self.steps(reference), &mut Vec::new(), |step, running| {
            let (innermost, others) = running.split_last().unzip();
            innermost.is_some_and(|innermost: &&Value| innermost["type"] != step["type"])
                && others.into_iter().flatten().any(|running| running["type"] == step["type"])
        })
    }
}

/// The operations that layers of one program may record twice.
const CALLS: [&str; 6] = ["llm", "inference", "embedding", "retrieval", "rerank", "fetch_response"];

/// Whether one of the steps starts a call of which, with what runs then, `is` holds.
fn overlaps<'a>(
    steps: &'a [Value],
    running: &mut Vec<&'a Value>,
    is: fn(&Value, &[&'a Value]) -> bool,
) -> bool {
    steps.iter().any(|step| {
        let body = step["body"].as_array().map_or(&[][..], Vec::as_slice);
        let is_call = step["type"].as_str().is_some_and(|kind| CALLS.contains(&kind));
        match step["op"].as_str() {
            Some("with" | "start") if is_call && is(step, running) => true,
            Some("with") => {
                running.push(step);
                let overlaps = overlaps(body, running, is);
                running.pop();
                overlaps
            }
            Some("start") => {
                running.push(step);
                false
            }
            Some("stop" | "fail" | "abandon") => {
                running.retain(|running| running["inv"] != step["inv"]);
                false
            }
            _ => overlaps(body, running, is),
        }
    })
}
