use serde_json::json;

use super::super::build_frames as build;
use super::*;

fn read(chunks: &[&[u8]]) -> Vec<Found> {
    let mut all = Vec::new();
    let mut framing = Framing::default();
    for chunk in chunks {
        framing.push(chunk, &mut |found| all.push(found));
    }
    framing.finish(&mut |found| all.push(found));
    all
}

/// Reads a body whole and in pieces; `"DONE"` and `"TORN"` stand for what is no item.
fn check(body: impl AsRef<[u8]>, expected: &[Value]) {
    let body = body.as_ref();
    let items = |found: Vec<Found>| -> Vec<Value> {
        let of = |found| match found {
            Found::Item(item) => item,
            Found::Done => json!("DONE"),
            Found::Torn => json!("TORN"),
        };
        found.into_iter().map(of).collect()
    };
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    assert_eq!(items(read(&[body])), expected, "{text:?}");
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(items(read(&body.chunks(size).collect::<Vec<_>>())), expected, "{text:?} in {size}s");
    }
}

fn a() -> Value {
    json!({"a": 1})
}

fn b() -> Value {
    json!({"b": 2})
}

#[test]
fn events_are_read_however_their_lines_end() {
    check("data: {\"a\":1}\n\ndata: {\"b\":2}\n\n", &[a(), b()]);
    check("data:{\"a\":1}\r\n\r\ndata:{\"b\":2}\r\n\r\n", &[a(), b()]);
    check("data: {\"a\":1}\r\rdata: {\"b\":2}\r\r", &[a(), b()]);
    check("\u{feff}data: {\"a\":1}\n\ndata: {\"b\":2}", &[a(), b()]);
    check("data: {\"a\":1}\ndata: {\"b\":2}\n", &[a(), b()]);
    check("data: {\"a\":\ndata: 1}\n\nevent: x\nid: 1\n: comment\ndata: {\"b\":2}\n\n", &[a(), b()]);
    check("data: {\ndata:   \"a\": 1\ndata: }\n\ndata: {\"b\":2}", &[a(), b()]);
    check("data: {\"a\":\"}\ndata: {\"b\":2}\n\n", &[b()]);
    check(": OPENROUTER PROCESSING\n\n\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n", &[a(), json!("DONE")]);
    check("data: {\"a\":1\n\ndata: {\"b\":2}\n\n", &[b()]);
    check("data: {\"a\":1\ndata: {\"b\":2}\n\n", &[b()]);
    check("data: [{\"a\":1},{\"b\":2}]\n\n", &[a(), b()]);
    check("data: 3\n\ndata: \"x\"\n\ndata: {\"b\":2}\n\n", &[b()]);
    check("<html>\n\n</html>", &[]);
    check("", &[]);
}

#[test]
fn documents_are_read_one_by_one() {
    check("{\"a\":1}\n{\"b\":2}\n", &[a(), b()]);
    check("{\"a\":1}{\"b\":2}", &[a(), b()]);
    check("{\n  \"a\": 1\n}\n", &[a()]);
    check("\n{\"a\":1}", &[a()]);
    let nested = json!({"x": [{"y": "}]{[\"\\"}, [], {}], "z": {"w": {}}, "e": "\n\u{e9}"});
    check(nested.to_string(), std::slice::from_ref(&nested));
    check(format!("{nested:#}\r\n{nested}"), &[nested.clone(), nested]);
}

#[test]
fn the_elements_of_a_list_are_read_as_they_come() {
    check("[{\"a\":1},\n{\"b\":2}]", &[a(), b()]);
    check("[{\n \"a\": 1\n}\n,\r\n{\"b\":2}\n]\n", &[a(), b()]);
    check(" [ ]", &[]);
    check("[{\"a\":1},{\"b\":", &[a()]);
    check("[\"x{\\\"{\", 3, null, {\"a\":1}]", &[a()]);
    check("[[1, 2], [{\"a\":1}]]", &[a()]);
    let mut framing = Framing::default();
    let mut all = Vec::new();
    framing.push(b"[{\"a\":1}", &mut |found| all.push(found));
    assert_eq!(all, [Found::Item(a())], "an element is handed on before the list is over");
}

