//! Where the hooks are on disk.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// Node's hook.
pub(crate) const NODE: &str = "node.cjs";

const FILES: [(&str, &str); 3] = [
    (NODE, include_str!("node.cjs")),
    ("sitecustomize.py", include_str!("sitecustomize.py")),
    ("_otel_genai_shim.py", include_str!("_otel_genai_shim.py")),
];

/// A folder with the hooks.
///
/// It is one for each user and each version of the hooks, and it stays: Node does not start where a file of its
/// `NODE_OPTIONS` is missing, and what a program has left running may start one at any later time. For the same reason it
/// is where nobody else can put another in its place, should it ever be removed. Everybody may read it, because entry
/// points of containers change the user and keep the environment. It holds no secret.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// What cleans up folders of temporary files leaves those alone that are locked.
    _lock: Option<File>,
}

impl Folder {
    /// The folder, complete. A few small files are written the first time.
    pub(crate) fn open() -> io::Result<Self> {
        let user = rustix::process::geteuid().as_raw();
        let mut hasher = DefaultHasher::new();
        FILES.hash(&mut hasher);
        let version = format!("{:016x}", hasher.finish());
        let mut path = in_cache(user, &version);
        if path.is_err() {
            let name = format!("otel-genai-shim-{user}-{version}");
            path =
                std::path::absolute(std::env::temp_dir()).and_then(|all| in_all_peoples(&all, &name, user));
        }
        let path = path?;
        let lock = File::open(&path).ok().filter(|folder| flock(folder, FlockOperation::LockShared).is_ok());
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Below a folder that only its owner can write to.
fn in_cache(user: u32, version: &str) -> io::Result<PathBuf> {
    let var = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = if user == 0 {
        Some(PathBuf::from("/var/cache"))
    } else {
        var("XDG_CACHE_HOME").or_else(|| var("HOME").map(|home| home.join(".cache")))
    };
    let cache = cache.ok_or_else(|| io::Error::other("there is no folder for caches"))?;
    if user != 0 {
        DirBuilder::new().recursive(true).mode(0o700).create(&cache)?;
    }
    let ours = cache.join("otel-genai");
    let path = ours.join(format!("shim-{version}"));
    check_name(&path)?;
    check_parent(&cache)?;
    make(&ours, user)?;
    fill(&path, user)?;
    Ok(path)
}

/// In the folder for everybody's temporary files, where there is no other place.
fn in_all_peoples(all: &Path, name: &str, user: u32) -> io::Result<PathBuf> {
    let path = all.join(name);
    check_name(&path)?;
    check_parent(all)?;
    fill(&path, user)?;
    Ok(path)
}

/// Both variables hold text, and one of them a list with colons.
fn check_name(path: &Path) -> io::Result<()> {
    match path.to_str() {
        Some(text) if !text.contains(':') => Ok(()),
        _ => Err(io::Error::other(format!("{} cannot be in PYTHONPATH and NODE_OPTIONS", path.display()))),
    }
}

/// Where everybody may write and the sticky bit is missing, anybody can put another folder in the place of ours.
fn check_parent(all: &Path) -> io::Result<()> {
    let mode = fs::metadata(all)?.mode();
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return Err(io::Error::other(format!("everybody can change what is in {}", all.display())));
    }
    Ok(())
}

/// A folder of the user's, which no other can write to, nor could before.
fn make(path: &Path, user: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != user {
        return Err(io::Error::other(format!("{} is somebody else's", path.display())));
    }
    // What others have put there would be imported by Python.
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "others can write to {}; remove it, so that it is made anew",
            path.display()
        )));
    }
    if found.mode() & 0o777 != 0o755 {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

fn fill(path: &Path, user: u32) -> io::Result<()> {
    make(path, user)?;
    for (name, text) in FILES {
        let file = path.join(name);
        if fs::read(&file).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        // Whole or not at all: another run may be reading it, or writing it, in a container with the same number.
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let fresh = path.join(format!(".{name}.{:016x}", u64::from_ne_bytes(random)));
        OpenOptions::new().write(true).create_new(true).open(&fresh)?.write_all(text.as_bytes())?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o644))?;
        fs::rename(&fresh, &file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_mended_and_never_taken_from_others() {
        let all = tempfile::tempdir().unwrap();
        let (path, user) = (all.path().join("shim"), rustix::process::geteuid().as_raw());
        fill(&path, user).unwrap();
        for (name, text) in FILES {
            assert_eq!(fs::read_to_string(path.join(name)).unwrap(), text);
        }
        fs::write(path.join(NODE), "changed").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        fill(&path, user).unwrap();
        assert_eq!(fs::read_to_string(path.join(NODE)).unwrap(), FILES[0].1);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(&path).unwrap().count(), FILES.len());
        assert!(fill(&path, user + 1).is_err());
        let link = all.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(fill(&link, user).is_err());
    }

    #[test]
    fn where_others_could_write_there_are_no_hooks() {
        let all = tempfile::tempdir().unwrap();
        let (path, user) = (all.path().join("shim"), rustix::process::geteuid().as_raw());
        for mode in [0o777, 0o775, 0o757] {
            fill(&path, user).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(fill(&path, user).is_err(), "{mode:o}");
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        fs::set_permissions(all.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(in_all_peoples(all.path(), "other", user).is_err());
        assert!(!all.path().join("other").exists());
        fs::set_permissions(all.path(), Permissions::from_mode(0o1777)).unwrap();
        assert!(in_all_peoples(all.path(), "other", user).is_ok());
        assert!(in_all_peoples(all.path(), "a:b", user).is_err());
    }
}
