//! What can be asked under `/api/v1`: one table, of which the router and the OpenAPI document are made.

mod about;
mod compare;
mod content;
mod export;
mod findings;
mod import;
mod lists;
mod logs;
mod openapi;
mod peer;
mod runs;
mod settings;
pub(crate) mod span;
mod stats;
mod status;
mod stream;
mod traces;
mod transcript;

pub(crate) use self::status::Lately;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::http::Failure;
use crate::shared::Shared;
use crate::view::transcript::Transcript;
use crate::view::{
    About, Agents, Comparison, Conversation, ConversationList, Deleted, ErrorCode, Facet, Finding, Findings,
    Imported, LogDetail, LogList, MetricList, Models, Overview, Prices, SearchAnswer, SeriesAnswer, Services,
    Settings, SettingsChange, SpanDetail, StoreStatus, Tools, Trace, TraceList,
};

/// One thing that can be asked.
pub(crate) struct Route {
    method: Method,
    /// Below `/api/v1`, with `{names}`.
    path: &'static str,
    handler: MethodRouter<Arc<Shared>>,
    /// In one line.
    summary: &'static str,
    /// The names of its query parameters.
    query: Vec<&'static str>,
    /// What is sent, where that is JSON of ours.
    body: Option<fn(&mut SchemaGenerator) -> Schema>,
    schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// The type of an answer that is no JSON of ours.
    media: &'static str,
}

/// `from`, `to`.
pub(crate) const RANGE: &[&str] = &["from", "to"];
/// What is looked for.
pub(crate) const FILTER: &[&str] = &[
    "service",
    "op",
    "provider",
    "model",
    "agent",
    "tool",
    "dialect",
    "conversation",
    "error",
    "genai",
    "minMs",
    "maxMs",
    "q",
    "name",
];
/// A page of a list.
pub(crate) const PAGE: &[&str] = &["limit", "cursor"];

impl Route {
    fn new<H, T>(method: Method, path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        Self {
            method,
            path,
            handler: on(filter, handler),
            summary,
            query: Vec::new(),
            body: None,
            schema: None,
            media: "application/json",
        }
    }

    pub(crate) fn get<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        Self::new(Method::GET, path, summary, handler)
    }

    pub(crate) fn post<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        Self::new(Method::POST, path, summary, handler)
    }

    pub(crate) fn patch<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        Self::new(Method::PATCH, path, summary, handler)
    }

    pub(crate) fn delete<H, T>(path: &'static str, summary: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        Self::new(Method::DELETE, path, summary, handler)
    }

    /// It has these query parameters too.
    pub(crate) fn asks(mut self, names: &[&'static str]) -> Self {
        self.query.extend(names);
        self
    }

    /// What is sent is JSON of this shape.
    pub(crate) fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(SchemaGenerator::subschema_for::<T>);
        self
    }

    /// Its answer is of this type, and no JSON of ours.
    pub(crate) fn is(mut self, media: &'static str) -> Self {
        self.media = media;
        self
    }

    /// Its answer is JSON of this shape.
    pub(crate) fn answers<T: JsonSchema>(mut self) -> Self {
        self.schema = Some(SchemaGenerator::subschema_for::<T>);
        self
    }
}

