//! What is looked for, as conditions on the rows of a file.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::more::Kind;
use super::reader::{File, Reader};
use super::search::{self, Matching};
use super::segment::number;
use crate::error::StoreError;
use crate::id::Day;
use crate::query::{Filter, Range};

/// So many traces with a name are no longer few.
const FEW: u32 = 2_000;

/// Conditions of a query, with their values.
#[derive(Clone, Default)]
pub(super) struct Where {
    all: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Where {
    pub(super) fn and(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.all.push(condition.into());
        self.values.extend(values);
    }

    pub(super) fn and_in(&mut self, what: &str, values: Vec<Value>) {
        let marks = vec!["?"; values.len()].join(",");
        self.and(format!("{what} IN ({marks})"), values);
    }

    pub(super) fn and_range(&mut self, column: &str, range: Option<Range>) {
        if let Some(range) = range {
            self.and(format!("{column} >= ? AND {column} < ?"), [int(range.from.0), int(range.to.0)]);
        }
    }

    pub(super) fn sql(&self) -> String {
        if self.all.is_empty() { "1".to_owned() } else { self.all.join(" AND ") }
    }
}

pub(super) fn int(value: u64) -> Value {
    Value::Integer(number(value))
}

pub(super) fn nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Text that contains this, for `LIKE ? ESCAPE '\'`.
pub(super) fn containing(part: &str) -> Value {
    format!("%{}%", part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")).into()
}

/// Words as ids of a file, by what they name: of each kind any will do.
pub(super) type Words = Vec<(Kind, Vec<Value>)>;

/// The words that a filter asks for, as ids of a file: each list any of. `None`: the file has none of a list.
pub(super) fn words(file: &File, filter: &Filter) -> rusqlite::Result<Option<Words>> {
    let Filter { service, provider, model, agent, tool, .. } = filter;
    let conversation: Vec<String> = filter.conversation.iter().cloned().collect();
    let names = [
        (Kind::Service, service),
        (Kind::Provider, provider),
        (Kind::Model, model),
        (Kind::Agent, agent),
        (Kind::Tool, tool),
        (Kind::Conversation, &conversation),
    ];
    let mut words = Vec::new();
    for (kind, names) in names.into_iter().filter(|(_, names)| !names.is_empty()) {
        let ids = names.iter().map(|name| file.id_of(name)).collect::<rusqlite::Result<Vec<_>>>()?;
        let ids: Vec<Value> = ids.into_iter().flatten().map(Value::Integer).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        words.push((kind, ids));
    }
    let numbers = [
        (Kind::Op, filter.op.iter().map(|op| Value::Integer(*op as i64)).collect::<Vec<_>>()),
        (Kind::Dialect, filter.dialect.iter().map(|dialect| Value::Integer(*dialect as i64)).collect()),
    ];
    words.extend(numbers.into_iter().filter(|(_, numbers)| !numbers.is_empty()));
    Ok(Some(words))
}

/// Where the words of a filter were said, for as long as a question is answered.
pub(super) struct Said(Option<Matching>);

impl Said {
    /// # Errors
    /// [`StoreError::BadQuery`], if the filter's text has no word.
    pub(super) fn new(filter: &Filter) -> Result<Self, StoreError> {
        Ok(Self(filter.text.as_deref().map(Matching::new).transpose()?))
    }

    /// The rows of a day's traces in which they were said; none if the filter asks for no words.
    pub(super) fn rows(&mut self, reader: &mut Reader, day: Day) -> Result<Option<Vec<i64>>, StoreError> {
        self.0.as_mut().map(|matching| matching.traces(reader, day)).transpose()
    }
}

/// The conditions of a filter on the table of traces, for those that are in one file whole; `said` are those rows in which
/// its words were said. `None`: the file has none.
pub(super) fn of_traces(
    file: &File,
    filter: &Filter,
    said: Option<&[i64]>,
) -> rusqlite::Result<Option<Where>> {
    let Some(words) = words(file, filter)? else { return Ok(None) };
    let mut all = Where::default();
    for (kind, ids) in words {
        let marks = vec!["?"; ids.len()].join(",");
        let have = format!("FROM trace_word WHERE kind = {} AND word IN ({marks})", kind as u8);
        let sql = format!("SELECT count(*) FROM (SELECT 1 {have} LIMIT {FEW})");
        let mut count = file.connection.prepare_cached(&sql)?;
        let few = count.query_row(params_from_iter(&ids), |row| row.get::<_, u32>(0))? < FEW;
        // Few traces are looked up; among many it is soon found which of the first ones are meant.
        all.and(
            if few {
                format!("trace.id IN (SELECT trace {have})")
            } else {
                format!("EXISTS (SELECT 1 {have} AND trace_word.trace = trace.id)")
            },
            ids,
        );
    }
    all.and_range("start_ns", filter.range);
    if let Some(error) = filter.error {
        all.and(if error { "errors > 0" } else { "errors = 0" }, []);
    }
    if let Some(genai) = filter.genai {
        all.and(if genai { "genai" } else { "NOT genai" }, []);
    }
    if let Some(least) = filter.min_duration {
        all.and("end_ns - start_ns >= ?", [int(nanos(least))]);
    }
    if let Some(most) = filter.max_duration {
        all.and("end_ns - start_ns <= ?", [int(nanos(most))]);
    }
    if let Some(name) = &filter.name {
        all.and("root_name IN (SELECT id FROM word WHERE text LIKE ? ESCAPE '\\')", [containing(name)]);
    }
    if let Some(rows) = said {
        all.and(format!("trace.{}", search::IN_LIST), [search::list(rows)]);
    }
    Ok(Some(all))
}
