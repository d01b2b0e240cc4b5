//! What the one may do as whom the server is asked.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::read::Db;
use crate::error::StoreError;

/// Whether nothing is written.
pub(super) struct ReadOnly {
    /// Because it was asked for so.
    asked: bool,
    refused: Mutex<Refused>,
}

/// Why the server lets nothing be written, if so, and when to ask it again: somebody may give the right.
struct Refused {
    why: Option<String>,
    again: Instant,
}

impl ReadOnly {
    pub(super) async fn new(db: &Db, asked: bool) -> Result<Self, StoreError> {
        let refused = Refused { why: db.why_read_only().await?, again: Instant::now() + db.place.quiet / 2 };
        Ok(Self { asked, refused: Mutex::new(refused) })
    }

    /// Why nothing is written, if so, as it was a minute ago at most.
    pub(super) async fn why(&self, db: &Db) -> Option<StoreError> {
        let location = &db.place.location;
        if self.asked {
            return Some(StoreError::ReadOnly(location.into()));
        }
        if self.is_to_be_asked(db) {
            // A server that does not answer gives no right.
            if let Ok(why) = db.why_read_only().await {
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).why = why;
            }
        }
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let why = refused.why.clone()?;
        Some(StoreError::Unwritable { place: location.clone(), why })
    }

    /// Whether the server refused, and is to be asked again by the one who asks here.
    fn is_to_be_asked(&self, db: &Db) -> bool {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = refused.why.is_some() && refused.again <= now;
        if due {
            refused.again = now + db.place.quiet / 2;
        }
        due
    }
}

impl Db {
    /// Why nothing can be written, if so: senders are to be told at once, not after they sent.
    async fn why_read_only(&self) -> Result<Option<String>, StoreError> {
        let readonly = self.one::<u64>("SELECT toUInt64(getSetting('readonly'))").await?;
        if readonly.is_some_and(|readonly| readonly > 0) {
            return Ok(Some("this user has the setting readonly".to_owned()));
        }
        let database = &self.place.database;
        // Where that cannot be asked, it shows when something is written.
        let may = self.one::<u8>(&format!("CHECK GRANT INSERT ON {database}.span")).await;
        Ok(matches!(may, Ok(Some(0))).then(|| self.place.grant()))
    }
}
