//! Whether a log record of a session and a span tell of the same call.

use std::time::Duration;

use crate::facts::Op;

/// A record comes at the end of a call, and clocks differ: by so much it may lie beside the span of the same call.
pub(crate) const BESIDE: Duration = Duration::from_secs(5);
/// Of calls that last longer spans are not looked for.
pub(crate) const LONGEST: Duration = Duration::from_secs(900);

/// By what two tellings of a call are known to be of one. `M` tells models, by their names or by numbers for those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks<'a, M> {
    pub(crate) op: Op,
    pub(crate) response: Option<&'a str>,
    pub(crate) tool_call: Option<&'a str>,
    /// Input and output.
    pub(crate) tokens: [Option<u64>; 2],
    /// The one that was asked for, and the one that answered.
    pub(crate) models: [Option<M>; 2],
}

impl<M: PartialEq> Marks<'_, M> {
    /// Whether both, told at that time, are of one call: what providers and models made up for it alone, else the very number
    /// of tokens of one model.
    pub(crate) fn are_one(&self, other: &Marks<'_, M>) -> bool {
        if self.op != other.op && !(self.op.is_inference() && other.op.is_inference()) {
            return false;
        }
        if self.op == Op::ExecuteTool {
            return self.tool_call.is_some() && self.tool_call == other.tool_call;
        }
        if let (Some(one), Some(other)) = (self.response, other.response) {
            // A client knows a call by the request's id, a gateway by the answer's: only ids of one kind tell calls apart.
            let kind = |id: &str| id.split(['_', '-']).next().map(str::to_owned);
            if one == other || kind(one) == kind(other) {
                return one == other;
            }
        }
        let same_model = self
            .models
            .iter()
            .flatten()
            .any(|model| other.models.iter().flatten().any(|other| other == model));
        let some = self.tokens.iter().all(|tokens| tokens.is_some_and(|tokens| tokens > 0));
        same_model && some && self.tokens == other.tokens
    }
}
