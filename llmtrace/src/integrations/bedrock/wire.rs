//! The SDK's types in the JSON of the Converse API
//! (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).

use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::types::{
    CitationGeneratedContent, ContentBlock, ContentBlockDelta, ContentBlockStart, ConverseOutput as Output,
    ConverseStreamOutput, Message, ReasoningContentBlock, ReasoningContentBlockDelta, ServiceTier,
    TokenUsage, ToolResultBlock, ToolResultContentBlock,
};
use aws_smithy_types::{Document, Number};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Serialize, ser};

/// A value of the SDK in the JSON of the API.
pub(super) struct Wire<'a, T: ?Sized>(pub(super) &'a T);

/// A list of such values.
struct List<'a, T>(&'a [T]);

impl<'a, T> Serialize for List<'a, T>
where
    Wire<'a, T>: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Wire))
    }
}

/// An object with one member.
struct One<'a, T>(&'a str, T);

impl<T: Serialize> Serialize for One<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(1))?;
        object.serialize_entry(self.0, &self.1)?;
        object.end()
    }
}

/// An object with the members that are there.
macro_rules! object {
    ($serializer:expr, { $($key:literal: $value:expr,)* $(? $maybe_key:literal: $maybe:expr,)* }) => {{
        let mut object = $serializer.serialize_map(None)?;
        $(object.serialize_entry($key, &$value)?;)*
        $(if let Some(value) = $maybe {
            object.serialize_entry($maybe_key, &value)?;
        })*
        object.end()
    }};
}

/// `impl Serialize for Wire<'_, T>`, one line a type.
macro_rules! wire {
    ($($type:ty: |$value:ident, $serializer:ident| $body:expr;)*) => {$(
        impl Serialize for Wire<'_, $type> {
            fn serialize<S: Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self.0;
                $body
            }
        }
    )*};
}

/// What is only named: media and other content that is not text.
fn named<S: ser::Serializer>(serializer: S, kind: &str) -> Result<S::Ok, S::Error> {
    One(kind, serde_json::Map::new()).serialize(serializer)
}

