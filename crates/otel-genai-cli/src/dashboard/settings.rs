//! The dashboard's settings: flag before environment before default, like all of ours.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otel_genai_store::Durability;

use crate::settings::{Listen, Own};

pub(crate) const DATA_DIR: Own = Own {
    name: "OTEL_GENAI_DATA_DIR",
    flag: "--data-dir",
    values: "a folder",
    default: "the user's data folder",
    about: "Where the dashboard keeps what it receives",
};
pub(crate) const MEMORY: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_MEMORY",
    flag: "--memory",
    values: "true or false",
    default: "false",
    about: "Whether the dashboard forgets everything when it ends",
};
#[cfg(feature = "clickhouse")]
pub(crate) const STORE: Own = Own {
    name: "OTEL_GENAI_STORE",
    flag: "--store",
    values: "clickhouse://USER@HOST:8123/DATABASE, with TLS clickhouses://",
    default: "files in the data folder",
    about: "The ClickHouse that the dashboard keeps its data in",
};
#[cfg(feature = "clickhouse")]
pub(crate) const STORE_PASSWORD: Own = Own {
    name: "OTEL_GENAI_STORE_PASSWORD",
    flag: "in the address",
    values: "a password",
    default: "none",
    about: "The password of the user in the store's address",
};
#[cfg(feature = "clickhouse")]
pub(crate) const STORE_PASSWORD_FILE: Own = Own {
    name: "OTEL_GENAI_STORE_PASSWORD_FILE",
    flag: "--store-password-file",
    values: "a file",
    default: "none",
    about: "The file whose first line is that password",
};
pub(crate) const READ_ONLY: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_READ_ONLY",
    flag: "--read-only",
    values: "true or false",
    default: "false",
    about: "Whether the dashboard only shows what is there, and takes nothing",
};
pub(crate) const PAGE: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_PAGE",
    flag: "--page",
    values: "ADDRESS:PORT",
    default: "127.0.0.1:18888",
    about: "Where the dashboard's page is",
};
pub(crate) const HTTP: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_HTTP",
    flag: "--http",
    values: "ADDRESS:PORT, or off",
    default: "127.0.0.1:4318",
    about: "Where the dashboard receives OTLP over HTTP",
};
pub(crate) const GRPC: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_GRPC",
    flag: "--grpc",
    values: "ADDRESS:PORT, or off",
    default: "127.0.0.1:4317",
    about: "Where the dashboard receives OTLP over gRPC",
};
pub(crate) const TOKEN: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_TOKEN",
    flag: "--token",
    values: "letters, digits and -._~+/=",
    default: "none on loopback, else one that is made up",
    about: "What everybody must know who sends to the dashboard or looks at it",
};
pub(crate) const TOKEN_FILE: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_TOKEN_FILE",
    flag: "--token-file",
    values: "a file",
    default: "none",
    about: "The file whose first line is the dashboard's token",
};
pub(crate) const ALLOW_HOST: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_ALLOW_HOST",
    flag: "--allow-host",
    values: "names, such as dashboard.example",
    default: "this machine's",
    about: "Names by which browsers may reach the dashboard",
};
pub(crate) const CORS_ORIGIN: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_CORS_ORIGIN",
    flag: "--cors-origin",
    values: "origins, such as http://localhost:3000; * for all",
    default: "none",
    about: "Whose pages may send OTLP to the dashboard from a browser",
};
pub(crate) const ALLOW_REFERENCE: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_ALLOW_REFERENCE",
    flag: "--allow-reference",
    values: "folders, with commas between",
    default: "none",
    about: "Folders with uploaded prompts and answers that the dashboard reads",
};
pub(crate) const SYNC: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_SYNC",
    flag: "--sync",
    values: "full or normal",
    default: "full",
    about: "Whether what the dashboard acknowledged outlives a power failure, too",
};
pub(crate) const MAX_AGE: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_MAX_AGE",
    flag: "--max-age",
    values: "30d, 12h, or none",
    default: "30d",
    about: "After how long the dashboard deletes what it keeps, by whole days",
};
pub(crate) const MAX_BYTES: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_MAX_BYTES",
    flag: "--max-bytes",
    values: "4GiB, 500MiB, bytes, or none",
    default: "4GiB",
    about: "How much room the dashboard's data may take before the oldest are deleted",
};
pub(crate) const MAX_CONTENT: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_MAX_CONTENT",
    flag: "--max-content",
    values: "1MiB, 64KiB, bytes (1KiB at least), or none",
    default: "none",
    about: "Up to which length the dashboard keeps a message, a tool's result or another piece of content",
};
pub(crate) const PRICES: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_PRICES",
    flag: "--prices",
    values: "a file",
    default: "list prices that are built in",
    about: "The file with prices of models that replace or complete the dashboard's own",
};
pub(crate) const EXIT_WHEN_IDLE: Own = Own {
    name: "OTEL_GENAI_DASHBOARD_EXIT_WHEN_IDLE",
    flag: "--exit-when-idle",
    values: "30m, 12h, 90s, or none",
    default: "none",
    about: "After how long without a connection the dashboard ends by itself",
};

