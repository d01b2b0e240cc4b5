//! An assistant is created.

use std::borrow::Cow;

use otel_genai::{CreateAgent, Part, ProviderName};

use crate::call::Call;
use crate::created::Created;
use crate::detect::Route;
use crate::framing::{Framing, Media};
use crate::gather::owned;
use crate::json::{self, object};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

object! {
    /// An assistant, as it is sent.
    struct Assistant<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        "model" => model: Option<Cow<'a, str>>,
        // The content: nothing of it is left in the body where it is not wanted.
        "instructions" => instructions: Option<Cow<'a, str>>,
    }
}

static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("name", Want::Keep(4096)),
    ("description", Want::Keep(16 << 10)),
    ("model", Want::Keep(1024)),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("type", Want::Keep(1024)),
    ("code", Want::Keep(1024)),
]);

/// OpenAI's assistants.
#[derive(Debug)]
pub(crate) struct Assistants;

impl Dialect for Assistants {
    fn provider(&self) -> ProviderName {
        ProviderName::OpenAi
    }

    fn request_want(&self) -> &'static Want {
        &WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let sent: Assistant<'_> = json::read(document)?;
        let mut op = CreateAgent::default();
        op.provider = Some(route.provider.clone());
        op.server = Some(route.server.clone());
        op.name = owned(sent.name);
        op.description = owned(sent.description);
        op.model = owned(sent.model);
        op.system_instructions = owned(sent.instructions).map(Part::text).into_iter().collect();
        Ok(Some(op.into()))
    }

    fn answer(&self, _asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Created::new(&WANT))
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }
}
