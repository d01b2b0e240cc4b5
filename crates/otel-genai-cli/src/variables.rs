//! The base-URL variables of SDKs: which there are, and what a program under `run` gets in their place.
//!
//! A value that is there becomes the upstream, with its path kept. A variable that is not there is set only where
//! every program that reads it means the same by its absence; a default that suits one SDK would break another.

use std::ffi::OsString;
use std::fmt;

use http::Uri;
use otel_genai_gateway::{Route, RouteError};
use otel_genai_sdk::shown_url;

use crate::proxies;
use crate::shim::Shim;
use crate::url::BaseUrl;

/// One variable that SDKs read their base URL from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// The route's name: its prefix without the slash.
    pub(crate) route: &'static str,
    /// What SDKs take when it is unset. `None`: they differ, or take none.
    pub(crate) default: Option<&'static str>,
    /// Why a value of the user's stays as it is; the hooks inside the program lead its calls.
    pub(crate) kept: Option<&'static str>,
}

impl Variable {
    /// Whether this value stays: Ollama's only where a server may be meant.
    fn keeps(&self, url: &BaseUrl) -> bool {
        self.kept.is_some() && (self.name != OLLAMA_HOST || url.is_here())
    }

    /// Its value as a URL. Ollama's clients read `HOST` and `HOST:PORT`, too, and take a port of their own.
    fn parse(&self, value: &str) -> Option<BaseUrl> {
        let value = value.trim();
        if self.name != OLLAMA_HOST || value.contains("://") {
            return BaseUrl::parse(value);
        }
        let (host, path) = value.split_at(value.find('/').unwrap_or(value.len()));
        let host = if host.starts_with(':') { format!("127.0.0.1{host}") } else { host.to_owned() };
        let port =
            if host.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(':') { "" } else { ":11434" };
        BaseUrl::parse(&format!("http://{host}{port}{path}"))
    }
}

const fn row(name: &'static str, route: &'static str) -> Variable {
    Variable { name, route, default: None, kept: None }
}

const fn by_default(name: &'static str, route: &'static str, default: &'static str) -> Variable {
    Variable { name, route, default: Some(default), kept: None }
}

const fn kept(name: &'static str, route: &'static str, why: &'static str) -> Variable {
    Variable { name, route, default: None, kept: Some(why) }
}

const OPENAI: &str = "https://api.openai.com/v1";
/// Without a version: nearly all clients add it, and the route takes it either way.
const ANTHROPIC: &str = "https://api.anthropic.com";
/// What Anthropic's clients ask for when their base URL is to contain the version.
const WITHOUT_VERSION: [&str; 5] = ["/messages", "/models", "/files", "/skills", "/complete"];

/// `ollama serve` listens where the variable says that others find it.
const SERVED: &str = "a server that the program starts listens there";
/// A signature is for the host that it was made for, so that a request can be led elsewhere only after signing.
const SIGNED: &str = "requests are signed for the host that it names";

/// The one variable whose value need not be a URL.
const OLLAMA_HOST: &str = "OLLAMA_HOST";

