//! The answer to `create_agent`, which all providers write alike: the agent as it was made.

use std::borrow::Cow;

use otel_genai::Failure;

use crate::call::CallMut;
use crate::error::Refusal;
use crate::gather::owned;
use crate::json::{self, Raw, object};
use crate::protocol::{Answer, Step};
use crate::scan::Want;

object! {
    struct Document<'a> {
        "id" => id: Option<Cow<'a, str>>,
        "type" => kind: Option<Cow<'a, str>>,
        // A number, or a text.
        "version" => version: Raw<'a>,
        "error" => error: Raw<'a>,
    }
}

/// What an answer has told.
#[derive(Debug)]
pub(crate) struct Created {
    want: &'static Want,
    id: Option<String>,
    version: Option<String>,
    failure: Option<Failure>,
}

impl Created {
    pub(crate) fn new(want: &'static Want) -> Self {
        Created { want, id: None, version: None, failure: None }
    }
}

impl Answer for Created {
    fn want(&self) -> &'static Want {
        self.want
    }

    fn has_content(&self) -> bool {
        false
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let answer: Document<'_> = json::read(document)?;
        if answer.kind.as_deref() == Some("error") || answer.error.get().is_some() {
            self.failure = json::read::<Refusal<'_>>(document)?.failure();
        }
        self.id = owned(answer.id);
        self.version = owned(answer.version.to()).or_else(|| answer.version.get().map(str::to_owned));
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.whole(data).map(|()| Step::Last)
    }

    fn missing(&self) -> Option<&'static str> {
        self.id.is_none().then_some("id")
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::CreateAgent(op) = call {
            op.id = self.id.or(op.id.take());
            op.version = self.version.or(op.version.take());
        }
        self.failure
    }
}
