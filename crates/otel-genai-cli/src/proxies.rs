//! A program that is told to use an HTTP proxy must not use it to reach the gateway on its own machine.

use std::ffi::OsString;

const PROXY: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];
const OURS: [&str; 2] = ["127.0.0.1", "localhost"];

/// The `NO_PROXY` variables that the program needs besides its own: none where no proxy is set.
pub(crate) fn exceptions(var: &dyn Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
    let set = |name: &str| var(name).filter(|value| !value.is_empty());
    if !PROXY.iter().any(|name| set(name).is_some()) {
        return Vec::new();
    }
    // Some read one spelling, some the other, some prefer one: where only one is there, the other becomes the same.
    let known = NO_PROXY.into_iter().find_map(set).unwrap_or_default();
    let mut all = Vec::new();
    for name in NO_PROXY {
        let value = set(name).unwrap_or_else(|| known.clone());
        let extended = extend(&value);
        if set(name).as_ref() != Some(&extended) {
            all.push((name, extended));
        }
    }
    all
}

fn extend(value: &OsString) -> OsString {
    let text = value.to_string_lossy();
    let mut extended = value.clone();
    for host in OURS {
        if !text.split(',').any(|entry| matches!(entry.trim(), "*") || entry.trim() == host) {
            if !extended.is_empty() {
                extended.push(",");
            }
            extended.push(host);
        }
    }
    extended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(vars: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let var = |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        exceptions(&var).into_iter().map(|(name, value)| (name, value.into_string().unwrap())).collect()
    }

    #[test]
    fn only_where_a_proxy_is_set_and_keeping_what_is_there() {
        assert_eq!(with(&[("NO_PROXY", "corp")]), []);
        assert_eq!(with(&[("HTTP_PROXY", "")]), []);
        let both = |value: &str| vec![("NO_PROXY", value.to_owned()), ("no_proxy", value.to_owned())];
        assert_eq!(with(&[("https_proxy", "http://p")]), both("127.0.0.1,localhost"));
        assert_eq!(with(&[("ALL_PROXY", "p"), ("NO_PROXY", "corp")]), both("corp,127.0.0.1,localhost"));
        assert_eq!(with(&[("ALL_PROXY", "p"), ("no_proxy", "corp, localhost")]), {
            let mut both = both("corp, localhost,127.0.0.1");
            both.sort();
            both
        });
        assert_eq!(with(&[("HTTP_PROXY", "p"), ("NO_PROXY", "*"), ("no_proxy", "localhost,127.0.0.1")]), []);
    }
}
