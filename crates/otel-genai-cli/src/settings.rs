//! Our own settings: flag before environment before default, one table, the same names everywhere.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::str::FromStr;
use std::time::Duration;

use crate::diagnostics;
use crate::variables::Upstream;

/// A setting of ours that has a variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) name: &'static str,
    pub(crate) flag: &'static str,
    pub(crate) values: &'static str,
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
}

pub(crate) const FLUSH_TIMEOUT: Own = Own {
    name: "OTEL_GENAI_FLUSH_TIMEOUT",
    flag: "--flush-timeout",
    values: "seconds (3, 0.5) or 500ms",
    default: "3s",
    about: "How long the last export may take after the program has ended",
};
pub(crate) const UPSTREAM: Own = Own {
    name: "OTEL_GENAI_UPSTREAM",
    flag: "--upstream",
    values: "NAME=URL,HOST=URL",
    default: "none",
    about: "Where calls go whose base-URL variable is unset, or which are for a host",
};
pub(crate) const NO_ENV: Own = Own {
    name: "OTEL_GENAI_NO_ENV",
    flag: "--no-env",
    values: "names of variables",
    default: "none",
    about: "Variables of the program that are left alone",
};
pub(crate) const SHIM: Own = Own {
    name: "OTEL_GENAI_SHIM",
    flag: "--no-shim",
    values: "true or false",
    default: "true",
    about: "Whether calls are led from inside Python and Node, too",
};
pub(crate) const INFER: Own = Own {
    name: "OTEL_GENAI_INFER",
    flag: "--no-infer",
    values: "true or false",
    default: "true",
    about: "Whether agent runs and tool executions are recovered from the calls",
};
pub(crate) const INTERCEPT: Own = Own {
    name: "OTEL_GENAI_INTERCEPT",
    flag: "--intercept",
    values: "true, false, or hosts: openai.com,llm.example.com; `known` in a list means the known ones",
    default: "false",
    about: "Whether TLS of a program under `otel-genai run` to model hosts is read",
};
pub(crate) const LISTEN: Own = Own {
    name: "OTEL_GENAI_LISTEN",
    flag: "--listen",
    values: "ADDRESS:PORT, such as 127.0.0.1:4080 or localhost:4080",
    default: "127.0.0.1:4080",
    about: "Where `otel-genai gateway` listens",
};

/// All of them, in the order they are shown in.
pub(crate) const OWN: &[Own] = &[UPSTREAM, NO_ENV, SHIM, INTERCEPT, INFER, LISTEN, FLUSH_TIMEOUT];

impl Own {
    /// The flag's value, else the variable's if it can be used, else nothing. A value that cannot is warned of.
    pub(crate) fn or_variable<T: FromStr>(self, flag: Option<T>) -> Option<T>
    where
        T::Err: fmt::Display,
    {
        flag.or_else(|| match self.variable()?.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                self.warn(&why);
                None
            }
        })
    }

    /// Whether what is on by default is on: neither its flag nor its variable turns it off.
    pub(crate) fn is_on(self, is_off: bool) -> bool {
        !is_off && self.or_variable::<OnOff>(None).is_none_or(|on| on.0)
    }

    /// The same for lists; entries that cannot be used are left out.
    pub(crate) fn or_list<T>(self, flag: &[T], parse: impl Fn(&str) -> Result<T, String>) -> Vec<T>
    where
        T: Clone,
    {
        if !flag.is_empty() {
            return flag.to_vec();
        }
        let value = self.variable().unwrap_or_default();
        let entries = value.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let read = entries.filter_map(|entry| parse(entry).inspect_err(|why| self.warn(why)).ok());
        read.collect()
    }

    /// The variable's value. Empty counts as unset.
    pub(crate) fn variable(self) -> Option<String> {
        std::env::var(self.name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A value of it, for people: secrets are not for them.
    pub(crate) fn shown(self, value: &str) -> String {
        let is_secret = self.name.ends_with("_TOKEN") || self.name.ends_with("_PASSWORD");
        if is_secret { "***".to_owned() } else { otel_genai_sdk::shown_url(value) }
    }

    /// Says it once, however often the setting is asked for.
    fn warn(self, why: &impl fmt::Display) {
        let line = format!("{}: {why}; allowed: {}", self.name, self.values);
        if !diagnostics::was_said(&line) {
            tracing::warn!(target: "otel_genai", "{line}");
        }
    }
}

/// A duration as people write it: `3`, `0.5`, `3s`, `500ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) Duration);

impl Default for Seconds {
    fn default() -> Self {
        Self(Duration::from_secs(3))
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no duration such as 3, 0.5, 3s or 500ms");
        let (number, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
            (Some(number), _) => (number, 0.001),
            (None, Some(number)) => (number, 1.0),
            (None, None) => (text, 1.0),
        };
        let seconds: f64 = number.trim().parse().map_err(|_| wrong())?;
        if seconds.is_nan() {
            return Err(wrong());
        }
        // A day is as good as for ever, and can be added to a clock.
        let seconds = (seconds * scale).min(86_400.0);
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Where to listen, as people write it: `127.0.0.1:4080`, `[::1]:0`, `localhost:4080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) SocketAddr);

impl Listen {
    /// This machine alone.
    pub(crate) fn local(port: u16) -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], port)))
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self::local(4080)
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no ADDRESS:PORT, such as 127.0.0.1:4080 or localhost:4080");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(wrong());
        }
        let found =
            (host, port).to_socket_addrs().map_err(|error| format!("{host:?} is no address: {error}"))?;
        // A name has an address of each kind; everyone reaches the older one.
        let mut all: Vec<_> = found.collect();
        all.sort_by_key(SocketAddr::is_ipv6);
        all.first().copied().map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The upstreams that are asked for, by flag or variable.
pub(crate) fn upstreams(flag: &[Upstream]) -> Vec<Upstream> {
    UPSTREAM.or_list(flag, Upstream::known)
}

/// The names that are left alone, by flag or variable.
pub(crate) fn no_env(flag: &[String]) -> Vec<String> {
    NO_ENV.or_list(flag, |name| Ok(name.to_owned()))
}

/// `true` or `false`, and what people write for them.
pub(crate) struct OnOff(pub(crate) bool);

impl FromStr for OnOff {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(Self(true)),
            "false" | "0" | "off" | "no" => Ok(Self(false)),
            _ => Err(format!("{text:?} is neither true nor false")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, milliseconds) in
            [("3", 3000), ("0.5", 500), ("250ms", 250), ("2s", 2000), ("0", 0), ("1e9", 86_400_000)]
        {
            assert_eq!(text.parse(), Ok(Seconds(Duration::from_millis(milliseconds))), "{text}");
        }
        for text in ["", "-1", "soon", "NaN", "3m"] {
            assert!(text.parse::<Seconds>().is_err(), "{text:?}");
        }
        assert_eq!(Seconds::default().to_string(), FLUSH_TIMEOUT.default);
        assert_eq!(Listen::default().to_string(), LISTEN.default);
    }

    #[test]
    fn addresses_as_people_write_them() {
        for (text, address) in [
            ("127.0.0.1:4080", "127.0.0.1:4080"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("[::1]:80", "[::1]:80"),
            ("localhost:4080", "127.0.0.1:4080"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), address);
        }
        for text in ["", "4080", ":4080", "localhost", "localhost:http", "localhost:70000"] {
            assert!(text.parse::<Listen>().is_err(), "{text:?}");
        }
    }
}
