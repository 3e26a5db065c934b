//! Bodies that are torn, odd or hostile.

use llmtrace::Value;
use serde_json::json;

use crate::otlp::tests::golden;
use crate::{OtlpReadError, Profile, Protocol, read_otlp, write_otlp};

/// A request in JSON around one span with these members beside valid ids.
#[expect(clippy::needless_pass_by_value, reason = "the cases read better with their JSON in place")]
fn body(members: serde_json::Value) -> Vec<u8> {
    let mut span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331"});
    for (key, value) in members.as_object().unwrap() {
        span[key] = value.clone();
    }
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).to_string().into_bytes()
}

#[test]
fn spans_that_cannot_be_kept_are_rejected_with_the_reason() {
    let check = |members: serde_json::Value, reason: &str| {
        let read = read_otlp(&body(members), Protocol::Json).unwrap();
        let reasons: Vec<_> = read.rejected.iter().map(|rejected| &*rejected.reason).collect();
        assert_eq!((reasons.as_slice(), read.spans.len()), ([reason].as_slice(), 0));
    };
    check(json!({"traceId": ""}), "it has no trace id");
    check(json!({"traceId": null}), "it has no trace id");
    check(json!({"traceId": "0af7"}), "its trace id has 2 bytes, not 16");
    check(json!({"traceId": "zz"}), "its trace id is not hexadecimal");
    check(json!({"traceId": "abc"}), "its trace id is not hexadecimal");
    check(json!({"traceId": "0".repeat(32)}), "its trace id is all zeros");
    check(json!({"spanId": "0".repeat(16)}), "its span id is all zeros");
    check(json!({"spanId": "a".repeat(18)}), "its span id has 9 bytes, not 8");
    check(json!({"parentSpanId": "aa"}), "its parent span id has 1 bytes, not 8");
    let many: Vec<_> = (0..16_385).map(|n| json!({"key": n.to_string(), "value": {}})).collect();
    check(json!({"attributes": many}), "it has more than 16384 attributes");
    let mut deep = json!({"intValue": 1});
    for _ in 0..25 {
        deep = json!({"arrayValue": {"values": [deep]}});
    }
    check(
        json!({"attributes": [{"key": "k", "value": deep}]}),
        "a value in it is nested deeper than 24 levels",
    );
}

#[test]
fn odd_spans_are_kept() {
    let check = |members: serde_json::Value, is_right: fn(&llmtrace::SpanRecord) -> bool| {
        let read = read_otlp(&body(members.clone()), Protocol::Json).unwrap();
        let [span] = read.spans.as_slice() else { panic!("{members}: {read:?}") };
        assert!(is_right(span), "{members}: {span:#?}");
    };
    check(json!({}), |span| span.name.is_empty() && span.duration().is_zero());
    check(json!({"traceId": "0AF7651916CD43DD8448EB211C80319C"}), |span| {
        span.trace_id.to_string() == "0af7651916cd43dd8448eb211c80319c"
    });
    check(json!({"parentSpanId": "0".repeat(16)}), |span| span.parent_span_id.is_none());
    check(json!({"start_time_unix_nano": 7, "end_time_unix_nano": "9"}), |span| {
        (span.start.unix_nanos(), span.end.unix_nanos()) == (7, 9)
    });
    check(json!({"startTimeUnixNano": 7}), |span| span.end.unix_nanos() == 7);
    check(json!({"startTimeUnixNano": 7, "endTimeUnixNano": 3}), |span| span.end.unix_nanos() == 3);
    check(
        json!({"status": {"code": "STATUS_CODE_ERROR", "message": "no"}, "kind": "SPAN_KIND_SERVER"}),
        |span| {
            span.status == llmtrace::Status::error("no")
                && span.attributes.get_str("otel.kind") == Some("server")
        },
    );
    check(json!({"kind": 99, "status": {"code": {"a": 1}}, "unknown": [{"x": [1, null]}]}), |span| {
        span.attributes.is_empty() && span.status == llmtrace::Status::Unset
    });
    check(json!({"attributes": null, "events": null, "links": null, "status": null}), |span| {
        span.attributes.is_empty()
    });
    check(
        json!({"attributes": [
            {"key": "n", "value": {"intValue": 5}}, {"key": "n", "value": {"int_value": "6"}},
            {"key": "f", "value": {"doubleValue": "Infinity"}}, {"key": "b", "value": {"bytesValue": "AQI="}},
            {"key": "", "value": {"intValue": 1}}, {"key": "__proto__", "value": {"boolValue": true}},
        ]}),
        |span| {
            let get = |key| span.attributes.get(key).cloned();
            get("n") == Some(6.into())
                && get("f") == Some(f64::INFINITY.into())
                && get("b") == Some("AQI=".into())
                && get("__proto__") == Some(true.into())
                && span.attributes.len() == 4
        },
    );
    check(json!({"links": [{"traceId": "00", "spanId": "01"}, {}]}), |span| span.links.is_empty());
    check(json!({"droppedAttributesCount": 3, "droppedEventsCount": "4", "traceState": "a=b"}), |span| {
        let get = |key| span.attributes.get(key).cloned();
        get("otel.dropped_attributes_count") == Some(3.into())
            && get("otel.dropped_events_count") == Some(4.into())
            && get("w3c.tracestate") == Some("a=b".into())
    });
}

