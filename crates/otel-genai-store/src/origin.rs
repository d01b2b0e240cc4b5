//! Where a record comes from: the resource that made it, and the instrumentation scope that told it.

use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::{EntityRef, InstrumentationScope};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;

use crate::value::Attributes;

/// The service of records whose resource names none.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// Resource and scope of a record. Equal ones share one `Arc` within an answer.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// What made it.
    pub resource: Resource,
    /// What told it.
    pub scope: Scope,
}

/// What made a record: a process, usually, with a service's name.
#[derive(Clone, Debug)]
pub struct Resource {
    /// `service.name`, else `unknown_service`.
    pub service: Arc<str>,
    /// All of its attributes, `service.name` among them.
    pub attributes: Attributes,
    /// How many attributes its SDK dropped.
    pub dropped: u32,
    /// The entities that its attributes describe.
    pub entities: Vec<EntityRef>,
    /// The schema of everything under it that has none of its own.
    pub schema_url: Arc<str>,
    /// Whether OTLP had a resource at all: absent and empty are told apart.
    pub present: bool,
}

/// What told a record: an instrumentation library.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Its name; may be empty.
    pub name: Arc<str>,
    /// Its version; may be empty.
    pub version: Arc<str>,
    /// Its attributes.
    pub attributes: Attributes,
    /// How many attributes its SDK dropped.
    pub dropped: u32,
    /// The schema of its records.
    pub schema_url: Arc<str>,
    /// Whether OTLP had a scope at all.
    pub present: bool,
}

impl Default for Resource {
    fn default() -> Self {
        Self::from_otlp(None, String::new())
    }
}

impl Resource {
    /// From OTLP: a resource, and the schema beside it.
    #[must_use]
    pub fn from_otlp(resource: Option<OtlpResource>, schema_url: String) -> Self {
        let present = resource.is_some();
        let OtlpResource { attributes, dropped_attributes_count, entity_refs } = resource.unwrap_or_default();
        let attributes = Attributes::from_otlp(attributes);
        let service = attributes.text("service.name").filter(|name| !name.is_empty());
        let service = service.as_deref().unwrap_or(UNKNOWN_SERVICE).into();
        let schema_url = schema_url.into();
        Self {
            service,
            attributes,
            dropped: dropped_attributes_count,
            entities: entity_refs,
            schema_url,
            present,
        }
    }

    /// The resource that came; its schema is [`schema_url`](Self::schema_url).
    #[must_use]
    pub fn to_otlp(&self) -> Option<OtlpResource> {
        self.present.then(|| OtlpResource {
            attributes: self.attributes.to_otlp(),
            dropped_attributes_count: self.dropped,
            entity_refs: self.entities.clone(),
        })
    }
}

impl Scope {
    /// From OTLP: a scope, and the schema beside it.
    #[must_use]
    pub fn from_otlp(scope: Option<InstrumentationScope>, schema_url: String) -> Self {
        let present = scope.is_some();
        let InstrumentationScope { name, version, attributes, dropped_attributes_count } =
            scope.unwrap_or_default();
        Self {
            name: name.into(),
            version: version.into(),
            attributes: Attributes::from_otlp(attributes),
            dropped: dropped_attributes_count,
            schema_url: schema_url.into(),
            present,
        }
    }

    /// The scope that came; its schema is [`schema_url`](Self::schema_url).
    #[must_use]
    pub fn to_otlp(&self) -> Option<InstrumentationScope> {
        self.present.then(|| InstrumentationScope {
            name: self.name.as_ref().to_owned(),
            version: self.version.as_ref().to_owned(),
            attributes: self.attributes.to_otlp(),
            dropped_attributes_count: self.dropped,
        })
    }
}
