//! Where the dashboard keeps its data, and who else does there.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs, io};

use otel_genai_store::{Owner, SqliteStore};
use rustix::fs::Mode;

use super::settings::DATA_DIR;

/// What the process had before [`keep_private`].
static UMASK: OnceLock<Mode> = OnceLock::new();

/// Prompts and the token are nobody else's business, also in a folder that others may look into: files are made so that
/// only their owner reads them.
pub(crate) fn keep_private() {
    let before = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let _ = UMASK.set(before);
}

/// How others' programs are to make files, as `umask` reads it, where [`keep_private`] has changed it.
pub(crate) fn umask_before() -> Option<String> {
    UMASK.get().map(|before| format!("{:04o}", before.bits()))
}

/// The folder by flag or variable, else the one that the system has for the user's data. `None`: it is nowhere, as there is
/// no home.
pub(crate) fn folder(flag: Option<&Path>) -> Option<PathBuf> {
    let given = flag.map(Path::to_owned).or_else(|| DATA_DIR.variable().map(PathBuf::from));
    given.or_else(|| by_default(|name| env::var_os(name).map(PathBuf::from)))
}

fn by_default(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| var(name).filter(|path| path.is_absolute());
    let home = || absolute("HOME");
    let data = if cfg!(target_os = "macos") {
        home()?.join("Library/Application Support")
    } else {
        // A relative path there is to be passed over, says the XDG base directory specification.
        absolute("XDG_DATA_HOME").or_else(|| Some(home()?.join(".local/share")))?
    };
    Some(data.join("otel-genai"))
}

/// Makes the folder, if it is not there, for its owner alone: prompts are nobody else's business.
pub(crate) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

/// A path as people like to read it.
pub(crate) fn shown(path: &Path) -> String {
    let home = env::var_os("HOME").map(PathBuf::from).filter(|home| home.parent().is_some());
    match home.and_then(|home| path.strip_prefix(home).ok().map(Path::to_owned)) {
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

/// The dashboard that has the folder at the moment.
pub(crate) fn owner(folder: &Path) -> Option<Owner> {
    SqliteStore::owner(folder)
}

/// The token of the dashboard that has the folder. Who may read the folder may read everything in it.
pub(crate) fn token(folder: &Path) -> Option<String> {
    let token = fs::read_to_string(folder.join(TOKEN)).ok()?;
    Some(token.trim().to_owned()).filter(|token| !token.is_empty())
}

/// Leaves the token for the user's other commands, or takes away that of an earlier dashboard.
pub(crate) fn leave_token(folder: &Path, token: Option<&str>) -> io::Result<()> {
    let file = folder.join(TOKEN);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let Some(token) = token else { return Ok(()) };
    let mut options = fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(file)?.write_all(token.as_bytes())
}

const TOKEN: &str = "token";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_go_where_the_system_keeps_it() {
        let at = |data: &str| {
            by_default(|name| match name {
                "HOME" => Some("/home/ada".into()),
                "XDG_DATA_HOME" => Some(data.into()),
                _ => None,
            })
        };
        if cfg!(target_os = "linux") {
            assert_eq!(at("/data"), Some("/data/otel-genai".into()));
            assert_eq!(at("data"), Some("/home/ada/.local/share/otel-genai".into()));
        }
        assert_eq!(by_default(|_| None), None);
    }

    #[test]
    fn a_token_is_for_its_owner_alone_and_goes_with_the_dashboard() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        leave_token(folder.path(), Some("a")).unwrap();
        leave_token(folder.path(), Some("b")).unwrap();
        assert_eq!(token(folder.path()).as_deref(), Some("b"));
        let mode = fs::metadata(folder.path().join(TOKEN)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        leave_token(folder.path(), None).unwrap();
        assert_eq!(token(folder.path()), None);
    }
}
