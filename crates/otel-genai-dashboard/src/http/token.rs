//! The token: who knows it may ask and send.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A secret that requests must bring.
pub(crate) struct Token {
    text: String,
    hash: blake3::Hash,
    /// What browsers keep instead of the token itself.
    cookie: blake3::Hash,
}

impl Token {
    /// `None` for a text that no header can carry.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let sendable = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        (!text.is_empty() && text.bytes().all(sendable)).then(|| Self {
            hash: blake3::hash(text.as_bytes()),
            cookie: blake3::Hasher::new().update(b"otel-genai cookie\0").update(text.as_bytes()).finalize(),
            text: text.to_owned(),
        })
    }

    /// `None` where the system has no random bytes.
    pub(crate) fn random() -> Option<Self> {
        let mut bytes = [0; 24];
        getrandom::fill(&mut bytes).ok()?;
        Self::new(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Takes as long for a wrong token as for the right one: hashes are compared, in constant time.
    pub(crate) fn is(&self, told: &str) -> bool {
        blake3::hash(told.as_bytes()) == self.hash
    }

    pub(crate) fn cookie(&self) -> String {
        self.cookie.to_hex().to_string()
    }

    pub(crate) fn is_cookie(&self, told: &str) -> bool {
        blake3::Hash::from_hex(told).is_ok_and(|told| told == self.cookie)
    }
}
