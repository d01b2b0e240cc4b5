//! What both sides agreed on when the connection became a WebSocket.

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_EXTENSIONS;

/// How a side may pack its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Not at all.
    None,
    /// `permessage-deflate` (RFC 7692).
    Deflate {
        /// Whether a message may refer to those before it.
        takes_over: bool,
    },
}

/// How the client and the server pack their messages. `None`: in a way that nobody here knows.
pub(crate) fn packing(answer: &HeaderMap) -> Option<(Packing, Packing)> {
    let mut agreed = (Packing::None, Packing::None);
    for value in answer.get_all(SEC_WEBSOCKET_EXTENSIONS) {
        for extension in value.to_str().ok()?.split(',').filter(|extension| !extension.trim().is_empty()) {
            let mut words = extension.split(';').map(str::trim);
            if !words.next()?.eq_ignore_ascii_case("permessage-deflate") || agreed.0 != Packing::None {
                return None;
            }
            let (mut client, mut server) = (true, true);
            for parameter in words {
                match parameter.split('=').next()?.trim().to_ascii_lowercase().as_str() {
                    "client_no_context_takeover" => client = false,
                    "server_no_context_takeover" => server = false,
                    // However small the window is, what refers to it is found in a larger one, too.
                    "client_max_window_bits" | "server_max_window_bits" => {}
                    _ => return None,
                }
            }
            agreed = (Packing::Deflate { takes_over: client }, Packing::Deflate { takes_over: server });
        }
    }
    Some(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(value: &'static str) -> Option<(Packing, Packing)> {
        packing(&[(SEC_WEBSOCKET_EXTENSIONS, value.parse().unwrap())].into_iter().collect())
    }

    #[test]
    fn what_was_agreed() {
        let deflate = |takes_over| Packing::Deflate { takes_over };
        assert_eq!(packing(&HeaderMap::new()), Some((Packing::None, Packing::None)));
        assert_eq!(agreed("permessage-deflate"), Some((deflate(true), deflate(true))));
        assert_eq!(
            agreed("Permessage-Deflate; server_no_context_takeover; client_max_window_bits=12"),
            Some((deflate(true), deflate(false)))
        );
        assert_eq!(
            agreed("permessage-deflate ; client_no_context_takeover;server_max_window_bits=\"10\""),
            Some((deflate(false), deflate(true)))
        );
        for unknown in ["x-webkit-deflate-frame", "permessage-deflate; quality=9", "permessage-deflate, x"] {
            assert_eq!(agreed(unknown), None, "{unknown}");
        }
    }
}
