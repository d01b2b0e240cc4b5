//! What a store answers: one document, of which the found documents are content.

use otel_genai::Failure;
use serde_json::Value;

use super::{Store, read};
use crate::call::CallMut;
use crate::error::{self, Refusal};
use crate::json;
use crate::options::Options;
use crate::protocol::{Answer, Step};
use crate::scan::Want;

/// What an answer has told.
#[derive(Debug)]
pub(super) struct Found {
    content: bool,
    want: &'static Want,
    key: &'static str,
    found: fn(&Value) -> Option<Vec<Value>>,
    failed: fn(&Value) -> Option<Failure>,
    is_answer: bool,
    documents: Vec<Value>,
    failure: Option<Failure>,
}

impl Found {
    pub(super) fn new(store: &Store, options: Options) -> Self {
        Found {
            content: options.content,
            want: store.answer_want,
            key: store.key,
            found: store.found,
            failed: store.failed,
            is_answer: false,
            documents: Vec::new(),
            failure: None,
        }
    }
}

impl Answer for Found {
    fn want(&self) -> &'static Want {
        self.want
    }

    fn has_content(&self) -> bool {
        self.content
    }

    fn whole(&mut self, document: &[u8]) -> Result<(), serde_json::Error> {
        let body = read(document)?;
        self.failure = (self.failed)(&body);
        match (self.found)(&body) {
            Some(documents) => {
                self.is_answer = true;
                if self.content {
                    self.documents = documents;
                }
            }
            None if self.failure.is_none() && body.get("error").is_some_and(|error| !error.is_null()) => {
                let refusal = json::read::<Refusal<'_>>(document)?;
                self.failure = Some(refusal.failure().unwrap_or_else(|| error::of_event(document)));
            }
            None => {}
        }
        Ok(())
    }

    fn event(&mut self, _name: Option<&[u8]>, data: &[u8]) -> Result<Step, serde_json::Error> {
        self.whole(data).map(|()| Step::Last)
    }

    fn missing(&self) -> Option<&'static str> {
        (!self.is_answer).then_some(self.key)
    }

    fn finish(self: Box<Self>, call: CallMut<'_>) -> Option<Failure> {
        if let CallMut::Retrieval(op) = call
            && !self.documents.is_empty()
        {
            op.documents = self.documents;
        }
        self.failure
    }
}
