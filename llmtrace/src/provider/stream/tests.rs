#![expect(clippy::needless_pass_by_value, reason = "the cases read better")]

use serde_json::{Value, json};

use super::super::build_frames as frames;
use super::super::fold::MAX_PART_BYTES;
use super::super::framing::MAX_ITEM_BYTES;
use super::*;
use crate::{Message, Part, Usage};

/// The body of a stream with these items.
fn body(items: &[Value]) -> String {
    let lines: Vec<String> = items.iter().map(|item| format!("data: {item}\n\n")).collect();
    lines.concat()
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"id": "c", "choices": [{"index": index, "delta": delta}]})
}

fn end(index: u64) -> Value {
    json!({"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}], "usage": null})
}

fn chat(body: &str) -> Exchange {
    StreamAssembler::new(Api::OpenAiChat).push(body).finish()
}

#[test]
fn choices_and_tool_calls_that_interleave_are_told_apart() {
    let call = |index: u64, id: Option<&str>, name: Option<&str>, arguments: &str| json!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]});
    let exchange = chat(&body(&[
        delta(1, json!({"role": "assistant", "content": "b"})),
        delta(0, json!({"role": "assistant", "content": ""})),
        delta(0, call(0, Some("c0"), Some("f"), "")),
        delta(0, call(1, Some("c1"), Some("g"), "{\"y\"")),
        delta(0, call(0, None, None, "{\"x\":1")),
        delta(0, call(1, None, None, ":2}")),
        delta(1, json!({"content": "!"})),
        delta(0, call(0, None, None, "}")),
    ]));
    let calls = [
        Part::tool_call(Some("c0".into()), "f", "{\"x\":1}"),
        Part::tool_call(Some("c1".into()), "g", "{\"y\":2}"),
    ];
    assert_eq!(exchange.output[0].parts, calls);
    assert_eq!(exchange.output[1], Message::assistant("b!"));
}

#[test]
fn pieces_of_tool_calls_find_theirs_whatever_counts_them() {
    let check = |marks: [(Option<u64>, Option<&str>); 5]| {
        let pieces = marks.iter().zip(["{\"x\"", "{\"y\"", ":1", ":2}", "}"]).map(|((index, id), text)| {
            let call = json!({"index": index, "id": id, "function": {"name": "f", "arguments": text}});
            delta(0, json!({"tool_calls": [call]}))
        });
        let exchange = chat(&body(&pieces.collect::<Vec<_>>()));
        let arguments = |part: &Part| match part {
            Part::ToolCall { arguments, .. } => arguments.clone(),
            other => panic!("{other:?}"),
        };
        let read: Vec<Value> = exchange.output[0].parts.iter().map(arguments).collect();
        assert_eq!(read.len(), 2, "{marks:?}: {read:?}");
        assert!(read.contains(&json!({"x": 1})) && read.contains(&json!({"y": 2})), "{marks:?}: {read:?}");
    };
    let (a, b) = (Some("a"), Some("b"));
    check([(None, a), (None, b), (None, a), (None, b), (None, a)]);
    check([(Some(9), a), (Some(5), b), (Some(9), None), (Some(5), None), (Some(9), None)]);
    check([(Some(1), a), (Some(2), b), (Some(1), a), (Some(2), b), (Some(1), a)]);
}

#[test]
fn tool_calls_that_a_server_does_not_count_are_told_by_their_ids() {
    let call = |id: &str, name: &str| json!({"tool_calls": [{"index": 0, "id": id, "function": {"name": name, "arguments": "{}"}}]});
    let exchange = chat(&body(&[delta(0, call("a", "f")), delta(0, call("b", "g"))]));
    let names: Vec<&str> = exchange.output[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolCall { name, .. } => name.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["f", "g"]);
}

#[test]
fn counts_are_replaced_wherever_they_come() {
    let usage = |input: u64, output: u64| json!({"prompt_tokens": input, "completion_tokens": output});
    let with = |usage: Value| json!({"choices": [{"index": 0, "delta": {"content": "x"}}], "usage": usage});
    let last = json!({"choices": [], "usage": usage(5, 3)});
    let check = |items: &[Value], status: UsageStatus, counts: Option<(u64, u64)>| {
        let read = chat(&body(items)).usage;
        let expected = counts.map_or(Usage::default(), |(input, output)| Usage::new(input, output));
        assert_eq!(read, Usage { status, ..expected }, "{items:?}");
    };
    check(&[delta(0, json!({"content": "x"})), end(0), last.clone()], UsageStatus::Complete, Some((5, 3)));
    check(&[with(usage(5, 1)), with(usage(5, 2)), end(0), last], UsageStatus::Complete, Some((5, 3)));
    check(&[with(usage(5, 1)), with(usage(5, 2))], UsageStatus::Interrupted, Some((5, 2)));
    check(&[with(usage(5, 1)), end(0)], UsageStatus::Interrupted, Some((5, 1)));
    check(&[delta(0, json!({"content": "x"})), end(0)], UsageStatus::Interrupted, None);
    check(&[], UsageStatus::Interrupted, None);
    let groq = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "x_groq": {"usage": usage(5, 3)}});
    check(&[groq], UsageStatus::Complete, Some((5, 3)));
    let ended = format!("{}data: [DONE]\n\n", body(&[delta(0, json!({"content": "x"})), end(0)]));
    assert_eq!(chat(&ended).usage.status, UsageStatus::Missing);
}