/// All of them, in the order they are shown in.
pub(crate) const ALL: &[Own] = &[
    DATA_DIR,
    MEMORY,
    #[cfg(feature = "clickhouse")]
    STORE,
    #[cfg(feature = "clickhouse")]
    STORE_PASSWORD,
    #[cfg(feature = "clickhouse")]
    STORE_PASSWORD_FILE,
    READ_ONLY,
    PAGE,
    HTTP,
    GRPC,
    TOKEN,
    TOKEN_FILE,
    ALLOW_HOST,
    CORS_ORIGIN,
    ALLOW_REFERENCE,
    SYNC,
    MAX_AGE,
    MAX_BYTES,
    MAX_CONTENT,
    PRICES,
    EXIT_WHEN_IDLE,
];

/// A port that may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Off,
    At(SocketAddr),
}

impl Port {
    pub(crate) fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::At(address) => Some(address),
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            _ => text.parse().map(|Listen(address)| Self::At(address)),
        }
    }
}

/// How long, as people write it: `30d`, `12h`, `45m`, `90s`; `none` for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Option<Duration>);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let wrong = || format!("{text:?} is no duration such as 30d, 12h, 45m or 90s, nor none");
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(wrong()),
        };
        let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
        seconds.filter(|seconds| *seconds > 0).map(|s| Self(Some(Duration::from_secs(s)))).ok_or_else(wrong)
    }
}

/// A folder, as people write it: a path, or a `file://` URL with nothing in it that is escaped.
pub(crate) fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text.strip_prefix("file://").unwrap_or(text));
    if text.contains("://") && !path.is_absolute() {
        return Err(format!("{text:?} is no folder of this machine: only files are read"));
    }
    Ok(path)
}

/// How long ago, as people write it: `15m`, `24h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since(Duration);

impl Since {
    /// The moment, in milliseconds since 1970.
    pub(crate) fn moment(self) -> u128 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(self.0).as_millis()
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('-').unwrap_or(text).parse() {
            Ok(Span(Some(ago))) => Ok(Self(ago)),
            _ => Err(format!("{text:?} is no time such as 90s, 15m, 24h or 7d")),
        }
    }
}

/// How many bytes, as people write it: `4GiB`, `500MiB`, `1000000`; `none` for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Option<u64>);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(None));
        }
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("", 1)];
        let found = units.into_iter().find_map(|(unit, times)| Some((text.strip_suffix(unit)?, times)));
        let (number, times) = found.unwrap_or((text, 1));
        let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(times));
        bytes
            .filter(|bytes| *bytes > 0)
            .map(|bytes| Self(Some(bytes)))
            .ok_or_else(|| format!("{text:?} is no size such as 4GiB, 500MiB or 1000000, nor none"))
    }
}

/// Up to which length a piece of content is kept: a size that leaves something to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content(pub(crate) Option<u64>);

impl FromStr for Content {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Bytes(bytes) = text.parse()?;
        match bytes {
            Some(bytes) if bytes < 1 << 10 => Err(format!("{text:?} is less than 1KiB, which is the least")),
            bytes => Ok(Self(bytes)),
        }
    }
}

/// How safe what is acknowledged is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sync {
    /// Against a power failure, too
    #[default]
    Full,
    /// Against the end of the dashboard only; for slow disks
    Normal,
}

impl From<Sync> for otel_genai_dashboard::view::Durability {
    fn from(sync: Sync) -> Self {
        match sync {
            Sync::Full => Self::Full,
            Sync::Normal => Self::Normal,
        }
    }
}

impl From<Sync> for Durability {
    fn from(sync: Sync) -> Self {
        match sync {
            Sync::Full => Self::Full,
            Sync::Normal => Self::Normal,
        }
    }
}

impl FromStr for Sync {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as clap::ValueEnum>::from_str(text, false)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("45m", 2_700), ("12h", 43_200), ("30d", 2_592_000)] {
            assert_eq!(text.parse(), Ok(Span(Some(Duration::from_secs(seconds)))), "{text}");
        }
        assert_eq!("none".parse(), Ok(Span(None)));
        for text in ["", "d", "30", "0d", "-1d", "1.5h", "30 d", "99999999999999999999d", "ü"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn how_long_ago_as_people_write_it() {
        for (text, seconds) in [("15m", 900), ("-7d", 604_800), ("9999d", 863_913_600)] {
            assert_eq!(text.parse(), Ok(Since(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!("999999d".parse::<Since>().unwrap().moment(), 0);
        for text in ["", "foo", "none", "yesterday", "1.5h", "--1h", "2026-11-22"] {
            assert!(text.parse::<Since>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in
            [("4GiB", 4 << 30), ("500MiB", 500 << 20), ("1KiB", 1024), ("1000000", 1_000_000)]
        {
            assert_eq!(text.parse(), Ok(Bytes(Some(bytes))), "{text}");
        }
        assert_eq!("none".parse(), Ok(Bytes(None)));
        for text in ["", "GiB", "0", "-1", "4GB", "4 GiB", "99999999999TiB", "ü"] {
            assert!(text.parse::<Bytes>().is_err(), "{text:?}");
        }
        assert_eq!(("1KiB".parse(), "none".parse()), (Ok(Content(Some(1_024))), Ok(Content(None))));
        for text in ["10", "1023", "0", "none at all"] {
            assert!(text.parse::<Content>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn ports_are_addresses_or_off() {
        assert_eq!("off".parse(), Ok(Port::Off));
        assert_eq!("127.0.0.1:0".parse::<Port>().unwrap().to_string(), "127.0.0.1:0");
        assert!("4318".parse::<Port>().is_err());
    }
}
