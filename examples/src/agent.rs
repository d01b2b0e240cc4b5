//! An agent that answers a shop's customers: it plans, asks a model, runs tools, looks things up, and remembers.
//!
//! One request of a user becomes this tree:
//!
//! ```text
//! enter_ai_application_system
//! ├── create_agent Support
//! └── invoke_agent Support
//!     ├── search_memory
//!     ├── plan Support
//!     │   └── chat gpt-4o-mini
//!     ├── chat gpt-4o-mini               the model asks for two tools
//!     ├── execute_tool track_order       ┐ at the same time
//!     ├── execute_tool search_handbook   ┘
//!     │   ├── retrieval handbook
//!     │   │   └── embeddings text-embedding-3-small
//!     │   └── rerank_documents rerank-v3.5
//!     ├── chat gpt-4o-mini               streamed
//!     └── upsert_memory
//! ```

use futures_util::{StreamExt as _, future, pin_mut};
use otel_genai::{GenAi, Message, Part, ToolDefinition};
use serde_json::{Value, json};

use crate::client::{Client, MODEL, tool_calls};
use crate::handbook::Handbook;
use crate::memory::Memories;
use crate::model::{Answer, Chunk, Model, ModelError};

/// The agent, and what it works with.
#[derive(Clone, Debug)]
pub struct Agent {
    genai: GenAi,
    model: Model,
    client: Client,
    handbook: Handbook,
    memories: Memories,
}

impl Agent {
    /// An agent whose telemetry goes there, and that asks this model.
    #[must_use]
    pub fn new(genai: GenAi, model: Model) -> Self {
        let client = Client::new(genai.clone(), model);
        Self {
            handbook: Handbook::new(genai.clone(), client.clone(), model),
            memories: Memories::new(genai.clone(), model),
            genai,
            model,
            client,
        }
    }

    /// A user asks, and gets an answer. `show` sees it while it comes.
    ///
    /// # Errors
    /// The model's.
    pub async fn answer(
        &self,
        user: &str,
        question: &str,
        mut show: impl FnMut(&str),
    ) -> Result<String, ModelError> {
        self.genai
            .entry()
            .session("session-1")
            .user(user)
            .scope(async |entry| {
                entry.input([Message::user(question)]);
                self.create().await?;
                let answer = self.invoke(user, question, &mut show).await?;
                entry.output([Message::assistant(&answer).finish("stop")]);
                Ok(answer)
            })
            .await
    }

    /// The agent is made known to the service that keeps agents.
    async fn create(&self) -> Result<(), ModelError> {
        self.genai
            .create_agent("Support")
            .provider("openai")
            .server("api.openai.com", 443)
            .model(MODEL)
            .description("Answers questions about orders")
            .scope(async |agent| {
                self.model.wait().await;
                agent.id = Some("asst_1".to_owned());
                Ok(())
            })
            .await
    }

    /// The agent works. What happens within inherits its name and conversation.
    async fn invoke(
        &self,
        user: &str,
        question: &str,
        show: &mut impl FnMut(&str),
    ) -> Result<String, ModelError> {
        self.genai
            .invoke_agent("Support")
            .model(MODEL)
            .conversation("conversation-7")
            .scope(async |agent| {
                let tools = tools();
                agent.instructions([Part::text("You answer the customers of a shop.")]);
                agent.tools(tools.iter().cloned());
                agent.input([Message::user(question)]);

                let known = self.memories.recall(user, question).await;
                let plan = self.plan(question).await?;
                let mut history = vec![Message::system(known.join("\n")), Message::user(question)];
                let asked_for = self.client.chat(&history, &tools).await?;
                let calls = tool_calls(&asked_for.message);
                let results = future::try_join_all(calls.map(|call| self.run_tool(call))).await?;
                history.push(asked_for.message);
                history.extend(results);

                let (answer, tokens) = self.tell(&history, show).await?;
                let used = [plan.tokens, asked_for.tokens, tokens];
                agent.usage(used.iter().map(|used| used.0).sum(), used.iter().map(|used| used.1).sum());
                self.memories.keep(user, "asked for a late order").await;
                agent.response_mut().finish_reasons = vec!["stop".to_owned()];
                agent.output([Message::assistant(&answer).finish("stop")]);
                Ok(answer)
            })
            .await
    }

    /// What to do. The model's call stands within the plan; what is then done stands beside it.
    async fn plan(&self, question: &str) -> Result<Answer, ModelError> {
        let history = [Message::system("Make a plan."), Message::user(question)];
        self.genai.plan().scope(async |_| self.client.chat(&history, &[]).await).await
    }

    /// A tool that the model asks for. Its result goes back to the model.
    async fn run_tool(&self, (id, name, arguments): (String, String, Value)) -> Result<Message, ModelError> {
        self.genai
            .execute_tool(&name)
            .kind("function")
            .call_id(&id)
            .scope(async |tool| {
                tool.arguments(arguments.clone());
                let result = match name.as_str() {
                    "track_order" => {
                        self.model.wait().await;
                        json!({"order": arguments.get("order"), "place": "Hamburg"})
                    }
                    _ => {
                        let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
                        let found = self.handbook.look_up(query).await?;
                        Value::from_iter(found)
                    }
                };
                tool.result(result.clone());
                Ok(Message::tool(&id, result))
            })
            .await
    }

    /// The answer, shown while it comes, and the tokens that it took.
    async fn tell(
        &self,
        history: &[Message],
        show: &mut impl FnMut(&str),
    ) -> Result<(String, (u64, u64)), ModelError> {
        let mut answer = (String::new(), (0, 0));
        let chunks = self.client.stream(history);
        pin_mut!(chunks);
        while let Some(chunk) = chunks.next().await {
            match chunk? {
                Chunk::Text(text) => {
                    show(text);
                    answer.0.push_str(text);
                }
                Chunk::End { tokens, .. } => answer.1 = tokens,
            }
        }
        Ok(answer)
    }
}

fn tools() -> Vec<ToolDefinition> {
    vec![ToolDefinition::function("track_order"), ToolDefinition::function("search_handbook")]
}
