//! MCP over standard input and output: bytes are passed on as they come, and a copy is read on the side.

mod relay;
mod watch;

pub(crate) use relay::{Streams, pass_on};
pub(crate) use watch::{Told, Watch};
