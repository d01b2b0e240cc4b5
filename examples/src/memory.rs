//! What the agent remembers of its users.

use std::convert::Infallible;

use otel_genai::{GenAi, MemoryRecord};

use crate::model::Model;

/// A store of memories.
#[derive(Clone, Debug)]
pub struct Memories {
    genai: GenAi,
    model: Model,
}

impl Memories {
    /// A store whose telemetry goes there.
    #[must_use]
    pub fn new(genai: GenAi, model: Model) -> Self {
        Self { genai, model }
    }

    /// What is known of a user that has to do with this.
    pub async fn recall(&self, user: &str, about: &str) -> Vec<String> {
        let search = self.genai.search_memory().store("users").with(|op| {
            op.loongsuite.user_id = Some(user.to_owned());
            op.loongsuite.limit = Some(3);
        });
        let recalled = search
            .scope(async |memory| {
                memory.query(about);
                self.model.wait().await;
                memory.records([MemoryRecord::new("prefers short answers")]);
                Ok::<_, Infallible>(vec!["prefers short answers".to_owned()])
            })
            .await;
        recalled.unwrap_or_else(|never| match never {})
    }

    /// Keeps this of a user.
    pub async fn keep(&self, user: &str, fact: &str) {
        let upsert = self
            .genai
            .upsert_memory()
            .store("users")
            .with(|op| op.loongsuite.user_id = Some(user.to_owned()));
        let kept = upsert
            .scope(async |memory| {
                memory.records([MemoryRecord::new(fact)]);
                self.model.wait().await;
                Ok::<_, Infallible>(())
            })
            .await;
        kept.unwrap_or_else(|never| match never {});
    }
}
