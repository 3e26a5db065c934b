//! What a backend says of a request that it took.

use serde_json::Value as Json;

use super::fields::{Broken, Field, Fields};
use super::protocol::Protocol;
use super::wire::json::Json as JsonWire;
use super::wire::protobuf::Protobuf;
use super::wire::{Wire, fields};

/// What a backend refused of an OTLP request that it took: `ExportTracePartialSuccess` of
/// `opentelemetry/proto/collector/trace/v1/trace_service.proto`.
///
/// ```
/// use llmtrace_exporters::PartialSuccess;
///
/// let answer = PartialSuccess::read(br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#);
/// assert_eq!((answer.rejected, answer.message.as_deref()), (3, Some("too old")));
/// assert_eq!(PartialSuccess::read(b""), PartialSuccess::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialSuccess {
    /// How many spans it refused; they must not be sent again.
    pub rejected: u64,
    /// Why, or a warning where none was refused: 1,000 characters at most.
    pub message: Option<String>,
}

/// Longest message that is kept, in characters.
const MAX_MESSAGE_CHARS: usize = 1_000;

impl PartialSuccess {
    /// Reads the body of an answer with status 200, in protobuf or JSON.
    ///
    /// Bodies of other shapes say nothing of refused spans and so mean that there are none: an empty one, and JSON of
    /// a backend's own, which some send whatever they were sent.
    pub fn read(body: &[u8]) -> Self {
        let found = match body.trim_ascii_start().first() {
            // No protobuf answer begins like this: it would open a group.
            Some(b'{') => serde_json::from_slice(body).ok().map(|json| of_json(&json)),
            _ => of_protobuf(body).ok(),
        };
        found.unwrap_or_default()
    }
}

impl PartialSuccess {
    /// What a receiver says of spans that it refused.
    pub fn new(rejected: u64, message: Option<String>) -> Self {
        Self { rejected, message }
    }

    /// Writes the body of an answer with status 200 to the end of `out`: an `ExportTraceServiceResponse`, whose
    /// `partial_success` is left out where nothing was refused and nothing is to be said.
    ///
    /// ```
    /// use llmtrace_exporters::{PartialSuccess, Protocol};
    ///
    /// let answer = PartialSuccess::new(3, Some("no span id".to_owned()));
    /// let mut body = Vec::new();
    /// answer.write(Protocol::Json, &mut body);
    /// assert_eq!(body, br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no span id"}}"#);
    /// assert_eq!(PartialSuccess::read(&body), answer);
    /// ```
    pub fn write(&self, protocol: Protocol, out: &mut Vec<u8>) {
        match protocol {
            Protocol::Protobuf => self.fields(&mut Protobuf(out)),
            Protocol::Json => {
                let mut wire = JsonWire::begin(out);
                self.fields(&mut wire);
                wire.end();
            }
        }
    }

    fn fields<W: Wire>(&self, wire: &mut W) {
        if *self == Self::default() {
            return;
        }
        let partial = wire.open(PARTIAL_SUCCESS, 64);
        if self.rejected > 0 {
            // The field is signed.
            wire.count(REJECTED, self.rejected.min(i64::MAX.unsigned_abs()));
        }
        if let Some(message) = &self.message {
            wire.text(MESSAGE, message);
        }
        wire.close(partial);
    }
}

fields! {
    PARTIAL_SUCCESS = 1 "partialSuccess";
    REJECTED = 1 "rejectedSpans";
    MESSAGE = 2 "errorMessage";
}

fn of_json(answer: &Json) -> PartialSuccess {
    // The JSON mapping of protobuf asks parsers to take the original field names too.
    let member = |json: &Json, camel: &str, snake: &str| {
        json.get(camel).or_else(|| json.get(snake)).cloned().unwrap_or_default()
    };
    let partial = member(answer, "partialSuccess", "partial_success");
    let rejected = match member(&partial, "rejectedSpans", "rejected_spans") {
        Json::String(digits) => digits.parse().unwrap_or(0),
        number => number.as_u64().unwrap_or(0),
    };
    let message = member(&partial, "errorMessage", "error_message");
    PartialSuccess { rejected, message: shortened(message.as_str().unwrap_or_default()) }
}

