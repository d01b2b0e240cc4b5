//! How much may be in memory of requests under way: senders beyond it are told to come again.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refused::Refused;

/// All requests together, in KiB.
pub(crate) const ROOM: usize = 512 << 10;

/// The room that one request has taken.
pub(crate) struct Room {
    all: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Room {
    pub(crate) fn new(all: &Arc<Semaphore>) -> Self {
        Self { all: Arc::clone(all), taken: None }
    }

    /// Makes it so many bytes at least. Never waits: requests that wait for each other's room would wait for ever.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        let has = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = bytes.div_ceil(1024).saturating_sub(has);
        if missing == 0 {
            return Ok(());
        }
        if has + missing > ROOM {
            // However often it comes again.
            let (need, most) = (bytes >> 20, ROOM >> 10);
            return Err(Refused::too_large(format!(
                "reading the request takes about {need} MiB of memory, and {most} MiB is the most; send it in parts"
            )));
        }
        // In steps, so that it is not counted anew for each packet.
        let missing = u32::try_from(missing.max(64).min(ROOM - has)).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.all).try_acquire_many_owned(missing).map_err(|_| Refused::busy())?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}
