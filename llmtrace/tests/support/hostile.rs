//! What a network, a broken server or an attacker may send.

use super::frames;

/// One body, by what is wrong with it. None of them states a count of zero, and none is a whole answer.
pub(crate) fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let mut bodies = texts();
    for (name, json) in documents() {
        bodies.push((name, json.clone()));
        bodies.push((name, [b"data: ", &json[..], b"\n\n"].concat()));
        bodies.push((name, [b"data:", &json[..], b"\r\rdata: [DONE]\r\r"].concat()));
        bodies.push((name, [b"[", &json[..], b","].concat()));
        bodies.push((name, frames::frame(&[(":message-type", "event"), (":event-type", "metadata")], &json)));
    }
    bodies.extend(torn_frames());
    bodies
}

fn repeated(head: &str, unit: &str, times: usize, tail: &str) -> Vec<u8> {
    [head, &unit.repeat(times), tail].concat().into_bytes()
}

fn texts() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("blank", b" \r\n\t\n".to_vec()),
        ("NUL", b"\0".to_vec()),
        ("NULs", vec![0; 5_000]),
        ("ones", vec![0xff; 5_000]),
        ("BOM", b"\xef\xbb\xbf".to_vec()),
        ("half a BOM", b"\xef\xbb".to_vec()),
        ("BOMs", b"\xef\xbb\xbf\xef\xbb\xbfdata: {}\n\n".to_vec()),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xabV*\xcd+\xce\x02\0\0\0\xff\xff".to_vec()),
        ("HTML", b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1>{\"usage\":1}</body></html>".to_vec()),
        ("done first", b"data: [DONE]\n\n".to_vec()),
        ("done only", b"[DONE]".to_vec()),
        ("comments", b": keep-alive\n\n".repeat(1_000)),
        ("lone returns", b"event: x\rdata: \r\r:\r".repeat(100)),
        ("line endings", b"\r\n\n\r\r\r\n".repeat(1_000)),
        ("fields without data", b"id: 1\nretry: 1\nevent: message_start\n\n".to_vec()),
        ("half a character", b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xe2\x82".to_vec()),
        ("a quote", b"\"".to_vec()),
        ("a backslash", b"data: {\"a\":\"\\".to_vec()),
        ("closing brackets", b"}]".repeat(5_000)),
        ("literal", b"data: null\n\ndata: 3\n\ndata: \"x\"\n\ndata: []\n\ndata: true\n\n".to_vec()),
    ]
}

/// JSON, or nearly.
fn documents() -> Vec<(&'static str, Vec<u8>)> {
    let deep = 10_000;
    let mut documents = vec![
        ("deep lists", repeated("", "[", deep, "")),
        ("deep lists, closed", [repeated("{\"a\":", "[", deep, ""), repeated("", "]", deep, "}")].concat()),
        ("deep objects", repeated("", "{\"a\":", deep, "")),
        ("deep objects, closed", [repeated("", "{\"a\":", deep, "1"), repeated("", "}", deep, "")].concat()),
        ("deep batch", repeated("", "{\"custom_id\":\"1\",\"response\":{\"body\":", deep, "")),
        ("long key", repeated("{\"", "k", 1 << 20, "\":1}")),
        (
            "long id",
            repeated(
                "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"id\":\"",
                "k",
                1 << 20,
                "\"}",
            ),
        ),
        ("many choices", repeated("{\"choices\":[", "{\"index\":0},", 20_000, "{}]}")),
        (
            "invalid UTF-8",
            b"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xff\xfe\xc0\x80\"}}]}".to_vec(),
        ),
        ("NUL in a text", b"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\0\"}}]}".to_vec()),
        ("lone surrogate", b"{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ud800\"}}]}".to_vec()),
    ];
    let far = "18446744073709551615";
    for shape in INDEXED {
        documents.push(("far index", shape.replace('#', far).into_bytes()));
        documents.push(("index of another type", shape.replace('#', "\"x\"").into_bytes()));
        documents.push(("negative index", shape.replace('#', "-1").into_bytes()));
    }
    for shape in COUNTED {
        for count in [
            "1e400",
            "-1",
            "-1e300",
            "1.5",
            "18446744073709551616",
            "1e300",
            "\"12\"",
            "true",
            "[3]",
            "{\"a\":3}",
        ] {
            documents.push(("count", shape.replace('#', count).into_bytes()));
        }
    }
    documents
}

/// Items that say where in the answer they belong.
const INDEXED: [&str; 9] = [
    r#"{"choices":[{"index":#,"delta":{"content":"a","tool_calls":[{"index":#,"id":"c","function":{"arguments":"{"}}]}}]}"#,
    r#"{"type":"content_block_start","index":#,"content_block":{"type":"text","text":"a"}}"#,
    r#"{"type":"content_block_delta","index":#,"delta":{"type":"text_delta","text":"a"}}"#,
    r#"{"candidates":[{"index":#,"content":{"parts":[{"text":"a"}]}}]}"#,
    r#"{"type":"response.output_text.delta","output_index":#,"content_index":#,"delta":"a"}"#,
    r#"{"type":"response.output_item.added","output_index":#,"item":{"type":"message"}}"#,
    r#"{"contentBlockDelta":{"contentBlockIndex":#,"delta":{"text":"a"}}}"#,
    r#"{"type":"content-delta","index":#,"delta":{"message":{"content":{"text":"a"}}}}"#,
    r#"{"event_type":"step.delta","index":#,"delta":{"type":"text","text":"a"}}"#,
];

/// Answers whose counts are no counts.
const COUNTED: [&str; 6] = [
    r#"{"id":"c","object":"chat.completion","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":#,"completion_tokens":#}}"#,
    r#"{"type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"usage":{"input_tokens":#,"output_tokens":#}}"#,
    r#"{"type":"message_start","message":{"model":"claude-sonnet-4-5","usage":{"input_tokens":#,"output_tokens":#}}}"#,
    r#"{"candidates":[],"modelVersion":"gemini-2.5-pro","usageMetadata":{"promptTokenCount":#,"candidatesTokenCount":#}}"#,
    r#"{"model":"llama3","done":true,"message":{"role":"assistant","content":"a"},"prompt_eval_count":#,"eval_count":#}"#,
    r#"{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn","usage":{"inputTokens":#,"outputTokens":#}}"#,
];

fn torn_frames() -> Vec<(&'static str, Vec<u8>)> {
    let whole = || frames::event("metadata", r#"{"usage":{"inputTokens":21,"outputTokens":34}}"#);
    let prelude = |total: u32, headers: u32| {
        let mut frame = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
        frame
    };
    let mut wrong_sum = whole();
    *wrong_sum.last_mut().unwrap() ^= 1;
    let mut wrong_length = whole();
    wrong_length[3] ^= 1;
    vec![
        ("frame of 2 GiB", [prelude(1 << 31, 0), whole()].concat()),
        ("frame of 4 GiB", [prelude(u32::MAX, u32::MAX - 16), whole()].concat()),
        ("headers longer than the frame", [prelude(64, u32::MAX), vec![0; 200]].concat()),
        ("frame of no bytes", [prelude(0, 0), vec![0; 200]].concat()),
        ("headers of 128 KiB", frames::raw(&vec![0; 128 << 10], b"{}")),
        ("a header that lies", frames::raw(b"\xff:event-type\x07\xff\xff", b"{}")),
        ("a header of another type", frames::raw(b"\x0b:event-type\x09", b"{}")),
        ("wrong sum", wrong_sum),
        ("wrong length", wrong_length),
        ("half a frame", whole()[..20].to_vec()),
    ]
}
