//! `run --intercept`: TLS to the hosts of model providers is read, for programs that can be told nothing but a proxy.
//!
//! What such a program gets: the gateway as its HTTPS proxy, and files with the authorities it trusts anyway together
//! with the one of this run. Everything is in its environment; the system's store is not touched.

mod bundle;
mod hosts;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use otel_genai_gateway::{Intercept, Refusal, RefusalKind, RouteError};
use otel_genai_sdk::shown_url;

use crate::diagnostics;
use crate::exit::Failure;
use crate::variables::Mirror;
use bundle::Folder;
pub(crate) use hosts::Hosts;

const PROXY: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
/// Node 22.21 and 24 look at the proxy only then.
const NODE_PROXY: &str = "NODE_USE_ENV_PROXY";

/// One variable that a program reads the authorities from which it trusts.
struct Trust {
    name: &'static str,
    /// Where a program looks that finds it unset.
    instead: Option<&'static str>,
    /// Whether its authorities are all there are, or come on top of the program's own.
    is_all: bool,
}

const fn all(name: &'static str, instead: Option<&'static str>) -> Trust {
    Trust { name, instead, is_all: true }
}

const fn more(name: &'static str) -> Trust {
    Trust { name, instead: None, is_all: false }
}

/// Every variable of authorities that is set.
const TRUST: [Trust; 7] = [
    all("SSL_CERT_FILE", None),
    all("REQUESTS_CA_BUNDLE", Some("CURL_CA_BUNDLE")),
    all("CURL_CA_BUNDLE", Some("SSL_CERT_FILE")),
    all("AWS_CA_BUNDLE", None),
    all("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", None),
    more("NODE_EXTRA_CA_CERTS"),
    more("DENO_CERT"),
];

/// Whether a program gets a variable of this name from here.
pub(crate) fn sets(name: &str) -> bool {
    PROXY.contains(&name) || name == NODE_PROXY || TRUST.iter().any(|trust| trust.name == name)
}

/// What a program that is intercepted gets.
pub(crate) struct Interception {
    hosts: Hosts,
    intercept: Intercept,
    /// The proxy and the switch for Node, as far as they are set.
    switches: Vec<&'static str>,
    trust: Vec<Planned>,
    untouched: Vec<(&'static str, String)>,
    pub(crate) warnings: Vec<String>,
}

/// One file of authorities, and its variable.
struct Planned {
    name: &'static str,
    base: Base,
}

/// What is in the file besides this run's authority.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    /// The user's own file or folder.
    Given(PathBuf),
    /// The system's, and those that programs bring with them.
    Usual,
    Nothing,
}

impl Interception {
    /// `None`: nobody wants it. `var` is the environment that the program would have had, `leave` what is not to be set.
    pub(crate) fn new(
        hosts: Hosts,
        var: &dyn Fn(&str) -> Option<OsString>,
        leave: &[String],
    ) -> Result<Option<Self>, Failure> {
        let Some(patterns) = hosts.patterns() else { return Ok(None) };
        let intercept = Intercept::new(patterns).map_err(Failure::ours)?;
        let mut plan = Self {
            hosts,
            intercept,
            switches: Vec::new(),
            trust: Vec::new(),
            untouched: Vec::new(),
            warnings: Vec::new(),
        };
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        for name in PROXY.into_iter().chain([NODE_PROXY]) {
            if leave.iter().any(|left| left == name) {
                plan.untouched.push((name, "--no-env".to_owned()));
            } else if name != NODE_PROXY || set(name).is_none() {
                plan.switches.push(name);
            }
        }
        for trust in &TRUST {
            let given = set(trust.name).or_else(|| set(trust.instead?));
            if leave.iter().any(|left| left == trust.name) {
                plan.untouched.push((trust.name, "--no-env".to_owned()));
                continue;
            }
            let base = match given.map(PathBuf::from) {
                Some(path) if path.exists() => Base::Given(path),
                Some(path) => {
                    plan.untouched.push((trust.name, format!("{} does not exist", path.display())));
                    continue;
                }
                None if trust.is_all => Base::Usual,
                None => Base::Nothing,
            };
            plan.trust.push(Planned { name: trust.name, base });
        }
        for name in ["NO_PROXY", "no_proxy"] {
            let value = set(name).unwrap_or_default();
            if let Some(entry) = plan.hosts.passed_by(&value.to_string_lossy()) {
                plan.warnings.push(format!(
                    "{name} leads the program past --intercept for {entry}; what it sends there directly is not seen"
                ));
                break;
            }
        }
        Ok(Some(plan))
    }

