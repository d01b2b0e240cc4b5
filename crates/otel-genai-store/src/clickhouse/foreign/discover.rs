//! Which tables there are, and how each can be read: their columns are looked at, for the exporter's versions differ.

use std::collections::HashMap;

use clickhouse::Row;
use serde::Deserialize;

use super::super::fault::Place;
use super::super::read::Db;
use crate::error::StoreError;

pub(super) const TRACES: &str = "otel_traces";
pub(super) const LOGS: &str = "otel_logs";
/// When each trace was, by its id; not every database has it.
pub(super) const TIMES: &str = "otel_traces_trace_id_ts";
/// The tables of metrics: their names, and what kind of points they have.
pub(super) const METRICS: [(&str, Kind); 6] = [
    ("otel_metrics_gauge", Kind::Gauge),
    ("otel_metrics_sum", Kind::Sum),
    ("otel_metrics_histogram", Kind::Histogram),
    ("otel_metrics_exponential_histogram", Kind::Exponential),
    ("otel_metrics_exp_histogram", Kind::Exponential),
    ("otel_metrics_summary", Kind::Summary),
];

/// What points a table of metrics has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum,
    Histogram,
    Exponential,
    Summary,
}

/// How attributes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// As a map, all of whose values are text.
    Map,
    /// As JSON, whose values have types.
    Json,
    /// Not at all.
    None,
}

/// The tables of the exporter that a database has.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) traces: Option<Table>,
    pub(super) logs: Option<Table>,
    pub(super) metrics: Vec<(Kind, Table)>,
    /// Whether there is [`TIMES`].
    pub(super) times: bool,
}

/// A table and the types of its columns.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    columns: HashMap<String, String>,
}

/// What every version has.
const OF_SPANS: [&str; 12] = [
    "Timestamp",
    "TraceId",
    "SpanId",
    "ParentSpanId",
    "SpanName",
    "SpanKind",
    "ServiceName",
    "ResourceAttributes",
    "SpanAttributes",
    "Duration",
    "StatusCode",
    "StatusMessage",
];
const OF_LOGS: [&str; 9] = [
    "Timestamp",
    "TraceId",
    "SpanId",
    "SeverityText",
    "SeverityNumber",
    "ServiceName",
    "Body",
    "ResourceAttributes",
    "LogAttributes",
];
const OF_METRICS: [&str; 6] =
    ["ResourceAttributes", "ServiceName", "MetricName", "MetricUnit", "Attributes", "TimeUnix"];

#[derive(Row, Deserialize)]
struct Column {
    table: String,
    name: String,
    kind: String,
}

/// What a database has: none if it has neither spans, log records nor metrics of the exporter, or has tables of its own for
/// otel-genai.
pub(super) async fn tables(db: &Db) -> Result<Option<Tables>, StoreError> {
    let sql = format!(
        "SELECT table, name, type AS kind FROM system.columns WHERE database = '{}'
         AND (startsWith(table, 'otel_') OR table IN ('schema_version', 'span'))",
        db.place.database
    );
    let mut found: HashMap<String, HashMap<String, String>> = HashMap::new();
    let everywhere = db.client.clone().with_database("default");
    db.each::<Column>(everywhere.query_raw(&sql), |Column { table, name, kind }| {
        found.entry(table).or_default().insert(name, kind);
        Ok(())
    })
    .await?;
    // Others count the versions of their tables in one of that name, too.
    if found.contains_key("schema_version") && found.contains_key("span") {
        return Ok(None);
    }
    let mut take = |name, needed: &[&str]| {
        let table = found.remove(name).map(|columns| Table { name, columns });
        table.map(|table| table.sound(needed)).transpose()
    };
    let (traces, logs) = (take(TRACES, &OF_SPANS)?, take(LOGS, &OF_LOGS)?);
    let mut metrics = Vec::new();
    for (name, kind) in METRICS {
        metrics.extend(take(name, &OF_METRICS)?.map(|table| (kind, table)));
    }
    let times = found.contains_key(TIMES);
    let any = traces.is_some() || logs.is_some() || !metrics.is_empty();
    Ok(any.then_some(Tables { traces, logs, metrics, times }))
}

