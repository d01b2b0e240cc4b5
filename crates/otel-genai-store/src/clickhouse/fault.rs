//! What ClickHouse's errors mean to the one who asked.

use std::path::PathBuf;
use std::time::Duration;

use clickhouse::error::Error;

use super::DATABASE;
use crate::error::StoreError;

/// How long a query may take, unless another time is told.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// To store what it has read, the server may take so many times as long as to answer.
pub(super) const STORE: u32 = 6;

/// And to delete, so many times.
const DELETE: u32 = 60;

/// How long an hour is left alone before its calls are added up, unless another time is told.
pub(super) const QUIET: Duration = Duration::from_secs(120);

pub(super) const UNKNOWN_TABLE: u32 = 60;
pub(super) const UNKNOWN_DATABASE: u32 = 81;
pub(super) const READONLY: u32 = 164;
pub(super) const ACCESS_DENIED: u32 = 497;
const UNKNOWN_USER: u32 = 192;
const WRONG_PASSWORD: u32 = 193;
const REQUIRED_PASSWORD: u32 = 194;
const AUTHENTICATION_FAILED: u32 = 516;
const TOO_MANY_ROWS: u32 = 158;
const TIMEOUT_EXCEEDED: u32 = 159;
const TOO_SLOW: u32 = 160;
const QUOTA_EXCEEDED: u32 = 201;
const TOO_MANY_QUERIES: u32 = 202;
const MEMORY_LIMIT: u32 = 241;
const NO_SPACE: u32 = 243;
const TOO_MANY_PARTS: u32 = 252;
const TOO_MANY_BYTES: u32 = 307;
const TOO_MANY_ROWS_OR_BYTES: u32 = 396;

/// Where the server is, as it may be said: without a name and a password; and how long it is waited for.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) location: String,
    pub(super) database: String,
    /// How long a query may take.
    pub(super) patience: Duration,
    /// How long an hour is left alone before its calls are added up: longer than any insert takes.
    pub(super) quiet: Duration,
}

impl Place {
    /// How long the server may take to store what it has read.
    pub(super) fn to_store(&self) -> Duration {
        STORE * self.patience
    }

    /// How long the server may take to delete.
    pub(super) fn to_delete(&self) -> Duration {
        DELETE * self.patience
    }

    /// What the server answers in time; else it is as if it were away.
    pub(super) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.within(self.patience, answer).await
    }

    /// The same, with another patience.
    pub(super) async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let late = |_| Err(Error::Network(format!("no answer in {patience:?}").into()));
        tokio::time::timeout(patience, answer).await.unwrap_or_else(late)
    }

    pub(super) fn fault(&self, what: &'static str, error: Error) -> StoreError {
        match (code(&error), error) {
            (Some(TIMEOUT_EXCEEDED | TOO_SLOW), _) | (_, Error::TimedOut) => {
                StoreError::Timeout(self.patience)
            }
            (Some(TOO_MANY_ROWS | MEMORY_LIMIT | TOO_MANY_BYTES | TOO_MANY_ROWS_OR_BYTES), error)
                if what == READ =>
            {
                StoreError::BadQuery(format!(
                    "this reads more than the server allows; narrow the time range, or ask for one service, model or \
                     conversation ({})",
                    words(&error)
                ))
            }
            // The same records are as many days the next time.
            (Some(TOO_MANY_PARTS), Error::BadResponse(text)) if text.contains("Too many partitions") => {
                StoreError::Backend {
                    what,
                    source: format!(
                        "{}; an administrator sets max_partitions_per_insert_block = 0 for this user",
                        words(&Error::BadResponse(text))
                    )
                    .into(),
                }
            }
            (Some(TOO_MANY_QUERIES | MEMORY_LIMIT | TOO_MANY_PARTS), _) => {
                StoreError::Busy { retry_after: Duration::from_secs(2) }
            }
            (Some(QUOTA_EXCEEDED), _) => StoreError::Busy { retry_after: Duration::from_secs(60) },
            (code, error) if code == Some(NO_SPACE) || is_full(&error) => {
                StoreError::Full { dir: PathBuf::from(&self.location), retry_after: Duration::from_secs(30) }
            }
            (Some(READONLY), _) if what == WRITE => StoreError::ReadOnly(PathBuf::from(&self.location)),
            // Somebody may give the right back: what is sent again is not lost.
            (Some(ACCESS_DENIED), error) if what == WRITE => {
                StoreError::Backend { what, source: format!("{}; {}", words(&error), self.grant()).into() }
            }
            (_, Error::Network(source)) => StoreError::Away {
                place: self.location.clone(),
                retry_after: Duration::from_secs(5),
                source: root(source.as_ref()),
            },
            (_, error) => StoreError::Backend { what, source: words(&error).into() },
        }
    }

    /// What an administrator does for one who may not write.
    pub(super) fn grant(&self) -> String {
        format!("this user may not insert: an administrator runs GRANT SELECT, INSERT ON {}.*", self.database)
    }

    /// What prints to an administrator how the tables are made.
    pub(super) fn schema(&self) -> String {
        let database = Some(&self.database).filter(|name| *name != DATABASE);
        let database = database.map_or(String::new(), |name| format!(" --database {name}"));
        format!("otel-genai store schema clickhouse{database}")
    }

    /// Why it cannot be asked as that user.
    pub(super) fn unmet(&self, user: Option<&str>, password: bool, error: Error) -> StoreError {
        let what = "cannot connect";
        let unknown = [UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, AUTHENTICATION_FAILED];
        if !code(&error).is_some_and(|code| unknown.contains(&code)) {
            return self.fault(what, error);
        }
        let hint = if user.is_none() && password {
            "there is a password and no user: write clickhouse://USER@HOST"
        } else {
            "check the user, and the password in the address, in OTEL_GENAI_STORE_PASSWORD or in the password file"
        };
        let user = user.unwrap_or("default");
        let source = format!("{} refuses the user {user}: {}; {hint}", self.location, words(&error));
        StoreError::Backend { what, source: source.into() }
    }

    /// Bytes of a row that do not read.
    pub(super) fn unreadable(what: &'static str) -> StoreError {
        Self::strange(what, "the stored bytes are damaged".to_owned())
    }

    /// Something that is not as it should be.
    pub(super) fn strange(what: &'static str, words: String) -> StoreError {
        StoreError::Backend { what, source: words.into() }
    }
}