#[test]
fn attributes_beyond_what_a_line_holds_are_counted() {
    let many: Vec<_> =
        (0..5_000).map(|n| json!({"key": format!("k{n}"), "value": {"intValue": n}})).collect();
    let read = read_otlp(&body(json!({"attributes": many})), Protocol::Json).unwrap();
    let attributes = &read.spans[0].attributes;
    assert_eq!(attributes.get("otel.dropped_attributes_count"), Some(&Value::from(904)));
    assert_eq!(attributes.len(), 4_097);
}

#[test]
fn bytes_in_protobuf_become_base64() {
    // resource_spans { scope_spans { spans { trace_id, span_id, attributes { "k": bytes 1 2 255 254 } } } }
    let mut span = vec![0x0a, 16];
    span.extend([1; 16]);
    span.extend([0x12, 8]);
    span.extend([2; 8]);
    span.extend([0x4a, 11, 0x0a, 1, b'k', 0x12, 6, 0x3a, 4, 1, 2, 255, 254]);
    let mut body = span;
    for tag in [0x12, 0x12, 0x0a] {
        body.splice(0..0, [tag, u8::try_from(body.len()).unwrap()]);
    }
    let read = read_otlp(&body, Protocol::Protobuf).unwrap();
    assert_eq!(read.spans[0].attributes.get_str("k"), Some("AQL//g=="));
}

#[test]
fn a_body_that_was_cut_says_where_or_is_shorter() {
    for protocol in [Protocol::Protobuf, Protocol::Json] {
        let mut body = Vec::new();
        write_otlp(&[golden::call(), golden::call()], protocol, Profile::All, &mut body);
        assert_eq!(read_otlp(&body, protocol).unwrap().spans.len(), 2);
        for length in (1..body.len()).step_by(7) {
            match read_otlp(&body[..length], protocol).unwrap_err() {
                OtlpReadError::NotProtobuf { at, .. } | OtlpReadError::NotJson { at, .. } => {
                    assert!(at <= length);
                }
                other => panic!("{other}"),
            }
        }
    }
}

#[test]
fn bodies_that_are_no_request_are_refused() {
    let check = |body: &[u8], protocol, words: &str| {
        let error = read_otlp(body, protocol).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    check(b"{", Protocol::Json, "the text ends (byte 1)");
    check(b"[]", Protocol::Json, "expected an object (byte 0)");
    check(b"{\"resourceSpans\":{}}", Protocol::Json, "expected a list (byte 17)");
    check(b"{} {}", Protocol::Json, "(byte 3)");
    check(b"{\"a\":\"\xff\"}", Protocol::Json, "not UTF-8 (byte 6)");
    check("[".repeat(100_000).as_bytes(), Protocol::Json, "expected an object");
    check(format!("{{\"a\":{}", "[".repeat(100_000)).as_bytes(), Protocol::Json, "nested too deep");
    check(b"<html>", Protocol::Protobuf, "byte");
    check(b"\x0a\xff", Protocol::Protobuf, "the body ends within a field (byte 1)");
    for protocol in [Protocol::Protobuf, Protocol::Json] {
        let empty = if protocol == Protocol::Json { &b"{}"[..] } else { b"" };
        assert_eq!(read_otlp(empty, protocol).unwrap().spans, []);
    }
}

#[test]
fn memory_is_bounded_by_the_body() {
    // Spans of two bytes each, and objects of a few.
    let spans: Vec<u8> = [0x12, 0x00].repeat(300_000);
    let length = |bytes: usize| {
        let bits = |shift: usize| u8::try_from(bytes >> shift & 0x7f).unwrap();
        [bits(0) | 0x80, bits(7) | 0x80, bits(14) | 0x80, bits(21)]
    };
    let mut scope = vec![0x12];
    scope.extend(length(spans.len()));
    scope.extend(spans);
    let mut body = vec![0x0a];
    body.extend(length(scope.len()));
    body.extend(scope);
    let limited = |body: &[u8], protocol| match read_otlp(body, protocol).unwrap_err() {
        OtlpReadError::TooLarge { .. } | OtlpReadError::TooManySpans { .. } => {}
        other => panic!("{other}"),
    };
    limited(&body, Protocol::Protobuf);
    let maps = vec![json!({"kvlistValue": {}}); 100_000];
    limited(
        &self::body(json!({"attributes": [{"key": "k", "value": {"arrayValue": {"values": maps}}}]})),
        Protocol::Json,
    );
    // JSON in a text that is too large to be parsed stays a text.
    let text = format!("[{}]", vec!["{}"; 500_000].join(","));
    let read = read_otlp(
        &self::body(
            json!({"attributes": [{"key": "gen_ai.tool.definitions", "value": {"stringValue": text}}]}),
        ),
        Protocol::Json,
    );
    assert_eq!(read.unwrap().spans[0].attributes.get_str("gen_ai.tool.definitions"), Some(text.as_str()));
}
