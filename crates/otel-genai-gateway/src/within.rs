//! Addresses that say below which span a call belongs: for clients in the gateway's own process that send no
//! `traceparent`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::Context;

/// Before the number of a context, which ends with the segment.
const PREFIX: &str = "/_within/";

/// Contexts by their numbers. As many as there are [`Within`]s.
#[derive(Clone, Default)]
pub(crate) struct Parents(Arc<Mutex<Numbered>>);

#[derive(Default)]
struct Numbered {
    contexts: HashMap<u64, Context>,
    next: u64,
}

impl Parents {
    pub(crate) fn add(&self, gateway: &str, context: Context) -> Within {
        let mut numbered = self.lock();
        let number = numbered.next;
        numbered.next += 1;
        numbered.contexts.insert(number, context);
        Within { url: format!("{gateway}{PREFIX}{number}"), number, parents: self.clone() }
    }

    /// What is asked for, and below which context. Who asks with a number that is gone is served all the same.
    pub(crate) fn split<'a>(&self, asked: &'a str) -> (Cow<'a, str>, Option<Context>) {
        let Some((number, rest)) = split_number(asked) else {
            return (Cow::Borrowed(asked), None);
        };
        (rest, self.lock().contexts.get(&number).cloned())
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn split_number(asked: &str) -> Option<(u64, Cow<'_, str>)> {
    let asked = asked.strip_prefix(PREFIX)?;
    let end = asked.find(|c: char| !c.is_ascii_digit()).unwrap_or(asked.len());
    let (number, rest) = asked.split_at_checked(end)?;
    // Some clients put paths behind their address without a slash: that of a host alone ends with one.
    let is_glued = !rest.is_empty() && !rest.starts_with(['/', '?']);
    let rest = if is_glued { Cow::Owned(format!("/{rest}")) } else { Cow::Borrowed(rest) };
    Some((number.parse().ok()?, rest))
}

/// An address of a [`Local`](crate::Local) gateway whose calls are children of one span, as long as this is kept.
#[must_use = "dropped, its address leads below no span"]
pub struct Within {
    url: String,
    number: u64,
    parents: Parents,
}

impl Within {
    /// In place of the provider's address: `http://127.0.0.1:PORT/_within/N`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Within {
    fn drop(&mut self) {
        let context = self.parents.lock().contexts.remove(&self.number);
        // Its span may end with it, which is no business for under the lock.
        drop(context);
    }
}

impl fmt::Debug for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Within").field("url", &self.url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_follows_the_number() {
        let parents = Parents::default();
        let one = parents.add("http://gateway", Context::new());
        let two = parents.add("http://gateway", Context::new());
        assert_eq!((one.url(), two.url()), ("http://gateway/_within/0", "http://gateway/_within/1"));
        for rest in ["", "/", "/api/chat?x=/_within/0", "?x", "//a%2Fb"] {
            let (asked, context) = parents.split(rest);
            assert_eq!((&*asked, context.is_some()), (rest, false));
            let within = format!("/_within/1{rest}");
            let (asked, context) = parents.split(&within);
            assert_eq!((&*asked, context.is_some()), (rest, true));
        }
        let (asked, context) = parents.split("/_within/0api/chat");
        assert_eq!((&*asked, context.is_some()), ("/api/chat", true));
        drop(two);
        let (asked, context) = parents.split("/_within/1/api/chat");
        assert_eq!((&*asked, context.is_some()), ("/api/chat", false));
        for other in ["/_within/", "/_within", "/_within/x/y", "/_within/-1"] {
            assert_eq!(parents.split(other).0, other);
        }
    }
}
