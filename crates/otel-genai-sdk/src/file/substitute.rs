//! `${NAME}`, `${env:NAME}` and `${NAME:-default}` in the values of a file; `$$` is a dollar sign.
//!
//! [Environment variable substitution](https://opentelemetry.io/docs/specs/otel/configuration/data-model/#environment-variable-substitution)

/// A `${...}` that is none of the known forms: the whole file cannot be used then.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct NoReference;

/// The text with each reference replaced by what the variable holds. What comes out is not looked at again.
pub(super) fn substituted(text: &str, vars: &dyn Fn(&str) -> Option<String>) -> Result<String, NoReference> {
    let mut all = String::with_capacity(text.len());
    // An escaped dollar sign begins no reference, and no reference reaches over one.
    for (number, piece) in text.split("$$").enumerate() {
        if number > 0 {
            all.push('$');
        }
        let mut rest = piece;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((reference, behind)) =
                after.split_once('}').filter(|(inside, _)| !inside.contains('\n'))
            else {
                break;
            };
            all.push_str(before);
            let (name, default) = parse(reference).ok_or(NoReference)?;
            let value = vars(name).filter(|value| !value.is_empty());
            all.push_str(value.as_deref().unwrap_or(default));
            rest = behind;
        }
        all.push_str(rest);
    }
    Ok(all)
}

/// Name and default of what stands between the braces.
fn parse(reference: &str) -> Option<(&str, &str)> {
    let (name, default) = reference.split_once(":-").unwrap_or((reference, ""));
    let name = name.strip_prefix("env:").unwrap_or(name);
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    (is_word && begins).then_some((name, default))
}

#[cfg(test)]
mod tests {
    use super::{NoReference, substituted};

    /// The specification's table, and what it leaves open.
    #[test]
    fn references_are_replaced_once() {
        let vars = |name: &str| {
            let value = match name {
                "STRING" | "env" => "value",
                "FLOAT" => "1.1",
                "EMPTY" => "",
                "REFERENCE" => "${STRING}",
                "ESCAPE" => "value$$",
                "LINES" => "value\nkey: value",
                _ => return None,
            };
            Some(value.to_owned())
        };
        for (text, expected) in [
            ("${STRING}", "value"),
            ("${env:STRING}", "value"),
            ("foo ${STRING} ${FLOAT}", "foo value 1.1"),
            ("${UNSET}", ""),
            ("${EMPTY:-fallback}", "fallback"),
            ("${UNSET:-fall back}", "fall back"),
            ("${STRING:-fallback}", "value"),
            ("${env:UNSET:-http://x:-1}", "http://x:-1"),
            ("${env:-x}", "value"),
            ("${REFERENCE}", "${STRING}"),
            ("${UNSET:-${STRING}}", "${STRING}"),
            ("${ESCAPE}", "value$$"),
            ("${LINES}", "value\nkey: value"),
            ("$${STRING}", "${STRING}"),
            ("$$${STRING}", "$value"),
            ("$$$${STRING}", "$${STRING}"),
            ("$${STRING:-fallback}", "${STRING:-fallback}"),
            ("$${STRING:-${STRING}}", "${STRING:-value}"),
            ("${UNSET:-$${UNSET}}", "${UNSET:-${UNSET}}"),
            ("a $$ b", "a $ b"),
            ("a $ b", "a $ b"),
            ("${STRING", "${STRING"),
            ("a ${\n}", "a ${\n}"),
        ] {
            assert_eq!(substituted(text, &vars).as_deref(), Ok(expected), "{text}");
        }
        for text in ["${STRING:?error}", "${1STRING}", "${STR$ING}", "${}", "${env:}", "a ${b c} ${STRING}"] {
            assert_eq!(substituted(text, &vars), Err(NoReference), "{text}");
        }
    }
}
