//! Sums of calls: over time, by model, agent and tool.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use otel_genai_store::{Dimension, Filter, Nanos, Op, Range, StatsQuery, StatsRow, StoreError, TraceQuery};

use super::runs::{Runs, Tool, Whole, newest, runs, runs_of, together};
use crate::http::{Answer, Ask, json};
use crate::shared::Shared;
use crate::view::{
    Empty, Finish, List, ModelRow, Models, Overview, Prices, Stat, Step, Steps, ToolRow, TraceRow, Unpriced,
    millis, quantile_ms,
};

const DAY: Duration = Duration::from_secs(86_400);
/// The overview shows so many of each.
const TOP: usize = 8;
/// And so many traces.
const NEWEST: usize = 10;
/// Calls of models: what tokens and costs are counted of.
const CALLS: [Op; 5] = [Op::Chat, Op::TextCompletion, Op::GenerateContent, Op::Embeddings, Op::Rerank];

pub(crate) async fn overview(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let range = ask.range_or(DAY)?;
    let step = ask.span("step")?;
    let filter = Filter { range: Some(range), ..ask.filter()? };
    ask.done()?;
    let length = range.to.since(range.from).unwrap_or_default();
    let step = step.unwrap_or_else(|| nice(length)).max(length / 1_000);
    let calls = calls_of(&filter);

    let by_step = StatsQuery { filter: calls.clone(), by: Vec::new(), step: Some(step) };
    let earlier = Range { from: Nanos(range.from.0.saturating_sub(nanos(length))), to: range.from };
    let before =
        StatsQuery { filter: Filter { range: Some(earlier), ..calls.clone() }, ..StatsQuery::default() };
    // None of these waits for another.
    let traces = async {
        let newest = newest(&shared, &filter).await?;
        let seen = runs_of(&shared, &newest, Whole::None).await?;
        Ok((newest, seen))
    };
    let (by_step, before, (newest, seen), tools, mut models, counted) = tokio::try_join!(
        shared.store.stats(&by_step),
        shared.store.stats(&before),
        traces,
        tool_stats(&shared, &filter),
        model_rows(&shared, &filter),
        count_traces(&shared, &filter),
    )?;
    let mut failing = tool_rows(&tools, &seen);
    failing.retain(|tool| tool.stat.errors > 0);
    failing.sort_by_key(|tool| std::cmp::Reverse(tool.stat.errors));
    failing.truncate(TOP);
    models.truncate(TOP);
    let mut agents = seen.agents().items;
    agents.truncate(TOP);
    let empty = newest.items.is_empty() && {
        let status = shared.store.status().await?;
        status.spans == 0 && status.logs == 0 && status.points == 0
    };
    let sum = |rows: &[StatsRow]| Stat::from(&together(rows.iter()));
    let before = Some(sum(&before)).filter(|before| before.calls > 0);
    Ok(json(&Overview {
        range: Steps {
            from_ms: millis(range.from),
            to_ms: millis(range.to),
            step_ms: step.as_secs_f64() * 1000.0,
        },
        stat: sum(&by_step),
        before,
        traces: counted,
        steps: by_step.iter().filter_map(step_of).collect(),
        models,
        agents,
        failing_tools: failing,
        newest: newest.items.iter().take(NEWEST).map(TraceRow::from).collect(),
        empty: empty.then(|| Empty { connect: crate::connect::ways(&shared) }),
    }))
}

pub(crate) async fn models(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let filter = Filter { range: ask.range()?, ..ask.filter()? };
    ask.done()?;
    let items = model_rows(&shared, &filter).await?;
    let unpriced = without_price(&items);
    let (currency, prices_date) = (shared.prices.currency().to_owned(), shared.prices.date().to_owned());
    Ok(json(&Models { items, unpriced, currency, prices_date }))
}

pub(crate) async fn prices(State(shared): State<Arc<Shared>>, ask: Ask) -> Answer {
    ask.done()?;
    let models = model_rows(&shared, &Filter::default()).await?;
    Ok(json(&Prices::of(&shared.prices, without_price(&models))))
}

fn without_price(models: &[ModelRow]) -> Vec<Unpriced> {
    let unpriced = models.iter().filter(|row| !row.priced).map(|row| Unpriced {
        provider: row.provider.clone(),
        model: row.model.clone(),
        calls: row.stat.unpriced,
    });
    unpriced.collect()
}

pub(crate) async fn agents(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let filter = Filter { range: ask.range()?, ..ask.filter()? };
    ask.done()?;
    Ok(json(&runs(&shared, &filter, Whole::Agents).await?.agents()))
}

