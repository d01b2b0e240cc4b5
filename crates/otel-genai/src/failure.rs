//! Why an operation failed: a low-cardinality type and a message for people.

use std::any::{Any, TypeId};
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Arc;

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

/// Types that hold any error, or any text.
const ERASING: [&str; 6] = [
    "alloc::boxed::Box",
    "alloc::sync::Arc",
    "alloc::rc::Rc",
    "alloc::borrow::Cow",
    "anyhow::Error",
    "eyre::Report",
];

/// The error's Rust type without generic arguments; an erased error says nothing by its type.
fn type_name<E: ?Sized>() -> &'static str {
    let name = std::any::type_name::<E>();
    let name = name.split('<').next().unwrap_or(name).trim_start_matches('&');
    if name.starts_with("dyn ")
        || ERASING.iter().any(|erasing| name.starts_with(erasing))
        || name == "str"
        || name.ends_with("::String")
    {
        Failure::OTHER
    } else {
        name
    }
}

/// What [`Active::fail`](crate::Active::fail) and the scopes take: any error by reference, a text, or a [`Failure`].
///
/// Errors become a failure by what [`Builder::error_type`](crate::Builder::error_type) was taught of their type, else
/// by the name of their type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say why an operation failed",
    note = "give an error by reference (`&error`), which must be `Display` and `'static`, or a `Failure`"
)]
pub trait Cause {
    #[doc(hidden)]
    fn failure(self, types: &ErrorTypes) -> Failure;
}

impl Cause for Failure {
    fn failure(self, _: &ErrorTypes) -> Failure {
        self
    }
}

impl Cause for &str {
    fn failure(self, _: &ErrorTypes) -> Failure {
        Failure::from(self)
    }
}

impl Cause for &Failure {
    fn failure(self, _: &ErrorTypes) -> Failure {
        self.clone()
    }
}

impl Cause for String {
    fn failure(self, _: &ErrorTypes) -> Failure {
        Failure::from(self.as_str())
    }
}

/// An erased error: what is known of its type, or of one of those that caused it.
fn erased(error: &(dyn Error + 'static), types: &ErrorTypes) -> Failure {
    let error_type = types.resolve_erased(error).unwrap_or(Failure::OTHER.into());
    Failure::new(error_type).message(error.to_string())
}

impl Cause for &(dyn Error + 'static) {
    fn failure(self, types: &ErrorTypes) -> Failure {
        erased(self, types)
    }
}

impl Cause for &(dyn Error + Send + Sync + 'static) {
    fn failure(self, types: &ErrorTypes) -> Failure {
        erased(self, types)
    }
}

impl Cause for Box<dyn Error + Send + Sync> {
    fn failure(self, types: &ErrorTypes) -> Failure {
        erased(&*self, types)
    }
}

impl Cause for Box<dyn Error> {
    fn failure(self, types: &ErrorTypes) -> Failure {
        erased(&*self, types)
    }
}

impl<E: Display + 'static> Cause for &E {
    fn failure(self, types: &ErrorTypes) -> Failure {
        let error_type = types.resolve(self).or_else(|| {
            let boxed = self as &dyn Any;
            let shared =
                boxed.downcast_ref::<Box<dyn Error + Send + Sync>>().map(|error| &**error as &dyn Error);
            let error = shared.or_else(|| boxed.downcast_ref::<Box<dyn Error>>().map(|error| &**error));
            error.and_then(|error| types.resolve_erased(error))
        });
        match error_type {
            Some(error_type) => Failure::new(error_type).message(self.to_string()),
            None => Failure::from(self),
        }
    }
}

/// The types of error whose `error.type` is more than their name.
#[doc(hidden)]
#[derive(Clone, Default)]
pub struct ErrorTypes(Vec<(TypeId, Arc<dyn Resolve>)>);

/// Tells the `error.type` of errors of one type.
trait Resolve: Send + Sync {
    fn resolve(&self, error: &dyn Any) -> Option<Cow<'static, str>>;
    fn resolve_erased(&self, error: &(dyn Error + 'static)) -> Option<Cow<'static, str>>;
}

struct Resolver<E, F>(F, std::marker::PhantomData<fn(&E)>);

impl<E, F> Resolve for Resolver<E, F>
where
    E: Error + 'static,
    F: Fn(&E) -> Option<Cow<'static, str>> + Send + Sync,
{
    fn resolve(&self, error: &dyn Any) -> Option<Cow<'static, str>> {
        (self.0)(error.downcast_ref()?)
    }

    fn resolve_erased(&self, error: &(dyn Error + 'static)) -> Option<Cow<'static, str>> {
        (self.0)(error.downcast_ref()?)
    }
}

impl ErrorTypes {
    pub(crate) fn add<E, F>(&mut self, resolve: F)
    where
        E: Error + 'static,
        F: Fn(&E) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.0.push((TypeId::of::<E>(), Arc::new(Resolver(resolve, std::marker::PhantomData))));
    }

    fn resolve<E: 'static>(&self, error: &E) -> Option<Cow<'static, str>> {
        let known = self.0.iter().filter(|(known, _)| *known == TypeId::of::<E>());
        known.into_iter().find_map(|(_, resolver)| resolver.resolve(error))
    }

    /// An error of unknown type, or one of those that caused it.
    fn resolve_erased(&self, error: &(dyn Error + 'static)) -> Option<Cow<'static, str>> {
        // A chain that runs in a circle is somebody's mistake, and no reason to hang.
        let mut next = Some(error);
        for _ in 0..32 {
            let error = next?;
            if let Some(error_type) = self.0.iter().find_map(|(_, resolver)| resolver.resolve_erased(error)) {
                return Some(error_type);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Debug for ErrorTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ErrorTypes").field(&self.0.len()).finish()
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
        let error: Box<dyn Error> = "boom".into();
        assert_eq!(Failure::from(&error).error_type, Failure::OTHER);
        assert_eq!(Failure::from("boom").error_type, Failure::OTHER);
        assert_eq!(Failure::new("").error_type, Failure::OTHER);
    }
}
