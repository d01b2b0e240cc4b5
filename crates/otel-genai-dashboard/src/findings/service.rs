//! Services as a whole: what they send, and in whose words.

use otel_genai_store::{Dialect, ServiceInfo};

use super::content::by_events;
use super::found::{Found, of_rule};
use super::rule::{
    CONTENT_OFF, DEPRECATED_NAMES, EVENTS_EXPECTED_NO_LOGS, NO_SERVICE_NAME, Rule, content_setting,
};
use super::words::is_nameless;
use crate::view::{self, ContentState, Finding, ServiceHealth, Signals};

/// What is wrong with services.
#[must_use]
pub fn of_services(services: &[ServiceInfo]) -> Vec<Finding> {
    let mut found = Found::default();
    for service in services {
        check(service, &mut found);
    }
    found.done()
}

fn check(service: &ServiceInfo, found: &mut Found) {
    let mut say = |rule: &Rule, title: String, setting: Option<&str>, count: u64| {
        let name = Some(service.name.as_ref().to_owned());
        found.add(Finding { service: name, count, ..of_rule(rule, title, setting) });
    };
    if is_nameless(&service.name) {
        say(&NO_SERVICE_NAME, NO_SERVICE_NAME.title.to_owned(), None, service.spans);
    }
    let speaks: Vec<Dialect> = service.dialects.iter().map(|(dialect, _)| *dialect).collect();
    if service.calls > 0 && service.with_content == 0 {
        if service.logs == 0 && speaks.iter().any(|dialect| by_events(*dialect)) {
            say(&EVENTS_EXPECTED_NO_LOGS, EVENTS_EXPECTED_NO_LOGS.title.to_owned(), None, service.calls);
        } else {
            let first = speaks.first().copied().unwrap_or(Dialect::V2026_08);
            let title = CONTENT_OFF.title.to_owned();
            // The instrumentation that tells most.
            let scope =
                service.scopes.iter().max_by_key(|(_, _, spans)| *spans).map(|(name, ..)| name.as_ref());
            say(&CONTENT_OFF, title, Some(content_setting(first, scope)), service.calls);
        }
    }
    for (dialect, spans) in &service.dialects {
        if let Dialect::V1_30 | Dialect::GenAiOther = dialect
            && let Some(word) = view::Dialect::of(*dialect)
        {
            let title = format!("Spans are told in an older vocabulary: {}", word.as_str());
            say(&DEPRECATED_NAMES, title, None, *spans);
        }
    }
}

/// How each service tells its story; `findings` are all that were found.
#[must_use]
pub fn health(services: &[ServiceInfo], findings: &[Finding]) -> Vec<ServiceHealth> {
    let each = |service: &ServiceInfo| ServiceHealth {
        service: service.name.as_ref().to_owned(),
        dialects: service.dialects.iter().filter_map(|(dialect, _)| view::Dialect::of(*dialect)).collect(),
        capture: match (service.calls, service.with_content) {
            (0, _) => ContentState::Unknown,
            (_, 0) => ContentState::Absent,
            _ => ContentState::Here,
        },
        calls: service.calls,
        with_content: service.with_content,
        signals: Signals { traces: service.spans > 0, logs: service.logs > 0, metrics: service.points > 0 },
        findings: findings.iter().filter(|finding| finding.service.as_deref() == Some(&service.name)).count()
            as u64,
    };
    services.iter().map(each).collect()
}