#[test]
fn what_was_cut_off_is_dropped_and_the_next_is_read() {
    check("{\"x\":1\n{\"a\":1}\n", &[a()]);
    check("{\"x\":1,\n{\"a\":1}\n{\"b\":2}\n", &[a(), b()]);
    check("{\"x\":{\n{\"a\":1}\n{\"b\":2}\n", &[a(), b()]);
    check("{\"x\":\"open\n{\"a\":1}\n", &[a()]);
    check("{\"x\":[\n{\"lost\":1}\n{\"b\":2}\n", &[b()]);
    check("{no json}\n{\"a\":1}\n", &[a()]);
    check("{\"x\":]}\n{\"a\":1}\n", &[a()]);
    let deep =
        format!("{{\"x\":{}{{\"y\":1}},{{\"z\":1}}{}}}\n{{\"a\":1}}\n", "[".repeat(200), "]".repeat(200));
    check(deep, &[a()]);
}

#[test]
fn what_is_over_the_bound_is_skipped_and_the_next_is_read() {
    let x = "x".repeat(MAX_ITEM_BYTES);
    let long = json!({"a": x, "c": [{"d": 1}]});
    let is_next = |chunks: &[&[u8]]| read(chunks) == [Found::Item(b())];
    let bodies = [
        format!("data: {long}\n\ndata: {{\"b\":2}}\n\n"),
        format!("data: {{\"a\":\"{x}\ndata: {{\"b\":2}}\n\n"),
        format!("{long}\n{{\"b\":2}}\n"),
        format!("{{\"a\":[\"{x}\"\n{{\"b\":2}}\n"),
        format!("[{long:#},{{\"b\":2}}]"),
        format!("{x}\ndata: {{\"b\":2}}\n\n"),
    ];
    for body in bodies {
        assert!(is_next(&[body.as_bytes()]), "{}", &body[..20]);
        assert!(is_next(&body.as_bytes().chunks(64 * 1024).collect::<Vec<_>>()), "{}", &body[..20]);
    }
}

#[test]
fn an_item_of_many_megabytes_is_read() {
    let item = json!({"a": "x".repeat(8 * 1024 * 1024)});
    for body in [format!("data: {item}\n\n"), item.to_string(), format!("[{item:#}]")] {
        let found = read(&body.as_bytes().chunks(1000).collect::<Vec<_>>());
        assert!(found == [Found::Item(item.clone())], "{}", &body[..20]);
    }
}

#[test]
fn many_lines_take_no_longer_than_their_bytes() {
    // Parsing at each line would look at a hundred gigabytes.
    let numbers: Vec<u32> = (0..200_000).collect();
    let item = json!({"a": numbers});
    let lines = format!("{item:#}");
    assert!(read(&[lines.as_bytes()]) == [Found::Item(item.clone())]);
    let data = format!("data: {}", lines.replace('\n', "\ndata: "));
    assert!(read(&[data.as_bytes()]) == [Found::Item(item)]);
}

#[test]
fn bytes_that_are_no_text_are_skipped() {
    check(b"data: \xff\xfe}\n\ndata: {}\n\n", &[json!({})]);
    check(b"data: {\"\xff\":1}\n\ndata: {}\n\n", &[json!({})]);
    check(b"{\"\xff\":1}\n{}\n", &[json!({})]);
}

fn start() -> (Vec<u8>, Value) {
    (build::event("messageStart", "{\"role\":\"assistant\"}"), json!({"messageStart": {"role": "assistant"}}))
}

