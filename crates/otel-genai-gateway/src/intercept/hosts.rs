//! Which hosts are intercepted, and the part of the world's names that an authority for them may vouch for.

use otel_genai_wire::is_host;

use super::InterceptError;

/// Patterns of hosts, and the domains they lie in.
#[derive(Debug)]
pub(super) struct Hosts {
    patterns: Vec<String>,
    domains: Vec<String>,
}

impl Hosts {
    pub(super) fn new(patterns: impl IntoIterator<Item = String>) -> Result<Self, InterceptError> {
        let mut hosts = Self { patterns: Vec::new(), domains: Vec::new() };
        for pattern in patterns {
            let pattern = pattern.trim().to_ascii_lowercase();
            for domain in domains_of(&pattern).ok_or_else(|| InterceptError::Host(pattern.clone()))? {
                if !hosts.domains.contains(&domain) {
                    hosts.domains.push(domain);
                }
            }
            hosts.patterns.push(pattern);
        }
        if hosts.patterns.is_empty() {
            return Err(InterceptError::NoHosts);
        }
        let all = hosts.domains.clone();
        hosts.domains.retain(|domain| !all.iter().any(|wider| wider != domain && is_host(domain, wider)));
        Ok(hosts)
    }

    /// The smallest domains that hold all hosts: what is in none of them is vouched for by nobody here.
    pub(super) fn domains(&self) -> &[String] {
        &self.domains
    }

    /// Whether a host, in lower case, is to be intercepted. The second question is for patterns which are open at
    /// their end: no certificate would be believed outside of the domains.
    pub(super) fn contain(&self, host: &str) -> bool {
        self.patterns.iter().any(|pattern| is_host(host, pattern))
            && self.domains.iter().any(|domain| is_host(host, domain))
    }
}

/// `openai.com` lies in itself, `bedrock-*.amazonaws.com*` in `amazonaws.com` and in its Chinese twin
/// `amazonaws.com.cn`. `None`: no name, or too wide for anybody to vouch for.
fn domains_of(pattern: &str) -> Option<Vec<String>> {
    let is_open = pattern.ends_with('*');
    let start = pattern.strip_suffix('*').unwrap_or(pattern);
    let domain = match start.rsplit_once('*') {
        // What stands before the first dot behind an asterisk is the end of a longer label.
        Some((_, rest)) => rest.split_once('.')?.1,
        None if is_open && start.is_empty() => return None,
        None => start,
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let labels: Vec<&str> = domain.split('.').collect();
    let is_number = labels.last().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    if labels.len() < 2 || is_number || !labels.into_iter().all(is_label) || domain.len() > 253 {
        return None;
    }
    let mut domains = vec![domain.to_owned()];
    if is_open {
        domains.push(format!("{domain}.cn"));
    }
    Some(domains)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(patterns: &[&str]) -> Result<Hosts, InterceptError> {
        Hosts::new(patterns.iter().map(|pattern| (*pattern).to_owned()))
    }

    #[test]
    fn the_known_hosts_lie_in_domains_and_nothing_else_is_intercepted() {
        let hosts = Hosts::new(otel_genai_wire::known_hosts().map(str::to_owned)).unwrap();
        for host in [
            "api.openai.com",
            "api.anthropic.com",
            "r.openai.azure.com",
            "bedrock-runtime.us-east-1.amazonaws.com",
            "bedrock-runtime.cn-north-1.amazonaws.com.cn",
            "us-central1-aiplatform.googleapis.com",
        ] {
            assert!(hosts.contain(host), "{host}");
        }
        for host in [
            "example.com",
            "notopenai.com",
            "s3.us-east-1.amazonaws.com",
            "storage.googleapis.com",
            "bedrock-runtime.us-east-1.amazonaws.com.evil.example",
            "bedrock-runtime.us-east-1.amazonaws.community",
            "127.0.0.1",
        ] {
            assert!(!hosts.contain(host), "{host}");
        }
        for domain in ["openai.com", "amazonaws.com", "googleapis.com", "aliyuncs.com"] {
            assert!(hosts.domains().iter().any(|known| known == domain), "{domain}");
        }
        assert!(
            !hosts.domains().iter().any(|known| known == "dashscope.aliyuncs.com"),
            "held by aliyuncs.com"
        );
    }

    #[test]
    fn nobody_can_ask_for_the_whole_world() {
        for pattern in
            ["", "*", "com", "*.com", "a*", "*com", "127.0.0.1", "[::1]", "a b.example", "x..y", "a/b.c"]
        {
            assert!(matches!(hosts(&[pattern]), Err(InterceptError::Host(_))), "{pattern:?}");
        }
        assert!(matches!(hosts(&[]), Err(InterceptError::NoHosts)));
        assert!(hosts(&["LLM.corp.example"]).unwrap().contain("llm.corp.example"));
    }
}
