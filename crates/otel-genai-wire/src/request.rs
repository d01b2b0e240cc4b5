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
    /// Whether the body is held for its tools alone.
    for_tools: bool,
}

/// A request in which none of these occurs has nothing to do with tools, whoever's it is.
const TOOLS: [&[u8]; 2] = [b"tool", b"unction"];

impl RequestReader {
    /// A reader of the request that goes this way.
    #[must_use]
    pub fn new(route: &Route, options: Options) -> Self {
        let dialect = route.protocol.dialect();
        let for_tools = options.tools && !options.content;
        let body = match (options.content || for_tools) && dialect.has_content() {
            true => Body::held(dialect.request_want(), options.limit),
            false => Body::scanned(dialect.request_want()),
        };
        RequestReader { route: route.clone(), body, for_tools }
    }

    /// The next bytes of the body, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        self.body.push(bytes);
    }

    /// What of the request is not told, for people; `None` if all that was wanted is.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        let is_cut = !self.for_tools && self.body.is_cut();
        is_cut.then_some("the request is too long: its content was left out")
    }

    /// The body is over: what could be known of the call. Never fails; a body that is no JSON leaves who is asked.
    ///
    /// `None`: the body shows that it is no call of a model, although it goes where one might.
    #[must_use]
    pub fn finish(self) -> Option<Call> {
        let RequestReader { route, mut body, for_tools } = self;
        if for_tools && !body.has_any(&TOOLS) {
            body.reduce();
        }
        let dialect = route.protocol.dialect();
        let (call, _) = body.read(|document| dialect.request(document, &route));
        call.filter(|call| route.is_certain || call.request_model().is_some())
    }
}
