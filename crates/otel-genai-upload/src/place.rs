//! Where uploads go: a base path becomes a store and the references into it.

use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use crate::error::Error;
use crate::settings::Format;

/// A store, the folder within, and how telemetry refers to it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) folder: Path,
    /// The URL of the folder, without a slash at its end and without credentials.
    pub(crate) base: String,
}

/// What a cloud's store is made with.
pub(crate) struct Setup<'a> {
    /// Settings of the object store, before the environment's.
    #[cfg_attr(not(feature = "_cloud"), expect(dead_code, reason = "only clouds have options"))]
    pub(crate) options: &'a [(String, String)],
    #[cfg_attr(not(feature = "_cloud"), expect(dead_code, reason = "only clouds name types"))]
    pub(crate) format: Format,
    #[cfg_attr(not(feature = "_cloud"), expect(dead_code, reason = "only clouds retry"))]
    pub(crate) timeout: Duration,
}

/// A cloud that can be built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cloud {
    Aws,
    Gcp,
    Azure,
}

impl Cloud {
    /// By the schemes that fsspec and the object store know.
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "s3" | "s3a" => Cloud::Aws,
            "gs" | "gcs" => Cloud::Gcp,
            "az" | "azure" | "adl" | "abfs" | "abfss" => Cloud::Azure,
            _ => return None,
        })
    }

    #[cfg(not(all(feature = "aws", feature = "gcp", feature = "azure")))]
    fn feature(self) -> &'static str {
        match self {
            Cloud::Aws => "aws",
            Cloud::Gcp => "gcp",
            Cloud::Azure => "azure",
        }
    }
}

impl Place {
    /// The place that a path or URL names. A local folder is made where it is missing; a cloud is not asked yet.
    pub(crate) fn open(base_path: &str, setup: &Setup<'_>) -> Result<Self, Error> {
        let base_path = base_path.trim();
        if base_path.is_empty() {
            return Err(Error::NoBasePath);
        }
        if !base_path.contains("://") {
            return local(&expand_home(base_path), base_path);
        }
        let Ok(mut url) = Url::parse(base_path) else {
            // What cannot be read cannot be rid of credentials either.
            let scheme = base_path.split("://").next().unwrap_or_default();
            return Err(refused(&format!("{scheme}://..."), "it cannot be read as a URL"));
        };
        let credentials = url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        url.set_query(None);
        url.set_fragment(None);
        let _ = url.set_password(None);
        // In abfss://container@account.dfs.core.windows.net, what looks like a user is the container.
        let user_is_container = matches!(url.scheme(), "abfs" | "abfss");
        let user = !url.username().is_empty() && !user_is_container;
        if user {
            let _ = url.set_username("");
        }
        let shown = url.as_str().trim_end_matches('/');
        if credentials || user {
            let why = "it has a user, password, query or fragment; credentials come from the environment, as the \
                       cloud's own tools read them";
            return Err(refused(shown, why));
        }
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| refused(shown, "it names no local folder"))?;
            return local(&path, shown);
        }
        let Some(cloud) = Cloud::of(url.scheme()) else {
            return Err(refused(shown, "known are folders and file://, s3://, gs:// and az:// URLs"));
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refused(shown, "it names no bucket or container"));
        }
        let shown = match url.scheme() {
            "gcs" => shown.replacen("gcs://", "gs://", 1),
            _ => shown.to_owned(),
        };
        let folder = Path::from_url_path(url.path()).map_err(|error| refused(&shown, &error.to_string()))?;
        let store = open_cloud(cloud, &shown, setup)?;
        Ok(Place { store, folder, base: shown })
    }

    /// Where a file stands in the store.
    pub(crate) fn location(&self, name: &str) -> Path {
        self.folder.clone().join(name)
    }

    /// How telemetry refers to a file.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.base)
    }
}

fn refused(base_path: &str, why: &str) -> Error {
    Error::BasePath { base_path: base_path.to_owned(), why: why.to_owned() }
}

/// `~` is the home directory, also where no shell has read the variable.
fn expand_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

