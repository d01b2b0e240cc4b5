//! Makes the page and puts it into the crate: `OUT_DIR/page.rs` lists the files that `src/page.rs` serves.
//!
//! `OTEL_GENAI_UI` decides: unset, the page is made by Node.js from `ui/`, or taken from `page/` beside `Cargo.toml`
//! (published crates carry it), or else a page that says why it is missing stands in its place; `require` makes its
//! absence an error, `skip` leaves it out without a word, and a folder is taken as what `node build.mjs` wrote.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What esbuild runs on.
const NODE: u32 = 20;
/// What the page is made of, in `ui/`. Not its packages: their versions stand in the lock file.
const SOURCES: [&str; 7] =
    ["src", "index.html", "build.mjs", "install.mjs", "package.json", "package-lock.json", "tsconfig.json"];

fn main() -> Result<(), String> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=OTEL_GENAI_UI");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo tells no OUT_DIR")?);
    let wish = env::var("OTEL_GENAI_UI").unwrap_or_default();
    let made = match wish.as_str() {
        "skip" => None,
        "" if env::var_os("DOCS_RS").is_some() => None,
        "" => match page(&out) {
            Ok(folder) => Some(folder),
            Err(reason) => {
                println!(
                    "cargo:warning=the dashboard's page was not built: {reason}. Mend that and build with \
                     OTEL_GENAI_UI=require; OTEL_GENAI_UI=skip builds without the page and without this warning"
                );
                return write(&out, &standing_in(&reason));
            }
        },
        "require" => {
            Some(page(&out).map_err(|reason| format!("the dashboard's page was not built: {reason}"))?)
        }
        folder => {
            println!("cargo:rerun-if-changed={folder}");
            Some(fs::canonicalize(folder).map_err(|error| format!("OTEL_GENAI_UI={folder}: {error}"))?)
        }
    };
    match made {
        Some(folder) => write(&out, &listed(&folder)?),
        None => write(&out, &standing_in("it was left out when this program was compiled")),
    }
}

/// The folder with the page: made from the sources if they are here, else the one that came along.
fn page(out: &Path) -> Result<PathBuf, String> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo tells no CARGO_MANIFEST_DIR")?);
    let ui = here.join("../../ui");
    let along = here.join("page");
    let has_along = along.join("page.list").is_file();
    if has_along {
        println!("cargo:rerun-if-changed=page");
    }
    if !ui.join("build.mjs").is_file() {
        return if has_along {
            Ok(along)
        } else {
            Err("neither its sources nor the page itself are here".into())
        };
    }
    for name in SOURCES {
        println!("cargo:rerun-if-changed={}", ui.join(name).display());
    }
    match make(&ui, &out.join("page")) {
        Ok(folder) => Ok(folder),
        Err(_) if has_along => Ok(along),
        Err(reason) => Err(reason),
    }
}

fn make(ui: &Path, to: &Path) -> Result<PathBuf, String> {
    let missing = format!("Node.js {NODE} or newer was not found");
    let version = node(ui, &["--version"]).map_err(|_| missing.clone())?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE) {
        return Err(format!("{missing}, only {}", version.trim()));
    }
    node(ui, &["install.mjs"])?;
    node(ui, &["build.mjs", "--out", &to.to_string_lossy()])?;
    Ok(to.to_path_buf())
}

/// Runs Node.js in `ui/`; answers what it printed, or its complaint in one line.
fn node(ui: &Path, arguments: &[&str]) -> Result<String, String> {
    let run = Command::new("node").args(arguments).current_dir(ui).output();
    let run = run.map_err(|error| format!("node cannot be run: {error}"))?;
    if run.status.success() {
        return Ok(String::from_utf8_lossy(&run.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&run.stderr);
    let short: Vec<_> = told.split_whitespace().take(30).collect();
    Err(format!("`node {}` ended with {}: {}", arguments.join(" "), run.status, short.join(" ")))
}

/// Rust of the files that a `page.list` names.
fn listed(folder: &Path) -> Result<String, String> {
    let path = folder.join("page.list");
    let list = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (mut boot, mut files) = (String::from("None"), String::new());
    for line in list.lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["boot", hash] => boot = format!("Some({hash:?})"),
            ["file", path, media, hash, kind] => {
                let packed = folder.join(format!("{path}.gz"));
                let (packed, etag, name) =
                    (packed.to_string_lossy(), format!("\"{hash}\""), format!("/{path}"));
                let immutable = kind == "immutable";
                let _ = writeln!(
                    files,
                    "    File {{ path: {name:?}, media: {media:?}, etag: {etag:?}, immutable: {immutable}, \
                     packed: true, bytes: include_bytes!({packed:?}) }},"
                );
            }
            _ => return Err(format!("{}: a line that nobody understands: {line}", path.display())),
        }
    }
    Ok(rust(&boot, &files))
}

/// Rust of the page that says why the page is missing.
fn standing_in(reason: &str) -> String {
    let reason = reason.replace('&', "&amp;").replace('<', "&lt;");
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>otel-genai</title>\n<h1>The page was not built</h1>\n<p>{reason}.</p>\n\
         <p>Install Node.js {NODE} or newer and build <code>otel-genai</code> again with <code>OTEL_GENAI_UI=require</code>. \
         Until then OTLP is received, the API under <code>/api/v1</code> answers, and <code>otel-genai traces</code> shows \
         the same in a terminal.</p>\n</html>\n"
    );
    let file = format!(
        "    File {{ path: \"/index.html\", media: \"text/html; charset=utf-8\", etag: \"\\\"none\\\"\", immutable: false, \
         packed: false, bytes: {html:?}.as_bytes() }},\n"
    );
    rust("None", &file)
}

fn rust(boot: &str, files: &str) -> String {
    format!("const BOOT: Option<&str> = {boot};\n\nstatic FILES: &[File] = &[\n{files}];\n")
}

fn write(out: &Path, rust: &str) -> Result<(), String> {
    let path = out.join("page.rs");
    fs::write(&path, rust).map_err(|error| format!("{}: {error}", path.display()))
}