/// Every variable that is looked at. Only providers whose calls can be read: nothing is led elsewhere for nothing.
#[rustfmt::skip]
pub(crate) const VARIABLES: &[Variable] = &[
    by_default("OPENAI_BASE_URL", "openai", OPENAI), by_default("OPENAI_API_BASE", "openai", OPENAI),
    row("AZURE_OPENAI_ENDPOINT", "azure"), row("AZURE_API_BASE", "azure"), row("AZURE_AI_API_BASE", "azure"),
    row("ANTHROPIC_FOUNDRY_BASE_URL", "azure"),
    by_default("ANTHROPIC_BASE_URL", "anthropic", ANTHROPIC),
    row("ANTHROPIC_API_URL", "anthropic"), row("ANTHROPIC_API_BASE", "anthropic"),
    kept("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "bedrock", SIGNED),
    kept("AWS_BEDROCK_RUNTIME_ENDPOINT", "bedrock", SIGNED), kept("ANTHROPIC_BEDROCK_BASE_URL", "bedrock", SIGNED),
    row("CEREBRAS_BASE_URL", "cerebras"), row("CEREBRAS_API_BASE", "cerebras"),
    row("CO_API_URL", "cohere"), row("COHERE_API_BASE", "cohere"),
    row("DASHSCOPE_HTTP_BASE_URL", "dashscope"), row("DASHSCOPE_API_BASE", "dashscope"),
    row("DEEPSEEK_BASE_URL", "deepseek"), row("DEEPSEEK_API_BASE", "deepseek"),
    row("FIREWORKS_BASE_URL", "fireworks"), row("FIREWORKS_API_BASE", "fireworks"),
    row("GOOGLE_GEMINI_BASE_URL", "gemini"), row("GEMINI_API_BASE", "gemini"),
    row("GROQ_BASE_URL", "groq"), row("GROQ_API_BASE", "groq"),
    row("MISTRAL_BASE_URL", "mistral"), row("MISTRAL_API_BASE", "mistral"),
    row("MOONSHOT_BASE_URL", "moonshot"), row("MOONSHOT_API_BASE", "moonshot"),
    kept(OLLAMA_HOST, "ollama", SERVED), row("OLLAMA_API_BASE", "ollama"), row("OLLAMA_API_BASE_URL", "ollama"),
    row("OPENROUTER_BASE_URL", "openrouter"), row("OPENROUTER_API_BASE", "openrouter"),
    row("PERPLEXITY_BASE_URL", "perplexity"), row("PERPLEXITY_API_BASE", "perplexity"),
    row("TOGETHER_BASE_URL", "together"), row("TOGETHER_API_BASE", "together"),
    row("GOOGLE_VERTEX_BASE_URL", "vertex"), row("ANTHROPIC_VERTEX_BASE_URL", "vertex"),
    row("XAI_BASE_URL", "xai"), row("XAI_API_BASE", "xai"),
];

/// Where providers are, for a gateway that nobody told.
pub(crate) const PROVIDERS: &[(&str, &str)] = &[
    ("openai", "https://api.openai.com"),
    ("anthropic", "https://api.anthropic.com"),
    ("cerebras", "https://api.cerebras.ai"),
    ("cohere", "https://api.cohere.com"),
    ("deepseek", "https://api.deepseek.com"),
    ("fireworks", "https://api.fireworks.ai"),
    ("gemini", "https://generativelanguage.googleapis.com"),
    ("groq", "https://api.groq.com"),
    ("mistral", "https://api.mistral.ai"),
    ("moonshot", "https://api.moonshot.ai"),
    ("openrouter", "https://openrouter.ai"),
    ("perplexity", "https://api.perplexity.ai"),
    ("together", "https://api.together.xyz"),
    ("xai", "https://api.x.ai"),
];

/// Any of these: the program may use Azure.
const AZURE: [&str; 3] = ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"];

/// A host, and where its calls go instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// `https://api.openai.com`
    pub(crate) origin: Uri,
    pub(crate) upstream: BaseUrl,
}

/// `NAME=URL`, as `--upstream` and `--route` take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) url: BaseUrl,
}

impl std::str::FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) =
            text.split_once('=').ok_or("it must be NAME=URL, such as openai=http://localhost:11434/v1")?;
        let name = name.trim();
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '[' | ']');
        if name.is_empty() || name == "h" || !name.chars().all(word) {
            return Err("the name before = must be made of letters, digits, '-', '_' and '.'".to_owned());
        }
        let url = BaseUrl::parse(value).ok_or("after = there must be an http:// or https:// URL")?;
        Ok(Self { name: name.to_owned(), url })
    }
}

