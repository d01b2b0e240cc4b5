//! `OTEL_EXPORTER_OTLP_*`: one set of variables for all signals, and one for each that goes before it.

use std::path::PathBuf;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::resource::percent_decoded;
use super::{at_least_one, boolean, none_of};
use crate::setting::{Bad, Source, shown_url};
use crate::signal::Signal;

/// Where and how one signal is exported.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) protocol: Protocol,
    /// The whole URL over HTTP; scheme and authority alone for gRPC.
    pub(crate) url: Uri,
    /// The variable that gave the URL, or would.
    pub(crate) url_variable: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) credentials: Credentials,
}

impl Destination {
    /// The URL as it may be printed.
    pub(crate) fn shown_url(&self) -> String {
        let url = shown_url(&self.url.to_string());
        if self.protocol == Protocol::Grpc { url.trim_end_matches('/').to_owned() } else { url }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protocol {
    HttpProtobuf,
    HttpJson,
    Grpc,
}

impl Protocol {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
            Self::Grpc => "grpc",
        }
    }
}

/// Files that decide whom we trust and who we are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Credentials {
    pub(crate) roots: Option<PathBuf>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// All OTLP variables as they were read, before a signal's own are laid over the general ones.
pub(crate) struct OtlpVariables {
    general: Options,
    traces: Options,
    metrics: Options,
    logs: Options,
}

#[derive(Default)]
struct Options {
    endpoint: Option<Endpoint>,
    protocol: Option<Protocol>,
    headers: Option<HeaderMap>,
    timeout: Option<Duration>,
    gzip: Option<bool>,
    roots: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    insecure: Option<bool>,
}

struct Names {
    endpoint: &'static str,
    protocol: &'static str,
    headers: &'static str,
    timeout: &'static str,
    compression: &'static str,
    certificate: &'static str,
    client_certificate: &'static str,
    client_key: &'static str,
    insecure: &'static str,
}

macro_rules! names {
    ($prefix:literal) => {
        Names {
            endpoint: concat!($prefix, "ENDPOINT"),
            protocol: concat!($prefix, "PROTOCOL"),
            headers: concat!($prefix, "HEADERS"),
            timeout: concat!($prefix, "TIMEOUT"),
            compression: concat!($prefix, "COMPRESSION"),
            certificate: concat!($prefix, "CERTIFICATE"),
            client_certificate: concat!($prefix, "CLIENT_CERTIFICATE"),
            client_key: concat!($prefix, "CLIENT_KEY"),
            insecure: concat!($prefix, "INSECURE"),
        }
    };
}

const GENERAL: Names = names!("OTEL_EXPORTER_OTLP_");
const TRACES: Names = names!("OTEL_EXPORTER_OTLP_TRACES_");
const METRICS: Names = names!("OTEL_EXPORTER_OTLP_METRICS_");
const LOGS: Names = names!("OTEL_EXPORTER_OTLP_LOGS_");

impl OtlpVariables {
    pub(crate) fn read(source: &mut Source<'_>) -> Self {
        Self {
            general: Options::read(source, &GENERAL),
            traces: Options::read(source, &TRACES),
            metrics: Options::read(source, &METRICS),
            logs: Options::read(source, &LOGS),
        }
    }

    /// Where a signal goes; `bound` is the longest its processor allows one export to take.
    pub(crate) fn destination(
        &self,
        source: &mut Source<'_>,
        signal: Signal,
        bound: Duration,
    ) -> Destination {
        let (own, names) = match signal {
            Signal::Traces => (&self.traces, &TRACES),
            Signal::Metrics => (&self.metrics, &METRICS),
            Signal::Logs => (&self.logs, &LOGS),
        };
        let general = &self.general;
        let protocol = own.protocol.or(general.protocol).unwrap_or(Protocol::HttpProtobuf);
        let insecure = own.insecure.or(general.insecure).unwrap_or(false);
        let (url, url_variable) = own
            .url(source, names, protocol, insecure, None)
            .or_else(|| general.url(source, &GENERAL, protocol, insecure, Some(signal)))
            .unwrap_or_else(|| (default_url(protocol, signal), GENERAL.endpoint));
        let file = |own: &Option<PathBuf>, general: &Option<PathBuf>| own.clone().or_else(|| general.clone());
        let mut credentials = Credentials {
            roots: file(&own.roots, &general.roots),
            certificate: file(&own.certificate, &general.certificate),
            key: file(&own.key, &general.key),
        };
        match (&credentials.certificate, &credentials.key) {
            (Some(_), None) => {
                source.warn(GENERAL.client_certificate, "needs OTEL_EXPORTER_OTLP_CLIENT_KEY too; not used");
                credentials.certificate = None;
            }
            (None, Some(_)) => {
                source.warn(GENERAL.client_key, "needs OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE too; not used");
                credentials.key = None;
            }
            _ => {}
        }
        Destination {
            protocol,
            url,
            url_variable,
            headers: own.headers.as_ref().or(general.headers.as_ref()).cloned().unwrap_or_default(),
            timeout: own.timeout.or(general.timeout).unwrap_or(Duration::from_secs(10)).min(bound),
            gzip: own.gzip.or(general.gzip).unwrap_or(false),
            credentials,
        }
    }
}

