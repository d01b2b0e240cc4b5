//! Which hosts are to be intercepted, as `--intercept` and its variable say it.

use std::str::FromStr;

use otel_genai_gateway::Intercept;
use otel_genai_wire::{is_host, known_hosts};

use crate::settings::OnOff;

/// How many hosts a line names before it only counts.
const NAMED: usize = 3;
const KNOWN: &str = "known";

/// What is asked for: nothing, the known hosts, or a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<String>);

impl FromStr for Hosts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(OnOff(true)) => return Ok(Self(vec![KNOWN.to_owned()])),
            Ok(OnOff(false)) => return Ok(Self::default()),
            Err(_) => {}
        }
        let entries = text.split(',').map(|entry| entry.trim().to_ascii_lowercase());
        let hosts = Self(entries.filter(|entry| !entry.is_empty()).collect());
        if hosts.0.is_empty() {
            return Err("no host is named; `--intercept` alone means the known ones, `false` none".to_owned());
        }
        match hosts.patterns().map(Intercept::new) {
            Some(Err(why)) => Err(why.to_string()),
            _ => Ok(hosts),
        }
    }
}

impl Hosts {
    /// Every pattern; `None` where there is none.
    pub(crate) fn patterns(&self) -> Option<Vec<String>> {
        let mut patterns: Vec<String> = Vec::new();
        for entry in &self.0 {
            if entry == KNOWN {
                patterns.extend(known_hosts().map(str::to_owned));
            } else {
                patterns.push(entry.clone());
            }
        }
        (!patterns.is_empty()).then_some(patterns)
    }

    /// All of them, for people.
    pub(super) fn in_full(&self) -> String {
        self.patterns().unwrap_or_default().join(", ")
    }

    /// `anthropic.com, openai.com, openai.azure.com and 50 more (--dry-run lists them)`
    pub(super) fn in_short(&self) -> String {
        let patterns = self.patterns().unwrap_or_default();
        let named = patterns.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        match patterns.len().saturating_sub(NAMED) {
            0 => named,
            more => format!("{named} and {more} more (--dry-run lists them)"),
        }
    }

    /// The entry of a `NO_PROXY` that covers one of the hosts, or a part of one.
    pub(super) fn passed_by<'a>(&self, no_proxy: &'a str) -> Option<&'a str> {
        let patterns = self.patterns().unwrap_or_default();
        no_proxy.split(',').map(str::trim).filter(|entry| !entry.is_empty()).find(|entry| {
            let name = entry.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
            name == "*" || patterns.iter().any(|pattern| is_host(&name, pattern) || is_host(pattern, &name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_lists() {
        let patterns = |text: &str| text.parse::<Hosts>().unwrap().patterns();
        assert_eq!(patterns("off"), None);
        assert!(patterns("TRUE").unwrap().contains(&"openai.com".to_owned()));
        assert_eq!(patterns("OpenAI.com, llm.corp.example").unwrap(), ["openai.com", "llm.corp.example"]);
        let both = patterns("known,llm.corp.example").unwrap();
        assert_eq!(both.len(), patterns("on").unwrap().len() + 1);
        for wrong in ["", " ,", "*", "com", "http://x.example", "10.0.0.1"] {
            assert!(wrong.parse::<Hosts>().is_err(), "{wrong}");
        }
        let hosts: Hosts = "a.example,b.example,c.example,d.example".parse().unwrap();
        assert_eq!(hosts.in_short(), "a.example, b.example, c.example and 1 more (--dry-run lists them)");
    }
}
