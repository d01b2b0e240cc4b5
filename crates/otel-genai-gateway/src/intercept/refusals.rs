//! Programs that do not believe the run's authority: counted, and from then on left alone.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustls::AlertDescription;

/// More hosts than this are not told apart.
const HOSTS: usize = 256;

/// The connections to a host whose client did not accept the certificate that it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The host.
    pub host: String,
    /// How many connections.
    pub connections: u64,
    /// What the first client said: `unknown authority`, or that it went without a word.
    pub reason: String,
}

#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<String, Refusal>>);

impl Refusals {
    pub(super) fn count(&self, host: &str, error: &io::Error) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= HOSTS && !all.contains_key(host) {
            return;
        }
        let refusal = all.entry(host.to_owned()).or_insert_with(|| Refusal {
            host: host.to_owned(),
            connections: 0,
            reason: reason(error),
        });
        refusal.connections += 1;
    }

    /// Whether a program has refused this host's certificate: it gets the host's own from now on.
    pub(super) fn contain(&self, host: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(host)
    }

    pub(super) fn all(&self) -> Vec<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// In a few words; alerts have names that few people know.
fn reason(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(alert)) => match alert {
            AlertDescription::UnknownCA => "unknown authority".to_owned(),
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied => "bad certificate".to_owned(),
            other => format!("{other:?}"),
        },
        Some(other) => other.to_string(),
        None => "it closed the connection".to_owned(),
    }
}