wire! {
    ConverseOutput: |output, serializer| object!(serializer, {
        "stopReason": output.stop_reason.as_str(),
        ? "output": output.output.as_ref().map(Wire),
        ? "usage": output.usage.as_ref().map(Wire),
        ? "metrics": output.metrics.as_ref().map(|metrics| One("latencyMs", metrics.latency_ms)),
        ? "serviceTier": output.service_tier.as_ref().map(Wire),
    });
    ServiceTier: |tier, serializer| One("type", tier.r#type.as_str()).serialize(serializer);
    Output: |output, serializer| match output {
        Output::Message(message) => One("message", Wire(message)).serialize(serializer),
        _ => serializer.serialize_unit(),
    };
    Message: |message, serializer| object!(serializer, {
        "role": message.role.as_str(),
        "content": List(&message.content),
    });
    TokenUsage: |usage, serializer| object!(serializer, {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        ? "cacheReadInputTokens": usage.cache_read_input_tokens,
        ? "cacheWriteInputTokens": usage.cache_write_input_tokens,
        ? "cacheDetails": usage.cache_details.as_deref().map(List),
    });
    aws_sdk_bedrockruntime::types::CacheDetail: |detail, serializer| object!(serializer, {
        "ttl": detail.ttl.as_str(),
        "inputTokens": detail.input_tokens,
    });
    ContentBlock: |block, serializer| match block {
        ContentBlock::Text(text) => One("text", text).serialize(serializer),
        ContentBlock::ToolUse(call) => One("toolUse", Wire(call)).serialize(serializer),
        ContentBlock::ToolResult(result) => One("toolResult", Wire(result)).serialize(serializer),
        ContentBlock::ReasoningContent(reasoning) => {
            One("reasoningContent", Wire(reasoning)).serialize(serializer)
        }
        ContentBlock::CitationsContent(cited) => {
            let texts = cited.content.as_deref().unwrap_or_default();
            One("citationsContent", One("content", List(texts))).serialize(serializer)
        }
        ContentBlock::Image(_) => named(serializer, "image"),
        ContentBlock::Document(_) => named(serializer, "document"),
        ContentBlock::Video(_) => named(serializer, "video"),
        ContentBlock::Audio(_) => named(serializer, "audio"),
        ContentBlock::GuardContent(_) => named(serializer, "guardContent"),
        ContentBlock::CachePoint(_) => named(serializer, "cachePoint"),
        ContentBlock::SearchResult(_) => named(serializer, "searchResult"),
        _ => named(serializer, "unknown"),
    };
    CitationGeneratedContent: |content, serializer| match content {
        CitationGeneratedContent::Text(text) => One("text", text).serialize(serializer),
        _ => named(serializer, "unknown"),
    };
    aws_sdk_bedrockruntime::types::ToolUseBlock: |call, serializer| object!(serializer, {
        "toolUseId": call.tool_use_id,
        "name": call.name,
        "input": Wire(&call.input),
    });
    ToolResultBlock: |result, serializer| object!(serializer, {
        "toolUseId": result.tool_use_id,
        "content": List(&result.content),
        ? "status": result.status.as_ref().map(aws_sdk_bedrockruntime::types::ToolResultStatus::as_str),
    });
    ToolResultContentBlock: |content, serializer| match content {
        ToolResultContentBlock::Text(text) => One("text", text).serialize(serializer),
        ToolResultContentBlock::Json(json) => One("json", Wire(json)).serialize(serializer),
        _ => named(serializer, "unknown"),
    };
    ReasoningContentBlock: |reasoning, serializer| match reasoning {
        ReasoningContentBlock::ReasoningText(text) => {
            One("reasoningText", One("text", &text.text)).serialize(serializer)
        }
        _ => named(serializer, "redactedContent"),
    };
    Document: |document, serializer| match document {
        Document::Object(members) => {
            serializer.collect_map(members.iter().map(|(name, value)| (name, Wire(value))))
        }
        Document::Array(items) => List(items).serialize(serializer),
        Document::Number(Number::PosInt(number)) => number.serialize(serializer),
        Document::Number(Number::NegInt(number)) => number.serialize(serializer),
        Document::Number(Number::Float(number)) => number.serialize(serializer),
        Document::String(text) => text.serialize(serializer),
        Document::Bool(bool) => bool.serialize(serializer),
        Document::Null => serializer.serialize_unit(),
    };
    ConverseStreamOutput: |event, serializer| match event {
        ConverseStreamOutput::MessageStart(start) => {
            One("messageStart", One("role", start.role.as_str())).serialize(serializer)
        }
        ConverseStreamOutput::ContentBlockStart(start) => {
            One("contentBlockStart", Wire(start)).serialize(serializer)
        }
        ConverseStreamOutput::ContentBlockDelta(delta) => {
            One("contentBlockDelta", Wire(delta)).serialize(serializer)
        }
        ConverseStreamOutput::ContentBlockStop(stop) => {
            One("contentBlockStop", One("contentBlockIndex", stop.content_block_index)).serialize(serializer)
        }
        ConverseStreamOutput::MessageStop(stop) => {
            One("messageStop", One("stopReason", stop.stop_reason.as_str())).serialize(serializer)
        }
        ConverseStreamOutput::Metadata(metadata) => One("metadata", Wire(metadata)).serialize(serializer),
        _ => named(serializer, "unknown"),
    };
    aws_sdk_bedrockruntime::types::ContentBlockStartEvent: |event, serializer| object!(serializer, {
        "contentBlockIndex": event.content_block_index,
        ? "start": event.start.as_ref().map(Wire),
    });
    ContentBlockStart: |start, serializer| match start {
        ContentBlockStart::ToolUse(call) => One("toolUse", Wire(call)).serialize(serializer),
        _ => named(serializer, "unknown"),
    };
    aws_sdk_bedrockruntime::types::ToolUseBlockStart: |call, serializer| object!(serializer, {
        "toolUseId": call.tool_use_id,
        "name": call.name,
    });
    aws_sdk_bedrockruntime::types::ContentBlockDeltaEvent: |event, serializer| object!(serializer, {
        "contentBlockIndex": event.content_block_index,
        ? "delta": event.delta.as_ref().map(Wire),
    });
    ContentBlockDelta: |delta, serializer| match delta {
        ContentBlockDelta::Text(text) => One("text", text).serialize(serializer),
        ContentBlockDelta::ToolUse(call) => One("toolUse", One("input", &call.input)).serialize(serializer),
        ContentBlockDelta::ReasoningContent(ReasoningContentBlockDelta::Text(text)) => {
            One("reasoningContent", One("text", text)).serialize(serializer)
        }
        ContentBlockDelta::ReasoningContent(_) => named(serializer, "reasoningContent"),
        _ => named(serializer, "unknown"),
    };
    aws_sdk_bedrockruntime::types::ConverseStreamMetadataEvent: |metadata, serializer| object!(serializer, {
        ? "usage": metadata.usage.as_ref().map(Wire),
        ? "metrics": metadata.metrics.as_ref().map(|metrics| One("latencyMs", metrics.latency_ms)),
        ? "serviceTier": metadata.service_tier.as_ref().map(Wire),
    });
}
