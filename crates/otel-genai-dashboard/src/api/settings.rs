//! What is set, and changing it.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use http::StatusCode;
use otel_genai_store::{Retention, StoreError};

use super::status::{Lately, status};
use super::transcript::work;
use crate::changes::{self, SHORTEST, SMALLEST};
use crate::http::{Answer, Ask, Failure, json};
use crate::shared::Shared;
use crate::view::{ErrorCode, Setting, Settings, SettingsChange, StoreStatus, Whence};

/// A change is a line or two.
const MOST: usize = 64 << 10;

pub(crate) async fn all(State(shared): State<Arc<Shared>>, ask: Ask) -> Answer {
    ask.done()?;
    Ok(json(&told(&shared).await?))
}

pub(crate) async fn change(State(shared): State<Arc<Shared>>, ask: Ask, body: Body) -> Answer {
    ask.done()?;
    let body = to_bytes(body, MOST).await.map_err(|_| wrong("the change is too long, or broke off"))?;
    let change: SettingsChange = serde_json::from_slice(&body).map_err(|error| {
        wrong(&format!("the change cannot be read: {error}"))
            .hint("Send {\"maxAgeMs\": 604800000, \"maxBytes\": null}, or one of both; null is no limit.")
    })?;
    let _alone = shared.settings.changing.lock().await;
    let now = shared.store.status().await?;
    if now.read_only {
        return Err(StoreError::ReadOnly(now.location.into()).into());
    }
    let max_age = change.max_age_ms.map(|ms| ms.map(Duration::from_millis));
    check(&shared, Setting::MaxAgeMs, max_age.is_some())?;
    check(&shared, Setting::MaxBytes, change.max_bytes.is_some())?;
    if max_age.flatten().is_some_and(|age| age < SHORTEST) {
        return Err(Failure::parameter("maxAgeMs", "records are kept for an hour (3600000) at least"));
    }
    if change.max_bytes.flatten().is_some_and(|bytes| bytes < SMALLEST) {
        return Err(Failure::parameter("maxBytes", "records get 16 MiB (16777216) at least"));
    }
    let retention = Retention {
        max_age: max_age.unwrap_or(now.max_age),
        max_bytes: change.max_bytes.unwrap_or(now.limit_bytes),
    };
    if let Some(file) = shared.settings.changeable.file.clone() {
        let kept = work(move || changes::keep(&file, &change).map_err(|error| (file, error))).await?;
        kept.map_err(|(file, error)| {
            let message = format!("the change cannot be kept in {}: {error}", file.display());
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal, message)
                .hint("Nothing was changed.")
        })?;
    }
    shared.store.keep(retention).await?;
    show(&shared, change, retention);
    *shared.status.lock().await = Lately::default();
    Ok(json(&told(&shared).await?))
}

/// Whether a setting may be changed, if it is to be.
fn check(shared: &Shared, setting: Setting, asked: bool) -> Result<(), Failure> {
    if !asked || changeable(shared).contains(&setting) {
        return Ok(());
    }
    let (name, flag) = match setting {
        Setting::MaxAgeMs => ("maxAgeMs", "--max-age"),
        Setting::MaxBytes => ("maxBytes", "--max-bytes"),
    };
    let failure = Failure::parameter(name, format!("{name} cannot be changed here"));
    Err(failure.hint(format!(
        "A flag or a variable has set it, or the server that keeps the data does: start otel-genai without {flag} to change \
         it here, or change it there."
    )))
}

fn changeable(shared: &Shared) -> Vec<Setting> {
    let changeable = &shared.settings.changeable;
    let each = [
        (Setting::MaxAgeMs, changeable.max_age.is_some()),
        (Setting::MaxBytes, changeable.max_bytes.is_some()),
    ];
    each.into_iter().filter(|(_, may)| *may).map(|(setting, _)| setting).collect()
}

/// The list of variables says it, too.
fn show(shared: &Shared, change: SettingsChange, retention: Retention) {
    let changeable = &shared.settings.changeable;
    let age = change.max_age_ms.map(|_| (&changeable.max_age, changes::age(retention.max_age)));
    let size = change.max_bytes.map(|_| (&changeable.max_bytes, changes::size(retention.max_bytes)));
    let mut variables = shared.settings.variables.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, value) in age.into_iter().chain(size) {
        if let Some(variable) = variables.iter_mut().find(|one| name.as_ref() == Some(&one.name)) {
            variable.value = value;
            variable.from = Whence::Page;
        }
    }
}

async fn told(shared: &Shared) -> Result<Settings, StoreError> {
    let status = status(shared).await?;
    Ok(Settings {
        data_dir: status.location.clone(),
        max_age_ms: status.max_age_ms,
        max_bytes: status.limit_bytes,
        max_content: shared.settings.max_content,
        sync: shared.settings.durability,
        read_only: status.read_only,
        status: StoreStatus::clone(&status),
        connect: crate::connect::ways(shared),
        mcp: crate::connect::mcp(shared),
        variables: shared.settings.variables.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        changeable: if status.read_only { Vec::new() } else { changeable(shared) },
    })
}

fn wrong(message: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, ErrorCode::BadQuery, message)
}
