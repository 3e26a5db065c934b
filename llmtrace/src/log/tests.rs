use super::*;

#[test]
fn entries_read_back_in_order() {
    let (trace, span) = (TraceId::sequential(7), SpanId::sequential(8));
    let id = Key::Id(KeyId::of("a").unwrap());
    let entries = [
        Entry::Attribute(id, Scalar::Str("text")),
        Entry::Attribute(id, Scalar::Int(-1)),
        Entry::Attribute(Key::Name("b"), Scalar::Wide(i128::MAX)),
        Entry::Attribute(Key::Name(""), Scalar::Float(0.5)),
        Entry::Attribute(id, Scalar::Bool(true)),
        Entry::Attribute(id, Scalar::Json(b"[1]")),
        Entry::Argument("question", Body::Text("why?")),
        Entry::Request(Body::Json(b"{}")),
        Entry::Response(Body::Text("because")),
        Entry::Chunk(3, Body::Json(b"{}")),
        Entry::FirstChunk(4),
        Entry::EventStart(5, "retry"),
        Entry::EventEnd,
        Entry::Link(trace, span),
        Entry::Score("helpful", 0.9, ""),
        Entry::Error("timeout", "too slow"),
        Entry::Name("chat"),
        Entry::Label("beta"),
        Entry::Header("request-id", "req_1"),
        Entry::Done,
        Entry::Cancelled,
        Entry::Truncated,
        Entry::Default(id, Scalar::Bool(true)),
        Entry::Sent(Some(Body::Json(b"{}"))),
        Entry::Sent(None),
        Entry::Received(6, Body::Json(b"\xff")),
        Entry::Failed(7, "timeout", "too slow"),
        Entry::CutOff,
    ];
    let mut log = Log::default();
    for entry in entries {
        log.push(entry);
    }
    assert_eq!(log.entries().collect::<Vec<_>>(), entries);
    // A log that was cut anywhere ends; it never panics.
    for cut in 0..log.0.len() {
        assert!(Entries(&log.0[..cut]).count() < entries.len());
    }
}
