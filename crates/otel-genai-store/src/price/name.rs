//! Names of models, as calls tell them, and as price lists have them.

/// Whose models this provider sells, at the same price.
pub(super) fn sold_by(provider: &str) -> Option<&'static str> {
    Some(match provider {
        "azure.ai.openai" => "openai",
        "gcp.gen_ai" | "gcp.vertex_ai" => "gcp.gemini",
        _ => return None,
    })
}

/// The name, and the shorter ones that it may stand under: without whose it is, and without the date or the number of its
/// version. The longest first, so that a version with a price of its own has that.
pub(super) fn shortened(model: &str, provider: &str) -> Vec<String> {
    let mut name = model.trim().to_ascii_lowercase();
    let mut names = vec![name.clone()];
    let heads = [format!("{provider}/"), "models/".to_owned(), "us.".to_owned()];
    for (at, head) in heads.iter().enumerate() {
        // A region stands before the names of Bedrock's models alone.
        let is_used = at < 2 || provider == "aws.bedrock";
        if let Some(rest) = name.strip_prefix(head.as_str()).filter(|rest| is_used && !rest.is_empty()) {
            name = rest.to_owned();
            names.push(name.clone());
        }
    }
    // More than one stands at no name's end but Bedrock's.
    for _ in 0..2 {
        let Some(shorter) = without_version(&name).filter(|shorter| !shorter.is_empty()) else { break };
        name = shorter.to_owned();
        names.push(name.clone());
    }
    names
}

/// Without `-latest`, `-2025-08-07`, `-20250805`, `@20250805`, `-001` or `-v1:0` at its end.
fn without_version(name: &str) -> Option<&str> {
    if let Some(rest) = name.strip_suffix("-latest") {
        return Some(rest);
    }
    let (rest, end) = name.rsplit_once(['-', '@'])?;
    let is_digits =
        |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if is_digits(end, 8) || (is_digits(end, 3) && end.starts_with("00")) {
        return Some(rest);
    }
    if let Some((version, revision)) = end.strip_prefix('v').and_then(|end| end.split_once(':'))
        && is_digits(version, 1)
        && is_digits(revision, 1)
    {
        return Some(rest);
    }
    let (rest, month) = rest.rsplit_once('-').filter(|_| is_digits(end, 2))?;
    let (rest, year) = rest.rsplit_once('-').filter(|_| is_digits(month, 2))?;
    is_digits(year, 4).then_some(rest)
}
