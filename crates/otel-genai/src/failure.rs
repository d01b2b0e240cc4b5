//! Why an operation failed: a low-cardinality type and a message for people.

use std::borrow::Cow;
use std::fmt::Display;

/// How an operation failed, as it is recorded: `error.type`, the span's status description, and the exception event.
///
/// Any error converts by reference, its Rust type name becoming the type: `call.fail(&error)`. Where the provider
/// gave a code, that is the better type: `call.fail(Failure::new("rate_limit_exceeded").message("slow down"))`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// `error.type`: a provider's code, an HTTP status, a type name; low cardinality.
    pub error_type: Cow<'static, str>,
    /// What happened, for people.
    pub message: Option<String>,
}

impl Failure {
    /// The `error.type` of a call that was dropped before it ended.
    pub const CANCELLED: &'static str = "cancelled";
    /// The `error.type` of a call that ended by a panic.
    pub const PANIC: &'static str = "panic";
    /// The `error.type` where nothing better is known (`error.type`, core registry).
    pub const OTHER: &'static str = "_OTHER";

    /// A failure of this type. An empty type is recorded as `_OTHER`.
    pub fn new(error_type: impl Into<Cow<'static, str>>) -> Self {
        let error_type = error_type.into();
        let error_type = if error_type.is_empty() { Failure::OTHER.into() } else { error_type };
        Failure { error_type, message: None }
    }

    /// The same failure with a message.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The call was dropped before it ended.
    pub fn cancelled() -> Self {
        Failure::new(Failure::CANCELLED).message("the call was dropped before it ended")
    }

    pub(crate) fn panicked() -> Self {
        Failure::new(Failure::PANIC).message("the call ended by a panic")
    }
}

impl<E: Display + ?Sized> From<&E> for Failure {
    fn from(error: &E) -> Self {
        Failure::new(type_name::<E>()).message(error.to_string())
    }
}

/// The error's Rust type without generic arguments; an erased error says nothing by its type.
fn type_name<E: ?Sized>() -> &'static str {
    let name = std::any::type_name::<E>();
    let name = name.split('<').next().unwrap_or(name).trim_start_matches('&');
    if name.starts_with("dyn ")
        || name.starts_with("alloc::boxed::Box")
        || name == "str"
        || name.ends_with("::String")
    {
        Failure::OTHER
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_an_error_is_its_name() {
        let error = std::io::Error::other("disk on fire");
        let failure = Failure::from(&error);
        assert_eq!(failure.error_type, "std::io::error::Error");
        assert_eq!(failure.message.as_deref(), Some("disk on fire"));
    }

    #[test]
    fn an_erased_error_has_no_telling_name() {
        let error: Box<dyn std::error::Error> = "boom".into();
        assert_eq!(Failure::from(&error).error_type, Failure::OTHER);
        assert_eq!(Failure::from("boom").error_type, Failure::OTHER);
        assert_eq!(Failure::new("").error_type, Failure::OTHER);
    }
}
