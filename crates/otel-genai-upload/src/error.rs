//! Why uploads cannot be set up.

use std::time::Duration;

use crate::settings;

/// Characters of an error that are told.
const MAX_TOLD: usize = 500;

/// Why uploads cannot be set up. No message holds a credential.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Upload is asked for, and where to is not said.
    #[error(
        "{hook}=upload needs {base}: a folder, or a file://, s3://, gs:// or az:// URL",
        hook = settings::COMPLETION_HOOK,
        base = settings::UPLOAD_BASE_PATH
    )]
    NoBasePath,
    /// The base path is a URL that is not understood.
    #[error("{base_path} is no place for uploads: {why}")]
    BasePath {
        /// The base path, without credentials.
        base_path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The base path is at a cloud whose feature is not built in.
    #[error(
        "uploads to {base_path} need the feature `{feature}` of the crate otel-genai-upload, which this program was \
         built without; add it, or upload to a local folder"
    )]
    MissingFeature {
        /// The base path, without credentials.
        base_path: String,
        /// The feature.
        feature: &'static str,
    },
    /// Nothing can be written there.
    #[error("uploads cannot be written to {base_path}: {why}")]
    NotWritable {
        /// The base path, without credentials.
        base_path: String,
        /// The store's words.
        why: String,
    },
    /// The store did not answer.
    #[error(
        "uploads to {base_path} are not possible: no answer within {after:?}; is it reachable from here, and are \
             there credentials?"
    )]
    NoAnswer {
        /// The base path, without credentials.
        base_path: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The operating system gave no thread for the uploads.
    #[error("uploads need a thread of their own, and the system gives none: {0}")]
    Thread(#[source] std::io::Error),
}

/// The store's words, without what may be secret: queries of URLs are signed, and where clouds refuse a signature they
/// send back all that was signed, session tokens included. Of such an answer only the code and the message are told.
pub(crate) fn told(error: &object_store::Error) -> String {
    let text = error.to_string();
    let (words, answer) =
        text.split_once('<').map_or((text.as_str(), None), |(words, xml)| (words, Some(xml)));
    let mut told = without_queries(words);
    for element in ["Code", "Message"] {
        let inner = answer
            .and_then(|xml| xml.split_once(&format!("{element}>")))
            .and_then(|(_, rest)| rest.split_once("</"));
        if let Some((inner, _)) = inner {
            told.push_str(&without_queries(inner));
            told.push_str("; ");
        }
    }
    let end = told.char_indices().nth(MAX_TOLD).map_or(told.len(), |(at, _)| at);
    told.truncate(end);
    told.trim_end_matches([' ', ';', ':']).to_owned()
}

fn without_queries(text: &str) -> String {
    let mut told = String::new();
    let mut query = false;
    for character in text.chars() {
        if character == '?' {
            query = true;
        } else if query && (character.is_whitespace() || "\"')>,".contains(character)) {
            query = false;
        }
        if !query {
            told.push(character);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told_of(text: &str) -> String {
        told(&object_store::Error::Generic { store: "test", source: text.into() })
    }

    #[test]
    fn signed_urls_are_not_repeated() {
        let told = told_of("PUT (https://a.blob.core.windows.net/b?sig=hush&se=hush) failed");
        assert!(told.contains("https://a.blob.core.windows.net/b) failed"), "{told}");
        assert!(!told.contains("hush"), "{told}");
    }

    #[test]
    fn of_a_refusal_only_code_and_message_are_told() {
        let told = told_of(
            "PUT https://s3/b - status 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
             <Message>The signature does not match.</Message><AWSAccessKeyId>hush</AWSAccessKeyId>\
             <CanonicalRequest>x-amz-security-token:hush</CanonicalRequest></Error>",
        );
        assert!(
            told.contains("403 Forbidden: SignatureDoesNotMatch; The signature does not match."),
            "{told}"
        );
        assert!(!told.contains("hush"), "{told}");
        assert!(told_of(&"long ".repeat(1000)).len() <= MAX_TOLD);
    }
}