impl Table {
    fn sound(self, needed: &[&str]) -> Result<Self, StoreError> {
        if let Some(missing) = needed.iter().find(|column| !self.has(column)) {
            return Err(unknown(format!(
                "the table {} has no column {missing}: it is none that the OpenTelemetry Collector's exporter writes",
                self.name
            )));
        }
        for (column, kind) in &self.columns {
            if column.ends_with("Attributes") && flavour(kind).is_none() {
                return Err(unknown(format!(
                    "the column {column} of {} has the type {kind}, and only maps and JSON can be read",
                    self.name
                )));
            }
        }
        Ok(self)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    /// A column, or what stands for it in versions that do not have it.
    pub(super) fn column(&self, column: &'static str, none: &'static str) -> &'static str {
        // Of lists of records there is either a column for each field, or one for all.
        let list = column.split_once('.').is_some_and(|(list, _)| self.has(list));
        if self.has(column) || list { column } else { none }
    }

    /// How a column of attributes is written.
    pub(super) fn flavour(&self, column: &str) -> Flavour {
        let list = || column.split_once('.').and_then(|(list, _)| self.columns.get(list));
        self.columns.get(column).or_else(list).and_then(|kind| flavour(kind)).unwrap_or(Flavour::None)
    }

    /// Names and values of attributes: of a map both, of JSON the names and the one text.
    pub(super) fn attributes(&self, column: &str) -> [String; 2] {
        match self.flavour(column) {
            Flavour::Map => [
                format!("CAST(mapKeys({column}), 'Array(String)')"),
                format!("CAST(mapValues({column}), 'Array(String)')"),
            ],
            Flavour::Json => [self.names(column), format!("[toJSONString({column})]")],
            Flavour::None => ["emptyArrayString()".to_owned(), "emptyArrayString()".to_owned()],
        }
    }

    /// The names of attributes alone. A name with a point in it is a path in JSON; a column beside it tells which are names,
    /// where its writer fills it.
    pub(super) fn names(&self, column: &str) -> String {
        let keys = format!("{column}Keys");
        match self.flavour(column) {
            Flavour::Map => format!("mapKeys({column})"),
            Flavour::Json if self.has(&keys) => {
                format!("if(empty({keys}), JSONAllPaths({column}), CAST({keys}, 'Array(String)'))")
            }
            Flavour::Json => format!("JSONAllPaths({column})"),
            Flavour::None => "emptyArrayString()".to_owned(),
        }
    }

    /// Whether any attribute says this, which stands for text in a query.
    pub(super) fn says(&self, column: &str, text: &str) -> String {
        match self.flavour(column) {
            Flavour::Map => format!("has(mapValues({column}), {text})"),
            // As it stands there, without the quotes around it.
            Flavour::Json => {
                let quoted = format!("toJSONString({text})");
                format!("position(toJSONString({column}), substring({quoted}, 2, length({quoted}) - 2)) > 0")
            }
            Flavour::None => "0".to_owned(),
        }
    }

    /// Whether a log record names its event like this, in the way of those without a column for it.
    pub(super) fn event(&self, pattern: &str) -> String {
        match self.flavour("LogAttributes") {
            Flavour::Map => format!("match(LogAttributes['event.name'], '{pattern}')"),
            Flavour::Json => format!("match(toString(LogAttributes.event.name), '{pattern}')"),
            Flavour::None => "0".to_owned(),
        }
    }

    /// The same of the attributes of each of a list.
    pub(super) fn lists_of_attributes(&self, column: &str) -> [String; 2] {
        match self.flavour(column) {
            Flavour::Map => [
                format!("arrayMap(m -> CAST(mapKeys(m), 'Array(String)'), {column})"),
                format!("arrayMap(m -> CAST(mapValues(m), 'Array(String)'), {column})"),
            ],
            Flavour::Json => [
                format!("arrayMap(j -> JSONAllPaths(j), {column})"),
                format!("arrayMap(j -> [toJSONString(j)], {column})"),
            ],
            Flavour::None => {
                let none = "CAST([], 'Array(Array(String))')";
                [none.to_owned(), none.to_owned()]
            }
        }
    }
}

/// How attributes of this type are written.
fn flavour(kind: &str) -> Option<Flavour> {
    if kind.contains("JSON") || kind.contains("Object('json')") {
        Some(Flavour::Json)
    } else if kind.contains("Map(") {
        Some(Flavour::Map)
    } else {
        None
    }
}

fn unknown(what: String) -> StoreError {
    Place::strange("cannot read what others wrote", what)
}