fn local(path: &FsPath, shown: &str) -> Result<Place, Error> {
    let not_writable = |why: String| Error::NotWritable { base_path: shown.to_owned(), why };
    make_folder(path).map_err(|error| not_writable(format!("the folder cannot be made: {error}")))?;
    // Absolute and free of links, so that references stand when the working directory changes.
    let path = std::fs::canonicalize(path).map_err(|error| not_writable(error.to_string()))?;
    let url = Url::from_file_path(&path).map_err(|()| refused(shown, "it cannot be written as a URL"))?;
    let store = LocalFileSystem::new_with_prefix(&path).map_err(|error| not_writable(error.to_string()))?;
    Ok(Place {
        store: Arc::new(store),
        folder: Path::default(),
        base: url.as_str().trim_end_matches('/').to_owned(),
    })
}

/// Prompts are sensitive: a folder that is made here is its owner's alone.
fn make_folder(path: &FsPath) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg_attr(not(feature = "_cloud"), expect(unused_variables, reason = "only clouds are set up"))]
fn open_cloud(cloud: Cloud, url: &str, setup: &Setup<'_>) -> Result<Arc<dyn ObjectStore>, Error> {
    match cloud {
        #[cfg(feature = "aws")]
        Cloud::Aws => crate::cloud::aws(url, setup),
        #[cfg(feature = "gcp")]
        Cloud::Gcp => crate::cloud::gcp(url, setup),
        #[cfg(feature = "azure")]
        Cloud::Azure => crate::cloud::azure(url, setup),
        #[cfg(not(all(feature = "aws", feature = "gcp", feature = "azure")))]
        cloud => Err(Error::MissingFeature { base_path: url.to_owned(), feature: cloud.feature() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(base_path: &str) -> Result<Place, Error> {
        let setup = Setup { options: &[], format: Format::Json, timeout: Duration::from_secs(5) };
        Place::open(base_path, &setup)
    }

    #[test]
    fn a_folder_is_made_and_referred_to_by_a_url() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let plain = open(dir.join("a b/c").to_str().unwrap()).unwrap();
        assert!(dir.join("a b/c").is_dir());
        assert_eq!(plain.base, format!("file://{}/a%20b/c", dir.display()));
        assert_eq!(plain.reference("x.json"), format!("{}/x.json", plain.base));
        assert_eq!(open(&format!("{}/", plain.base)).unwrap().base, plain.base);
    }

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new");
        open(path.to_str().unwrap()).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_repeated() {
        for base_path in [
            "s3://AKIDEXAMPLE:hush-hush@bucket/prompts",
            "s3://hush-hush@bucket/prompts",
            "az://container/prompts?sig=hush-hush",
            "gs://bucket/prompts#hush-hush",
            "abfss://container:hush-hush@account.dfs.core.windows.net/prompts",
            "s3://hush-hush:99999999@[bucket",
            "ftp://user:hush-hush@example.com/",
        ] {
            let error = open(base_path).unwrap_err();
            assert!(matches!(error, Error::BasePath { .. }), "{base_path}: {error:?}");
            assert!(!format!("{error} {error:?}").contains("hush"), "{base_path}: {error:?}");
        }
    }

    #[test]
    fn an_unknown_scheme_is_told_what_is_known() {
        let error = open("ftp://example.com/prompts").unwrap_err().to_string();
        assert!(error.contains("ftp://example.com/prompts") && error.contains("s3://"), "{error}");
        let error = open("s3:///prompts").unwrap_err().to_string();
        assert!(error.contains("bucket"), "{error}");
    }

    #[cfg(not(feature = "_cloud"))]
    #[test]
    fn a_cloud_that_is_not_built_in_is_told_by_its_feature() {
        for (base_path, feature) in [
            ("s3://bucket/prompts", "`aws`"),
            ("gs://bucket", "`gcp`"),
            ("gcs://bucket", "`gcp`"),
            ("az://container", "`azure`"),
            ("abfss://container@account.dfs.core.windows.net/prompts", "`azure`"),
        ] {
            let error = open(base_path).unwrap_err().to_string();
            assert!(error.contains(feature) && error.contains("otel-genai-upload"), "{error}");
        }
    }
}
