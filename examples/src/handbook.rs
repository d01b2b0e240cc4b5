//! Documents to look things up in: found by their vectors, then put in order by a model made for it.

use otel_genai::{Document, GenAi};
use serde_json::json;

use crate::client::Client;
use crate::model::{Model, ModelError};

/// A shop's handbook.
#[derive(Clone, Debug)]
pub struct Handbook {
    genai: GenAi,
    client: Client,
    model: Model,
}

impl Handbook {
    /// A handbook whose texts were embedded with this client's model.
    #[must_use]
    pub fn new(genai: GenAi, client: Client, model: Model) -> Self {
        Self { genai, client, model }
    }

    /// What the handbook says to this, the best first.
    ///
    /// # Errors
    /// The model's, where the question cannot be embedded.
    pub async fn look_up(&self, query: &str) -> Result<Vec<Document>, ModelError> {
        let found = self
            .genai
            .retrieval("handbook")
            .server("vectors.example", 6333)
            .top_k(2)
            .scope(async |retrieval| {
                retrieval.query(query);
                self.client.embed(&[query.to_owned()]).await?;
                self.model.wait().await;
                let found = vec![
                    Document::new("opening-hours", 0.81).content("We are open from nine to five."),
                    Document::new("late-parcels", 0.79).content("Shipping of late parcels is free."),
                ];
                retrieval.documents(found.clone());
                Ok::<_, ModelError>(found)
            })
            .await?;
        self.in_order(query, found).await
    }

    async fn in_order(&self, query: &str, mut found: Vec<Document>) -> Result<Vec<Document>, ModelError> {
        self.genai
            .rerank("cohere", "rerank-v3.5")
            .top_k(1)
            .scope(async |rerank| {
                rerank.query(query);
                rerank.input_documents(found.iter().cloned());
                self.model.wait().await;
                found.reverse();
                rerank.output_documents([json!({"id": "late-parcels", "relevance_score": 0.98})]);
                found.truncate(1);
                Ok(found)
            })
            .await
    }
}
