//! OTLP requests in both encodings: reading never panics, and what is read is written and read back the same.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use llmtrace::SpanRecord;
use llmtrace_exporters::{Profile, Protocol, read_line, read_otlp, write_line, write_otlp};
use serde_json::{Value, json};

/// The names and values of every convention.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("../otlp_words.txt").lines().collect());

fuzz_target!(|input: &[u8]| {
    for protocol in [Protocol::Protobuf, Protocol::Json] {
        if let Ok(read) = read_otlp(input, protocol) {
            check(read.spans);
        }
    }
    let Ok(body) = request(&mut Unstructured::new(input)) else { return };
    let body = body.to_string();
    check(read_otlp(body.as_bytes(), Protocol::Json).expect("a request in JSON is read").spans);
});

fn check(spans: Vec<SpanRecord>) {
    let (once, protobuf) = (again(&spans, Protocol::Json), again(&spans, Protocol::Protobuf));
    assert_eq!(lines(&once), lines(&protobuf), "both encodings say the same");
    // The first time structured values under names of no convention become text.
    let twice = again(&once, Protocol::Json);
    assert_eq!(lines(&again(&twice, Protocol::Protobuf)), lines(&twice), "another round trip changes nothing");
    for line in lines(&spans) {
        read_line(line.as_bytes()).expect("a line that was written is read");
    }
}

fn again(spans: &[SpanRecord], protocol: Protocol) -> Vec<SpanRecord> {
    let mut body = Vec::new();
    write_otlp(spans, protocol, Profile::Standard, &mut body);
    let read = read_otlp(&body, protocol).expect("a request that was written is read");
    assert!(read.rejected.is_empty() && read.spans.len() == spans.len());
    read.spans
}

/// Lines, because a float that is not a number is unlike itself. How many attributes were left out grows.
fn lines(spans: &[SpanRecord]) -> Vec<String> {
    let line = |span: &SpanRecord| {
        let mut span = span.clone();
        span.attributes.remove("otel.dropped_attributes_count");
        let mut line = Vec::new();
        write_line(&span, &mut line);
        let line: Value = serde_json::from_slice(&line).expect("a line is JSON");
        line.to_string()
    };
    spans.iter().map(line).collect()
}

fn request(bytes: &mut Unstructured<'_>) -> Result<Value> {
    let mut spans = Vec::new();
    for _ in 0..bytes.int_in_range(1..=3)? {
        let mut events = Vec::new();
        for _ in 0..bytes.int_in_range(0..=2)? {
            events.push(json!({"name": text(bytes)?, "timeUnixNano": "5", "attributes": pairs(bytes, MAPS)?}));
        }
        spans.push(json!({
            "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": text(bytes)?,
            "kind": bytes.int_in_range(0..=6)?, "startTimeUnixNano": "3", "endTimeUnixNano": bytes.arbitrary::<u64>()?,
            "attributes": pairs(bytes, MAPS)?, "events": events,
            "status": {"code": bytes.int_in_range(0..=3)?, "message": text(bytes)?},
        }));
    }
    let resource = json!({"attributes": pairs(bytes, MAPS)?});
    Ok(json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}))
}

/// Maps in each other: fewer than a reader refuses.
const MAPS: usize = 4;

fn pairs(bytes: &mut Unstructured<'_>, maps: usize) -> Result<Vec<Value>> {
    let count = bytes.int_in_range(0..=12)?;
    (0..count).map(|_| Ok(json!({"key": text(bytes)?, "value": any(bytes, maps)?}))).collect()
}

fn any(bytes: &mut Unstructured<'_>, maps: usize) -> Result<Value> {
    Ok(match bytes.int_in_range(0..=6)? {
        0 => json!({"intValue": bytes.int_in_range(-1..=300)?}),
        1 => json!({"doubleValue": bytes.arbitrary::<f64>()?}),
        2 => json!({"boolValue": bytes.arbitrary::<bool>()?}),
        3 => json!({"arrayValue": {"values": [{"stringValue": text(bytes)?}]}}),
        4 if maps > 0 => json!({"kvlistValue": {"values": pairs(bytes, maps - 1)?}}),
        5 => json!({"stringValue": llmtrace_fuzz::value(bytes)?.to_string()}),
        _ => json!({"stringValue": text(bytes)?}),
    })
}

/// A word of a convention, perhaps with what follows it in a list.
fn text(bytes: &mut Unstructured<'_>) -> Result<String> {
    if bytes.ratio(1, 8)? {
        return bytes.arbitrary();
    }
    let word = *bytes.choose(&WORDS)?;
    if word.ends_with('.') && bytes.ratio(7, 8)? {
        return Ok(format!("{word}{}.{}", bytes.int_in_range(0..=2)?, bytes.choose(&WORDS)?));
    }
    Ok(word.to_owned())
}
