//! Messages that are packed (RFC 7692), unpacked as they pass.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

/// However small it came, no message is unpacked further than this, in bytes.
const LIMIT: usize = if cfg!(test) { 1 << 20 } else { 16 << 20 };

/// What every sender leaves out at the end of a message.
const TAIL: &[u8] = &[0, 0, 0xFF, 0xFF];

pub(super) struct Inflate {
    inner: Decompress,
    /// Whether a message may refer to those before it.
    takes_over: bool,
    /// Whether the message's last block has come.
    is_over: bool,
    /// How much of the message has been unpacked, in bytes.
    unpacked: usize,
}

impl Inflate {
    pub(super) fn new(takes_over: bool) -> Self {
        Inflate { inner: Decompress::new(false), takes_over, is_over: false, unpacked: 0 }
    }

    /// The next bytes of a message.
    pub(super) fn push(
        &mut self,
        mut packed: &[u8],
        mut tell: impl FnMut(&[u8]),
    ) -> Result<(), &'static str> {
        let mut plain = [0; 8192];
        while !self.is_over {
            let (before_in, before_out) = (self.inner.total_in(), self.inner.total_out());
            let status = self.inner.decompress(packed, &mut plain, FlushDecompress::Sync);
            let status = status.map_err(|_| "a message is not packed as was agreed")?;
            let taken = usize::try_from(self.inner.total_in() - before_in).unwrap_or(usize::MAX);
            let made = usize::try_from(self.inner.total_out() - before_out).unwrap_or(usize::MAX);
            packed = packed.get(taken..).unwrap_or_default();
            self.unpacked = self.unpacked.saturating_add(made);
            if self.unpacked > LIMIT {
                return Err("a message unpacks to too much");
            }
            if let Some(made) = plain.get(..made).filter(|made| !made.is_empty()) {
                tell(made);
            }
            self.is_over = status == Status::StreamEnd;
            // There may be more than was made at once, also where there was room for it.
            if made == 0 && (packed.is_empty() || taken == 0) {
                break;
            }
        }
        Ok(())
    }

    /// The message is over.
    pub(super) fn end(&mut self, tell: impl FnMut(&[u8])) -> Result<(), &'static str> {
        self.push(TAIL, tell)?;
        if self.is_over || !self.takes_over {
            self.inner.reset(false);
        }
        self.is_over = false;
        self.unpacked = 0;
        Ok(())
    }
}

impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflate").field("unpacked", &self.unpacked).finish_non_exhaustive()
    }
}
