//! `tracer_provider.sampler`, as far as `OTEL_TRACES_SAMPLER` can say it.

use super::translate::{At, Translation};

const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";

/// What children of a parent do: the variable knows no other way.
const CHILDREN: [(&str, &str); 4] = [
    ("remote_parent_sampled", "always_on"),
    ("remote_parent_not_sampled", "always_off"),
    ("local_parent_sampled", "always_on"),
    ("local_parent_not_sampled", "always_off"),
];

impl Translation<'_> {
    pub(super) fn sampler(&mut self, at: &At) {
        let mut chosen = None;
        for (kind, at) in self.map(at) {
            match kind.as_str() {
                "parent_based" => {
                    let root = self.parent_based(&at);
                    chosen = root.map(|root| format!("parentbased_{root}"));
                }
                _ => chosen = self.plain_sampler(&kind, &at).map(str::to_owned),
            }
        }
        if let Some(sampler) = chosen {
            self.set("OTEL_TRACES_SAMPLER", sampler, at);
        }
    }

    /// What it does where there is no parent.
    fn parent_based(&mut self, at: &At) -> Option<&'static str> {
        let mut root = Some("always_on");
        for (key, at) in self.map(at) {
            if key == "root" {
                for (kind, at) in self.map(&at) {
                    root = self.plain_sampler(&kind, &at);
                }
                continue;
            }
            let Some((_, usual)) = CHILDREN.iter().find(|(child, _)| *child == key) else {
                self.unsupported(&at);
                continue;
            };
            for (kind, at) in self.map(&at) {
                if kind != *usual {
                    self.warn(&at, &format!("is not supported here; {usual} is used"));
                }
            }
        }
        root
    }

    /// The variable's word.
    fn plain_sampler(&mut self, kind: &str, at: &At) -> Option<&'static str> {
        match kind {
            "always_on" => Some("always_on"),
            "always_off" => Some("always_off"),
            "trace_id_ratio_based" => {
                for (key, at) in self.map(at) {
                    match key.as_str() {
                        "ratio" => self.set_text(RATIO, &at),
                        _ => self.unsupported(&at),
                    }
                }
                Some("traceidratio")
            }
            _ => {
                self.warn(at, "is not supported; parent_based with always_on is used");
                None
            }
        }
    }
}