impl Upstream {
    /// The same, but only the names of the table, and hosts: `api.openai.com`, `localhost:11434`.
    pub(crate) fn known(text: &str) -> Result<Self, String> {
        let upstream: Self = text.parse()?;
        if upstream.is_host() {
            return match upstream.mirror() {
                Some(_) => Ok(upstream),
                None => Err(format!("{:?} is no host, such as api.openai.com", upstream.name)),
            };
        }
        if VARIABLES.iter().any(|variable| variable.route == upstream.name) {
            return Ok(upstream);
        }
        Err(format!("{:?} is no host and not known; names are {}", upstream.name, route_names().join(", ")))
    }

    fn is_host(&self) -> bool {
        self.name.contains(['.', ':'])
    }

    /// `None`: it is not for a host. One with a port of its own, on this machine, is spoken to in the clear.
    pub(crate) fn mirror(&self) -> Option<Mirror> {
        let name = Some(&self.name).filter(|_| self.is_host())?;
        let local = ["localhost:", "127.0.0.1:", "[::1]:"].iter().any(|start| name.starts_with(start));
        let scheme = if local { "http" } else { "https" };
        let origin = BaseUrl::parse(&format!("{scheme}://{}", name.to_ascii_lowercase()))?.origin;
        Some(Mirror { origin, upstream: self.url.clone() })
    }
}

/// Every route's name once.
pub(crate) fn route_names() -> Vec<&'static str> {
    let mut names: Vec<_> = VARIABLES.iter().map(|variable| variable.route).collect();
    names.dedup();
    names
}

/// What the program under `run` gets, and where the gateway leads it.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) variables: Vec<Planned>,
    pub(crate) no_proxy: Vec<(&'static str, OsString)>,
    /// Variables that are left as they are, and why.
    pub(crate) untouched: Vec<(&'static str, String)>,
    pub(crate) warnings: Vec<String>,
    /// Prefix and upstream, no two alike.
    routes: Vec<(String, BaseUrl)>,
    mirrors: Vec<Mirror>,
    /// `None`: nothing is hooked inside the program.
    pub(crate) shim: Option<Shim>,
}

/// One variable of the program.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) name: &'static str,
    prefix: String,
    url: BaseUrl,
    /// Nobody has set it or asked for it.
    by_default: bool,
}

impl Planned {
    /// Its value, with the gateway at `origin`.
    pub(crate) fn value(&self, origin: &str) -> String {
        self.url.at(origin, &self.prefix)
    }

    /// Its value as it may be shown.
    pub(crate) fn shown_value(&self, origin: &str) -> String {
        let bare = BaseUrl { userinfo: String::new(), ..self.url.clone() };
        shown_url(&bare.at(origin, &self.prefix))
    }

    /// Where its requests go in the end.
    pub(crate) fn shown_upstream(&self) -> String {
        self.url.shown()
    }
}

impl Plan {
    /// Decides from the environment that the program would have had.
    pub(crate) fn new(
        var: &dyn Fn(&str) -> Option<OsString>,
        upstreams: &[Upstream],
        leave: &[String],
        with_shim: bool,
    ) -> Self {
        let mut plan = Self {
            mirrors: upstreams.iter().rev().filter_map(Upstream::mirror).collect(),
            ..Self::default()
        };
        let mut kept_origins = Vec::new();
        for name in route_names() {
            let upstream = upstreams.iter().rev().find(|upstream| upstream.name == name);
            plan.route(name, var, upstream.map(|upstream| &upstream.url), leave, &mut kept_origins);
        }
        if with_shim {
            let mirrors = plan.mirrors.clone();
            let hide = plan.variables.iter().filter(|planned| planned.by_default).map(|planned| planned.name);
            plan.shim = Some(Shim::new(var, kept_origins, mirrors, hide.collect(), leave));
        }
        for (name, value) in proxies::exceptions(var) {
            if leave.iter().any(|left| left == name) {
                plan.untouched.push((name, "--no-env".to_owned()));
            } else {
                plan.no_proxy.push((name, value));
            }
        }
        plan
    }

