//! Conversations, services, metrics, and what was found.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use otel_genai_store::{ConversationQuery, Dimension, Filter, SearchQuery, SeriesQuery};

use super::stats::nice;
use super::transcript::{self, TRACES};
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{
    self, Conversation, ConversationRow, ExemplarRow, Facet, Hit, List, MetricInfo, SearchAnswer, Series,
    SeriesAnswer, ServiceRow, TraceRow, labels,
};

/// A chart shows so many series at most.
const SERIES: u32 = 50;
/// Values of a dimension that are offered.
const FACETS: u32 = 50;
const DAY: Duration = Duration::from_secs(86_400);

pub(crate) async fn conversations(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let filter = Filter { range: ask.range()?, ..ask.filter()? };
    let query = ConversationQuery { filter, limit: ask.limit(50, 500)?, cursor: ask.cursor()? };
    ask.done()?;
    let page = shared.store.conversations(&query).await?;
    Ok(json(&List::<ConversationRow>::page(&page)))
}

pub(crate) async fn conversation(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let id: String = ask.path("conversation")?;
    let with_transcript = ask.flag("transcript")?.unwrap_or(false);
    let calls = transcript::calls(&mut ask)?;
    ask.done()?;
    let filter = Filter { conversation: Some(id.clone()), ..Filter::default() };
    let query = ConversationQuery { filter, limit: 10, cursor: None };
    let found = shared.store.conversations(&query).await?.items;
    let summary = found.iter().find(|one| one.id.as_ref() == id);
    let summary = summary.ok_or_else(|| Failure::not_found(format!("there is no conversation {id:?}")))?;
    let traces = shared.store.conversation(&id, TRACES).await?;
    Ok(json(&Conversation {
        summary: ConversationRow::from(summary),
        traces: traces.iter().map(TraceRow::from).collect(),
        transcript: match with_transcript {
            true => Some(transcript::together(&shared, &id, &traces, calls).await?),
            false => None,
        },
    }))
}

pub(crate) async fn services(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let range = ask.range()?;
    ask.done()?;
    let services = shared.store.services(range).await?;
    Ok(json(&services.iter().map(ServiceRow::from).collect::<List<_>>()))
}

pub(crate) async fn metrics(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let range = ask.range()?;
    ask.done()?;
    let metrics = shared.store.metrics(range).await?;
    Ok(json(&metrics.iter().map(MetricInfo::from).collect::<List<_>>()))
}

pub(crate) async fn series(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let name = ask.needed("name")?;
    let range = ask.range_or(DAY)?;
    let length = range.to.since(range.from).unwrap_or_default();
    let step = ask.span("step")?.unwrap_or_else(|| nice(length)).max(length / 1_000);
    let by = ask.all("by");
    let matches = ask.read_all::<Match>("match")?.into_iter().map(|one| (one.0, one.1)).collect();
    ask.done()?;
    let known = shared.store.metrics(None).await?;
    let info = known.iter().find(|info| info.name.as_ref() == name);
    let info = info.ok_or_else(|| Failure::not_found(format!("there is no metric {name:?}")))?;
    let info = MetricInfo::from(info);
    let query = SeriesQuery { name, range, step, by, matches, limit: SERIES };
    let data = shared.store.series(&query).await?;
    let exemplars = data.iter().flat_map(|one| {
        let labels = labels(one);
        one.exemplars.iter().map(move |exemplar| ExemplarRow::of(exemplar, &labels))
    });
    Ok(json(&SeriesAnswer {
        step_ms: step.as_secs_f64() * 1000.0,
        bounds: data.iter().find_map(|one| one.bounds.as_deref()).map(<[f64]>::to_vec),
        exemplars: exemplars.collect(),
        series: data.iter().map(|one| Series::of(one, info.kind)).collect(),
        info,
    }))
}

pub(crate) async fn search(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let query = SearchQuery {
        text: ask.needed("q")?,
        range: ask.range()?,
        service: ask.all("service"),
        limit: ask.limit(50, 500)?,
        cursor: ask.cursor()?,
    };
    ask.done()?;
    let page = shared.store.search(&query).await?;
    let complete = shared.store.index_behind().await? == 0;
    Ok(json(&SearchAnswer {
        hits: page.items.iter().filter_map(Hit::of).collect(),
        next: page.next.map(|next| next.to_string()),
        complete,
    }))
}

pub(crate) async fn facets(State(shared): State<Arc<Shared>>, mut ask: Ask) -> Answer {
    let filter = Filter { range: ask.range()?, ..ask.filter()? };
    let mut of = ask.read_all::<Of>("of")?;
    ask.done()?;
    if of.is_empty() {
        of = ["service", "op", "provider", "model", "agent", "tool"]
            .into_iter()
            .filter_map(|of| of.parse().ok())
            .collect();
    }
    let mut facets = BTreeMap::new();
    for of in of {
        let (name, found) = match of {
            Of::Dimension(dimension) => {
                let found = shared.store.facets(&filter, dimension, FACETS).await?;
                let facet = |(value, count): &(Arc<str>, u64)| Facet {
                    value: value.as_ref().to_owned(),
                    count: *count,
                };
                (view::dimension(dimension), found.iter().map(facet).collect())
            }
            Of::Conversation => {
                let query = ConversationQuery { filter: filter.clone(), limit: FACETS, cursor: None };
                let found = shared.store.conversations(&query).await?.items;
                let facet = |one: &otel_genai_store::ConversationSummary| Facet {
                    value: one.id.as_ref().to_owned(),
                    count: one.traces,
                };
                ("conversation", found.iter().map(facet).collect())
            }
            Of::Dialect => {
                let mut counts = BTreeMap::new();
                for service in shared.store.services(filter.range).await? {
                    for (dialect, spans) in service.dialects {
                        *counts.entry(dialect).or_insert(0) += spans;
                    }
                }
                let facet = |(dialect, count)| {
                    Some(Facet { value: view::Dialect::of(dialect)?.as_str().to_owned(), count })
                };
                let mut found: Vec<_> = counts.into_iter().filter_map(facet).collect();
                found.sort_by_key(|facet| std::cmp::Reverse(facet.count));
                ("dialect", found)
            }
        };
        facets.insert(name, found);
    }
    Ok(json(&facets))
}

enum Of {
    Dimension(Dimension),
    Conversation,
    Dialect,
}

impl FromStr for Of {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "service" => Self::Dimension(Dimension::Service),
            "op" => Self::Dimension(Dimension::Op),
            "provider" => Self::Dimension(Dimension::Provider),
            "model" => Self::Dimension(Dimension::Model),
            "agent" => Self::Dimension(Dimension::Agent),
            "tool" => Self::Dimension(Dimension::Tool),
            "conversation" => Self::Conversation,
            "dialect" => Self::Dialect,
            _ => return Err("service, op, provider, model, agent, tool, conversation or dialect is meant"),
        })
    }
}

/// `key:value`, where keys have no colon.
struct Match(String, String);

impl FromStr for Match {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once(':').ok_or("KEY:VALUE is meant")?;
        Ok(Self(key.to_owned(), value.to_owned()))
    }
}
