//! The request of a call, read from its body.

use otel_genai::ProviderName;

use crate::body::Body;
use crate::call::Call;
use crate::detect::Route;
use crate::form::Form;
use crate::options::Options;

/// Azure's name for what answers at Azure AI Inference, in the conventions' words.
const AZURE: &str = "Microsoft.CognitiveServices";

/// Reads the body of a request as it comes.
#[derive(Debug)]
pub struct RequestReader {
    route: Route,
    body: Body,
    /// Whether the body is held for its tools alone.
    for_tools: bool,
    /// The request turned out to be one.
    form: Option<Form>,
    is_begun: bool,
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
        RequestReader { route: route.clone(), body, for_tools, form: None, is_begun: false }
    }

    /// The next bytes of the body, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        if let (false, Some(byte)) = (self.is_begun, bytes.first()) {
            self.is_begun = true;
            let is_form = Form::begins(*byte) && self.route.protocol.dialect().takes_forms();
            self.form = is_form.then(Form::default);
        }
        match &mut self.form {
            Some(form) => form.push(bytes),
            None => self.body.push(bytes),
        }
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
        let RequestReader { route, mut body, for_tools, form, .. } = self;
        if for_tools && !body.has_any(&TOOLS) {
            body.reduce();
        }
        let dialect = route.protocol.dialect();
        if let Some(form) = form {
            body.push(&form.finish());
        }
        let (call, _) = body.read(|document| dialect.request(document, &route));
        let mut call = call.filter(|call| route.is_certain || call.request_model().is_some())?;
        if let Call::Inference(op) = &mut call
            && op.provider == ProviderName::AzureAiInference
        {
            op.azure.resource_provider_namespace = Some(AZURE.to_owned());
        }
        Some(call)
    }
}
