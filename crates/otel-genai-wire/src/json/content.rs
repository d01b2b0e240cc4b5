//! The content of a message, which is a text or a list in most protocols.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::{Lenient, Raw, seed};

/// `content`: a text or a list of parts.
#[derive(Debug, Default)]
pub(crate) enum Content<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    List(Vec<Raw<'a>>),
}

impl<'de> Lenient<'de> for Content<'de> {
    fn text(text: Cow<'de, str>) -> Self {
        Content::Text(text)
    }
    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Vec::list(items).map(Content::List)
    }
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        // A single part without its list. What it says is not worth a special case.
        while fields.next_entry_seed(seed::<Raw<'_>>(), seed::<Raw<'_>>())?.is_some() {}
        Ok(Content::None)
    }
}
