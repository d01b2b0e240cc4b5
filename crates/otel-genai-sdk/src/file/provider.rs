//! `tracer_provider`, `meter_provider`, `logger_provider`: processors or readers, and what each signal has of its own.

use super::exporter::To;
use super::translate::{At, Translation};
use crate::signal::Signal;

/// The variables of what the processors or readers of a signal say.
struct Names {
    processors: &'static str,
    kinds: &'static [&'static str],
    delay: &'static str,
    timeout: &'static str,
    queue: Option<[&'static str; 2]>,
}

const fn names(signal: Signal) -> Names {
    match signal {
        Signal::Traces => Names {
            processors: "processors",
            kinds: &["batch", "simple"],
            delay: "OTEL_BSP_SCHEDULE_DELAY",
            timeout: "OTEL_BSP_EXPORT_TIMEOUT",
            queue: Some(["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"]),
        },
        Signal::Metrics => Names {
            processors: "readers",
            kinds: &["periodic"],
            delay: "OTEL_METRIC_EXPORT_INTERVAL",
            timeout: "OTEL_METRIC_EXPORT_TIMEOUT",
            queue: None,
        },
        Signal::Logs => Names {
            processors: "processors",
            kinds: &["batch", "simple"],
            delay: "OTEL_BLRP_SCHEDULE_DELAY",
            timeout: "OTEL_BLRP_EXPORT_TIMEOUT",
            queue: Some(["OTEL_BLRP_MAX_QUEUE_SIZE", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE"]),
        },
    }
}

const SPAN_LIMITS: [(&str, &str); 6] = [
    ("attribute_value_length_limit", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    ("attribute_count_limit", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
    ("event_count_limit", "OTEL_SPAN_EVENT_COUNT_LIMIT"),
    ("link_count_limit", "OTEL_SPAN_LINK_COUNT_LIMIT"),
    ("event_attribute_count_limit", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
    ("link_attribute_count_limit", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
];

const LOG_LIMITS: [(&str, &str); 2] = [
    ("attribute_value_length_limit", "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    ("attribute_count_limit", "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT"),
];

impl Translation<'_> {
    pub(super) fn provider(&mut self, at: &At, signal: Signal) {
        let names = names(signal);
        let mut chosen = Vec::new();
        for (key, at) in self.map(at) {
            match (signal, key.as_str()) {
                (_, key) if key == names.processors => {
                    for item in self.list(&at) {
                        self.processor(&item, signal, &names, &mut chosen);
                    }
                }
                (Signal::Traces, "sampler") => self.sampler(&at),
                (Signal::Traces, "limits") => self.table(&at, &SPAN_LIMITS),
                (Signal::Logs, "limits") => self.table(&at, &LOG_LIMITS),
                (Signal::Metrics, "exemplar_filter") => self.set_text("OTEL_METRICS_EXEMPLAR_FILTER", &at),
                _ => self.unsupported(&at),
            }
        }
        let value = match chosen.as_slice() {
            [] => "none".to_owned(),
            chosen => chosen.iter().map(|to: &To| to.as_str()).collect::<Vec<_>>().join(","),
        };
        self.set(signal.exporter_variable(), value, at);
    }

    fn processor(&mut self, at: &At, signal: Signal, names: &Names, chosen: &mut Vec<To>) {
        for (kind, at) in self.map(at) {
            if !names.kinds.contains(&kind.as_str()) {
                self.unsupported(&at);
                continue;
            }
            let entries = self.map(&at);
            let Some((_, exporter)) = entries.iter().find(|(key, _)| key == "exporter") else {
                self.warn(&at, "has no exporter; ignored");
                continue;
            };
            // How long to wait for what goes nowhere is nobody's business.
            let Some(to) = self.exporter(exporter, signal, chosen) else {
                continue;
            };
            if !chosen.contains(&to) {
                chosen.push(to);
            }
            for (key, at) in &entries {
                match (kind.as_str(), key.as_str(), names.queue) {
                    (_, "exporter", _) => {}
                    ("batch", "schedule_delay", _) | ("periodic", "interval", _) => {
                        self.set_text(names.delay, at);
                    }
                    ("batch", "export_timeout", _) | ("periodic", "timeout", _) => {
                        self.set_timeout(names.timeout, at);
                    }
                    ("batch", "max_queue_size", Some([queue, _])) => self.set_text(queue, at),
                    ("batch", "max_export_batch_size", Some([_, size])) => self.set_text(size, at),
                    _ => self.unsupported(at),
                }
            }
            // Nothing is exported on the thread that ends a span; at once is as near as it gets. The console is quick
            // by itself, and keeps together what belongs together.
            if kind == "simple" && to == To::Otlp {
                self.set(names.delay, "0".to_owned(), &at);
            }
        }
    }
}
