//! What a protocol adds to the exporter over HTTP.

use std::sync::Arc;

use llmtrace::SpanRecord;

use super::endpoint::Endpoint;

/// A protocol that takes batches of spans as HTTP `POST` requests.
pub(crate) trait Service: Send + 'static {
    /// The exporter's name.
    fn name(&self) -> &str;

    /// The media type of a request's body.
    fn content_type(&self) -> &'static str;

    /// Writes a request's body to the end of `body`.
    fn write(&mut self, spans: &[SpanRecord], body: &mut Vec<u8>);

    /// Headers that depend on the body as it is sent, such as a signature.
    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)> {
        let _ = body;
        Vec::new()
    }

    /// Requests that go ahead of the spans. The spans are sent when each of them was taken or refused for good.
    fn companions(&self, spans: &[SpanRecord]) -> Vec<Companion> {
        let _ = spans;
        Vec::new()
    }

    /// Reads the body of an answer that says that the request was taken.
    fn read_answer(&self, body: &[u8]) -> Accepted {
        let _ = body;
        Accepted::default()
    }
}

/// What a server says of a request that it took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Spans that it refused all the same.
    pub(crate) rejected: u64,
    /// Why, or a warning.
    pub(crate) message: Option<String>,
}

/// A request of its own that a span needs, such as a score. It may be sent twice, and must then mean the same.
#[derive(Debug)]
pub(crate) struct Companion {
    /// What is the same for the same request, and for no other.
    pub(crate) id: [u8; 16],
    pub(crate) endpoint: Arc<Endpoint>,
    /// A JSON text, or why there is none.
    pub(crate) body: Result<Vec<u8>, String>,
}
