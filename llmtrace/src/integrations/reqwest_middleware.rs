//! Every LLM call of a [`reqwest_middleware`] client (feature `reqwest-middleware`).

mod body;
mod text;
mod usage_option;

use std::fmt;

use ::reqwest_middleware::{Error, Middleware, Next, Result};
use http::{Extensions, HeaderMap, Method, StatusCode, header};
use http_body::Body as _;
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use tracing::{Instrument as _, Span};

use self::body::TracedBody;
use super::recognise::{LlmCall, Peek, Target, recognise};
use crate::layer::Outgoing;
use crate::semconv;
use crate::wire::WireCall;

/// Traces every LLM call that a `reqwest_middleware` client makes, streams included, with no other change to the
/// program.
///
/// ```
/// use llmtrace::integrations::reqwest_middleware::LlmTrace;
/// use reqwest_middleware::ClientBuilder;
///
/// let client = ClientBuilder::new(reqwest::Client::new()).with(LlmTrace::new()).build();
/// # drop(client);
/// ```
///
/// LLM calls are told by method, path, host and body: `OpenAI`'s API wherever it is spoken, Azure, Anthropic,
/// Gemini, Vertex, Bedrock, Cohere, Mistral, Ollama and others. Every other request passes untouched. A call becomes
/// a span of the kind generation, embedding or reranker with the request's and the answer's bodies, read as they
/// pass: nothing is buffered, held back or changed, and the span ends when the answer's body ends, fails or is
/// dropped.
///
/// **Inside a traced model call** (a function under `#[llm_trace]`, or a span of rig-core or genai) the call is
/// recorded on that span, and no other one is opened: its tokens are counted once. A second call inside the same
/// function gets a span of its own, unless the first one failed: then it is a retry, and the failure an event.
///
/// **Not recorded**: headers of the request, the query string and user info of the URL, since they hold keys;
/// bodies of requests that are streams themselves, such as uploads of files; bodies of answers that the client did
/// not decompress or that are no text, of which the size is kept.
///
/// The answer is the caller's own in status, headers, version, URL, extensions, size, frames and trailers. Errors
/// of its body are the same too, with `reqwest`'s mark for body errors twice more in their chain of sources, where
/// `is_timeout` and the like look through.
///
/// Put it after middlewares that retry, and each attempt is seen; before them, and the last one is.
#[derive(Clone)]
pub struct LlmTrace {
    include_usage: bool,
}

impl LlmTrace {
    /// Traces LLM calls and asks for the usage of streams.
    pub fn new() -> Self {
        Self { include_usage: true }
    }

    /// Whether `"stream_options":{"include_usage":true}` is added to streaming chat completions that say nothing of
    /// it (the default), since `OpenAI` states no token counts otherwise. The answer then has one chunk more, whose
    /// `choices` are empty.
    ///
    /// It is not added where it is refused or the counts are stated anyway: Mistral, Cohere, Perplexity, Gemini,
    /// Vertex, Bedrock, Databricks, `OpenRouter`, Azure's model inference and Azure API versions before
    /// 2024-09-01. Nothing else of the body changes, and bodies that are signed or carry a digest stay as they are.
    pub fn include_usage(mut self, include: bool) -> Self {
        self.include_usage = include;
        self
    }

    /// The span to record on and the request to send; `None` if it is no LLM call, or nobody records it.
    fn begin(&self, request: &mut Request) -> Option<WireCall> {
        if request.method() != Method::POST || !WireCall::is_heard() {
            return None;
        }
        let url = request.url().clone();
        let target = Target { host: url.host_str()?, port: url.port_or_known_default(), path: url.path() };
        let bytes = request.body().and_then(Body::as_bytes);
        let readable = bytes.filter(|_| !request.headers().contains_key(header::CONTENT_ENCODING));
        let (call, peek) = recognise(target, || Peek::new(readable?))?;
        let outgoing = Outgoing { kind: call.kind, model: call.model.as_deref() };
        let wire = WireCall::begin(outgoing, || open(&call))?;
        describe(&wire, &call, target);
        wire.sent(readable);
        let asks = peek.as_ref().is_some_and(Peek::may_ask_for_usage) && call.is_openai_chat;
        if asks && self.include_usage && usage_option::is_taken(call.provider, &url) {
            let with_option = readable.and_then(usage_option::added);
            if let Some(body) = with_option {
                usage_option::replace(request, body);
            }
        }
        Some(wire)
    }
}