pub(crate) async fn tools(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let filter = Filter { range: ask.range()?, ..ask.filter()? };
    ask.done()?;
    let (seen, rows) = tokio::try_join!(runs(&shared, &filter, Whole::Tools), tool_stats(&shared, &filter))?;
    Ok(json(&tool_rows(&rows, &seen).into_iter().collect::<List<_>>()))
}

/// Only calls of models, unless operations are asked for.
fn calls_of(filter: &Filter) -> Filter {
    let op = if filter.op.is_empty() { CALLS.to_vec() } else { filter.op.clone() };
    Filter { op, ..filter.clone() }
}

async fn model_rows(shared: &Shared, filter: &Filter) -> Result<Vec<ModelRow>, StoreError> {
    let by = vec![Dimension::Provider, Dimension::Model];
    let rows = shared.store.stats(&StatsQuery { filter: calls_of(filter), by, step: None }).await?;
    let row = |row: &StatsRow| {
        let mut finish: Vec<_> = row
            .finish
            .iter()
            .map(|(reason, count)| Finish { reason: reason.as_ref().to_owned(), count: *count })
            .collect();
        finish.sort_by_key(|one| std::cmp::Reverse(one.count));
        ModelRow {
            provider: key(row, Dimension::Provider),
            model: key(row, Dimension::Model),
            stat: Stat::from(row),
            finish,
            priced: row.unpriced == 0,
        }
    };
    let mut rows: Vec<_> = rows.iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.stat.calls));
    Ok(rows)
}

async fn tool_stats(shared: &Shared, filter: &Filter) -> Result<Vec<StatsRow>, StoreError> {
    let filter = Filter { op: vec![Op::ExecuteTool], ..filter.clone() };
    shared.store.stats(&StatsQuery { filter, by: vec![Dimension::Tool], step: None }).await
}

fn tool_rows(rows: &[StatsRow], seen: &Runs) -> Vec<ToolRow> {
    let row = |row: &StatsRow| {
        let tool = key(row, Dimension::Tool);
        let told = seen.of_tool(&tool);
        ToolRow {
            stat: Stat::from(row),
            kind: told.and_then(|told| told.kind.clone()),
            arguments_p50: told.and_then(Tool::arguments_p50),
            result_p50: told.and_then(Tool::result_p50),
            retries: told.map_or(0, |told| told.retries),
            last_error: told.and_then(|told| told.last_error.clone()),
            tool,
        }
    };
    let mut rows: Vec<_> = rows.iter().map(row).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.stat.calls));
    rows
}

fn key(row: &StatsRow, dimension: Dimension) -> String {
    let found = row.key.iter().find(|(one, _)| *one == dimension);
    found.and_then(|(_, value)| value.as_deref()).unwrap_or_default().to_owned()
}

/// How many traces there are; the store counts them where it can, else a page is.
async fn count_traces(shared: &Shared, filter: &Filter) -> Result<u64, StoreError> {
    let mut query = TraceQuery { filter: filter.clone(), limit: 0, ..TraceQuery::default() };
    if let Some(total) = shared.store.traces(&query).await?.total {
        return Ok(total);
    }
    query.limit = 500;
    let mut count = 0;
    // Of more than ten thousand nobody wants to know how many exactly.
    for _ in 0..20 {
        let page = shared.store.traces(&query).await?;
        if let Some(total) = page.total {
            return Ok(total);
        }
        count += page.items.len() as u64;
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    Ok(count)
}

fn step_of(row: &StatsRow) -> Option<Step> {
    Some(Step {
        at_ms: millis(row.at?),
        calls: row.calls,
        errors: row.errors,
        input: row.usage.input.unwrap_or(0),
        output: row.usage.output.unwrap_or(0),
        cache_read: row.usage.cache_read.unwrap_or(0),
        cost: row.cost.map(|cost| cost.nanos as f64 / 1e9),
        p50_ms: quantile_ms(&row.duration, 0.5),
        p95_ms: quantile_ms(&row.duration, 0.95),
        ttft_p95_ms: quantile_ms(&row.first_chunk, 0.95),
    })
}

/// A step of which about sixty make the whole, that people count in.
pub(crate) fn nice(length: Duration) -> Duration {
    const STEPS: [u64; 14] = [1, 5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];
    let wanted = length.as_secs() / 60;
    let step = STEPS.into_iter().find(|step| *step >= wanted);
    Duration::from_secs(step.unwrap_or_else(|| wanted.div_ceil(86_400) * 86_400))
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
