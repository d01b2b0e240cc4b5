//! The authorities that an intercepted program trusts, in files of its own: in a folder that nobody else may write, and
//! that goes when the run ends. Certificates are no secret, and a program that changes its user must still read them.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, Permissions, set_permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;

use super::Base;

/// What stands above every key in PEM text.
const KEY: &[u8] = b"PRIVATE KEY";

/// The folder, while it is there.
#[must_use = "the program's certificates go with it"]
pub(crate) struct Folder {
    folder: TempDir,
    authority: String,
    /// The usual authorities, once they have been read.
    usual: Option<String>,
}

impl Folder {
    pub(super) fn new(authority: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("otel-genai-").tempdir()?;
        // Afterwards, because a mode that is given at once is narrowed by the umask.
        set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        Ok(Self { folder, authority: authority.to_owned(), usual: None })
    }

    /// The file of a variable.
    pub(super) fn file(&self, variable: &str) -> PathBuf {
        self.folder.path().join(format!("{variable}.pem"))
    }

    pub(super) fn write(&mut self, variable: &str, base: &Base) -> io::Result<()> {
        let text = match base {
            Base::Nothing => Vec::new(),
            Base::Usual => self.usual.get_or_insert_with(usual).clone().into_bytes(),
            Base::Given(path) => given(path)?,
        };
        let mut file = private(&self.file(variable))?;
        file.write_all(&text)?;
        if !text.is_empty() && !text.ends_with(b"\n") {
            file.write_all(b"\n")?;
        }
        file.write_all(self.authority.as_bytes())?;
        // Some keep a key beside their certificates.
        let has_key = text.windows(KEY.len()).any(|words| words == KEY);
        if has_key { Ok(()) } else { file.set_permissions(Permissions::from_mode(0o644)) }
    }
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A file as it is, a folder's certificates one after the other.
fn given(path: &Path) -> io::Result<Vec<u8>> {
    if !path.is_dir() {
        return std::fs::read(path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())));
    }
    let found = rustls_native_certs::load_certs_from_paths(None, Some(path));
    Ok(found.certs.iter().map(|certificate| pem(certificate)).collect::<String>().into_bytes())
}

/// What a program trusts that is told nothing.
fn usual() -> String {
    // These lead away from the system's authorities.
    let led = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
    authorities(&rustls_native_certs::load_native_certs().certs, !led)
}

/// The system's authorities alone: whoever keeps them may have taken some out on purpose. Mozilla's, which many programs
/// bring with them, where the system's are not there.
fn authorities<C: AsRef<[u8]>>(found: &[C], are_the_systems: bool) -> String {
    let are_enough = are_the_systems && !found.is_empty();
    let mozillas = if are_enough { &[] } else { webpki_root_certs::TLS_SERVER_ROOT_CERTS };
    let mut seen = HashSet::new();
    let mut text = String::new();
    for certificate in found.iter().map(AsRef::as_ref).chain(mozillas.iter().map(AsRef::as_ref)) {
        if seen.insert(certificate) {
            text.push_str(&pem(certificate));
        }
    }
    text
}

fn pem(certificate: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(certificate);
    let mut text = String::with_capacity(encoded.len() + encoded.len() / 64 + 64);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    for (at, letter) in encoded.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_may_read_the_files_and_they_go_with_the_run() {
        let mut folder = Folder::new("ours\n").unwrap();
        folder.write("X", &Base::Nothing).unwrap();
        let file = folder.file("X");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "ours\n");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o644, 0o755));
        let mine = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(mine.path(), "-----BEGIN PRIVATE KEY-----\n").unwrap();
        folder.write("Y", &Base::Given(mine.path().to_owned())).unwrap();
        assert_eq!(mode(&folder.file("Y")), 0o600, "a key stays its owner's");
        drop(folder);
        assert!(!file.parent().unwrap().exists());
    }

    #[test]
    fn what_the_system_does_not_trust_is_not_added() {
        let mozillas = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
        let (one, all) = (&mozillas[..1], mozillas.len());
        let count =
            |found: &[_], are_the_systems| authorities(found, are_the_systems).matches("BEGIN").count();
        assert_eq!((count(one, true), count(one, false), count(&mozillas[..0], true)), (1, all, all));
    }

    #[test]
    fn a_folder_of_certificates_becomes_a_file() {
        let from = tempfile::tempdir().unwrap();
        let one = webpki_root_certs::TLS_SERVER_ROOT_CERTS.first().unwrap();
        std::fs::write(from.path().join("one.pem"), pem(one)).unwrap();
        let mut folder = Folder::new("ours\n").unwrap();
        folder.write("X", &Base::Given(from.path().to_owned())).unwrap();
        assert_eq!(std::fs::read_to_string(folder.file("X")).unwrap(), format!("{}ours\n", pem(one)));
    }
}