    fn route(
        &mut self,
        route: &'static str,
        var: &dyn Fn(&str) -> Option<OsString>,
        upstream: Option<&BaseUrl>,
        leave: &[String],
        kept_origins: &mut Vec<Uri>,
    ) {
        let rows = || VARIABLES.iter().filter(move |row| row.route == route);
        let value = |name: &str| var(name).filter(|value| !value.is_empty());
        let given = rows().any(|row| value(row.name).is_some());
        for row in rows().filter(|row| value(row.name).is_some()) {
            let value = value(row.name).unwrap_or_default();
            if leave.iter().any(|name| name == row.name) {
                self.untouched.push((row.name, "--no-env".to_owned()));
                continue;
            }
            let url = value.to_str().and_then(|value| row.parse(value));
            if let Some(why) = row.kept
                && url.as_ref().is_none_or(|url| row.keeps(url))
            {
                kept_origins.extend(url.map(|url| url.here()));
                self.untouched.push((row.name, why.to_owned()));
                continue;
            }
            match url {
                Some(url) => self.set(row.name, route, url, false),
                None => {
                    let shown = shown_url(&value.to_string_lossy());
                    self.warnings.push(format!(
                        "{}={shown:?} is no http:// or https:// URL; it is left as it is, and calls that use it are not seen",
                        row.name
                    ));
                    self.untouched.push((row.name, "not a URL".to_owned()));
                }
            }
        }
        if given {
            if upstream.is_some() {
                let by: Vec<_> = rows().map(|row| row.name).filter(|name| value(name).is_some()).collect();
                self.warnings.push(format!(
                    "--upstream {route} has no effect, because {} is set; change or unset that instead",
                    by.join(" and ")
                ));
            }
            // The others stay unset: who reads both would otherwise be led away from the one that was given.
            return;
        }
        // Azure's clients in Node refuse to start with OPENAI_BASE_URL, those of LangChain with OPENAI_API_BASE.
        let azure = route == "openai" && upstream.is_none() && AZURE.iter().any(|name| value(name).is_some());
        let openai_too = value("OPENAI_API_KEY").is_some();
        let has_default = rows().any(|row| row.default.is_some());
        for (at, row) in rows().enumerate() {
            let url = match upstream {
                // Where SDKs have no common default, the first variable is the provider's own SDK's.
                Some(url) if row.default.is_some() || (!has_default && at == 0) => Some(url.clone()),
                Some(_) => None,
                None => row.default.and_then(BaseUrl::parse),
            };
            if leave.iter().any(|name| name == row.name) {
                self.untouched.push((row.name, "--no-env".to_owned()));
            } else if azure && !(openai_too && row.name == "OPENAI_BASE_URL") {
                let why = "the program is set up for Azure, some of whose clients refuse it";
                self.untouched.push((row.name, why.to_owned()));
            } else if let Some(url) = url {
                self.set(row.name, route, url, upstream.is_none());
            }
        }
    }

    fn set(&mut self, name: &'static str, route: &str, url: BaseUrl, by_default: bool) {
        let same = |prefix: &str| prefix.strip_prefix('/').is_some_and(|rest| base_name(rest) == route);
        let mut alike = self.routes.iter().filter(|(prefix, _)| same(prefix));
        let count = alike.clone().count();
        let prefix = match alike.find(|(_, known)| known.origin == url.origin) {
            Some((prefix, _)) => prefix.clone(),
            None => {
                let prefix = if count == 0 { format!("/{route}") } else { format!("/{route}-{}", count + 1) };
                self.routes.push((prefix.clone(), url.clone()));
                prefix
            }
        };
        self.variables.push(Planned { name, prefix, url, by_default });
    }

    /// Hosts whose calls go elsewhere.
    pub(crate) fn mirrors(&self) -> &[Mirror] {
        &self.mirrors
    }

