//! hyper-util's client with tower's layers, and ours as the outermost one. It speaks Anthropic's protocol.

use std::future::{Ready, ready};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use otel_genai_http::Tap;
use otel_genai_http::tower::{BoxError, GenAiLayer};
use program::reading::Pieces;
use program::{Error, PATIENCE, Scene, anthropic, left, run};
use serde_json::{Value, json};
use tower::timeout::error::Elapsed;
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt as _};

type Answer = Response<http_body_util::combinators::BoxBody<Bytes, BoxError>>;
type Http = BoxCloneService<Request<Full<Bytes>>, Answer, BoxError>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let _telemetry = otel_genai::init()?;
    run(play).await
}

async fn play(scene: &Scene) -> Result<Value, Error> {
    let client = match scene.name.as_str() {
        // The wrong way round.
        "attempts" => {
            let client = Client::builder(TokioExecutor::new()).build_http::<Tap<Full<Bytes>>>();
            let stack = ServiceBuilder::new().retry(Again).layer(GenAiLayer::new()).service(client);
            boxed(stack)
        }
        _ => {
            let client = Client::builder(TokioExecutor::new()).build_http::<Tap<Full<Bytes>>>();
            let patience = if scene.name == "timeout" { PATIENCE } else { 60 * PATIENCE };
            let layers = ServiceBuilder::new().layer(GenAiLayer::new().boxed_errors()).timeout(patience);
            boxed(layers.retry(Again).service(client))
        }
    };
    match scene.name.as_str() {
        "unary" | "refused" | "retried" | "attempts" => {
            told(ask(&client, scene, &anthropic::hello()).await?).await
        }
        "stream" => {
            let mut pieces = Pieces::new(anthropic::piece);
            let mut answer = ask(&client, scene, &anthropic::pieces()).await?;
            while let Some(frame) = answer.frame().await {
                pieces.read(frame?.data_ref().unwrap_or(&Bytes::new()));
            }
            Ok(json!({ "text": pieces.text }))
        }
        "dropped" => {
            let mut pieces = Pieces::new(anthropic::piece);
            let mut answer = ask(&client, scene, &anthropic::pieces()).await?;
            while !pieces.is_half() {
                let frame = answer.frame().await.ok_or("the stream is over too soon")??;
                pieces.read(frame.data_ref().unwrap_or(&Bytes::new()));
            }
            drop(answer);
            left(scene).await?;
            Ok(json!({ "text": pieces.text }))
        }
        "timeout" => match ask(&client, scene, &anthropic::hello()).await {
            Err(error) if error.is::<Elapsed>() => Ok(json!({ "error": "timeout" })),
            other => Err(format!("no timeout, but {other:?}").into()),
        },
        "tools" => anthropic::tools(async |request| whole(ask(&client, scene, &request).await?).await).await,
        _ => Err("no such scene".into()),
    }
}

/// Any of these stacks, behind one type.
fn boxed<S, B, E>(stack: S) -> Http
where
    S: tower::Service<Request<Full<Bytes>>, Response = Response<B>, Error = E> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static,
    E: Into<BoxError> + 'static,
{
    let stack = stack
        .map_err(Into::into)
        .map_response(|answer: Response<B>| answer.map(|body| body.map_err(Into::into).boxed()));
    BoxCloneService::new(stack)
}

async fn ask(client: &Http, scene: &Scene, body: &Value) -> Result<Answer, Error> {
    let request = Request::post(format!("{}/v1/messages", scene.server))
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .header("x-api-key", &scene.key)
        .body(Full::from(serde_json::to_vec(body)?))?;
    client.clone().oneshot(request).await
}

async fn whole(answer: Answer) -> Result<Value, Error> {
    Ok(serde_json::from_slice(&answer.into_body().collect().await?.to_bytes())?)
}

async fn told(answer: Answer) -> Result<Value, Error> {
    let status = answer.status();
    let answer = whole(answer).await?;
    if status.is_success() {
        Ok(json!({ "text": anthropic::text(&answer)? }))
    } else {
        Ok(json!({ "status": status.as_u16(), "message": answer["error"]["message"] }))
    }
}

/// Tries again what was refused.
#[derive(Clone)]
struct Again;

impl<B: Clone, R, E> tower::retry::Policy<Request<B>, Response<R>, E> for Again {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<B>, result: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
        let refused = matches!(result, Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS);
        refused.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}
