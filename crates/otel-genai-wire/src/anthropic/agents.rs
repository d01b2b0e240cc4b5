//! A managed agent is created. What its sessions do is not read: their events are no answer to one request.

use std::borrow::Cow;

use otel_genai::{CreateAgent, Part, ProviderName};

use crate::call::Call;
use crate::created::Created;
use crate::detect::Route;
use crate::framing::{Framing, Media};
use crate::gather::owned;
use crate::json::{self, Raw, object};
use crate::protocol::{Answer, Asked, Dialect};
use crate::scan::Want;

object! {
    /// An agent, as it is sent.
    struct Agent<'a> {
        "name" => name: Option<Cow<'a, str>>,
        "description" => description: Option<Cow<'a, str>>,
        // Its name, or an object that has it as `id`.
        "model" => model: Raw<'a>,
        // The content: nothing of it is left in the body where it is not wanted.
        "system" => system: Option<Cow<'a, str>>,
    }

    struct Model<'a> {
        "id" => id: Option<Cow<'a, str>>,
    }
}

static WANT: Want = Want::Fields(&[
    ("id", Want::Keep(1024)),
    ("type", Want::Keep(1024)),
    ("name", Want::Keep(4096)),
    ("description", Want::Keep(16 << 10)),
    ("version", Want::Keep(64)),
    ("model", Want::Keep(1024)),
    ("error", Want::Keep(64 << 10)),
    ("message", Want::Keep(16 << 10)),
    ("code", Want::Keep(1024)),
]);

/// Anthropic's managed agents.
#[derive(Debug)]
pub(crate) struct Agents;

impl Dialect for Agents {
    fn provider(&self) -> ProviderName {
        ProviderName::Anthropic
    }

    fn request_want(&self) -> &'static Want {
        &WANT
    }

    fn request(&self, document: &[u8], route: &Route) -> Result<Option<Call>, serde_json::Error> {
        let sent: Agent<'_> = json::read(document)?;
        let mut op = CreateAgent::default();
        op.provider = Some(route.provider.clone());
        op.server = Some(route.server.clone());
        op.name = owned(sent.name);
        op.description = owned(sent.description);
        op.model = owned(sent.model.to()).or_else(|| owned(sent.model.to::<Model<'_>>().id));
        op.system_instructions = owned(sent.system).map(Part::text).into_iter().collect();
        Ok(Some(op.into()))
    }

    fn answer(&self, _asked: &Asked<'_>) -> Box<dyn Answer> {
        Box::new(Created::new(&WANT))
    }

    fn framing(&self, _media: Media, _asked: &Asked<'_>) -> Framing {
        Framing::Whole
    }
}
