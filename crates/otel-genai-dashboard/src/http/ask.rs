//! What was asked. Every parameter is read once; one that nobody reads is a mistake, or a typo would widen a filter.

use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use http::request::Parts;
use http::{HeaderMap, Uri};
use otel_genai_store::{Cursor, Filter, Nanos, Range};

use super::Failure;
use crate::view;

/// The path, query and headers of a request.
pub(crate) struct Ask {
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) uri: Uri,
}

impl<S: Send + Sync> FromRequestParts<S> for Ask {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Failure::not_found("the address is not text in UTF-8"))?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Failure::parameter("", "the query cannot be read"))?;
        Ok(Self { path, query, headers: parts.headers.clone(), uri: parts.uri.clone() })
    }
}

impl Ask {
    /// A part of the path. What cannot be read names nothing.
    pub(crate) fn path<T: FromStr>(&self, name: &str) -> Result<T, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        text.parse().map_err(|error| Failure::not_found(format!("no {name} {:?}: {error}", short(text))))
    }

    /// All values of a parameter.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        self.query.retain_mut(|(key, value)| {
            let ours = key == name;
            if ours {
                found.push(std::mem::take(value));
            }
            !ours
        });
        found
    }

    /// A parameter that may stand once. An empty one is none.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let mut all = self.all(name);
        if all.len() > 1 {
            return Err(Failure::parameter(name, format!("{name} may stand once")));
        }
        Ok(all.pop().filter(|text| !text.is_empty()))
    }

    /// A parameter that must stand.
    pub(crate) fn needed(&mut self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| Failure::parameter(name, format!("{name} is needed")))
    }

    /// A parameter of another type.
    pub(crate) fn read<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let read = text.parse();
        read.map(Some).map_err(|error| Failure::parameter(name, format!("{name}={}: {error}", short(&text))))
    }

    /// Several of another type.
    pub(crate) fn read_all<T: FromStr>(&mut self, name: &str) -> Result<Vec<T>, Failure>
    where
        T::Err: std::fmt::Display,
    {
        let wrong =
            |text: &str, error: T::Err| Failure::parameter(name, format!("{name}={}: {error}", short(text)));
        let all = self.all(name);
        all.iter().map(|text| text.parse().map_err(|error| wrong(text, error))).collect()
    }

    /// Yes or no: `1`, `true`, `0`, `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Failure> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("1" | "true") => Ok(Some(true)),
            Some("0" | "false") => Ok(Some(false)),
            Some(other) => Err(Failure::parameter(name, format!("{name}={}: 1 or 0 is meant", short(other)))),
        }
    }

    /// A time in milliseconds, fractions allowed.
    pub(crate) fn millis(&mut self, name: &str) -> Result<Option<Duration>, Failure> {
        let Some(ms) = self.read::<f64>(name)? else { return Ok(None) };
        let duration = Duration::try_from_secs_f64(ms / 1000.0);
        duration.map(Some).map_err(|error| Failure::parameter(name, format!("{name}={ms}: {error}")))
    }

    /// A stretch of time: `30s`, `5m`, `1h`, `7d`, or milliseconds.
    pub(crate) fn span(&mut self, name: &str) -> Result<Option<Duration>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let wrong =
            || Failure::parameter(name, format!("{name}={}: 5m, 1h or milliseconds are meant", short(&text)));
        let found =
            stretch(&text).or_else(|| text.parse().ok().map(Duration::from_millis)).ok_or_else(wrong)?;
        Ok(Some(found).filter(|found| !found.is_zero()))
    }

    /// A moment: milliseconds since 1970, or `-15m` before now.
    pub(crate) fn moment(&mut self, name: &str) -> Result<Option<Nanos>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let wrong = || {
            let meant = "milliseconds since 1970, or a time before now like -15m, -24h or -7d, are meant";
            Failure::parameter(name, format!("{name}={}: {meant}", short(&text)))
        };
        if let Some(ago) = text.strip_prefix('-').and_then(stretch) {
            let ago = u64::try_from(ago.as_nanos()).unwrap_or(u64::MAX);
            return Ok(Some(Nanos(Nanos::now().0.saturating_sub(ago))));
        }
        let ms: f64 = text.parse().map_err(|_| wrong())?;
        let moment = Duration::try_from_secs_f64(ms / 1000.0).map_err(|_| wrong())?;
        Ok(Some(Nanos(u64::try_from(moment.as_nanos()).map_err(|_| wrong())?)))
    }

    /// `from` and `to`. Without both everything is meant.
    pub(crate) fn range(&mut self) -> Result<Option<Range>, Failure> {
        let (from, to) = (self.moment("from")?, self.moment("to")?);
        if from.is_none() && to.is_none() {
            return Ok(None);
        }
        let range = Range { from: from.unwrap_or_default(), to: to.unwrap_or(FOREVER) };
        if range.to <= range.from {
            return Err(Failure::parameter("to", "to must be after from"));
        }
        Ok(Some(range))
    }

    /// `from` and `to`; what is not told is `default` before now, and now.
    pub(crate) fn range_or(&mut self, default: Duration) -> Result<Range, Failure> {
        let (from, to) = (self.moment("from")?, self.moment("to")?);
        let to = to.unwrap_or_else(Nanos::now);
        let ago = u64::try_from(default.as_nanos()).unwrap_or(u64::MAX);
        let from = from.unwrap_or(Nanos(to.0.saturating_sub(ago)));
        if to <= from {
            return Err(Failure::parameter("to", "to must be after from"));
        }
        Ok(Range { from, to })
    }

    /// What is looked for; the range is left to the caller.
    pub(crate) fn filter(&mut self) -> Result<Filter, Failure> {
        let ops = self.read_all::<view::Op>("op")?;
        let dialects = self.read_all::<view::Dialect>("dialect")?;
        Ok(Filter {
            range: None,
            service: self.all("service"),
            op: ops.into_iter().map(view::Op::stored).collect(),
            provider: self.all("provider"),
            model: self.all("model"),
            agent: self.all("agent"),
            tool: self.all("tool"),
            conversation: self.text("conversation")?,
            dialect: dialects.into_iter().map(view::Dialect::stored).collect(),
            error: self.flag("error")?,
            genai: self.flag("genai")?,
            min_duration: self.millis("minMs")?,
            max_duration: self.millis("maxMs")?,
            text: self.text("q")?,
            name: self.text("name")?,
        })
    }

    /// How many on a page, `most` at most.
    pub(crate) fn limit(&mut self, default: u32, most: u32) -> Result<u32, Failure> {
        match self.read::<u32>("limit")? {
            Some(limit) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => Err(Failure::parameter("limit", format!("limit must be 1 to {most}"))
                .hint("What follows is asked for with the cursor that comes with a page.")),
            None => Ok(default),
        }
    }

    /// The page to go on from.
    pub(crate) fn cursor(&mut self) -> Result<Option<Cursor>, Failure> {
        self.read("cursor")
    }

    /// Everything was read; anything else is a mistake.
    pub(crate) fn done(&self) -> Result<(), Failure> {
        match self.query.first() {
            None => Ok(()),
            Some((name, _)) => {
                let name = short(name);
                Err(Failure::parameter(&name, format!("there is no parameter {name} here"))
                    .hint("Is it a typo? GET /api/v1/openapi.json tells what there is."))
            }
        }
    }
}

