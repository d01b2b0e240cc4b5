//! Programs that do not believe the run's authority: counted, and from then on left alone.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustls::AlertDescription;

/// More hosts than this are not told apart.
const HOSTS: usize = 256;
/// A connection may break for many reasons: only so many in a row, with none that was agreed on between them, say that
/// the program does not want ours.
const BROKEN: u64 = 3;

/// The connections to a host whose client did not accept the certificate that it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The host.
    pub host: String,
    /// How many connections.
    pub connections: u64,
    /// Who would not.
    pub kind: RefusalKind,
    /// What the last client said: `unknown authority`, or that it went without a word.
    pub reason: String,
}

/// Why a host is not intercepted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The client said that it does not want our certificate, or what we speak.
    Refused,
    /// Several connections in a row broke while TLS was agreed on, without a word why.
    Broken,
    /// No certificate could be made here.
    NoCertificate,
}

#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<String, Refusal>>);

impl Refusals {
    /// TLS could not be agreed on.
    pub(super) fn count(&self, host: &str, error: &io::Error) {
        let (kind, reason) = reason(error);
        self.add(host, kind, reason);
    }

    /// The host can never be intercepted.
    pub(super) fn count_unmade(&self, host: &str, why: String) {
        self.add(host, RefusalKind::NoCertificate, why);
    }

    /// TLS was agreed on: what broke before was chance.
    pub(super) fn forgive(&self, host: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(host).is_some_and(|refusal| !refusal.is_certain()) {
            all.remove(host);
        }
    }

    fn add(&self, host: &str, kind: RefusalKind, reason: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= HOSTS && !all.contains_key(host) {
            return;
        }
        let before = all.get(host);
        let connections = before.map_or(0, |before| before.connections) + 1;
        let refusal = match before.filter(|before| before.is_certain()) {
            // The connection had begun before that was known.
            Some(before) => Refusal { connections, ..before.clone() },
            None => Refusal { host: host.to_owned(), connections, kind, reason },
        };
        all.insert(host.to_owned(), refusal);
    }

    /// Whether a program has refused this host's certificate: it gets the host's own from now on.
    pub(super) fn contain(&self, host: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(host).is_some_and(Refusal::is_certain)
    }

    pub(super) fn all(&self) -> Vec<Refusal> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().filter(|refusal| refusal.is_certain()).cloned().collect()
    }
}

impl Refusal {
    fn is_certain(&self) -> bool {
        self.kind != RefusalKind::Broken || self.connections >= BROKEN
    }
}

/// In a few words; alerts have names that few people know.
fn reason(error: &io::Error) -> (RefusalKind, String) {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    let (kind, reason) = match tls {
        // These say that somebody goes, and not why.
        Some(rustls::Error::AlertReceived(
            AlertDescription::CloseNotify | AlertDescription::UserCanceled,
        )) => (RefusalKind::Broken, "it closed the connection".to_owned()),
        Some(rustls::Error::AlertReceived(alert)) => match alert {
            AlertDescription::UnknownCA => (RefusalKind::Refused, "unknown authority".to_owned()),
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied => (RefusalKind::Refused, "bad certificate".to_owned()),
            other => (RefusalKind::Refused, format!("{other:?}")),
        },
        Some(other @ rustls::Error::PeerIncompatible(_)) => (RefusalKind::Refused, other.to_string()),
        Some(other) => (RefusalKind::Broken, other.to_string()),
        None => (RefusalKind::Broken, "it closed the connection".to_owned()),
    };
    (kind, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_believed_at_once_and_silence_after_a_while() {
        let refusals = Refusals::default();
        let closed = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let alert = |alert| io::Error::other(rustls::Error::AlertReceived(alert));
        for _ in 1..BROKEN {
            refusals.count("closed", &closed());
        }
        assert!(!refusals.contain("closed") && refusals.all().is_empty());
        refusals.forgive("closed");
        for _ in 1..BROKEN {
            refusals.count("closed", &alert(AlertDescription::UserCanceled));
        }
        assert!(!refusals.contain("closed"), "one was agreed on between them");
        refusals.count("closed", &closed());
        assert!(refusals.contain("closed"));

        refusals.count("asked", &closed());
        refusals.count("asked", &alert(AlertDescription::UnknownCA));
        refusals.count("asked", &closed());
        refusals.count_unmade("odd", "not a name".to_owned());
        refusals.forgive("asked");
        let all: Vec<_> =
            refusals.all().into_iter().map(|one| (one.host, one.connections, one.kind)).collect();
        let kinds = [RefusalKind::Refused, RefusalKind::Broken, RefusalKind::NoCertificate];
        let wanted = [("asked", 3, kinds[0]), ("closed", BROKEN, kinds[1]), ("odd", 1, kinds[2])];
        assert_eq!(all, wanted.map(|(host, connections, kind)| (host.to_owned(), connections, kind)));
    }
}
