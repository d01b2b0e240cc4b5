//! Findings as they are gathered: the same of one instrumentation is one, with a count.

use std::collections::BTreeMap;

use otel_genai_store::{Origin, Span};

use super::rule::Rule;
use crate::view::{Finding, Severity};

/// So many different ones are kept: titles have names in them that anybody may send.
const MOST: usize = 500;

/// What makes two findings one.
pub(super) type Same = (Severity, String, Option<String>, Option<String>, String);

pub(super) fn same(finding: &Finding) -> Same {
    (
        finding.severity,
        finding.code.clone(),
        finding.service.clone(),
        finding.scope.clone(),
        finding.title.clone(),
    )
}

/// What was found.
#[derive(Default)]
pub(super) struct Found(BTreeMap<Same, Finding>);

impl Found {
    /// Once more, on this span.
    pub(super) fn say(&mut self, rule: &Rule, span: &Span) {
        self.say_as(rule, span, rule.title.to_owned(), None);
    }

    /// The same in other words, or with another setting.
    pub(super) fn say_as(&mut self, rule: &Rule, span: &Span, title: String, setting: Option<&str>) {
        let mut finding = of_origin(rule, &span.origin, title, setting);
        finding.trace = Some(span.key.trace.to_string());
        finding.span = Some(span.key.span.to_string());
        self.add(finding);
    }

    pub(super) fn add(&mut self, finding: Finding) {
        let same = same(&finding);
        if let Some(known) = self.0.get_mut(&same) {
            known.count = known.count.saturating_add(finding.count);
        } else if self.0.len() < MOST {
            self.0.insert(same, finding);
        }
    }

    /// The worst first, and of those the most frequent.
    pub(super) fn done(self) -> Vec<Finding> {
        let mut all: Vec<_> = self.0.into_values().collect();
        all.sort_by_key(|finding| (finding.severity, std::cmp::Reverse(finding.count)));
        all
    }
}

pub(super) fn of_rule(rule: &Rule, title: String, setting: Option<&str>) -> Finding {
    Finding {
        code: rule.code.to_owned(),
        severity: rule.severity,
        title,
        why: rule.why.to_owned(),
        fix: rule.fix.to_owned(),
        setting: setting.or(rule.setting).map(str::to_owned),
        trace: None,
        span: None,
        service: None,
        scope: None,
        count: 1,
    }
}

fn of_origin(rule: &Rule, origin: &Origin, title: String, setting: Option<&str>) -> Finding {
    let scope = Some(origin.scope.name.as_ref().to_owned()).filter(|name| !name.is_empty());
    let service = Some(origin.resource.service.as_ref().to_owned());
    Finding { service, scope, ..of_rule(rule, title, setting) }
}
