//! What a reader keeps.

/// What a reader keeps of the bytes it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Whether messages, tool definitions and answers are read. Without it they are skipped, not even parsed.
    pub content: bool,
    /// Whether messages are read even so where a request has to do with tools: what the model asked for and what was
    /// answered tells which calls belong together.
    pub tools: bool,
    /// How many bytes of body or content are held at most, for each direction of a call. Beyond it the settings, the
    /// identity and the usage are still read; content is left out (requests, whole answers) or ends there (streams).
    pub limit: usize,
}

impl Options {
    /// Four mebibytes for each direction.
    pub const DEFAULT_LIMIT: usize = 4 << 20;

    /// Reads content or not, within [`DEFAULT_LIMIT`](Options::DEFAULT_LIMIT).
    #[must_use]
    pub fn new(content: bool) -> Self {
        Options { content, tools: false, limit: Options::DEFAULT_LIMIT }
    }

    /// The same, and messages where a request has to do with tools.
    #[must_use]
    pub fn tools(mut self, read: bool) -> Self {
        self.tools = read;
        self
    }

    /// The same with another bound, in bytes.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for Options {
    /// No content.
    fn default() -> Self {
        Options::new(false)
    }
}
