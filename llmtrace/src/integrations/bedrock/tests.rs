use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ContentBlockDeltaEvent, ContentBlockStart, ContentBlockStartEvent,
    ConversationRole, ConverseMetrics, ConverseOutput as Output, ConverseStreamMetadataEvent,
    ConverseStreamOutput, Message, MessageStartEvent, MessageStopEvent, StopReason, TokenUsage, ToolUseBlock,
    ToolUseBlockDelta, ToolUseBlockStart,
};
use aws_smithy_types::{Document, Number};
use serde_json::{Value, json};

use super::wire::Wire;

fn usage() -> TokenUsage {
    let usage = TokenUsage::builder().input_tokens(10).output_tokens(4).total_tokens(20);
    usage.cache_read_input_tokens(6).build().unwrap()
}

#[test]
fn an_answer_has_the_json_of_the_api() {
    let arguments = [("city".to_owned(), Document::String("Ulm".into()))].into_iter();
    let arguments = arguments.chain([("days".to_owned(), Document::Number(Number::PosInt(2)))]);
    let call = ToolUseBlock::builder().tool_use_id("t1").name("weather");
    let call = call.input(Document::Object(arguments.collect())).build().unwrap();
    let message = Message::builder()
        .role(ConversationRole::Assistant)
        .content(ContentBlock::Text("Hello".into()))
        .content(ContentBlock::ToolUse(call))
        .build()
        .unwrap();
    let output = ConverseOutput::builder()
        .output(Output::Message(message))
        .stop_reason(StopReason::ToolUse)
        .usage(usage())
        .metrics(ConverseMetrics::builder().latency_ms(7).build().unwrap())
        .build()
        .unwrap();
    assert_eq!(
        serde_json::to_value(Wire(&output)).unwrap(),
        json!({
            "output": {"message": {"role": "assistant", "content": [
                {"text": "Hello"},
                {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Ulm", "days": 2}}},
            ]}},
            "stopReason": "tool_use",
            "usage": {"inputTokens": 10, "outputTokens": 4, "totalTokens": 20, "cacheReadInputTokens": 6},
            "metrics": {"latencyMs": 7},
        })
    );
}

#[test]
fn events_have_the_json_of_the_api() {
    let check = |event: ConverseStreamOutput, expected: Value| {
        assert_eq!(serde_json::to_value(Wire(&event)).unwrap(), expected);
    };
    let start = MessageStartEvent::builder().role(ConversationRole::Assistant).build().unwrap();
    check(ConverseStreamOutput::MessageStart(start), json!({"messageStart": {"role": "assistant"}}));
    let call = ToolUseBlockStart::builder().tool_use_id("t1").name("weather").build().unwrap();
    let start =
        ContentBlockStartEvent::builder().start(ContentBlockStart::ToolUse(call)).content_block_index(1);
    check(
        ConverseStreamOutput::ContentBlockStart(start.build().unwrap()),
        json!({"contentBlockStart": {"contentBlockIndex": 1,
            "start": {"toolUse": {"toolUseId": "t1", "name": "weather"}}}}),
    );
    for (delta, expected) in [
        (ContentBlockDelta::Text("Hel".into()), json!({"text": "Hel"})),
        (
            ContentBlockDelta::ToolUse(ToolUseBlockDelta::builder().input("{\"c").build().unwrap()),
            json!({"toolUse": {"input": "{\"c"}}),
        ),
    ] {
        let event = ContentBlockDeltaEvent::builder().delta(delta).content_block_index(0).build().unwrap();
        check(
            ConverseStreamOutput::ContentBlockDelta(event),
            json!({"contentBlockDelta": {"contentBlockIndex": 0, "delta": expected}}),
        );
    }
    let stop = MessageStopEvent::builder().stop_reason(StopReason::EndTurn).build().unwrap();
    check(ConverseStreamOutput::MessageStop(stop), json!({"messageStop": {"stopReason": "end_turn"}}));
    let metadata = ConverseStreamMetadataEvent::builder().usage(usage()).build();
    check(
        ConverseStreamOutput::Metadata(metadata),
        json!({"metadata": {"usage":
            {"inputTokens": 10, "outputTokens": 4, "totalTokens": 20, "cacheReadInputTokens": 6}}}),
    );
}