impl Default for LlmTrace {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LlmTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmTrace").field("include_usage", &self.include_usage).finish()
    }
}

#[async_trait::async_trait]
impl Middleware for LlmTrace {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some(mut wire) = self.begin(&mut request) else {
            return next.run(request, extensions).await;
        };
        match next.run(request, extensions).instrument(wire.span()).await {
            Ok(response) => Ok(follow(response, wire)),
            Err(error) => {
                wire.failed(error_kind(&error), &text::of_error(&error));
                Err(error)
            }
        }
    }
}

/// A span of the call's own.
fn open(call: &LlmCall<'_>) -> Span {
    tracing::info_span!(
        "llm call",
        { semconv::KIND } = call.kind.as_str(),
        { semconv::OPERATION_NAME } = call.operation,
        { semconv::PROVIDER_NAME } = call.provider,
        { semconv::REQUEST_MODEL } = call.model.as_deref(),
    )
}

/// What is known before the call is made.
fn describe(wire: &WireCall, call: &LlmCall<'_>, target: Target<'_>) {
    match &call.model {
        Some(model) => wire.name(&format!("{} {model}", call.operation)),
        None => wire.name(call.operation),
    }
    if let Some(provider) = call.provider {
        wire.known(semconv::PROVIDER_NAME, provider);
    }
    if let Some(model) = &call.model {
        wire.known(semconv::REQUEST_MODEL, &**model);
    }
    if let Some(api) = call.api {
        wire.known(semconv::API, api.as_str());
    }
    wire.known(semconv::SERVER_ADDRESS, target.host);
    if let Some(port) = target.port {
        wire.known(semconv::SERVER_PORT, i64::from(port));
    }
}

/// The same response, with a body that is recorded as it passes.
fn follow(response: Response, mut wire: WireCall) -> Response {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        wire.done();
        return response;
    }
    wire.known(semconv::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
    wire.headers(response.headers().iter());
    if status.is_client_error() || status.is_server_error() {
        wire.failed(status.as_str(), status.canonical_reason().unwrap_or("HTTP error"));
    }
    let reading = Reading::of(response.headers());
    match &reading {
        Reading::Whole => wire.answers_whole(),
        Reading::Lines => {}
        Reading::Size(reason) => wire.known(semconv::RESPONSE_BODY_OMITTED, &**reason),
    }
    let reads = !matches!(reading, Reading::Size(_));
    let url = response.url().clone();
    let (mut parts, body) = http::Response::<Body>::from(response).into_parts();
    if let Ok(with_url) = http::Response::builder().url(url).body(()) {
        parts.extensions.extend(with_url.into_parts().0.extensions);
    }
    if body.is_end_stream() {
        wire.done();
    }
    http::Response::from_parts(parts, Body::wrap(TracedBody::new(body, wire, reads))).into()
}

/// How an answer's body is recorded.
#[derive(Debug, PartialEq)]
enum Reading {
    /// One document.
    Whole,
    /// Lines or frames of a stream.
    Lines,
    /// Only its size, and why.
    Size(String),
}

impl Reading {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
        let encoding = text(header::CONTENT_ENCODING);
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Self::Size(format!("content-encoding {encoding}"));
        }
        let media =
            text(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match &*media {
            "text/event-stream"
            | "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/jsonlines"
            | "application/stream+json"
            | "application/vnd.amazon.eventstream" => Self::Lines,
            "" | "application/json" | "text/plain" => Self::Whole,
            _ if media.ends_with("+json") => Self::Whole,
            _ => Self::Size(format!("content-type {media}")),
        }
    }
}

fn error_kind(error: &Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect"
    } else if error.is_middleware() {
        "middleware"
    } else {
        "request"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_by_their_headers() {
        let check = |media: &str, encoding: &str, expected: Reading| {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::CONTENT_TYPE, media), (header::CONTENT_ENCODING, encoding)] {
                if !value.is_empty() {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(Reading::of(&headers), expected, "{media} {encoding}");
        };
        check("application/json; charset=utf-8", "", Reading::Whole);
        check("application/problem+json", "identity", Reading::Whole);
        check("", "", Reading::Whole);
        check("Text/Event-Stream", "", Reading::Lines);
        check("application/x-ndjson", "", Reading::Lines);
        check("application/json", "gzip", Reading::Size("content-encoding gzip".into()));
        check("audio/mpeg", "", Reading::Size("content-type audio/mpeg".into()));
        check("text/html", "", Reading::Size("content-type text/html".into()));
    }
}
