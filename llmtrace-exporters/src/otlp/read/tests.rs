//! What is written is read back; what others write is read.

mod bodies;
mod conventions;
mod foreign;
mod oracle;
mod round_trip;

use llmtrace::SpanRecord;

use super::{OtlpSpans, read_otlp};
use crate::otlp::encode::write_otlp;
use crate::otlp::profile::Profile;
use crate::otlp::protocol::Protocol;

const PROTOCOLS: [Protocol; 2] = [Protocol::Protobuf, Protocol::Json];

/// What is read of records that were written; both encodings must say the same.
fn sent(records: &[SpanRecord], profile: Profile) -> Vec<SpanRecord> {
    let [protobuf, json] = PROTOCOLS.map(|protocol| {
        let mut body = Vec::new();
        write_otlp(records, protocol, profile, &mut body);
        let OtlpSpans { spans, rejected } = read_otlp(&body, protocol).unwrap();
        assert_eq!(rejected, [], "{}", String::from_utf8_lossy(&body));
        spans
    });
    assert_eq!(protobuf, json, "{profile}");
    protobuf
}