    /// The gateway's routes.
    pub(crate) fn routes(&self) -> Result<Vec<Route>, RouteError> {
        let route = |(prefix, url): &(String, BaseUrl)| {
            let mirror = self.mirrors.iter().find(|mirror| mirror.origin == url.origin);
            let route = match mirror {
                Some(mirror) => {
                    Route::new(prefix.as_str(), &mirror.upstream.whole())?.observed_as(&url.origin)?
                }
                None => Route::new(prefix.as_str(), &url.origin)?,
            };
            Ok(match url.origin().as_str() {
                // Programs without an SDK may append the version that is there already.
                "https://api.openai.com" => route.alias("/v1/v1", "/v1"),
                ANTHROPIC => {
                    WITHOUT_VERSION.iter().fold(route, |route, path| route.alias(*path, format!("/v1{path}")))
                }
                _ => route,
            })
        };
        self.routes.iter().map(route).collect()
    }

    /// All that changes in the program's environment, with the gateway at `origin`.
    pub(crate) fn environment(&self, origin: &str) -> Vec<(&'static str, OsString)> {
        let urls = self.variables.iter().map(|variable| (variable.name, variable.value(origin).into()));
        urls.chain(self.no_proxy.iter().cloned()).collect()
    }
}

/// `openai` of `openai-2`.
fn base_name(prefix: &str) -> &str {
    prefix.split('-').next().unwrap_or(prefix)
}

