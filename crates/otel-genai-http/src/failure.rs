//! What a broken connection is called in telemetry.

use std::error::Error;
use std::io;

use otel_genai::Failure;

/// An error of the connection as a failure: `error.type` is one of `connection_refused`, `connection_reset`,
/// `connection_closed`, `timeout`, `host_not_found`, `host_unreachable`, or `connection_error` where no more is known.
///
/// The message is the innermost error's own: outer layers tend to repeat it, and may quote URLs.
pub fn transport_failure(error: &(dyn Error + 'static)) -> Failure {
    let kind = causes(error).find_map(|cause| match cause.downcast_ref::<io::Error>() {
        Some(io) => name(io.kind()),
        None => told(&cause.to_string()),
    });
    let innermost = causes(error).last().unwrap_or(error);
    Failure::new(kind.unwrap_or("connection_error")).message(innermost.to_string())
}

/// What is not told by a type that everybody has: by connectors, by reqwest, by tower and tokio.
fn told(text: &str) -> Option<&'static str> {
    match text {
        "dns error" => Some("host_not_found"),
        "operation timed out" | "request timed out" | "deadline has elapsed" => Some("timeout"),
        _ => None,
    }
}

/// An error and all that caused it, from the outside in. `io::Error` hides what it wraps from `source`.
pub fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

fn name(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection_refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "connection_reset"
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::NotConnected => "connection_closed",
        io::ErrorKind::TimedOut => "timeout",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "host_unreachable",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("sending to https://user:password@host/?key=secret")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_innermost_error_tells_what_happened() {
        let error = Outer(io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer"));
        let failure = transport_failure(&error);
        assert_eq!(failure.error_type, "connection_reset");
        assert_eq!(failure.message.as_deref(), Some("reset by peer"));
    }
}
