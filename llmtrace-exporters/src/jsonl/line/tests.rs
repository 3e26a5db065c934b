use std::sync::Arc;

use llmtrace::{
    Attributes, Event, Link, Message, ObservationKind, Part, Resource, Role, Score, SpanRecord, Status, Value,
};
use serde_json::json;

use super::*;
use crate::testing::{self, at, span_id, trace_id};

fn line(span: &SpanRecord) -> String {
    let mut out = Vec::new();
    write_line(span, &mut out);
    String::from_utf8(out).unwrap()
}

/// A span with something in every field.
fn full() -> SpanRecord {
    let mut span = testing::span(1, 2, "chat gpt-4o-mini");
    span.parent_span_id = Some(span_id(1));
    span.parent_is_remote = true;
    span.kind = ObservationKind::Generation;
    span.status = Status::error("429: \u{1b}[31mslow\u{202e} down\r\n");
    span.scope = "app::chat".into();
    let mut resource = Resource::default();
    resource.attributes =
        [("service.name", "bot"), ("deployment.environment.name", "test")].into_iter().collect();
    span.resource = Arc::new(resource);
    span.attributes.set("int", 12);
    span.attributes.set("big", i128::MIN);
    span.attributes.set("float", 0.1 + 0.2);
    span.attributes.set("whole float", 3.0);
    span.attributes.set("list", Value::Array(vec!["a".into(), true.into(), 2.5.into(), i128::MAX.into()]));
    span.attributes.set("json", json!({"a": [null, {"b": 1.5e300}], "n": u64::MAX}));
    span.attributes.set("text", "line\u{2028}break \u{7f}\u{9b} é 世界 🦀");
    span.input = vec![
        Message::system("be brief"),
        Message::tool("call_1", json!({"rows": [1, 2.5]})),
        Message::new(
            Role::Other("critic".into()),
            vec![Part::Other(json!({"type": "compaction", "id": "c"}))],
        ),
    ];
    span.input[0].name = Some("rules".into());
    span.output = vec![
        Message::new(
            Role::Assistant,
            vec![
                Part::reasoning("hm"),
                Part::text("hi"),
                Part::tool_call(None, "f", r#"{"city":"Paris","deep":[[1]]}"#),
                Part::tool_call(Some("call_2".into()), "g", "{\"torn"),
                Part::Blob {
                    mime_type: Some("image/png".into()),
                    modality: "image".into(),
                    content: "AAAA".into(),
                },
                Part::File { mime_type: None, modality: "document".into(), file_id: "file_1".into() },
                Part::Uri { mime_type: None, modality: "audio".into(), uri: "https://example.org/a".into() },
            ],
        )
        .with_finish_reason("tool_call"),
        Message::new(Role::User, Vec::new()),
    ];
    span.events = vec![
        Event::new("exception", at(5), [("exception.type", "Timeout")].into_iter().collect()),
        Event::new("retry", at(6), Attributes::default()),
    ];
    span.scores = vec![Score::new("helpfulness", 0.9), Score::new("inf", f64::INFINITY)];
    span.scores[0].comment = Some("good \"enough\"".into());
    let mut link = Link::new(trace_id(9), span_id(9));
    link.attributes.set("why", "retry of");
    span.links = vec![Link::new(trace_id(8), span_id(8)), link];
    span
}

#[test]
fn every_field_reads_back() {
    let check = |change: fn(&mut SpanRecord)| {
        let mut span = full();
        change(&mut span);
        let line = line(&span);
        assert_eq!(read_line(line.as_bytes()).unwrap(), span, "{line}");
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(
            line.trim_end_matches('\n').find(|c: char| c.is_control() || c == '\u{2028}' || c == '\u{202e}'),
            None
        );
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok());
    };
    check(|_| ());
    check(|span| *span = testing::span(3, 4, ""));
    check(|span| span.status = Status::Cancelled);
    check(|span| span.status = Status::Ok);
    check(|span| span.status = Status::error(""));
    check(|span| span.parent_is_remote = false);
    check(|span| (span.start, span.end) = (at(u64::MAX), at(0)));
    check(|span| {
        Arc::make_mut(&mut span.resource).attributes = [("service.name", "bot")].into_iter().collect();
    });
    check(|span| {
        Arc::make_mut(&mut span.resource).attributes =
            [("zone", "a"), ("service.name", "bot")].into_iter().collect();
    });
    check(|span| Arc::make_mut(&mut span.resource).attributes = [("service.name", 7)].into_iter().collect());
    check(|span| Arc::make_mut(&mut span.resource).attributes = Attributes::default());
}

