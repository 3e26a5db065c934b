use super::*;

#[test]
fn messages_are_the_conventions_json_and_read_back() {
    let check = |message: Message, json: &str| {
        assert_eq!(serde_json::to_string(&message).unwrap(), json);
        assert_eq!(serde_json::from_str::<Message>(json).unwrap(), message);
    };
    check(
        Message::new(
            Role::Assistant,
            vec![
                Part::reasoning("hm"),
                Part::tool_call(Some("call_1".into()), "get_weather", r#"{"city":"Paris"}"#),
            ],
        )
        .with_finish_reason("tool_call"),
        r#"{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},{"type":"tool_call","id":"call_1","name":"get_weather","arguments":{"city":"Paris"}}],"finish_reason":"tool_call"}"#,
    );
    check(
        Message::tool("call_1", "rainy"),
        r#"{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"rainy"}]}"#,
    );
    check(
        Message::new(
            Role::Other("critic".into()),
            vec![Part::Other(serde_json::json!({"id": "c", "type": "compaction"}))],
        ),
        r#"{"role":"critic","parts":[{"id":"c","type":"compaction"}]}"#,
    );
}

#[test]
fn arguments_that_do_not_parse_are_kept_as_text() {
    let arguments = |text| match Part::tool_call(None, "f", text) {
        Part::ToolCall { arguments, .. } => arguments,
        other => panic!("{other:?}"),
    };
    assert_eq!(arguments("{\"a\":1"), serde_json::json!("{\"a\":1"));
    assert_eq!(arguments(""), serde_json::json!({}));
}
