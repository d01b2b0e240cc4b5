//! What the one may do as whom the server is asked.

use super::read::Db;
use crate::error::StoreError;

impl Db {
    /// Why nothing can be written, if so: senders are to be told at once, not after they sent.
    pub(super) async fn why_read_only(&self) -> Result<Option<String>, StoreError> {
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