impl Options {
    fn read(source: &mut Source<'_>, names: &Names) -> Self {
        let endpoint = source.read(names.endpoint, Endpoint::parse);
        if endpoint.as_ref().is_some_and(|endpoint| endpoint.has_credentials) {
            source.warn(
                names.endpoint,
                "a user name in the URL is not sent; put an authorization header into OTEL_EXPORTER_OTLP_HEADERS",
            );
        }
        let mut refused = 0;
        let headers = source.read(names.headers, |text| {
            let (headers, bad) = header_pairs(text);
            refused = bad;
            if headers.is_empty() && bad > 0 {
                return Err(Bad::because("is not a list of name=value").instead("ignored"));
            }
            Ok(headers)
        });
        if refused > 0 {
            source.warn(
                names.headers,
                format!("{refused} of its entries are not name=value; they are left out"),
            );
        }
        Self {
            endpoint,
            headers,
            protocol: source.read(names.protocol, |text| match text.to_ascii_lowercase().as_str() {
                "http/protobuf" => Ok(Protocol::HttpProtobuf),
                "http/json" => Ok(Protocol::HttpJson),
                "grpc" => Ok(Protocol::Grpc),
                _ => Err(none_of("http/protobuf, http/json, grpc")),
            }),
            timeout: source.read(names.timeout, at_least_one).map(Duration::from_millis),
            gzip: source.read(names.compression, |text| match text.to_ascii_lowercase().as_str() {
                "gzip" => Ok(true),
                "none" => Ok(false),
                _ => Err(none_of("gzip, none")),
            }),
            roots: source.read(names.certificate, readable),
            certificate: source.read(names.client_certificate, readable),
            key: source.read(names.client_key, readable),
            insecure: source.read(names.insecure, boolean),
        }
    }

    /// The URL for a signal. The general endpoint is a base to which the signal's path is added, a signal's own is not
    /// touched; gRPC has no paths.
    fn url(
        &self,
        source: &mut Source<'_>,
        names: &Names,
        protocol: Protocol,
        insecure: bool,
        base_for: Option<Signal>,
    ) -> Option<(Uri, &'static str)> {
        let endpoint = self.endpoint.as_ref()?;
        let scheme = match (&endpoint.scheme, protocol) {
            (Some(scheme), _) => scheme.clone(),
            (None, Protocol::Grpc) if insecure => Scheme::HTTP,
            (None, Protocol::Grpc) => Scheme::HTTPS,
            (None, _) => {
                let protocol = protocol.as_str();
                source.warn(
                    names.endpoint,
                    format!(
                        "\"{}\" needs http:// or https:// before it for {protocol}; using the default",
                        endpoint.authority
                    ),
                );
                return None;
            }
        };
        let (path, query) = match &endpoint.path {
            Some(path) => (path.path(), path.query()),
            None => ("/", None),
        };
        let path = match (protocol, base_for) {
            (Protocol::Grpc, _) => PathAndQuery::from_static("/"),
            (_, Some(signal)) => {
                let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                format!("{}{}{query}", path.trim_end_matches('/'), signal.otlp_path()).parse().ok()?
            }
            (_, None) => endpoint.path.clone().unwrap_or_else(|| PathAndQuery::from_static("/")),
        };
        let url = Uri::builder().scheme(scheme).authority(endpoint.authority.clone()).path_and_query(path);
        Some((url.build().ok()?, names.endpoint))
    }
}

fn default_url(protocol: Protocol, signal: Signal) -> Uri {
    match (protocol, signal) {
        (Protocol::Grpc, _) => Uri::from_static("http://localhost:4317/"),
        (_, Signal::Traces) => Uri::from_static("http://localhost:4318/v1/traces"),
        (_, Signal::Metrics) => Uri::from_static("http://localhost:4318/v1/metrics"),
        (_, Signal::Logs) => Uri::from_static("http://localhost:4318/v1/logs"),
    }
}

/// An endpoint as it was written; which parts count is the protocol's to say.
struct Endpoint {
    scheme: Option<Scheme>,
    authority: Authority,
    path: Option<PathAndQuery>,
    has_credentials: bool,
}

impl Endpoint {
    fn parse(text: &str) -> Result<Self, Bad> {
        let has_scheme = text.contains("://");
        let whole = if has_scheme { text.to_owned() } else { format!("http://{text}") };
        let unusable = || Bad::because("is not a URL that begins with http:// or https://");
        let parts = whole.parse::<Uri>().map_err(|_| unusable())?.into_parts();
        let authority = parts.authority.ok_or_else(unusable)?;
        if !matches!(parts.scheme.as_ref().map(Scheme::as_str), Some("http" | "https"))
            || authority.host().is_empty()
        {
            return Err(unusable());
        }
        let (has_credentials, authority) = match authority.as_str().rsplit_once('@') {
            Some((_, host)) => (true, host.parse().map_err(|_| unusable())?),
            None => (false, authority),
        };
        Ok(Self {
            scheme: parts.scheme.filter(|_| has_scheme),
            authority,
            path: parts.path_and_query,
            has_credentials,
        })
    }
}

/// The headers of `name=value,name=value`, and how many entries are none.
fn header_pairs(text: &str) -> (HeaderMap, usize) {
    let mut headers = HeaderMap::new();
    let mut bad = 0;
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let header = entry.split_once('=').and_then(|(name, value)| {
            let name: HeaderName = name.trim().parse().ok()?;
            let mut value: HeaderValue = percent_decoded(value.trim())?.parse().ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        match header {
            Some((name, value)) => drop(headers.insert(name, value)),
            None => bad += 1,
        }
    }
    (headers, bad)
}

fn readable(text: &str) -> Result<PathBuf, Bad> {
    match std::fs::File::open(text) {
        Ok(_) => Ok(PathBuf::from(text)),
        Err(error) => Err(Bad::because(format!("cannot be read: {error}"))),
    }
}
