//! How an OTLP request is answered.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use llmtrace_exporters::Protocol;
use serde_json::json;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    message: String,
    /// Seconds after which to send it again.
    retry_after: Option<u32>,
}

/// Longest message of an answer, in bytes.
const MAX_MESSAGE_BYTES: usize = 2_000;

impl Refusal {
    /// The body is not what it says it is.
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into(), retry_after: None }
    }

    /// The body is none of the kinds that are read.
    pub(super) fn unsupported(message: &str) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..Self::malformed(message) }
    }

    pub(super) fn too_large(max: usize) -> Self {
        let message = format!("the body is longer than {} MiB; send smaller batches", max >> 20);
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, ..Self::malformed(message) }
    }

    pub(super) fn slow(timeout: Duration) -> Self {
        let message = format!("the body took longer than {} s", timeout.as_secs());
        Self { status: StatusCode::REQUEST_TIMEOUT, ..Self::malformed(message) }
    }

    /// It is to be sent again a little later.
    pub(super) fn busy(message: impl Into<String>) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after: Some(1), ..Self::malformed(message) }
    }

    /// The answer: a `google.rpc.Status` in the protocol of the request
    /// (<https://opentelemetry.io/docs/specs/otlp/#failures-1>).
    pub(super) fn answer(&self, protocol: Protocol) -> Response {
        let code = match self.status {
            StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
            StatusCode::PAYLOAD_TOO_LARGE => RESOURCE_EXHAUSTED,
            StatusCode::REQUEST_TIMEOUT => DEADLINE_EXCEEDED,
            _ => INVALID_ARGUMENT,
        };
        let message = cut(&self.message);
        let body = if protocol == Protocol::Json {
            json!({"code": code, "message": message}).to_string().into_bytes()
        } else {
            let mut body = vec![1 << 3, code];
            put_text(2, message, &mut body);
            body
        };
        let mut response = written(self.status, protocol, body);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Codes of `google/rpc/code.proto`.
const INVALID_ARGUMENT: u8 = 3;
const DEADLINE_EXCEEDED: u8 = 4;
const RESOURCE_EXHAUSTED: u8 = 8;
const UNAVAILABLE: u8 = 14;

/// The answer to a request of which `rejected` spans were refused, as `message` says: an `ExportTraceServiceResponse`.
pub(super) fn accepted(protocol: Protocol, rejected: u64, message: &str) -> Response {
    let message = cut(message);
    let says_something = rejected > 0 || !message.is_empty();
    let body = match protocol {
        Protocol::Json if says_something => {
            // The JSON mapping of protobuf writes 64-bit integers as strings.
            json!({"partialSuccess": {"rejectedSpans": rejected.to_string(), "errorMessage": message}})
                .to_string()
                .into_bytes()
        }
        Protocol::Json => b"{}".to_vec(),
        _ if says_something => {
            let mut partial = vec![1 << 3];
            put_varint(rejected, &mut partial);
            put_text(2, message, &mut partial);
            let mut body = Vec::new();
            put_bytes(1, &partial, &mut body);
            body
        }
        _ => Vec::new(),
    };
    written(StatusCode::OK, protocol, body)
}

fn written(status: StatusCode, protocol: Protocol, body: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, protocol.content_type())], body).into_response()
}

fn cut(message: &str) -> &str {
    let end = (0..=MAX_MESSAGE_BYTES.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
    end.and_then(|end| message.get(..end)).unwrap_or_default()
}

fn put_text(field: u8, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        put_bytes(field, text.as_bytes(), out);
    }
}

fn put_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use llmtrace_exporters::PartialSuccess;

    use super::*;

    async fn body(mut response: Response) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(chunk) = crate::serve::form::next_chunk(response.body_mut()).await.unwrap() {
            all.extend_from_slice(&chunk);
        }
        all
    }

    #[tokio::test]
    async fn what_was_refused_is_read_back() {
        for protocol in [Protocol::Protobuf, Protocol::Json] {
            for (rejected, message) in [(0, ""), (3, "too old"), (1 << 40, "é"), (0, "a warning")] {
                let answer = accepted(protocol, rejected, message);
                assert_eq!(answer.headers()[header::CONTENT_TYPE], protocol.content_type());
                let read = PartialSuccess::read(&body(answer).await);
                let read = (read.rejected, read.message.unwrap_or_default());
                assert_eq!(read, (rejected, message.to_owned()), "{protocol}");
            }
        }
    }

    #[tokio::test]
    async fn a_refusal_is_a_status_in_the_protocol_of_the_request() {
        let refusal = Refusal::busy("x".repeat(200));
        let answer = refusal.answer(Protocol::Protobuf);
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
        let expected = [&[8, 14, 18, 200, 1], "x".repeat(200).as_bytes()].concat();
        assert_eq!(body(answer).await, expected);
        let answer = Refusal::malformed("\"").answer(Protocol::Json);
        assert_eq!(body(answer).await, br#"{"code":3,"message":"\""}"#);
        assert_eq!(cut(&"é".repeat(2_000)).len(), 2_000);
    }
}
