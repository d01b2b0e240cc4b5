//! Placeholder.
use crate::Result;
pub(crate) fn test(_: bool) -> Result<()> { Ok(()) }
pub(crate) fn ci() -> Result<()> { Ok(()) }
pub(crate) fn bench(_: &[String]) -> Result<()> { Ok(()) }
pub(crate) fn demo(_: &[String]) -> Result<()> { Ok(()) }
