//! How the program ends: documented codes, and errors that tell a person what failed and what to do.

use std::process::ExitStatus;

/// The options are wrong.
pub(crate) const USAGE: u8 = 2;
/// Another dashboard has the data folder, or the port.
#[cfg(feature = "dashboard")]
pub(crate) const RUNS_ALREADY: u8 = 3;
/// Something else listens where the dashboard was to.
#[cfg(feature = "dashboard")]
pub(crate) const PORT_TAKEN: u8 = 4;
/// The data folder cannot be used.
#[cfg(feature = "dashboard")]
pub(crate) const NO_FOLDER: u8 = 5;
/// A command was found but cannot be executed.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// A command was not found.
pub(crate) const NOT_FOUND: u8 = 127;
/// We failed ourselves, before or instead of the command.
pub(crate) const OURS: u8 = 125;

/// Why the program ends without having done its work.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) code: u8,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A failure of ours, exit code 125.
    pub(crate) fn ours(message: impl std::fmt::Display) -> Self {
        Self::new(OURS, message.to_string())
    }
}

/// The code that shells give: the program's own, or 128 + n if signal n ended it.
pub(crate) fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;

    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(i32::from(OURS));
    u8::try_from(code).unwrap_or(OURS)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn codes_are_those_of_shells() {
        assert_eq!(code(ExitStatus::from_raw(0)), 0);
        assert_eq!(code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(code(ExitStatus::from_raw(255 << 8)), 255);
        assert_eq!(code(ExitStatus::from_raw(15)), 143);
        assert_eq!(code(ExitStatus::from_raw(11 | 0x80)), 139, "with a core dump");
    }
}
