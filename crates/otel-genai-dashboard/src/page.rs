//! The files of the page, as `build.rs` put them into the program: compressed, and each by a name that changes with it.

use std::io::Read as _;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{HeaderName, StatusCode};

/// One of the files.
pub(crate) struct File {
    /// From the root, such as `/assets/main-G7K42HSP.js`.
    path: &'static str,
    media: &'static str,
    etag: &'static str,
    /// Its name has the hash of what is in it.
    immutable: bool,
    packed: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The hash of the page's inline script, as `sha256-…`.
pub(crate) fn boot() -> Option<&'static str> {
    BOOT
}

/// The page itself, which every path without a file is.
pub(crate) fn index() -> Option<&'static File> {
    file("/index.html")
}

/// The file of exactly this path.
pub(crate) fn file(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// The answer to a request with these headers.
    pub(crate) fn answer(&self, asked: &HeaderMap, takes_gzip: bool) -> Response {
        let known = asked
            .get(IF_NONE_MATCH)
            .and_then(|told| told.to_str().ok())
            .is_some_and(|told| told.split(',').any(|one| one.trim().trim_start_matches("W/") == self.etag));
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else if self.packed && !takes_gzip {
            match self.unpacked() {
                Some(bytes) => Body::from(bytes).into_response(),
                None => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        } else {
            Body::from(self.bytes).into_response()
        };
        let kept = if self.immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut told = vec![(CACHE_CONTROL, kept), (ETAG, self.etag), (CONTENT_TYPE, self.media)];
        if self.packed {
            told.push((VARY, "accept-encoding"));
            if takes_gzip && !known {
                told.push((CONTENT_ENCODING, "gzip"));
            }
        }
        let of = |(name, value): (HeaderName, &'static str)| (name, HeaderValue::from_static(value));
        response.headers_mut().extend(told.into_iter().map(of));
        response
    }

    /// For the rare client that does not take gzip.
    fn unpacked(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        GzDecoder::new(self.bytes).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}
