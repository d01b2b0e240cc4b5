//! Hooks inside the program: small scripts that Python and Node run before it, and which lead the calls of their HTTP
//! clients to known hosts by way of the gateway. They reach the SDKs that read no base-URL variable.

mod folder;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use http::Uri;
use otel_genai_gateway::{KnownHosts, RouteError};
use otel_genai_wire::{is_known_host, known_hosts};

use crate::exit::Failure;
use crate::variables::Mirror;

pub(crate) use folder::Folder;

/// Where Python looks for modules first.
pub(crate) const PYTHONPATH: &str = "PYTHONPATH";
/// What Node reads besides its command line.
pub(crate) const NODE_OPTIONS: &str = "NODE_OPTIONS";

/// Local servers that speak a protocol of models at an address of their own.
const LOCAL: [&str; 2] = ["http://127.0.0.1:11434", "http://localhost:11434"];

/// What the program gets so that its calls are led from within.
#[derive(Debug, Default)]
pub(crate) struct Shim {
    /// The random part of the gateway's paths.
    token: String,
    /// Besides the known hosts: origins such as `http://127.0.0.1:11434`.
    origins: Vec<Uri>,
    mirrors: Vec<Mirror>,
    /// Variables that only we have set, which some clients trip over.
    hide: Vec<&'static str>,
    /// Of the two variables, those that may be changed, with what they hold.
    inherited: Vec<(&'static str, Option<OsString>)>,
}

impl Shim {
    /// Hooks for the known hosts, for `origins` and `mirrors`. Variables that `leave` names stay as they are.
    pub(crate) fn new(
        var: &dyn Fn(&str) -> Option<OsString>,
        origins: Vec<Uri>,
        mirrors: Vec<Mirror>,
        hide: Vec<&'static str>,
        leave: &[String],
    ) -> Self {
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        let inherited =
            [PYTHONPATH, NODE_OPTIONS].into_iter().filter(|name| !leave.iter().any(|left| left == name));
        let mut all: Vec<Uri> = LOCAL.iter().filter_map(|origin| origin.parse().ok()).collect();
        all.extend(origins);
        Self {
            token: String::new(),
            origins: all,
            mirrors,
            hide,
            inherited: inherited.map(|name| (name, set(name))).collect(),
        }
    }

    /// Draws the token that its paths at the gateway begin with.
    pub(crate) fn draw_token(&mut self) -> Result<(), Failure> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Failure::ours(format!("the system gives no random numbers: {error}")))?;
        self.token = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(())
    }

    /// What the gateway lets through.
    pub(crate) fn known_hosts(&self) -> Result<KnownHosts, RouteError> {
        let origins = self.origins.clone();
        let known = KnownHosts::new(&self.token, move |origin| {
            let secure =
                origin.scheme_str() == Some("https") && origin.port_u16().is_none_or(|port| port == 443);
            (secure && origin.host().is_some_and(is_known_host)) || origins.contains(origin)
        })?;
        self.mirrors
            .iter()
            .try_fold(known, |known, mirror| known.mirror(&mirror.origin, &mirror.upstream.whole()))
    }

    /// What changes in the program's environment, with the gateway at `origin` and the hooks in `folder`.
    pub(crate) fn environment(&self, origin: &str, folder: &Path) -> Vec<(&'static str, OsString)> {
        let mut all = vec![
            ("OTEL_GENAI_SHIM_GATEWAY", format!("{origin}/{}", self.token).into()),
            ("OTEL_GENAI_SHIM_PID", this_process().into()),
            ("OTEL_GENAI_SHIM_HOSTS", self.hosts().into()),
            ("OTEL_GENAI_SHIM_HIDE", self.hide.join(",").into()),
        ];
        for (name, inherited) in &self.inherited {
            all.push((*name, with_hooks(name, folder, inherited.as_deref())));
        }
        all
    }

    fn hosts(&self) -> String {
        let origins = self.origins.iter().chain(self.mirrors.iter().map(|mirror| &mirror.origin));
        let origins = origins.map(|origin| origin.to_string().trim_end_matches('/').to_ascii_lowercase());
        known_hosts().map(str::to_owned).chain(origins).collect::<Vec<_>>().join(",")
    }
}

/// The number of this process and, where the system tells it, when it was started: numbers are used again.
fn this_process() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let started = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19));
    let pid = std::process::id();
    started.map_or_else(|| pid.to_string(), |started| format!("{pid}:{started}"))
}

/// What one of the two variables says with the hooks.
fn with_hooks(name: &str, folder: &Path, inherited: Option<&OsStr>) -> OsString {
    let inherited = inherited.unwrap_or_default();
    if name == PYTHONPATH { python_path(folder, inherited) } else { node_options(folder, inherited) }
}