/// `OPENAI_BASE_URL=http://127.0.0.1:PORT/openai/v1`, one line each, with where it leads.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const GATEWAY: &str = "http://127.0.0.1:PORT";
        let mut lines: Vec<(String, String)> = Vec::new();
        for variable in &self.variables {
            let line = format!("{}={}", variable.name, variable.shown_value(GATEWAY));
            lines.push((line, format!("-> {}", variable.shown_upstream())));
        }
        for (name, value) in &self.no_proxy {
            lines.push((format!("{name}={}", shown_url(&value.to_string_lossy())), String::new()));
        }
        let widest = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or(0);
        for (line, to) in &lines {
            writeln!(f, "{}", format!("{line:widest$}  {to}").trim_end())?;
        }
        for (name, why) in &self.untouched {
            writeln!(f, "{name} is left alone: {why}")?;
        }
        if let Some(shim) = &self.shim {
            write!(f, "\nInside Python and Node (--no-shim: not):\n{shim}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "http://127.0.0.1:7";

    fn plan_with(vars: &[(&str, &str)], upstreams: &[&str], leave: &[&str]) -> Plan {
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        let upstreams: Vec<_> = upstreams.iter().map(|text| Upstream::known(text).unwrap()).collect();
        let leave: Vec<_> = leave.iter().map(|name| (*name).to_owned()).collect();
        Plan::new(&var, &upstreams, &leave, false)
    }

    /// Without Anthropic's, which has a test of its own.
    fn environment(plan: &Plan) -> Vec<String> {
        let line = |(name, value): (&str, OsString)| format!("{name}={}", value.into_string().unwrap());
        plan.environment(AT).into_iter().map(line).filter(|line| !line.starts_with("ANTHROPIC_")).collect()
    }

    fn routes(plan: &Plan) -> Vec<String> {
        plan.routes()
            .unwrap()
            .iter()
            .map(|route| format!("{} {}", route.prefix(), route.upstream()))
            .filter(|line| !line.starts_with("/anthropic"))
            .collect()
    }

    #[test]
    fn nothing_set_means_openai() {
        let plan = plan_with(&[], &[], &[]);
        assert_eq!(
            environment(&plan),
            ["OPENAI_BASE_URL=http://127.0.0.1:7/openai/v1", "OPENAI_API_BASE=http://127.0.0.1:7/openai/v1"]
        );
        assert_eq!(routes(&plan), ["/openai https://api.openai.com"]);
        assert_eq!(environment(&plan_with(&[("OPENAI_BASE_URL", "")], &[], &[])).len(), 2, "empty is unset");
    }

    #[test]
    fn a_value_becomes_the_upstream_and_its_sibling_stays_unset() {
        let plan = plan_with(&[("OPENAI_BASE_URL", "http://u:p@gw:9/x/v1/")], &[], &[]);
        assert_eq!(environment(&plan), ["OPENAI_BASE_URL=http://u:p@127.0.0.1:7/openai/x/v1/"]);
        assert_eq!(routes(&plan), ["/openai http://gw:9"]);
        assert!(!plan.to_string().contains("u:p"), "{plan}");
    }

    #[test]
    fn two_values_keep_their_own_upstreams() {
        let same =
            plan_with(&[("OPENAI_BASE_URL", "http://a/v1"), ("OPENAI_API_BASE", "http://a/other")], &[], &[]);
        assert_eq!(routes(&same), ["/openai http://a"]);
        assert_eq!(environment(&same).last().unwrap(), "OPENAI_API_BASE=http://127.0.0.1:7/openai/other");
        let two =
            plan_with(&[("OPENAI_BASE_URL", "http://a/v1"), ("OPENAI_API_BASE", "https://b/v1")], &[], &[]);
        assert_eq!(routes(&two), ["/openai http://a", "/openai-2 https://b"]);
        assert_eq!(environment(&two).last().unwrap(), "OPENAI_API_BASE=http://127.0.0.1:7/openai-2/v1");
    }

    #[test]
    fn azure_alone_leaves_openai_alone() {
        let azure = ("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/");
        let plan = plan_with(&[azure], &[], &[]);
        assert_eq!(environment(&plan), ["AZURE_OPENAI_ENDPOINT=http://127.0.0.1:7/azure/"]);
        assert_eq!(plan.untouched.len(), 2);
        assert_eq!(environment(&plan_with(&[("AZURE_OPENAI_API_KEY", "k")], &[], &[])), Vec::<String>::new());
        let both = plan_with(&[azure, ("OPENAI_API_KEY", "k")], &[], &[]);
        assert_eq!(
            environment(&both),
            [
                "OPENAI_BASE_URL=http://127.0.0.1:7/openai/v1",
                "AZURE_OPENAI_ENDPOINT=http://127.0.0.1:7/azure/"
            ]
        );
        let asked = plan_with(&[azure], &["openai=http://l/v1"], &[]);
        assert_eq!(environment(&asked).len(), 3);
    }

    #[test]
    fn others_are_led_only_where_they_are_set_or_asked_for() {
        let plan = plan_with(&[("GROQ_BASE_URL", "https://api.groq.com")], &[], &["OPENAI_API_BASE"]);
        assert_eq!(
            environment(&plan),
            ["OPENAI_BASE_URL=http://127.0.0.1:7/openai/v1", "GROQ_BASE_URL=http://127.0.0.1:7/groq"]
        );
        let asked = plan_with(&[], &["groq=https://api.groq.com"], &["OPENAI_API_BASE", "OPENAI_BASE_URL"]);
        assert_eq!(environment(&asked), ["GROQ_BASE_URL=http://127.0.0.1:7/groq"]);
    }

    #[test]
    fn an_upstream_stands_in_for_what_is_unset() {
        let plan = plan_with(&[], &["openai=http://localhost:11434/v1"], &[]);
        assert_eq!(routes(&plan), ["/openai http://localhost:11434"]);
        assert_eq!(environment(&plan).len(), 2);
        let beaten = plan_with(&[("OPENAI_API_BASE", "http://mine/v1")], &["openai=http://x/v1"], &[]);
        assert_eq!(routes(&beaten), ["/openai http://mine"]);
        assert!(beaten.warnings.concat().contains("OPENAI_API_BASE is set"), "{:?}", beaten.warnings);
    }

    #[test]
    fn a_value_that_is_no_url_is_left_and_told() {
        let plan = plan_with(&[("OPENAI_BASE_URL", "key:SECRET@localhost:1234")], &[], &[]);
        assert_eq!(environment(&plan), Vec::<String>::new());
        let warning = plan.warnings.concat();
        assert!(warning.contains("OPENAI_BASE_URL") && !warning.contains("SECRET"), "{warning}");
    }

    #[test]
    fn anthropic_is_led_by_default_as_long_as_nobody_says_otherwise() {
        let lines = |vars: &[(&str, &str)]| {
            let plan = plan_with(vars, &[], &[]);
            let all = plan.environment(AT).into_iter().filter(|(name, _)| name.starts_with("ANTHROPIC"));
            all.map(|(name, value)| format!("{name}={}", value.into_string().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(lines(&[]), ["ANTHROPIC_BASE_URL=http://127.0.0.1:7/anthropic"]);
        let given = [("ANTHROPIC_API_URL", "https://gw.example/a")];
        assert_eq!(lines(&given), ["ANTHROPIC_API_URL=http://127.0.0.1:7/anthropic/a"]);
    }

    #[test]
    fn what_is_signed_or_served_stays_and_is_led_from_within() {
        for (name, value, origin) in [
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://vpce.example/", "https://vpce.example/"),
            ("OLLAMA_HOST", "0.0.0.0", "http://127.0.0.1:11434/"),
            ("OLLAMA_HOST", ":8080", "http://127.0.0.1:8080/"),
            ("OLLAMA_HOST", "[::1]", "http://[::1]:11434/"),
        ] {
            let plan = plan_with(&[(name, value)], &[], &[]);
            assert_eq!(plan.untouched.first().map(|(name, _)| *name), Some(name));
            let row = VARIABLES.iter().find(|row| row.name == name).unwrap();
            assert_eq!(row.parse(value).unwrap().here().to_string(), origin);
        }
        let asked = plan_with(&[], &["ollama=http://gpu:11434"], &["OPENAI_BASE_URL", "OPENAI_API_BASE"]);
        assert_eq!(environment(&asked), ["OLLAMA_HOST=http://127.0.0.1:7/ollama"]);
    }

    #[test]
    fn calls_to_a_host_go_where_an_upstream_says() {
        let plan = plan_with(&[], &["api.openai.com=http://mirror:8080/o/"], &[]);
        assert_eq!(routes(&plan), ["/openai http://mirror:8080/o"]);
        assert_eq!(environment(&plan).len(), 2, "the program sees no difference");
        let mirror =
            |text: &str| Upstream::known(text).unwrap().mirror().map(|mirror| mirror.origin.to_string());
        assert_eq!(mirror("API.example.com=http://x").as_deref(), Some("https://api.example.com/"));
        assert_eq!(mirror("localhost:11434=http://x").as_deref(), Some("http://localhost:11434/"));
        assert_eq!(mirror("openai=http://x"), None);
        assert!(Upstream::known("a.b:port=http://x").is_err());
    }

    #[test]
    fn ollamas_host_need_not_be_a_url() {
        for (value, upstream, moved) in [
            ("nas", "http://nas:11434", "http://127.0.0.1:7/ollama"),
            ("10.0.0.5:8080", "http://10.0.0.5:8080", "http://127.0.0.1:7/ollama"),
            ("nas/team/", "http://nas:11434", "http://127.0.0.1:7/ollama/team/"),
            ("[fd00::1]", "http://[fd00::1]:11434", "http://127.0.0.1:7/ollama"),
            ("https://ollama.example.com", "https://ollama.example.com", "http://127.0.0.1:7/ollama"),
        ] {
            let plan = plan_with(&[("OLLAMA_HOST", value)], &[], &["OPENAI_BASE_URL", "OPENAI_API_BASE"]);
            assert_eq!(environment(&plan), [format!("OLLAMA_HOST={moved}")], "{value}");
            assert_eq!(routes(&plan), [format!("/ollama {upstream}")], "{value}");
        }
        assert_eq!(
            plan_with(&[("OLLAMA_API_BASE", "nas")], &[], &[]).warnings.len(),
            1,
            "not every variable's"
        );
    }

    #[test]
    fn upstreams_are_checked() {
        assert!("azure".parse::<Upstream>().is_err());
        assert!("a/b=http://x".parse::<Upstream>().is_err());
        assert!("openai=localhost".parse::<Upstream>().is_err());
        assert!(Upstream::known("opnai=http://x").unwrap_err().contains("openai, azure"));
    }
}