/// After everything that can be stored.
const FOREVER: Nanos = Nanos(i64::MAX as u64);

/// `15m`, `24h`, `7d`.
pub(crate) fn stretch(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    // A thousand years are enough.
    Some(Duration::from_secs(number.checked_mul(seconds)?)).filter(|found| found.as_secs() < 31_536_000_000)
}

/// Foreign text in a message.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> Ask {
        let uri: Uri = format!("/api/v1/traces?{query}").parse().unwrap();
        let Query(query) = Query::try_from_uri(&uri).unwrap();
        Ask { path: Vec::new(), query, headers: HeaderMap::new(), uri }
    }

    #[test]
    fn a_parameter_that_is_not_there_is_told_by_its_name() {
        let mut asked = ask("service=a&servcie=b&service=c");
        assert_eq!(asked.filter().unwrap().service, ["a", "c"]);
        let failure = asked.done().unwrap_err();
        assert_eq!((failure.status.as_u16(), failure.told.parameter.as_deref()), (400, Some("servcie")));
        for (wrong, name) in [
            ("op=chta", "op"),
            ("error=yes", "error"),
            ("minMs=fast", "minMs"),
            ("minMs=-1", "minMs"),
            ("conversation=a&conversation=b", "conversation"),
            ("dialect=x", "dialect"),
        ] {
            let failure = ask(wrong).filter().unwrap_err();
            assert_eq!(failure.told.parameter.as_deref(), Some(name), "{wrong}");
        }
        for wrong in ["limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "limit=501", "limit=99999999999"] {
            let failure = ask(wrong).limit(50, 500).unwrap_err();
            assert_eq!(failure.told.parameter.as_deref(), Some("limit"), "{wrong}");
        }
        assert_eq!(ask("limit=500").limit(50, 500).unwrap(), 500);
        assert_eq!(ask("").limit(50, 500).unwrap(), 50);
    }

    #[test]
    fn times_are_told_in_milliseconds_or_before_now() {
        let range = ask("from=1000.5&to=2000").range().unwrap().unwrap();
        assert_eq!((range.from, range.to), (Nanos(1_000_500_000), Nanos(2_000_000_000)));
        assert!(ask("").range().unwrap().is_none());
        let hour = ask("from=-1h").range_or(Duration::from_secs(1)).unwrap();
        let length = hour.to.since(hour.from).unwrap().as_secs();
        assert!((3599..=3601).contains(&length), "{length}");
        for wrong in ["from=yesterday", "from=-5x", "from=2000&to=1000", "to=-", "from=1e400", "from=NaN"] {
            assert!(ask(wrong).range().is_err(), "{wrong}");
        }
    }
}