/// The folder before all others, once.
fn python_path(folder: &Path, inherited: &OsStr) -> OsString {
    let mut value = folder.as_os_str().to_owned();
    if inherited.is_empty() {
        return value;
    }
    for other in std::env::split_paths(inherited).filter(|other| other != folder) {
        value.push(":");
        value.push(other);
    }
    value
}

/// `--require` and not `--import`: a Node that does not know an option in this variable refuses to start.
fn node_options(folder: &Path, inherited: &OsStr) -> OsString {
    let path = folder.join(folder::NODE).to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    let quoted = if path.contains([' ', '"', '\\']) { format!("\"{path}\"") } else { path };
    let ours = format!("--require={quoted}");
    if inherited.to_string_lossy().contains(&ours) {
        return inherited.to_owned();
    }
    let mut value = inherited.to_owned();
    if !value.is_empty() {
        value.push(" ");
    }
    value.push(ours);
    value
}

/// For people: what would be set, the token and the folder by their names alone.
impl fmt::Display for Shim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, inherited) in &self.inherited {
            let value = with_hooks(name, Path::new("FOLDER"), inherited.as_deref());
            writeln!(f, "{name}={}", value.to_string_lossy())?;
        }
        writeln!(f, "OTEL_GENAI_SHIM_GATEWAY=http://127.0.0.1:PORT/TOKEN  -> https://HOST for:")?;
        for mirror in &self.mirrors {
            writeln!(f, "  {} -> {}", mirror.origin, mirror.upstream.shown())?;
        }
        let hosts = self.hosts();
        let mut line = String::from(" ");
        for host in hosts.split(',') {
            if line.len() + host.len() > 110 {
                writeln!(f, "{line}")?;
                line = String::from(" ");
            }
            line.push(' ');
            line.push_str(host);
        }
        writeln!(f, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::Upstream;

    fn shim(vars: &[(&str, &str)], leave: &[&str]) -> Shim {
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let leave: Vec<_> = leave.iter().map(|name| (*name).to_owned()).collect();
        let mirror = Upstream::known("private.example=http://127.0.0.1:9/x").unwrap().mirror().unwrap();
        let mut shim = Shim::new(&var, vec![Uri::from_static("http://gpu:1")], vec![mirror], vec![], &leave);
        shim.draw_token().unwrap();
        shim
    }

    fn value(shim: &Shim, name: &str) -> Option<String> {
        let all = shim.environment("http://127.0.0.1:7", Path::new("/tmp/a b"));
        all.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.into_string().unwrap())
    }

    #[test]
    fn what_is_there_is_kept_and_the_hooks_stand_there_once() {
        let fresh = shim(&[], &[]);
        assert_eq!(value(&fresh, PYTHONPATH).unwrap(), "/tmp/a b");
        assert_eq!(value(&fresh, NODE_OPTIONS).unwrap(), "--require=\"/tmp/a b/node.cjs\"");
        let own = shim(&[(PYTHONPATH, "/mine::/yours"), (NODE_OPTIONS, "--trace-warnings")], &[]);
        let (path, options) = (value(&own, PYTHONPATH).unwrap(), value(&own, NODE_OPTIONS).unwrap());
        assert_eq!(path, "/tmp/a b:/mine::/yours");
        assert_eq!(options, "--trace-warnings --require=\"/tmp/a b/node.cjs\"");
        let nested = shim(&[(PYTHONPATH, &path), (NODE_OPTIONS, &options)], &[]);
        assert_eq!(
            (value(&nested, PYTHONPATH).unwrap(), value(&nested, NODE_OPTIONS).unwrap()),
            (path, options)
        );
        let left = shim(&[(NODE_OPTIONS, "--x")], &[NODE_OPTIONS]);
        assert_eq!(value(&left, NODE_OPTIONS), None);
    }

    #[test]
    fn the_token_is_new_each_time_and_never_shown() {
        let (one, other) = (shim(&[], &[]), shim(&[], &[]));
        assert_eq!(one.token.len(), 32);
        assert_ne!(one.token, other.token);
        assert!(!one.to_string().contains(&one.token), "{one}");
        assert!(value(&one, "OTEL_GENAI_SHIM_GATEWAY").unwrap().ends_with(&format!(":7/{}", one.token)));
    }

    #[test]
    fn hooks_and_gateway_agree_on_the_hosts() {
        let shim = shim(&[], &[]);
        let hosts = value(&shim, "OTEL_GENAI_SHIM_HOSTS").unwrap();
        for entry in ["openai.com", "bedrock-*.amazonaws.com*", "http://gpu:1", "https://private.example"] {
            assert!(hosts.split(',').any(|host| host == entry), "{entry} in {hosts}");
        }
        assert!(shim.known_hosts().is_ok());
    }
}
