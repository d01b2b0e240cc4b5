//! Stores in clouds. Who we are comes from the environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`, instance metadata), as the
//! object store reads it.

use std::sync::Arc;

use object_store::{ObjectStore, RetryConfig};

use crate::error::{Error, told};
use crate::place::Setup;
use crate::settings::Format;

mod http;

/// What all clouds have in common.
macro_rules! build {
    ($builder:ty, $keys:ty, $url:expr, $setup:expr) => {{
        let failed =
            |error: object_store::Error| Error::BasePath { base_path: $url.to_owned(), why: told(&error) };
        let mut builder = <$builder>::from_env().with_url($url);
        let content_type = ("default_content_type".to_owned(), content_type($setup.format).to_owned());
        for (name, value) in std::iter::once(&content_type).chain($setup.options) {
            let key: $keys = name.to_ascii_lowercase().parse().map_err(|_| Error::BasePath {
                base_path: $url.to_owned(),
                why: format!("its store has no option {name:?}"),
            })?;
            builder = builder.with_config(key, value);
        }
        let store = builder
            .with_retry(retries($setup))
            .with_http_connector(http::Connector)
            .build()
            .map_err(failed)?;
        Ok(Arc::new(store) as Arc<dyn ObjectStore>)
    }};
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/json",
        Format::Jsonl => "application/jsonl",
    }
}

/// A few, and within the time of one upload.
fn retries(setup: &Setup<'_>) -> RetryConfig {
    RetryConfig { max_retries: 3, retry_timeout: setup.timeout, ..RetryConfig::default() }
}

#[cfg(feature = "aws")]
pub(crate) fn aws(url: &str, setup: &Setup<'_>) -> Result<Arc<dyn ObjectStore>, Error> {
    use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
    build!(AmazonS3Builder, AmazonS3ConfigKey, url, setup)
}

#[cfg(feature = "gcp")]
pub(crate) fn gcp(url: &str, setup: &Setup<'_>) -> Result<Arc<dyn ObjectStore>, Error> {
    use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
    build!(GoogleCloudStorageBuilder, GoogleConfigKey, url, setup)
}

#[cfg(feature = "azure")]
pub(crate) fn azure(url: &str, setup: &Setup<'_>) -> Result<Arc<dyn ObjectStore>, Error> {
    use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
    build!(MicrosoftAzureBuilder, AzureConfigKey, url, setup)
}
