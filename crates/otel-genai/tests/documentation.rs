//! What the documentation says of the code is what the code does.
//!
//! Parts of `docs/` are made of the code: all between `<!-- generated: ... -->` and `<!-- end -->`. `cargo xtask docs`
//! writes them, by running this test with `OTEL_GENAI_WRITE_DOCS`; without it the test fails where they have drifted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use otel_genai::{ConventionName, Kind, table};

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

#[test]
fn generated_parts_are_what_the_code_says() {
    let Some(root) = root() else { return };
    let write = std::env::var_os("OTEL_GENAI_WRITE_DOCS").is_some();
    let mut parts = 0;
    for path in pages(&root.join("docs")) {
        let old = fs::read_to_string(&path).unwrap();
        let new = generate(&old, &root, &mut parts).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        if write && new != old {
            fs::write(&path, &new).unwrap();
            println!("wrote {}", path.display());
        } else if new != old {
            let line = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count() + 1;
            panic!(
                "{} has drifted from the code at line {line}; run `cargo xtask docs` and commit the result",
                path.display()
            );
        }
    }
    assert!(parts > ConventionName::ALL.len(), "only {parts} generated parts: the markers are gone");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let Some(root) = root() else { return };
    let mut broken = Vec::new();
    for path in pages(&root.join("docs")).into_iter().chain([root.join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") || file.contains(' ') {
                continue;
            }
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = target.exists()
                && (anchor.is_empty()
                    || !target.is_file()
                    || anchors(&fs::read_to_string(&target).unwrap()).iter().any(|known| known == anchor));
            if !is_there {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Outside of the repository there is no documentation to look at.
fn root() -> Option<PathBuf> {
    // Asked first at run time: checkouts that share a target folder also share this program.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let root = manifest.parent()?.parent()?.to_path_buf();
    root.join("docs/conventions.md").is_file().then_some(root)
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages.extend(self::pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

/// The page with its generated parts made anew.
fn generate(page: &str, root: &Path, parts: &mut usize) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (what, after) = after.split_once(" -->").ok_or("a marker without an end")?;
        let (_, after) = after.split_once(END).ok_or_else(|| format!("`{what}` has no {END}"))?;
        let part = part(what, root)?;
        out += &format!("{before}{BEGIN}{what} -->\n\n{}\n\n{END}", part.trim_end());
        rest = after;
        *parts += 1;
    }
    Ok(out + rest)
}

fn part(what: &str, root: &Path) -> Result<String, String> {
    let (word, rest) = what.split_once(' ').unwrap_or((what, ""));
    match word {
        "operations" => Ok(table::operations()),
        "convention" => Ok(table::convention(rest.parse::<ConventionName>().map_err(|why| why.to_string())?)),
        "operation" => {
            let kinds: Vec<Kind> = rest
                .split(", ")
                .map(|name| Kind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(name))
                .collect::<Result<_, _>>()
                .map_err(|name| format!("{name:?} is no kind of operation"))?;
            Ok(table::operation(&kinds))
        }
        "deviations" => deviations(&root.join(rest)),
        _ => Err(format!("nobody knows how to generate `{what}`")),
    }
}

/// The differences that a comparison with the references lets pass, each with its reason: read from the comparison's
/// source, where each is a struct with a name and a reason.
fn deviations(source: &Path) -> Result<String, String> {
    let source = fs::read_to_string(source).map_err(|why| format!("{}: {why}", source.display()))?;
    let mut out = String::new();
    for deviation in source.split("    Deviation {\n").skip(1) {
        let name = literal(deviation, "name: ").ok_or("a deviation without a name")?;
        let why = literal(deviation, "why: ").ok_or_else(|| format!("{name} has no reason"))?;
        out += &format!("- **{}**: {}.\n", prose(&name), prose(&why));
    }
    if out.is_empty() { Err("no deviations in this file".to_owned()) } else { Ok(out) }
}

/// A field's text in Rust's source; a backslash at the end of a line swallows the blanks that follow.
fn literal(source: &str, field: &str) -> Option<String> {
    let (_, rest) = source.split_once(field)?;
    let (text, _) = rest.trim_start().strip_prefix('"')?.split_once("\",\n")?;
    let lines: Vec<&str> = text.split("\\\n").map(str::trim_start).collect();
    Some(lines.concat().replace("\\\"", "\""))
}

/// Names of attributes and the like are code, or Markdown takes them for something else.
fn prose(text: &str) -> String {
    let word = |word: &str| {
        let name = word.trim_end_matches(['.', ',', ';', ':']);
        if name.contains(['_', '<', '*']) && !name.contains('`') {
            format!("`{name}`{}", &word[name.len()..])
        } else {
            word.to_owned()
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter_map(|line| line.strip_prefix('#'));
    headings
        .map(|heading| {
            let words = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}
