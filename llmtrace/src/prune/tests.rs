use super::*;

#[test]
fn only_json_is_copied() {
    let check = |bytes: &str, expected: Option<&str>| {
        let mut out = Vec::new();
        let copied = prune_json(bytes.as_bytes(), &mut out).then(|| String::from_utf8(out).unwrap());
        assert_eq!(copied.as_deref(), expected);
    };
    check("call 555-1234", None);
    check("{call 555-1234}", None);
    check(r#"{"content":"hi"}"#, Some(r#"{"content":"*"}"#));
}

#[test]
fn streams_are_pruned_in_any_pieces() {
    let check = |stream: &str, expected: &str| {
        for step in [1, 2, 5, stream.len()] {
            let mut pruner = LinePruner::default();
            let mut out = Vec::new();
            for piece in stream.as_bytes().chunks(step) {
                out.extend_from_slice(pruner.push(piece));
            }
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    };
    check(
        "event: secret\ndata: {\"type\":\"delta\",\"text\":\"a secret\",\"n\":1}\n\ndata: [DONE]\n\ndata: secret\n\n",
        "data:{\"type\":\"delta\",\"text\":\"*\",\"n\":1}\n\n",
    );
    check(
        "{\"done\":false,\"response\":\"secret\"}\nsecret\n{\"done\":true}\n",
        "data:{\"done\":false,\"response\":\"*\"}\n\ndata:{\"done\":true}\n\n",
    );
    check("data: {secret words}\n", "data:{ }\n\n");
    check(
        "[{\n  \"text\": \"a secret 42\"\n}\n,\r\n{\"n\":1}]",
        "data:{\"text\":\"*\"}\n\ndata:{\"n\":1}\n\n",
    );
}

#[test]
fn frames_are_pruned_in_any_pieces() {
    use crate::provider::build_frames::{chunk, event};
    let body = [
        event("messageStop", r#"{"note":"a secret","stopReason":"end_turn"}"#),
        chunk(r#"{"index":0,"outputText":"a secret 42"}"#),
        event("metadata", r#"{"note":"a secret","usage":{"inputTokens":3}}"#),
        event("chunk", r#"{"metadata":{"whose":"a secret"}}"#),
    ]
    .concat();
    for step in [1, 7, body.len()] {
        let mut pruner = LinePruner::default();
        let mut out = Vec::new();
        for piece in body.chunks(step) {
            out.extend_from_slice(pruner.push(piece));
        }
        let expected = "data:{\"messageStop\":{\"note\":\"*\",\"stopReason\":\"end_turn\"}}\n\ndata:{\"index\":0,\"outputText\":\"*\"}\n\ndata:{\"metadata\":{\"note\":\"*\",\"usage\":{\"inputTokens\":3}}}\n\ndata:{\"chunk\":{\"metadata\":{\"*\":\"*\"}}}\n\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn pruned_json_keeps_structure_numbers_and_names_only() {
    let check = |json: &str, expected: &str| {
        for step in [1, 3, json.len()] {
            let mut out = Vec::new();
            let mut pruner = Pruner::new(&mut out);
            for chunk in json.as_bytes().chunks(step) {
                pruner.write_all(chunk).unwrap();
            }
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    };
    check(
        r#"{"model":"gpt-4o","choices":[{"message":{"role":"assistant","content":"a \"secret\" {"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#,
        r#"{"model":"gpt-4o","choices":[{"message":{"role":"assistant","content":"*"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#,
    );
    check(
        r#"{"stop":["a","b"],"id":"x","n":1.5,"t":null}"#,
        r#"{"stop":["*","*"],"id":"x","n":1.5,"t":null}"#,
    );
    check(r#""only text""#, r#""*""#);
    check(r#"{"input":{"reason":"ill"},"id":"x"}"#, r#"{"input":{"*":"*"},"id":"x"}"#);
    check(
        r#"{"input":[{"role":"user","status":"two words"}]}"#,
        r#"{"input":[{"role":"user","status":"*"}]}"#,
    );
    check(&format!(r#"{{"model":"{}"}}"#, "m".repeat(300)), r#"{"model":"*"}"#);
}
