//! The certificate authorities that programs trust besides the system's: providers behind a company's own need them,
//! and with the gateway between them it is the gateway that checks. `SSL_CERT_FILE` is read where the system's are.

use std::net::SocketAddr;

use otel_genai_gateway::{BindError, Gateway, GatewayBuilder};

/// What Python's requests, curl, AWS's SDKs, Node, gRPC and Deno read their authorities from.
const VARIABLES: [&str; 6] = [
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "DENO_CERT",
];

/// Binds a gateway which trusts what the program would have trusted.
pub(crate) async fn bind(
    builder: impl Fn() -> GatewayBuilder,
    address: SocketAddr,
) -> Result<Gateway, BindError> {
    let extra = certificates();
    if extra.is_empty() {
        return builder().bind(address).await;
    }
    match builder().extra_roots(extra).bind(address).await {
        Err(BindError::Roots) => {
            tracing::warn!(
                target: "otel_genai",
                "the certificates of {} cannot be read; the gateway trusts the system's only",
                VARIABLES.join(", ")
            );
            builder().bind(address).await
        }
        bound => bound,
    }
}

/// The files that are named, one after the other. A folder, or a file that is not there, is the program's own matter.
fn certificates() -> Vec<u8> {
    let mut all = Vec::new();
    for path in VARIABLES.iter().filter_map(std::env::var_os).filter(|path| !path.is_empty()) {
        if let Ok(pem) = std::fs::read(path) {
            all.extend_from_slice(&pem);
            all.push(b'\n');
        }
    }
    all
}
