//! What crate `aws-sdk-bedrockruntime` returns (feature `aws-sdk-bedrockruntime`).
//!
//! Its types do not serialise. They are written in the JSON of the API itself, straight into the span's log, so
//! that content which shall be left out is never copied.

mod wire;

use aws_sdk_bedrockruntime::operation::converse::ConverseOutput;
use aws_sdk_bedrockruntime::operation::invoke_model::InvokeModelOutput;
use aws_sdk_bedrockruntime::types::{ConverseStreamOutput, ResponseStream, ServiceTierType};

use self::wire::Wire;
use crate::{LlmChunk, LlmResponse, Recorder, semconv};

const PROVIDER: &str = "aws.bedrock";

/// The model is not in it: state it with `model = ..` or `gen_ai.request.model`.
impl LlmResponse for ConverseOutput {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.provider(PROVIDER);
        recorder.json(&Wire(self));
    }
}

/// The bytes that the model's own API answers with.
impl LlmResponse for InvokeModelOutput {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.provider(PROVIDER);
        if let Some(tier) = self.service_tier.as_ref().map(ServiceTierType::as_str) {
            recorder.attribute(semconv::SERVICE_TIER, tier);
        }
        recorder.body(self.body.as_ref());
    }
}

impl LlmChunk for ConverseStreamOutput {
    fn record(&self, recorder: &mut Recorder<'_>) {
        recorder.chunk(&Wire(self));
    }
}

impl LlmChunk for ResponseStream {
    fn record(&self, recorder: &mut Recorder<'_>) {
        if let Self::Chunk(part) = self
            && let Some(bytes) = &part.bytes
        {
            // One item each, which need not end in a line feed.
            recorder.chunk_body(bytes.as_ref());
            recorder.chunk_body(b"\n");
        }
    }
}

#[cfg(test)]
mod tests;
