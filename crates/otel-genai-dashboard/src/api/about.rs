//! What answers here.

use std::sync::Arc;

use axum::extract::State;

use crate::http::{Answer, Ask, json};
use crate::serve::Doors;
use crate::shared::Shared;
use crate::view::{About, Otlp, millis};

pub(crate) async fn about(State(shared): State<Arc<Shared>>, ask: Ask) -> Answer {
    ask.done()?;
    let mut about = About {
        name: "otel-genai".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        needs_token: shared.guard.token().is_some(),
        epoch: None,
        started_ms: None,
        page: None,
        otlp: None,
        store: None,
        read_only: None,
        currency: None,
        prices_date: None,
    };
    if shared.guard.knows(&ask.headers).is_ok() {
        let status = shared.store.status().await?;
        about.epoch = Some(shared.epoch.clone());
        about.started_ms = Some(millis(shared.started));
        about.page = Some(Doors::url(shared.doors.page));
        about.otlp =
            Some(Otlp { http: shared.doors.http.map(Doors::url), grpc: shared.doors.grpc.map(Doors::url) });
        about.store = Some(status.location);
        about.read_only = Some(status.read_only);
        about.currency = Some(shared.prices.currency().to_owned());
        about.prices_date = Some(shared.prices.date().to_owned());
    }
    Ok(json(&about))
}
