//! Memory: what an agent remembers, across conversations.

use otel_genai_semconv::value::{OperationName, ProviderName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fact::of;
use super::inference::system;
use super::{ContentMut, Custom, Fact, Facts, Field, Kind, Operation, Server, operation};

/// Something is remembered, looked up or forgotten (conventions, *Memory*; LoongSuite, *memory*).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Memory {
    /// Which of the seven memory operations it is.
    pub operation: OperationName,
    /// Who keeps the memory, where that is a provider.
    pub provider: Option<ProviderName>,
    /// Where it listens.
    pub server: Option<Server>,
    /// The id of the store.
    pub store_id: Option<String>,
    /// The id of the record, where the operation is about one.
    pub record_id: Option<String>,
    /// How many records were found, or are to be written.
    pub record_count: Option<i64>,
    /// Content: what is looked for.
    pub query: Option<String>,
    /// Content: the records found or written, each an object (see [`MemoryRecord`]).
    pub records: Vec<Value>,
    /// What only LoongSuite's convention tells.
    pub loongsuite: LoongSuiteMemory,
    /// Further attributes.
    pub custom: Custom,
}

/// A record of a memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MemoryRecord {
    /// What is remembered.
    pub content: Value,
    /// The record's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How well it fits what is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Anything else that is known of it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
}

impl MemoryRecord {
    /// A record that holds this.
    pub fn new(content: impl Into<Value>) -> Self {
        MemoryRecord { content: content.into(), ..MemoryRecord::default() }
    }
}

impl From<MemoryRecord> for Value {
    fn from(record: MemoryRecord) -> Self {
        let score = record.score.filter(|score| score.is_finite());
        serde_json::to_value(MemoryRecord { score, ..record }).unwrap_or_default()
    }
}

/// What only LoongSuite's convention tells of a memory operation.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LoongSuiteMemory {
    /// The operation in LoongSuite's word (`add`, `search`, `get_all`, `history`, ...), where it is not the one that
    /// the operation's name implies.
    pub operation: Option<String>,
    /// Whose memory it is.
    pub user_id: Option<String>,
    /// Of which agent.
    pub agent_id: Option<String>,
    /// Of which run.
    pub run_id: Option<String>,
    /// Of which application.
    pub app_id: Option<String>,
    /// How many records are asked for at most.
    pub limit: Option<i64>,
    /// Which page is asked for.
    pub page: Option<i64>,
    /// How many records a page has.
    pub page_size: Option<i64>,
    /// How many of the best records are asked for.
    pub top_k: Option<i64>,
    /// What kind of memory it is.
    pub memory_type: Option<String>,
    /// How well a record must fit.
    pub threshold: Option<f64>,
    /// Whether the records are reranked.
    pub rerank: Option<bool>,
    /// Content: what is given, as the memory's library takes it.
    pub input: Option<Value>,
    /// Content: what is answered, as the memory's library gives it.
    pub output: Option<Value>,
}

impl Memory {
    /// An operation about which nothing is known yet.
    pub fn new(operation: impl Into<OperationName>) -> Self {
        Memory {
            operation: operation.into(),
            provider: None,
            server: None,
            store_id: None,
            record_id: None,
            record_count: None,
            query: None,
            records: Vec::new(),
            loongsuite: LoongSuiteMemory::default(),
            custom: Custom::default(),
        }
    }

    /// The operation in LoongSuite's word.
    fn loongsuite_operation(&self) -> Option<Fact<'_>> {
        let implied = match self.operation {
            OperationName::SearchMemory => "search",
            OperationName::CreateMemory => "add",
            OperationName::UpdateMemory | OperationName::UpsertMemory => "update",
            OperationName::DeleteMemory => "delete",
            _ => "",
        };
        match &self.loongsuite.operation {
            Some(operation) => Some(Fact::Text(operation)),
            None if implied.is_empty() => Some(Fact::Word(self.operation.clone().into())),
            None => Some(Fact::Text(implied)),
        }
    }
}

operation!(Memory);

impl Facts for Memory {
    fn kind(&self) -> Kind {
        Kind::Memory
    }

    fn fact(&self, field: Field) -> Option<Fact<'_>> {
        let own = &self.loongsuite;
        match field {
            Field::OperationName => Some(Fact::Word(self.operation.clone().into())),
            Field::ProviderName => of::word(&self.provider),
            Field::System => self.provider.as_ref().map(|provider| Fact::Word(system(provider))),
            Field::ServerAddress => self.server.as_ref().map(|server| Fact::Text(&server.address)),
            Field::ServerPort => of::int(self.server.as_ref().and_then(|server| server.port).map(i64::from)),
            Field::MemoryStoreId => of::text(&self.store_id),
            Field::MemoryRecordId => of::text(&self.record_id),
            Field::MemoryRecordCount => of::int(self.record_count),
            Field::QueryText => of::text(&self.query),
            Field::MemoryRecords => of::list(&self.records),
            Field::MemoryOperation => self.loongsuite_operation(),
            Field::MemoryUserId => of::text(&own.user_id),
            Field::MemoryAgentId => of::text(&own.agent_id),
            Field::MemoryRunId => of::text(&own.run_id),
            Field::MemoryAppId => of::text(&own.app_id),
            Field::MemoryLimit => of::int(own.limit),
            Field::MemoryPage => of::int(own.page),
            Field::MemoryPageSize => of::int(own.page_size),
            Field::TopK => of::int(own.top_k),
            Field::MemoryType => of::text(&own.memory_type),
            Field::MemoryThreshold => of::float(own.threshold),
            Field::MemoryRerank => of::bool(own.rerank),
            Field::MemoryInput => of::json(&own.input).or_else(|| of::text(&self.query)),
            Field::MemoryOutput => of::json(&own.output).or_else(|| of::list(&self.records)),
            _ => None,
        }
    }

    fn custom(&self) -> &Custom {
        &self.custom
    }
}

impl Operation for Memory {
    fn custom_mut(&mut self) -> &mut Custom {
        &mut self.custom
    }

    fn content_mut(&mut self, change: &mut dyn FnMut(ContentMut<'_>)) {
        if let Some(query) = &mut self.query {
            change(ContentMut::Text(Field::QueryText, query));
        }
        for record in &mut self.records {
            change(ContentMut::Json(Field::MemoryRecords, record));
        }
        if let Some(input) = &mut self.loongsuite.input {
            change(ContentMut::Json(Field::MemoryInput, input));
        }
        if let Some(output) = &mut self.loongsuite.output {
            change(ContentMut::Json(Field::MemoryOutput, output));
        }
    }
}