fn of_protobuf(body: &[u8]) -> Result<PartialSuccess, Broken> {
    let mut answer = PartialSuccess::default();
    let mut fields = Fields::of(body);
    while let Some((number, value)) = fields.next()? {
        if let (1, Field::Bytes(partial)) = (number, value) {
            let mut fields = partial;
            while let Some((number, value)) = fields.next()? {
                match (number, value) {
                    (1, Field::Varint(rejected)) => {
                        // A negative count is none.
                        answer.rejected = u64::try_from(rejected.cast_signed()).unwrap_or(0);
                    }
                    (2, Field::Bytes(text)) => answer.message = shortened(&text.text()),
                    _ => {}
                }
            }
        }
    }
    Ok(answer)
}

fn shortened(message: &str) -> Option<String> {
    (!message.is_empty()).then(|| message.chars().take(MAX_MESSAGE_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    use prost::Message as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_is_what_others_read() {
        for answer in [
            PartialSuccess::default(),
            PartialSuccess::new(3, Some("too \"old\"".to_owned())),
            PartialSuccess::new(0, Some("slow down".to_owned())),
            PartialSuccess::new(u64::from(u32::MAX) + 1, None),
        ] {
            for protocol in [Protocol::Protobuf, Protocol::Json] {
                let mut body = Vec::new();
                answer.write(protocol, &mut body);
                assert_eq!(PartialSuccess::read(&body), answer, "{protocol}");
                if protocol == Protocol::Protobuf {
                    let partial = ExportTraceServiceResponse::decode(&*body).unwrap().partial_success;
                    let partial = partial.unwrap_or_default();
                    assert_eq!(partial.rejected_spans.unsigned_abs(), answer.rejected);
                    assert_eq!(partial.error_message, answer.message.clone().unwrap_or_default());
                }
            }
        }
    }

    fn check(body: &[u8], rejected: u64, message: Option<&str>) {
        let expected = PartialSuccess { rejected, message: message.map(str::to_owned) };
        assert_eq!(PartialSuccess::read(body), expected, "{:?}", String::from_utf8_lossy(body));
    }

    fn protobuf(rejected_spans: i64, error_message: &str) -> Vec<u8> {
        let partial = ExportTracePartialSuccess { rejected_spans, error_message: error_message.to_owned() };
        ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
    }

    #[test]
    fn refused_spans_are_counted_in_both_encodings() {
        check(&protobuf(3, "too old"), 3, Some("too old"));
        check(&protobuf(0, "slow down"), 0, Some("slow down"));
        check(&protobuf(i64::MAX, ""), i64::MAX as u64, None);
        check(&protobuf(-1, ""), 0, None);
        check(br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}"#, 3, Some("too old"));
        check(br#" {"partialSuccess":{"rejectedSpans":3}}"#, 3, None);
        check(br#"{"partial_success":{"rejected_spans":3,"error_message":"x"}}"#, 3, Some("x"));
    }

    #[test]
    fn answers_that_say_nothing_refuse_nothing() {
        check(b"", 0, None);
        check(&ExportTraceServiceResponse::default().encode_to_vec(), 0, None);
        check(b"{}", 0, None);
        check(br#"{"partialSuccess":null}"#, 0, None);
        check(br#"{"partialSuccess":{}}"#, 0, None);
        check(br#"{"accepted_spans":7,"rejected":0}"#, 0, None);
        check(br#"{"partialSuccess":{"rejectedSpans":"-4"}}"#, 0, None);
        check(b"{\"partialSuccess\":{\"rejectedSp", 0, None);
        check(b"OK", 0, None);
        check(b"<html>", 0, None);
        check(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 0, None);
    }

    #[test]
    fn unknown_fields_are_passed_over_and_messages_are_cut() {
        let mut body = vec![0x18, 0x05, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2d, 1, 2, 3, 4];
        body.extend(protobuf(2, &"é".repeat(5_000)));
        check(&body, 2, Some(&"é".repeat(1_000)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(body in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            PartialSuccess::read(&body);
        }
    }
}
