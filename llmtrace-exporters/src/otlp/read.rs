//! OTLP read: the spans of an `ExportTraceServiceRequest`, whoever sent it.

mod conventions;
mod error;
mod json;
mod protobuf;
mod raw;
mod received;
mod room;
mod span;
#[cfg(test)]
mod tests;

use llmtrace::SpanRecord;

use super::answer::PartialSuccess;
use super::protocol::Protocol;
pub use error::OtlpReadError;
use raw::Request;
use room::Room;

/// What was read of one OTLP request.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OtlpSpans {
    /// The spans, in the order of the request.
    pub spans: Vec<SpanRecord>,
    /// The spans that cannot be kept, in the order of the request.
    pub rejected: Vec<RejectedSpan>,
}

impl OtlpSpans {
    /// What the sender is told of the spans that were rejected: how many, and the reasons, each with the first span that
    /// it is said of.
    ///
    /// ```
    /// use llmtrace_exporters::{Protocol, read_otlp};
    ///
    /// let read = read_otlp(br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{}]}]}]}"#, Protocol::Json)?;
    /// let answer = read.partial_success();
    /// assert_eq!(answer.rejected, 2);
    /// assert_eq!(answer.message.as_deref(), Some("span 0 (\"a\"): it has no trace id"));
    /// # Ok::<(), llmtrace_exporters::OtlpReadError>(())
    /// ```
    pub fn partial_success(&self) -> PartialSuccess {
        let mut reasons: Vec<&RejectedSpan> = Vec::new();
        for rejected in &self.rejected {
            if reasons.len() < MAX_REASONS && reasons.iter().all(|known| known.reason != rejected.reason) {
                reasons.push(rejected);
            }
        }
        let words = reasons
            .iter()
            .map(|RejectedSpan { index, name, reason }| format!("span {index} ({name:?}): {reason}"));
        let message = words.collect::<Vec<_>>().join("; ");
        PartialSuccess::new(self.rejected.len() as u64, (!message.is_empty()).then_some(message))
    }
}

/// Most reasons that a sender is told.
const MAX_REASONS: usize = 8;

/// A span that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectedSpan {
    /// Its place among the spans of the request, from 0.
    pub index: usize,
    /// Its name: 64 characters at most.
    pub name: String,
    /// Why, in one sentence without its full stop.
    pub reason: String,
}

/// Most spans of one request.
pub(super) const MAX_SPANS: usize = 100_000;

/// Most attributes of one span as it comes, before lists that stand in it leaf by leaf are put together.
pub(super) const MAX_ATTRIBUTES: usize = 16_384;

/// Most attributes of a span that is kept, of an event, a link or a resource: a JSON line has no more.
pub(super) const MAX_KEPT_ATTRIBUTES: usize = 4_096;

/// Most events, and most links, of one span.
pub(super) const MAX_EVENTS: usize = 16_384;

/// Lists and maps in each other in the value of one attribute.
pub(super) const MAX_NESTING: usize = 24;

/// Reads the body of an OTLP request, without compression, into spans.
///
/// What a span says of a model call is understood in the names of the `OpenTelemetry` GenAI conventions, new and old, of
/// `OpenInference`, Langfuse, Traceloop, the Vercel AI SDK, MLflow, LangSmith and Pydantic Logfire, and stands in the record
/// under the names of [`llmtrace::semconv`]; where several say the same thing the first of this list wins. An attribute
/// that says more than that, or something else, is kept as it came. Token counts are turned into inclusive totals. A cost
/// is kept where one is stated; [`SpanRecord::reprice`] works out the others.
///
/// To be known:
///
/// - A span without an id, or with one of another length or of zeros only, is rejected; so is one with more than 16,384
///   attributes, events or links, or a value nested deeper than 24 levels. More than 4,096 attributes of a span that are
///   left, or of an event, a link or a resource, are cut off and counted in `otel.dropped_attributes_count`.
/// - Attributes, events and links that the sender dropped are counted in `otel.dropped_*_count`.
/// - `otel.kind` says the `OpenTelemetry` span kind where it is not the usual one of such a span; the version of a scope is
///   `otel.scope.version`; a trace state `w3c.tracestate`. Other attributes of a scope are left out.
/// - Text that is not UTF-8 gets U+FFFD in its place; bytes become base64.
/// - An end that is not stated is the start.
///
/// In JSON, names may be in snake case, 64-bit integers strings or numbers, and enums numbers or names. Memory is bounded
/// by a small multiple of the body.
///
/// ```
/// use llmtrace_exporters::{Protocol, read_otlp};
///
/// let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{
///     "traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"chat gpt-4o",
///     "startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[
///         {"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
///         {"key":"gen_ai.usage.input_tokens","value":{"intValue":"7"}}]},
///     {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"","name":"torn"}]}]}]}"#;
/// let read = read_otlp(body, Protocol::Json)?;
/// assert_eq!(read.spans[0].usage().input_tokens, Some(7));
/// assert_eq!(read.rejected[0].reason, "it has no span id");
/// # Ok::<(), llmtrace_exporters::OtlpReadError>(())
/// ```
///
/// # Errors
///
/// The body is torn or not OTLP, has more than 100,000 spans, or would take many times its own size in memory.
pub fn read_otlp(body: &[u8], protocol: Protocol) -> Result<OtlpSpans, OtlpReadError> {
    let mut room = Room::of(body.len());
    let request = match protocol {
        Protocol::Protobuf => protobuf::read(body, &mut room)?,
        Protocol::Json => json::read(body, &mut room)?,
    };
    Ok(finish(request, &mut room))
}

fn finish(request: Request, room: &mut Room) -> OtlpSpans {
    let mut read = OtlpSpans::default();
    let mut index = 0;
    for of_resource in request.resources {
        let mut origin = span::resource(of_resource.attributes);
        for scope in of_resource.scopes {
            for raw in scope.spans {
                let name: String = raw.name.chars().take(64).collect();
                match span::record(raw, &scope.name, &scope.version, &mut origin, room) {
                    Ok(record) => read.spans.push(record),
                    Err(reason) => read.rejected.push(RejectedSpan { index, name, reason }),
                }
                index += 1;
            }
        }
    }
    read
}
