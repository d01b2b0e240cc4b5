//! What needs a store that waits or refuses on command.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use otel_genai::opentelemetry::KeyValue;
use otel_genai::opentelemetry::trace::SpanContext;
use otel_genai::{Completion, CompletionHook as _, Message};
use tokio::sync::Semaphore;

use crate::place::Place;
use crate::settings::Format;
use crate::upload::UploadHook;

const PATIENCE: Duration = Duration::from_secs(30);

/// A store that writes only as often as it is allowed to.
#[derive(Debug)]
struct Gated {
    memory: InMemory,
    allowed: Semaphore,
}

impl Gated {
    /// The first write is the one that tries the place.
    fn new() -> Arc<Self> {
        Arc::new(Gated { memory: InMemory::new(), allowed: Semaphore::new(1) })
    }

    fn hook(self: &Arc<Self>, queue: usize, each: Duration) -> UploadHook {
        let store = Arc::clone(self) as Arc<dyn ObjectStore>;
        let place = Place { store, folder: Path::from("prompts"), base: "test://bucket/prompts".into() };
        UploadHook::start(place, Format::Json, queue, each).unwrap()
    }
}

impl fmt::Display for Gated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gated")
    }
}

#[async_trait]
impl ObjectStore for Gated {
    async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.allowed.acquire().await.unwrap().forget();
        self.memory.put_opts(at, payload, options).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.memory.put_multipart_opts(at, options).await
    }
    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.memory.get_opts(at, options).await
    }
    fn delete_stream(&self, at: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.memory.delete_stream(at)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.memory.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.memory.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.memory.copy_opts(from, to, options).await
    }
}

/// Completes a call that asked this; the references.
fn ask(hook: &UploadHook, text: &str) -> Vec<KeyValue> {
    let (mut input, mut attributes) = (vec![Message::user(text)], vec![]);
    let (mut output, mut instructions, mut tools) = (vec![], vec![], vec![]);
    hook.on_completion(&mut Completion::new(
        "chat",
        &SpanContext::NONE,
        &mut input,
        &mut output,
        &mut instructions,
        &mut tools,
        &mut attributes,
    ));
    attributes
}

fn stored(store: &Gated, reference: &KeyValue) -> Option<String> {
    let name = reference.value.as_str().rsplit('/').next()?.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let found = store.memory.get(&Path::from("prompts").join(name)).await.ok()?;
        Some(String::from_utf8(found.bytes().await.ok()?.into()).unwrap())
    })
}

#[test]
fn a_full_queue_drops_and_does_not_wait() {
    let store = Gated::new();
    let hook = store.hook(3, PATIENCE);
    // Nothing is written yet, and still each call returns.
    let accepted: Vec<_> = (0..3).map(|n| ask(&hook, &format!("question {n}"))).collect();
    assert!(accepted.iter().all(|references| references.len() == 1), "{accepted:?}");
    assert_eq!(ask(&hook, "one too many"), vec![], "what is dropped has no reference");
    assert_eq!(ask(&hook, "question 1"), accepted[1], "what waits already needs no room");
    let counts = hook.counts();
    assert_eq!((counts.pending, counts.dropped, counts.known), (3, 1, 1), "{counts:?}");

    store.allowed.add_permits(10);
    let counts = hook.flush(PATIENCE);
    assert_eq!((counts.pending, counts.stored, counts.failed), (0, 3, 0), "{counts:?}");
    let text = stored(&store, &accepted[2][0]).unwrap();
    assert!(text.contains("question 2"), "{text}");
    assert_eq!(ask(&hook, "one too many").len(), 1, "there is room again");
}

#[test]
fn a_store_that_hangs_fails_each_upload_in_its_time() {
    let store = Gated::new();
    let hook = store.hook(20, Duration::from_millis(50));
    let reference = ask(&hook, "a question");
    let counts = hook.flush(PATIENCE);
    assert_eq!((counts.pending, counts.failed), (0, 1), "{counts:?}");
    assert_eq!(stored(&store, &reference[0]), None);

    // The same content has another chance when the store is back.
    store.allowed.add_permits(10);
    assert_eq!(ask(&hook, "a question"), reference);
    assert_eq!(hook.flush(PATIENCE).stored, 1);
    assert!(stored(&store, &reference[0]).is_some());
}

#[test]
fn flush_and_shutdown_are_back_in_time() {
    let store = Gated::new();
    let hook = store.hook(20, PATIENCE);
    ask(&hook, "a question");
    assert_eq!(hook.flush(Duration::from_millis(1)).pending, 1);
    let counts = hook.shutdown(Duration::from_millis(1));
    assert_eq!((counts.pending, counts.failed), (0, 1), "{counts:?}");
    assert_eq!(ask(&hook, "after the end"), vec![]);
    assert_eq!(hook.shutdown(PATIENCE).dropped, 1, "a second shutdown changes nothing");
}

#[test]
fn the_last_clone_drains_when_it_goes() {
    let store = Gated::new();
    let hook = store.hook(20, PATIENCE);
    let reference = ask(&hook, "a question");
    drop(hook.clone());
    assert_eq!(hook.counts().pending, 1, "a clone that goes ends nothing");
    store.allowed.add_permits(1);
    drop(hook);
    assert!(stored(&store, &reference[0]).is_some());
}

#[test]
fn a_store_that_does_not_answer_is_refused_at_once() {
    let store = Gated::new();
    store.allowed.forget_permits(1);
    let place = Place {
        store: Arc::clone(&store) as Arc<dyn ObjectStore>,
        folder: Path::default(),
        base: "test://bucket".into(),
    };
    let refused = UploadHook::start(place, Format::Json, 20, Duration::from_millis(20)).unwrap_err();
    assert!(refused.to_string().contains("test://bucket"), "{refused}");
}

#[test]
fn many_threads_store_each_content_once() {
    let store = Gated::new();
    store.allowed.add_permits(1000);
    let hook = store.hook(1000, PATIENCE);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..100 {
                    assert_eq!(ask(&hook, &format!("question {n}")).len(), 1);
                }
            });
        }
    });
    let counts = hook.shutdown(PATIENCE);
    assert_eq!((counts.stored, counts.known, counts.failed, counts.dropped), (100, 700, 0, 0), "{counts:?}");
}
