//! The page on which a run can be seen.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otel_genai::{Capture, config};

use super::found::{Found, traces_of};
use super::{detached, place};
use crate::diagnostics;
use crate::options::{Receiver, TelemetryOptions};

/// What a run sent is stored when it is acknowledged; the link must not hold the end of the run for anything else.
const LINK: Duration = Duration::from_secs(1);

/// Where a run can be seen.
pub(crate) struct Page {
    found: Found,
    service: String,
    /// When the run began, in milliseconds since 1970.
    from: u128,
    has_content: bool,
}

impl Page {
    /// Finds the dashboard that runs, or starts one, for a run whose telemetry is filed under `service` unless the user
    /// says another name. The error is for people.
    pub(crate) async fn find(
        options: &TelemetryOptions,
        service: String,
    ) -> Result<(Self, Receiver), String> {
        let folder = place::folder(None)
            .ok_or("there is no home to keep data in; OTEL_GENAI_DATA_DIR names a folder")?;
        #[cfg(feature = "clickhouse")]
        if super::settings::STORE.variable().is_some() {
            // Other commands of this shell look there.
            diagnostics::remark(format_args!(
                "the dashboard of this run keeps its data in {}, not in OTEL_GENAI_STORE; to have them there, start \
                 `otel-genai dashboard` and send to it: `otel-genai run --endpoint http://localhost:4318 -- ...`",
                place::shown(&folder)
            ));
        }
        let found = detached::find_or_start(&folder).await?;
        let Some(endpoint) = found.otlp.clone() else {
            return Err(format!("the one at {} takes no OTLP over HTTP (--http off)", found.shown()));
        };
        let service = options.variable("OTEL_SERVICE_NAME").unwrap_or(service);
        let capture = options.variable(config::CAPTURE_MESSAGE_CONTENT);
        let capture = capture.and_then(|mode| mode.replace('-', "_").parse::<Capture>().ok());
        let has_content = capture.is_some_and(|mode| mode != Capture::NoContent);
        let from = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let receiver = Receiver { endpoint, token: found.token.clone(), only: true };
        Ok((Self { found, service, from, has_content }, receiver))
    }

    /// Says where the run can be seen.
    pub(crate) async fn tell(&self) {
        let link = tokio::time::timeout(LINK, traces_of(&self.found, &self.service, self.from)).await;
        let Ok(Some(link)) = link else {
            diagnostics::remark(format_args!("the dashboard: {}", self.found.link("/")));
            return;
        };
        diagnostics::remark(format_args!("see it: {link}"));
        if !self.has_content {
            diagnostics::remark("without prompts and answers; --content true records them");
        }
    }
}