    /// For the gateway: with hosts whose calls go elsewhere.
    pub(crate) fn intercept(&self, mirrors: &[Mirror]) -> Result<Intercept, RouteError> {
        mirrors.iter().try_fold(self.intercept.clone(), |intercept, mirror| {
            intercept.mirror(&mirror.origin, &mirror.upstream.whole())
        })
    }

    /// Writes the files and says that they are there. Blocks.
    pub(crate) fn begin(&self) -> Result<Folder, Failure> {
        let folder = Folder::new(&self.intercept.authority_pem());
        let folder = folder.and_then(|mut folder| {
            for planned in &self.trust {
                folder.write(planned.name, &planned.base)?;
            }
            Ok(folder)
        });
        let folder = folder.map_err(|error| {
            Failure::ours(format!("the certificates for --intercept cannot be written: {error}"))
        })?;
        diagnostics::remark(format_args!(
            "intercepting: TLS of this program to {} is read here, keys included; every other host is tunnelled unread",
            self.hosts.in_short()
        ));
        Ok(folder)
    }

    /// What the program gets, with the gateway at `gateway`.
    pub(crate) fn environment(&self, gateway: SocketAddr, folder: &Folder) -> Vec<(&'static str, OsString)> {
        let switches = self.switches.iter().map(|name| match *name {
            NODE_PROXY => (NODE_PROXY, OsString::from("1")),
            name => (name, self.intercept.proxy_url(gateway).into()),
        });
        let files = self.trust.iter().map(|planned| (planned.name, folder.file(planned.name).into()));
        switches.chain(files).collect()
    }

    /// Says in the end who would not be intercepted.
    pub(crate) fn tell_refusals(&self) {
        for refusal in self.intercept.refusals() {
            diagnostics::remark(refused(&refusal));
        }
    }

    /// For `--dry-run`.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::from("\nIntercepted (--intercept):\n");
        for name in &self.switches {
            let value = if *name == NODE_PROXY { "1" } else { "http://127.0.0.1:PORT" };
            let _ = writeln!(text, "{name}={value}");
        }
        for planned in &self.trust {
            let base = match &planned.base {
                Base::Given(path) => format!("what is in {}, and", shown(path)),
                Base::Usual => "the usual authorities, and".to_owned(),
                Base::Nothing => "only".to_owned(),
            };
            let _ = writeln!(text, "{}=FILE  ({base} the one of this run)", planned.name);
        }
        for (name, why) in &self.untouched {
            let _ = writeln!(text, "{name} is left alone: {why}");
        }
        let _ = writeln!(text, "Hosts: {}", self.hosts.in_full());
        text
    }
}

/// Values of variables may be anything.
fn shown(path: &Path) -> String {
    shown_url(&path.to_string_lossy())
}

