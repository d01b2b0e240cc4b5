//! Where the hooks are on disk.

use std::fs::{self, DirBuilder, Permissions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

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
/// `NODE_OPTIONS` is missing, and what a program has left running may start one at any later time. Everybody may read it
/// for the same reason: entry points of containers change the user and keep the environment. It holds no secret.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder, complete. A few small files are written the first time.
    pub(crate) fn open() -> io::Result<Self> {
        let user = rustix::process::geteuid().as_raw();
        let mut hasher = DefaultHasher::new();
        FILES.hash(&mut hasher);
        let name = format!("otel-genai-shim-{user}-{:016x}", hasher.finish());
        let path = std::path::absolute(std::env::temp_dir())?.join(name);
        fill(&path, user)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

fn fill(path: &Path, user: u32) -> io::Result<()> {
    match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // The folder of all is where anybody may have made it before us.
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != user {
        return Err(io::Error::other(format!("{} is somebody else's", path.display())));
    }
    if found.mode() & 0o777 != 0o755 {
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
    }
    for (name, text) in FILES {
        let file = path.join(name);
        if fs::read(&file).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        // Whole or not at all: another run may be reading it.
        let fresh = path.join(format!(".{name}.{}", std::process::id()));
        fs::write(&fresh, text)?;
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
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        fill(&path, user).unwrap();
        assert_eq!(fs::read_to_string(path.join(NODE)).unwrap(), FILES[0].1);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(&path).unwrap().count(), FILES.len());
        assert!(fill(&path, user + 1).is_err());
        let link = all.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(fill(&link, user).is_err());
    }
}