#[test]
fn items_without_framing_end_with_the_finish_reason() {
    let mut stream = StreamAssembler::new(Api::OpenAiChat);
    stream.push_event(&delta(0, json!({"content": "x"}))).push_event(&end(0));
    assert_eq!(stream.finish().usage.status, UsageStatus::Missing);
}

#[test]
fn content_is_what_a_reader_would_see() {
    let check = |item: Value, expected: bool| {
        let mut stream = StreamAssembler::new(Api::OpenAiChat);
        assert_eq!(stream.push_event(&item).has_content(), expected, "{item}");
    };
    check(delta(0, json!({"role": "assistant", "content": ""})), false);
    check(delta(0, json!({"role": "assistant", "content": null, "refusal": null})), false);
    check(json!({"choices": [], "prompt_filter_results": []}), false);
    check(end(0), false);
    check(delta(0, json!({"content": "x"})), true);
    check(delta(0, json!({"reasoning_content": "x"})), true);
    check(delta(0, json!({"refusal": "x"})), true);
    check(
        delta(
            0,
            json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]}),
        ),
        true,
    );
}

#[test]
fn errors_within_and_in_place_of_a_stream_are_read() {
    let check = |body: &str, status: UsageStatus| {
        let named = chat(body);
        assert_eq!(named.error.as_ref().map(|error| &*error.message), Some("oh"), "{body}");
        assert_eq!(named.usage.status, status, "{body}");
        assert_eq!(StreamAssembler::detect().push(body).finish().error, named.error, "{body}");
    };
    let error = json!({"error": {"message": "oh", "type": "server_error"}});
    check(&body(&[delta(0, json!({"content": "x"})), error.clone()]), UsageStatus::Interrupted);
    check(&body(std::slice::from_ref(&error)), UsageStatus::Missing);
    check(&error.to_string(), UsageStatus::Missing);
    check(&format!("{error:#}"), UsageStatus::Missing);
}

#[test]
fn an_error_event_keeps_the_counts_that_came_before_it() {
    let start = json!({"type": "message_start", "message": {"id": "msg_1", "usage": {"input_tokens": 12, "output_tokens": 1}}});
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}});
    let read = StreamAssembler::new(Api::AnthropicMessages).push(body(&[start, error])).finish();
    assert_eq!(read.usage, Usage { status: UsageStatus::Interrupted, ..Usage::new(12, 1) });
    assert_eq!(read.error.unwrap().message, "busy");
}

#[test]
fn a_response_too_large_to_keep_keeps_its_counts() {
    let text = "x".repeat(MAX_ITEM_BYTES - 200);
    let response = json!({"id": "c", "model": "m", "choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}});
    let read = chat(&response.to_string());
    assert_eq!((read.usage, read.response_id.as_deref()), (Usage::new(1, 2), Some("c")));
}

#[test]
fn frames_that_are_damaged_interrupt_the_stream() {
    let frames: Vec<Vec<u8>> = [
        ("messageStart", json!({"role": "assistant"})),
        ("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": {"text": "Hi"}})),
        ("messageStop", json!({"stopReason": "end_turn"})),
        ("metadata", json!({"usage": {"inputTokens": 5, "outputTokens": 3}})),
    ]
    .into_iter()
    .map(|(kind, payload)| frames::event(kind, &payload.to_string()))
    .collect();
    let whole = StreamAssembler::new(Api::BedrockConverse).push(frames.concat()).finish();
    assert_eq!((whole.usage, whole.output[0].text()), (Usage::new(5, 3), "Hi".to_owned()));
    let mut damaged = frames.concat();
    damaged[frames[0].len() + 90] ^= 1;
    let read = StreamAssembler::new(Api::BedrockConverse).push(damaged).finish();
    assert_eq!(read.usage, Usage { status: UsageStatus::Interrupted, ..Usage::new(5, 3) });
}

#[test]
fn a_whole_response_in_place_of_a_stream_is_read() {
    let body = json!({
        "id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    });
    for text in [body.to_string(), format!("{body:#}\n")] {
        assert_eq!(StreamAssembler::detect().push(text).finish(), read_response_as(Api::OpenAiChat, &body));
    }
}

#[test]
fn what_is_too_long_is_left_out_and_the_counts_stay_right() {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}});
    let long = "x".repeat(MAX_ITEM_BYTES);
    let skipped = chat(&body(&[
        delta(0, json!({"content": "a"})),
        delta(0, json!({"content": long})),
        end(0),
        usage.clone(),
    ]));
    assert_eq!((skipped.output[0].text(), skipped.usage), ("a".to_owned(), Usage::new(5, 3)));

    let piece = delta(0, json!({"content": "x".repeat(MAX_PART_BYTES / 4)}));
    let cut =
        chat(&body(&[piece.clone(), piece.clone(), piece.clone(), piece.clone(), piece, end(0), usage]));
    assert_eq!((cut.output[0].text().len(), cut.usage), (MAX_PART_BYTES, Usage::new(5, 3)));
}

#[test]
fn nonsense_is_survived() {
    for body in [
        "data: 3\n\n",
        "data: []\n\ndata: {\"choices\": 3}\n\n",
        "data: {\"choices\":[3,{\"delta\":{\"content\":4}}]}\n\n",
    ] {
        for api in [Api::OpenAiChat, Api::OpenAiResponses, Api::OpenAiEmbeddings, Api::AnthropicMessages] {
            let read = StreamAssembler::new(api).push(body).finish();
            assert_eq!((read.api, read.usage.status), (Some(api), UsageStatus::Interrupted));
        }
        assert_eq!(StreamAssembler::detect().push("data: 3\n\n").finish(), Exchange::default());
    }
}