/// What is said to be tried when records are written,
pub(super) const WRITE: &str = "cannot write";
/// and when they are read.
pub(super) const READ: &str = "cannot read";

/// Whether a file of the server could not grow: that has the number of any error of the system.
fn is_full(error: &Error) -> bool {
    matches!(error, Error::BadResponse(text) if text.contains("No space left on device"))
}

/// The number of an exception: `Code: 60. DB::Exception: ...`.
pub(super) fn code(error: &Error) -> Option<u32> {
    let Error::BadResponse(text) = error else { return None };
    let (_, behind) = text.split_once("Code: ")?;
    behind.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// What the server says, without the stacks and versions that it adds.
fn words(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" (version ").next().unwrap_or(line);
    line.chars().take(500).collect()
}

/// The innermost error: "connection refused", not that a client could not connect.
fn root(error: &(dyn std::error::Error + 'static)) -> Box<dyn std::error::Error + Send + Sync> {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_told_by_their_number() {
        let place = Place {
            location: "clickhouse://db:8123/otel".to_owned(),
            database: "otel".to_owned(),
            patience: PATIENCE,
            quiet: QUIET,
        };
        let of = |text: &str| place.fault(WRITE, Error::BadResponse(text.to_owned()));
        assert!(matches!(of("Code: 252. DB::Exception: Too many parts"), StoreError::Busy { .. }));
        assert!(matches!(of("Code: 243. DB::Exception: no space"), StoreError::Full { .. }));
        assert!(matches!(of("Code: 164. DB::Exception: readonly"), StoreError::ReadOnly(_)));
        let denied =
            of("Code: 497. DB::Exception: ann: Not enough privileges. (ACCESS_DENIED) (version 26.7)");
        assert!(
            denied.to_string().ends_with("(ACCESS_DENIED); this user may not insert: an administrator runs GRANT SELECT, INSERT ON otel.*"),
            "{denied}"
        );
        let days =
            of("Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 100)");
        assert!(days.to_string().ends_with("max_partitions_per_insert_block = 0 for this user"), "{days}");
        assert!(matches!(of("Code: 159. DB::Exception: long"), StoreError::Timeout(_)));
        assert!(matches!(of("Code: 201. DB::Exception: Quota for user"), StoreError::Busy { .. }));
        assert!(matches!(
            of("Code: 75. DB::Exception: errno: 28, strerror: No space left on device"),
            StoreError::Full { .. }
        ));
        assert!(matches!(of("Code: 241. DB::Exception: memory"), StoreError::Busy { .. }));
        let read = place.fault(READ, Error::BadResponse("Code: 241. DB::Exception: memory".to_owned()));
        assert!(
            read.to_string().starts_with("this reads more than the server allows; narrow the time range"),
            "{read}"
        );
        let other = of("Code: 47. DB::Exception: Unknown identifier. (UNKNOWN) (version 26.7.2.1)\nstack");
        assert_eq!(
            other.to_string(),
            "cannot write: bad response: Code: 47. DB::Exception: Unknown identifier. (UNKNOWN)"
        );
    }
}