#[test]
fn frames_are_read() {
    let (frame, item) = start();
    check(&frame, std::slice::from_ref(&item));
    check(
        [frame.clone(), build::event("ping", ""), frame.clone()].concat(),
        &[item.clone(), json!({"ping": {}}), item.clone()],
    );
    check(
        [build::chunk("{\"a\":1}"), build::event("chunk", "{\"x\":1}")].concat(),
        &[a(), json!({"chunk": {"x": 1}})],
    );
    check(
        [build::chunk("no json"), build::event("x", "no json"), frame.clone()].concat(),
        std::slice::from_ref(&item),
    );
    check(
        build::exception("throttlingException", "{\"message\":\"slow down\"}"),
        &[json!({"error": {"type": "throttlingException", "message": "slow down"}})],
    );
    let failed = "{\"originalStatusCode\":424,\"originalMessage\":\"oh\"}";
    check(
        build::exception("modelStreamErrorException", failed),
        &[
            json!({"error": {"type": "modelStreamErrorException", "message": "oh", "originalStatusCode": 424, "originalMessage": "oh"}}),
        ],
    );
    let error = [(":message-type", "error"), (":error-code", "500"), (":error-message", "oh")];
    check(build::frame(&error, b""), &[json!({"error": {"type": "500", "message": "oh"}})]);
    check(&frame[..frame.len() - 1], &[]);
}

#[test]
fn headers_of_every_type_are_passed_over() {
    let mut headers = Vec::new();
    for (kind, length) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (8, 8), (9, 16)] {
        headers.extend_from_slice(&[1, b'h', kind]);
        headers.extend(std::iter::repeat_n(0, length));
    }
    headers.extend_from_slice(b"\x01h\x06\0\x02\xff\xfe");
    headers.extend_from_slice(b"\x0b:event-type\x07\0\x01e");
    check(build::raw(&headers, b"{\"a\":1}"), &[json!({"e": {"a": 1}})]);
    check([build::raw(b"\x01h\x0a", b"{}"), start().0].concat(), &[json!("TORN"), start().1]);
    check([build::raw(b"\x09h\x07", b"{}"), start().0].concat(), &[json!("TORN"), start().1]);
    check([build::raw(b"\x01h\x07\xff\xff", b"{}"), start().0].concat(), &[json!("TORN"), start().1]);
}

#[test]
fn a_damaged_frame_is_skipped_and_the_next_is_read() {
    let (frame, item) = start();
    for at in 0..frame.len() {
        let mut damaged = frame.clone();
        damaged[at] ^= 0x10;
        let body = [damaged, frame.clone()].concat();
        let found = read(&[&body]);
        // What does not begin with a zero is no frame at all.
        if at > 0 {
            assert_eq!(found.first(), Some(&Found::Torn), "damaged at {at}");
            assert_eq!(found.last(), Some(&Found::Item(item.clone())), "damaged at {at}");
            assert_eq!(read(&body.chunks(1).collect::<Vec<_>>()), found, "damaged at {at}, byte by byte");
        }
    }
}

#[test]
fn a_frame_over_the_bound_is_skipped_in_little_memory() {
    let total = u32::try_from(MAX_ITEM_BYTES).unwrap() + 8;
    let mut body = total.to_be_bytes().to_vec();
    body.extend_from_slice(&[0; 4]);
    let sum = crc32fast::hash(&body);
    body.extend_from_slice(&sum.to_be_bytes());
    body.extend(std::iter::repeat_n(0, MAX_ITEM_BYTES + 8 - 12));
    body.extend_from_slice(&start().0);
    // The first frame tells the form.
    let body = [start().0, body].concat();
    let expected = [Found::Item(start().1), Found::Torn, Found::Item(start().1)];
    assert_eq!(read(&[&body]), expected);
    assert_eq!(read(&body.chunks(4096).collect::<Vec<_>>()), expected);
}

#[test]
fn an_item_that_would_take_too_much_memory_is_skipped() {
    let item = |objects: usize| format!(r#"{{"a":[{}]}}"#, vec![r#"{"a":1}"#; objects].join(","));
    let check = |objects: usize, is_read: bool| {
        let item = item(objects);
        assert_eq!(super::parse(item.as_bytes()).is_some(), is_read, "{objects} objects");
    };
    check(100_000, true);
    check(500_000, false);
}
