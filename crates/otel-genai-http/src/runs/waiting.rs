//! A call that is told when it is over: only then is known where it belongs.

use std::mem;
use std::time::Instant;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use otel_genai::{Failure, GenAi, Inference, Moment};

use super::RunId;

/// A call that goes on.
pub(crate) struct Waiting {
    pub(crate) op: Box<Inference>,
    pub(crate) run: RunId,
    chunks: Vec<Instant>,
}

/// A call that is over, and not told yet.
pub(crate) struct Ended {
    pub(crate) genai: GenAi,
    pub(crate) op: Box<Inference>,
    /// Where it belongs if it is no step of a run.
    pub(crate) parent: Context,
    pub(crate) began: Moment,
    pub(crate) at: Instant,
    pub(crate) chunks: Vec<Instant>,
    pub(crate) failure: Option<Failure>,
    /// Of its span alone.
    pub(crate) attributes: Vec<KeyValue>,
    /// About how much memory it takes.
    pub(crate) bytes: usize,
}

impl Waiting {
    pub(crate) fn new(op: Box<Inference>, run: RunId) -> Self {
        Waiting { op, run, chunks: Vec::new() }
    }

    pub(crate) fn chunks(&mut self, count: u32, at: Instant) {
        self.chunks.extend((0..count).map(|_| at));
    }

    pub(crate) fn into_parts(self) -> (Box<Inference>, RunId, Vec<Instant>) {
        (self.op, self.run, self.chunks)
    }
}

impl Ended {
    /// What was read for its tools alone, and is not to be kept.
    pub(crate) fn forget_content(&mut self) {
        self.op.request.input_messages = Vec::new();
        self.op.request.system_instructions = Vec::new();
        self.op.request.tool_definitions = Vec::new();
        self.op.response.output_messages = Vec::new();
        self.bytes = size_of::<Inference>() + size_of_val(self.chunks.as_slice());
    }

    /// Tells the call, within `parent`, as it would have been told while it went on.
    pub(crate) fn tell(self, parent: Context) {
        let Ended { genai, mut op, began, at, chunks, failure, attributes, .. } = self;
        // What the metrics of chunks say of a call is what is known by then: the model, and nothing of the end.
        let mut response = mem::take(&mut op.response);
        let usage = mem::take(&mut op.usage);
        let openai = op.openai.clone();
        op.openai.response_service_tier = None;
        op.openai.system_fingerprint = None;
        let mut call = genai.operation(*op).parent(parent).at(began).start();
        call.response.model.clone_from(&response.model);
        chunks.into_iter().for_each(|arrived| call.chunk_at(arrived));
        response.time_to_first_chunk = call.response.time_to_first_chunk;
        call.response = response;
        call.usage = usage;
        call.openai = openai;
        if !attributes.is_empty() {
            call.context().span().set_attributes(attributes);
        }
        match failure {
            None => call.finish_at(at),
            Some(failure) => call.fail_at(at, failure),
        }
    }
}
