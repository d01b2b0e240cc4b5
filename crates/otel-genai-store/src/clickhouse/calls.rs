//! Calls as the table of spans has them: which are looked for, and what they come to.

use std::time::Duration;

use super::line::number;
use super::list;
use super::read::Where;
use super::search::{self, Dictionary};
use crate::error::StoreError;
use crate::facts::Op;
use crate::query::{Dimension, Filter, Range};

/// The model that answered, else the one that was asked for.
pub(super) const MODEL: &str = "if(response_model != '', response_model, request_model)";
/// Whether a span failed.
pub(super) const FAILED: &str = "(status = 2 OR error != '')";
pub(super) const HOUR: u64 = 3_600_000_000_000;
/// The same in seconds, by which the column `hour` tells it.
pub(super) const HOUR_SECONDS: u32 = 3_600;

/// The column of a dimension.
pub(super) fn column(by: Dimension) -> &'static str {
    match by {
        Dimension::Op => "op",
        Dimension::Service => "service",
        Dimension::Provider => "provider",
        Dimension::Model => MODEL,
        Dimension::Agent => "agent",
        Dimension::Tool => "tool",
        Dimension::Conversation => "conversation",
        Dimension::Dialect => "dialect",
    }
}

/// Spans that do one of these operations.
pub(super) fn ops(which: fn(Op) -> bool) -> String {
    let all: Vec<String> = (1..=u8::MAX)
        .filter(|number| Op::from_number(*number).is_some_and(which))
        .map(|number| number.to_string())
        .collect();
    format!("op IN ({})", all.join(","))
}

/// Calls whose tokens count: not those that are told again by a span inside them.
pub(super) fn once(hours: &str) -> String {
    format!("print NOT IN (SELECT print FROM wrapper FINAL WHERE told AND {hours})")
}

/// The hours in which records of this time are kept.
pub(super) fn hours(range: Option<Range>) -> String {
    let Some(Range { from, to }) = range else { return "1".to_owned() };
    stretch(from.0 / HOUR, to.0.div_ceil(HOUR))
}

/// The hours that lie in a range as a whole.
pub(super) fn whole_hours(range: Option<Range>) -> String {
    let Some(Range { from, to }) = range else { return "1".to_owned() };
    stretch(from.0.div_ceil(HOUR), to.0 / HOUR)
}

/// The hours that lie in a range in part, if there are any.
pub(super) fn edges(range: Option<Range>) -> Option<String> {
    let Range { from, to } = range?;
    if from.0.is_multiple_of(HOUR) && to.0.is_multiple_of(HOUR) {
        return None;
    }
    let (all, whole) = (hours(range), whole_hours(range));
    Some(format!("{all} AND NOT ({whole})"))
}

/// From an hour, counted since 1970, up to another.
fn stretch(from: u64, to: u64) -> String {
    let seconds = |hours: u64| u32::try_from(hours.saturating_mul(HOUR_SECONDS.into())).unwrap_or(u32::MAX);
    format!("hour >= {} AND hour < {}", time(seconds(from)), time(seconds(to)))
}

/// Those of these hours, of which there is one at least.
pub(super) fn any_hour<'a>(hours: impl IntoIterator<Item = &'a u32>) -> String {
    let hours: Vec<String> = hours.into_iter().map(|hour| time(*hour)).collect();
    format!("hour IN ({})", hours.join(","))
}

/// A moment, in seconds since 1970, as it stands in a query.
pub(super) fn time(seconds: u32) -> String {
    format!("toDateTime({seconds}, 'UTC')")
}

pub(super) fn nanos(time: Duration) -> i64 {
    number(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// The names that a filter asks for, each list by itself.
pub(super) fn names(filter: &Filter, all: &mut Where) -> Vec<String> {
    let conversation: Vec<String> = filter.conversation.iter().cloned().collect();
    let lists = [
        (Dimension::Service, &filter.service),
        (Dimension::Provider, &filter.provider),
        (Dimension::Model, &filter.model),
        (Dimension::Agent, &filter.agent),
        (Dimension::Tool, &filter.tool),
        (Dimension::Conversation, &conversation),
    ];
    let mut found: Vec<String> =
        lists.into_iter().filter_map(|(by, names)| all.any_of(column(by), names)).collect();
    let numbers = |by: Dimension, numbers: Vec<u8>| {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        (!numbers.is_empty()).then(|| format!("{} IN ({})", column(by), numbers.join(",")))
    };
    found.extend(numbers(Dimension::Op, filter.op.iter().map(|op| *op as u8).collect()));
    found.extend(numbers(Dimension::Dialect, filter.dialect.iter().map(|dialect| *dialect as u8).collect()));
    found
}

/// The conditions of a filter on calls, each of which has to hold of the call itself; words are those of its trace.
pub(super) fn conditions(filter: &Filter, dictionary: &Dictionary) -> Result<Where, StoreError> {
    let mut all = Where::default();
    all.range("start_ns", filter.range);
    for condition in names(filter, &mut all) {
        all.and(condition);
    }
    if let Some(error) = filter.error {
        all.and(if error { FAILED.to_owned() } else { format!("NOT {FAILED}") });
    }
    if let Some(least) = filter.min_duration {
        all.and(format!("greatest(end_ns - start_ns, 0) >= {}", nanos(least)));
    }
    if let Some(most) = filter.max_duration {
        all.and(format!("greatest(end_ns - start_ns, 0) <= {}", nanos(most)));
    }
    if let Some(name) = &filter.name {
        let part = all.text(name.to_lowercase());
        all.and(format!("position(lowerUTF8(name), {part}) > 0"));
    }
    if let Some(text) = &filter.text {
        let said = search::traces_that_say(&mut all, text, &list::of_traces_in(filter.range), dictionary)?;
        all.and(said);
    }
    Ok(all)
}