/// All that can be asked.
fn routes() -> Vec<Route> {
    vec![
        Route::get("/about", "What answers here", about::about).answers::<About>(),
        Route::get("/traces", "Traces, the newest first", traces::list)
            .asks(RANGE)
            .asks(FILTER)
            .asks(PAGE)
            .asks(&["sort", "order"])
            .answers::<TraceList>(),
        Route::get("/traces/{trace}", "A trace as it is drawn", traces::one)
            .asks(&["limit", "cursor", "fold"])
            .answers::<Trace>(),
        Route::get("/traces/{trace}/transcript", "What was said in a trace", transcript::one)
            .asks(&["agent", "after", "limit", "full"])
            .answers::<Transcript>(),
        Route::get("/traces/{trace}/export", "A trace as a file", export::one)
            .asks(&["format", "maxChars"])
            .is("application/octet-stream"),
        Route::get("/compare", "Two traces, or two spans of them, side by side", compare::two)
            .asks(&["a", "b"])
            .answers::<Comparison>(),
        Route::post("/import", "Stores what is in a file of OTLP or Jaeger", import::take)
            .asks(&["format"])
            .answers::<Imported>(),
        Route::get("/traces/{trace}/transcript/part", "A part of a message in full", transcript::part)
            .asks(&["message", "part"])
            .is("text/plain"),
        Route::get("/traces/{trace}/raw", "A trace as it was received: OTLP in JSON", span::raw)
            .asks(&["span", "logs"]),
        Route::get("/traces/{trace}/logs", "The log records of a trace, the oldest first", logs::of_trace)
            .asks(PAGE)
            .answers::<LogList>(),
        Route::get("/traces/{trace}/spans/{span}", "A span with all that came with it", span::one)
            .asks(&["variant"])
            .answers::<SpanDetail>(),
        Route::get("/traces/{trace}/spans/{span}/value", "An attribute of a span in full", span::value)
            .asks(&["key", "in", "variant"])
            .is("text/plain"),
        Route::get(
            "/traces/{trace}/findings",
            "What is wrong in a trace, and how to fix it",
            findings::of_one,
        )
        .answers::<Vec<Finding>>(),
        Route::get("/findings", "What is wrong with what came, and how to fix it", findings::of_all)
            .asks(RANGE)
            .answers::<Findings>(),
        Route::get("/logs", "Log records, the newest first", logs::list)
            .asks(RANGE)
            .asks(&["event", "service", "severity", "trace", "span", "q"])
            .asks(PAGE)
            .answers::<LogList>(),
        Route::get("/logs/{log}", "A log record with all that came with it", logs::one)
            .answers::<LogDetail>(),
        Route::get("/logs/{log}/value", "The body or an attribute of a log record in full", logs::value)
            .asks(&["key"])
            .is("text/plain"),
        Route::get("/content/{hash}", "A piece of content", content::one)
            .asks(&["trace", "as"])
            .is("application/octet-stream"),
        Route::get("/overview", "How it goes, over time", stats::overview)
            .asks(RANGE)
            .asks(FILTER)
            .asks(&["step"])
            .answers::<Overview>(),
        Route::get("/models", "Models and their calls", stats::models)
            .asks(RANGE)
            .asks(FILTER)
            .answers::<Models>(),
        Route::get("/prices", "By which prices costs are counted", stats::prices).answers::<Prices>(),
        Route::get("/agents", "Agents, their tools, and who calls whom", stats::agents)
            .asks(RANGE)
            .asks(FILTER)
            .answers::<Agents>(),
        Route::get("/tools", "Tools and their runs", stats::tools)
            .asks(RANGE)
            .asks(FILTER)
            .answers::<Tools>(),
        Route::get("/conversations", "Conversations, the one that ended last first", lists::conversations)
            .asks(RANGE)
            .asks(FILTER)
            .asks(PAGE)
            .answers::<ConversationList>(),
        Route::get("/conversations/{conversation}", "A conversation with its traces", lists::conversation)
            .asks(&["transcript", "after", "limit"])
            .answers::<Conversation>(),
        Route::get(
            "/conversations/{conversation}/part",
            "A part of a message of a conversation in full",
            transcript::part_of_conversation,
        )
        .asks(&["message", "part"])
        .is("text/plain"),
        Route::get("/services", "The services that were heard", lists::services)
            .asks(RANGE)
            .answers::<Services>(),
        Route::get("/metrics", "The metrics that were heard", lists::metrics)
            .asks(RANGE)
            .answers::<MetricList>(),
        Route::get("/metrics/series", "The points of a metric in steps of time", lists::series)
            .asks(&["name", "step", "by", "match"])
            .asks(RANGE)
            .answers::<SeriesAnswer>(),
        Route::get("/search", "What was said, the newest first", lists::search)
            .asks(&["q", "service"])
            .asks(RANGE)
            .asks(PAGE)
            .answers::<SearchAnswer>(),
        Route::get("/facets", "Values to look for, and how often they occur", lists::facets)
            .asks(&["of"])
            .asks(RANGE)
            .asks(FILTER)
            .answers::<BTreeMap<String, Vec<Facet>>>(),
        Route::get("/status", "How the store is", status::one).answers::<StoreStatus>(),
        Route::get("/settings", "What is set, and how to connect", settings::all).answers::<Settings>(),
        Route::patch("/settings", "Changes what is set, also for the next start", settings::change)
            .takes::<SettingsChange>()
            .answers::<Settings>(),
        Route::delete(
            "/data",
            "Deletes a trace, days that ended before a moment, or everything",
            status::delete,
        )
        .asks(&["trace", "before", "all"])
        .answers::<Deleted>(),
        Route::get("/openapi.json", "This document", openapi::document),
        Route::get("/stream", "What changes, as server-sent events", stream::stream)
            .asks(&["since", "topics"])
            .is("text/event-stream"),
    ]
}

/// The router of all that can be asked.
pub(crate) fn router() -> Router<Arc<Shared>> {
    let router = Router::new();
    let router = routes().into_iter().fold(router, |router, route| {
        // Whole paths: below a nest the fallback would not know where it is.
        router.route(&format!("/api/v1{}", route.path), route.handler)
    });
    router.method_not_allowed_fallback(async || {
        Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            ErrorCode::BadQuery,
            "this can be asked, but not in this way",
        )
    })
}
