//! The request of a call, read from its body.

use crate::body::Body;
use crate::call::Call;
use crate::detect::Route;
use crate::options::Options;

/// Reads the body of a request as it comes.
#[derive(Debug)]
pub struct RequestReader {
    route: Route,
    body: Body,
}

impl RequestReader {
    /// A reader of the request that goes this way.
    #[must_use]
    pub fn new(route: &Route, options: Options) -> Self {
        let dialect = route.protocol.dialect();
        let body = match options.content && dialect.has_content() {
            true => Body::held(dialect.request_want(), options.limit),
            false => Body::scanned(dialect.request_want()),
        };
        RequestReader { route: route.clone(), body }
    }

    /// The next bytes of the body, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        self.body.push(bytes);
    }

    /// What of the request is not told, for people; `None` if all that was wanted is.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        self.body.is_cut().then_some("the request is too long: its content was left out")
    }

    /// The body is over: what could be known of the call. Never fails; a body that is no JSON leaves who is asked.
    ///
    /// `None`: the body shows that it is no call of a model, although it goes where one might.
    #[must_use]
    pub fn finish(self) -> Option<Call> {
        let RequestReader { route, body } = self;
        let dialect = route.protocol.dialect();
        let (call, _) = body.read(|document| dialect.request(document, &route));
        call.filter(|call| route.is_certain || call.request_model().is_some())
    }
}