fn refused(refusal: &Refusal) -> String {
    let Refusal { host, connections, kind, reason, .. } = refusal;
    let how_many =
        if *connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") };
    let why = match kind {
        RefusalKind::Broken => format!("broke while TLS was agreed on ({reason})"),
        RefusalKind::NoCertificate => format!("could not be read: no certificate could be made ({reason})"),
        _ => format!("refused our certificate ({reason}): the program trusts authorities of its own"),
    };
    format!("{how_many} to {host} {why}; what it sent there afterwards was tunnelled unread")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(vars: &[(&str, &str)], leave: &[&str]) -> Interception {
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let leave: Vec<_> = leave.iter().map(|name| (*name).to_owned()).collect();
        Interception::new("true".parse().unwrap(), &var, &leave).unwrap().unwrap()
    }

    fn base<'a>(plan: &'a Interception, name: &str) -> Option<&'a Base> {
        plan.trust.iter().find(|planned| planned.name == name).map(|planned| &planned.base)
    }

    #[test]
    fn off_is_nothing() {
        assert!(Interception::new("false".parse().unwrap(), &|_| None, &[]).unwrap().is_none());
        assert!(Interception::new(Hosts::default(), &|_| None, &[]).unwrap().is_none());
    }

    #[test]
    fn what_the_user_trusts_stays_what_the_program_trusts() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine.pem");
        std::fs::write(&mine, "-----BEGIN CERTIFICATE-----\nmine\n-----END CERTIFICATE-----").unwrap();
        let path = mine.to_str().unwrap();
        let plan = plan(&[("CURL_CA_BUNDLE", path), ("AWS_CA_BUNDLE", "/nowhere/x.pem")], &["DENO_CERT"]);
        let given = Some(Base::Given(mine.clone()));
        assert_eq!(base(&plan, "CURL_CA_BUNDLE"), given.as_ref());
        assert_eq!(base(&plan, "REQUESTS_CA_BUNDLE"), given.as_ref(), "requests looks there, too");
        assert_eq!(base(&plan, "SSL_CERT_FILE"), Some(&Base::Usual));
        assert_eq!(base(&plan, "NODE_EXTRA_CA_CERTS"), Some(&Base::Nothing));
        assert_eq!(base(&plan, "AWS_CA_BUNDLE"), None);
        assert_eq!(base(&plan, "DENO_CERT"), None);
        let told = plan.describe();
        assert!(told.contains("AWS_CA_BUNDLE is left alone: /nowhere/x.pem does not exist"), "{told}");
        assert!(told.contains("DENO_CERT is left alone: --no-env") && told.contains("openai.com"), "{told}");

        let folder = plan.begin().unwrap();
        let gateway = ([127, 0, 0, 1], 7).into();
        let environment = plan.environment(gateway, &folder);
        let value = |name| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
        let proxy = value("HTTPS_PROXY").unwrap().into_string().unwrap();
        assert!(proxy.starts_with("http://otel-genai:") && proxy.ends_with("@127.0.0.1:7"), "{proxy}");
        assert!(!told.contains(&proxy), "the password is not shown");
        assert_eq!(value("NODE_USE_ENV_PROXY").unwrap(), "1");
        let ours = plan.intercept.authority_pem();
        let curl = std::fs::read_to_string(value("CURL_CA_BUNDLE").unwrap()).unwrap();
        assert!(curl.contains("\nmine\n") && curl.contains(ours.trim()), "{curl}");
        assert_eq!(curl.matches("BEGIN").count(), 2);
        let usual = std::fs::read_to_string(value("SSL_CERT_FILE").unwrap()).unwrap();
        assert!(usual.matches("BEGIN").count() > 50 && usual.contains(ours.trim()));
        let only = std::fs::read_to_string(value("NODE_EXTRA_CA_CERTS").unwrap()).unwrap();
        assert_eq!(only.trim(), ours.trim());
    }

    #[test]
    fn a_way_past_the_proxy_is_told() {
        for (no_proxy, told) in [
            ("localhost,.corp.example", false),
            ("*", true),
            ("a.example, .openai.azure.com", true),
            ("api.openai.com", true),
        ] {
            let plan = plan(&[("no_proxy", no_proxy)], &[]);
            assert_eq!(plan.warnings.len(), usize::from(told), "{no_proxy}: {:?}", plan.warnings);
        }
    }
}