#[test]
fn a_line_is_the_documented_json() {
    let mut span = testing::span(1, 2, "chat");
    span.kind = ObservationKind::Generation;
    assert_eq!(
        line(&span),
        concat!(
            r#"{"v":1,"trace_id":"00000000000000000000000000000001","span_id":"0000000000000002","name":"chat","#,
            r#""kind":"generation","start":"1970-01-01T00:00:00.000000000Z","end":"1970-01-01T00:00:00.000000000Z","#,
            r#""status":"unset","attributes":{}}"#,
            "\n"
        )
    );
    let text = line(&full());
    let keys = [
        "v",
        "trace_id",
        "span_id",
        "parent_span_id",
        "parent_is_remote",
        "name",
        "kind",
        "start",
        "end",
        "status",
        "status_message",
        "service",
        "resource",
        "scope",
        "attributes",
        "input",
        "output",
        "events",
        "scores",
        "links",
    ];
    let mut from = 0;
    for key in keys {
        let found = text[from..].find(&format!("\"{key}\":"));
        from += found.unwrap_or_else(|| panic!("{key} is not in its place: {text}"));
    }
}

#[test]
fn messages_have_the_json_that_their_serialize_gives() {
    let span = full();
    let read: serde_json::Value = serde_json::from_str(&line(&span)).unwrap();
    assert_eq!(read["input"], serde_json::to_value(&span.input).unwrap());
    assert_eq!(read["output"], serde_json::to_value(&span.output).unwrap());
    let text = line(&span);
    for message in span.output.iter().take(1) {
        assert!(text.contains(&serde_json::to_string(message).unwrap()));
    }
}

#[test]
fn attributes_take_the_kind_of_their_json() {
    let check = |written: Value, read: Value| {
        let mut span = testing::span(1, 2, "x");
        span.attributes.set("a", written);
        let back = read_line(line(&span).as_bytes()).unwrap();
        assert_eq!(back.attributes.get("a"), Some(&read));
    };
    check(f64::NAN.into(), "NaN".into());
    check(Value::Json(json!("text")), "text".into());
    check(Value::Json(json!([1, 2])), Value::from([1, 2]));
    check(Value::Array(vec![Value::from([1])]), Value::Json(json!([[1]])));
}

/// The same line with the text `from` replaced.
fn changed(from: &str, to: &str) -> String {
    let text = line(&full());
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn other_writers_are_understood() {
    let check = |line: String, expected: fn(&mut SpanRecord)| {
        let mut span = full();
        expected(&mut span);
        assert_eq!(read_line(line.as_bytes()).unwrap(), span, "{line}");
    };
    check(changed("\"name\"", "\"later\":{\"a\":[1,{}]},\"name\""), |_| ());
    check(changed("\n", "  \r\n"), |_| ());
    check(changed("{\"v\":1,", " { \"v\" : 1 , "), |_| ());
    check(changed("{\"v\":1,", "{").replace("}\n", ",\"v\":1}"), |_| ());
    check(changed("\"parent_span_id\":\"0000000000000001\"", "\"parent_span_id\":null"), |span| {
        span.parent_span_id = None;
    });
    check(changed("\"scope\":\"app::chat\"", "\"scope\":null"), |span| span.scope = "".into());
    check(changed("\"input\":", "\"input\":null,\"ignored\":"), |span| span.input.clear());
}

#[test]
fn what_is_not_a_span_says_why() {
    let check = |line: &str, reason: &str| {
        let error = read_line(line.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}, expected {reason}");
    };
    check("", "the text ends (byte 0)");
    check("[]", "expected an object");
    check(r#"{"level":"info"}"#, "the object has no `v`");
    check("{}", "the object has no `v`");
    check(&changed("\"v\":1", "\"v\":2"), "the line is of version 2; this program reads version 1");
    check(&changed("\"v\":1", "\"v\":\"1\""), "version \"1\"");
    check(r#"{"trace_id":7,"v":3}"#, "version 3");
    check(&changed("\"kind\":\"generation\",", ""), "`kind` is missing");
    check(&changed("generation", "dream"), "`kind`: unknown kind \"dream\"");
    check(&changed("\"error\"", "\"odd\""), "`status`: expected unset");
    check(&changed("\"start\":\"1970", "\"start\":\"19"), "`start`: not a time");
    check(&changed("\"role\":\"system\",", ""), "`input`: missing field `role`");
    check(&changed("\"value\":0.9", "\"value\":null"), "`scores`: `value` is missing");
    check(&changed("}\n", "}x"), "something follows");
    assert!(matches!(read_line(b"{\"v\":1,\xff"), Err(LineError::NotUtf8 { at: 7 })));
}

#[test]
fn a_line_torn_at_any_byte_is_an_error() {
    let line = line(&full());
    for end in 0..line.len() - 1 {
        assert!(read_line(&line.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn changed_bytes_never_panic() {
    let line = line(&full()).into_bytes();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..5_000 {
        let mut broken = line.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..broken.len());
            match random.u8(..3) {
                0 => broken[at] = random.u8(..),
                1 => broken.insert(at, *random.choice(b"\"\\{}[],:0-u").unwrap()),
                _ => drop(broken.remove(at)),
            }
        }
        if let Ok(span) = read_line(&broken) {
            let mut again = Vec::new();
            write_line(&span, &mut again);
            let mut twice = Vec::new();
            write_line(&read_line(&again).unwrap(), &mut twice);
            assert_eq!(again, twice);
        }
    }
}
