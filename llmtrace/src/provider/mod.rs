//! What llmtrace knows of LLM APIs: their requests, their responses and their streams.
//!
//! Each API is one file beside this one and one entry of the table below. A file tells whether a JSON body
//! is its API's, reads requests and whole responses into an [`Exchange`], and folds stream items into the
//! body that a whole response would have been, so that both ways are read by the same code.
//!
//! ```
//! use llmtrace::provider::{self, Api};
//!
//! let body = serde_json::json!({
//!     "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
//!     "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
//!     "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
//! });
//! let exchange = provider::read_response(&body).ok_or("no API that is known")?;
//! assert_eq!(exchange.api, Some(Api::OpenAiChat));
//! assert_eq!(exchange.usage.input_tokens, Some(9));
//! assert_eq!(exchange.output[0].text(), "Hi");
//! # Ok::<(), &str>(())
//! ```

mod anthropic_messages;
mod anthropic_parts;
mod batch;
mod bedrock_converse;
mod bedrock_invoke;
mod bedrock_parts;
#[cfg(test)]
#[path = "../../tests/support/frames.rs"]
pub(crate) mod build_frames;
mod cohere_chat;
mod cohere_embed;
mod cohere_rerank;
mod error;
mod exchange;
mod fold;
pub(crate) mod framing;
mod gemini;
mod gemini_args;
mod gemini_embed;
mod gemini_fold;
mod gemini_generate;
mod gemini_interactions;
mod gemini_parts;
mod gemini_steps;
pub(crate) mod headers;
mod impossible;
mod json;
mod llamacpp_completion;
mod mistral_chat;
mod mistral_ocr;
mod ollama_chat;
mod ollama_embed;
mod openai;
mod openai_audio;
mod openai_chat;
mod openai_chat_stream;
mod openai_completions;
mod openai_embeddings;
mod openai_images;
mod openai_realtime;
mod openai_responses;
mod openai_responses_items;
mod openai_served;
mod stream;
mod tgi_generate;

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

pub use error::ApiError;
pub use exchange::Exchange;
pub use stream::StreamAssembler;

use crate::{UsageStatus, semconv};
use fold::Fold;

/// What one file must know of its API.
struct Shape {
    api: Api,
    is_request: fn(&Value) -> bool,
    is_response: fn(&Value) -> bool,
    /// Whether a stream item is this API's.
    is_item: fn(&Value) -> bool,
    read_request: fn(&Value, &mut Exchange),
    read_response: fn(&Value, &mut Exchange),
    /// Lays one stream item over the body of the response that the stream amounts to.
    fold: fn(&Value, &mut Fold),
}

/// The table of APIs. Where a shape is told from a body, the first entry that fits wins.
macro_rules! apis {
    ($($(#[$doc:meta])* $variant:ident $name:literal $file:ident;)*) => {
        /// An LLM API: the shape of its requests, responses and streams, whoever serves it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Api {
            $($(#[$doc])* $variant,)*
        }

        const SHAPES: &[Shape] = &[$($file::SHAPE),*];

        impl Api {
            /// Every API that is known.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The lower-case name, such as `openai_chat`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            fn shape(self) -> &'static Shape {
                match self {
                    $(Self::$variant => &const { $file::SHAPE },)*
                }
            }
        }
    };
}

apis! {
    /// Cohere chat, version 2 and 1 (<https://docs.cohere.com/reference/chat>).
    CohereChat "cohere_chat" cohere_chat;
    /// Cohere embed (<https://docs.cohere.com/reference/embed>).
    CohereEmbed "cohere_embed" cohere_embed;
    /// Cohere rerank (<https://docs.cohere.com/reference/rerank>).
    CohereRerank "cohere_rerank" cohere_rerank;
    /// Ollama chat and generate (<https://docs.ollama.com/api/chat>).
    OllamaChat "ollama_chat" ollama_chat;
    /// Ollama embed (<https://docs.ollama.com/api/embed>).
    OllamaEmbed "ollama_embed" ollama_embed;
    /// Generate of Hugging Face's Text Generation Inference
    /// (<https://huggingface.github.io/text-generation-inference/>).
    TgiGenerate "tgi_generate" tgi_generate;
    /// The completion endpoint of llama.cpp's own server
    /// (<https://github.com/ggml-org/llama.cpp/tree/master/tools/server>).
    LlamaCppCompletion "llamacpp_completion" llamacpp_completion;
    /// Mistral chat (<https://docs.mistral.ai/api/>).
    MistralChat "mistral_chat" mistral_chat;
    /// Mistral OCR (<https://docs.mistral.ai/api/>).
    MistralOcr "mistral_ocr" mistral_ocr;
    /// `OpenAI` text completions, the API before chat
    /// (<https://platform.openai.com/docs/api-reference/completions>).
    OpenAiCompletions "openai_completions" openai_completions;
    /// Anthropic messages (<https://docs.anthropic.com/en/api/messages>).
    AnthropicMessages "anthropic_messages" anthropic_messages;
    /// `OpenAI` realtime (<https://platform.openai.com/docs/api-reference/realtime-server-events>).
    OpenAiRealtime "openai_realtime" openai_realtime;
    /// `OpenAI` images (<https://platform.openai.com/docs/api-reference/images>).
    OpenAiImages "openai_images" openai_images;
    /// `OpenAI` audio (<https://platform.openai.com/docs/api-reference/audio>).
    OpenAiAudio "openai_audio" openai_audio;
    /// Google's `generateContent`, of the Gemini API and of Vertex AI (<https://ai.google.dev/api/generate-content>).
    GeminiGenerate "gemini_generate" gemini_generate;
    /// Google's embeddings, of the Gemini API and of Vertex AI (<https://ai.google.dev/api/embeddings>).
    GeminiEmbed "gemini_embed" gemini_embed;
    /// Google's Interactions (<https://ai.google.dev/api/interactions-api>).
    GeminiInteractions "gemini_interactions" gemini_interactions;
    /// `OpenAI` Responses (<https://platform.openai.com/docs/api-reference/responses>).
    OpenAiResponses "openai_responses" openai_responses;
    /// `OpenAI` embeddings (<https://platform.openai.com/docs/api-reference/embeddings>).
    OpenAiEmbeddings "openai_embeddings" openai_embeddings;
    /// `OpenAI` chat completions (<https://platform.openai.com/docs/api-reference/chat>).
    OpenAiChat "openai_chat" openai_chat;
    /// Amazon Bedrock Converse (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>).
    BedrockConverse "bedrock_converse" bedrock_converse;
    /// Amazon Bedrock `InvokeModel`, in the bodies of the model families
    /// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>).
    BedrockInvoke "bedrock_invoke" bedrock_invoke;
}

/// The APIs that most responses are of, asked first for speed. No response of another API may fit theirs.
const LIKELY: [Api; 4] = [Api::AnthropicMessages, Api::MistralChat, Api::OpenAiChat, Api::GeminiGenerate];

/// The text names no API that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown API {found:?}: expected one of {}", Api::ALL.iter().map(|api| api.as_str()).collect::<Vec<_>>().join(", "))]
pub struct ParseApiError {
    found: String,
}

/// Reads a request body; `None` if it is not of a known API.
pub fn read_request(body: &Value) -> Option<Exchange> {
    if let Some(body) = batch::request(body) {
        return read_request(body).map(in_batch);
    }
    let shape = SHAPES.iter().find(|shape| (shape.is_request)(body))?;
    Some(read_request_as(shape.api, body))
}

/// Reads a response body; `None` if it is not of a known API.
///
/// An error body such as `{"error": {"type": .., "message": ..}}` is recognised too; several APIs share that
/// shape, so its `api` may stay `None`. A line of a batch's output is read as the answer in it, and says so
/// ([`semconv::PROCESSING`]).
pub fn read_response(body: &Value) -> Option<Exchange> {
    if let Some(inner) = batch::response(body) {
        let is_error = std::ptr::eq(inner, body);
        return if is_error { read_error(inner) } else { read_response(inner) }.map(in_batch);
    }
    if let Some(api) = api_of_response(body) {
        return Some(read_response_as(api, body));
    }
    let is_error = !body.get("choices").is_some_and(Value::is_array) && ApiError::is_body(body);
    if is_error { read_error(body) } else { None }
}

/// Reads the body of a call that failed, whatever its shape.
pub(crate) fn read_error(body: &Value) -> Option<Exchange> {
    let error = ApiError::read(body)?;
    let mut exchange = Exchange { error: Some(error), ..Exchange::default() };
    note_request_id(body, &mut exchange);
    Some(exchange)
}

/// Reads the answer to a call if it is nothing but an error.
pub(crate) fn read_bare_error(body: &Value) -> Option<Exchange> {
    if ApiError::is_bare(body) { read_error(body) } else { None }
}

/// The API whose response a body is.
fn api_of_response(body: &Value) -> Option<Api> {
    let likely = LIKELY.iter().map(|api| api.shape());
    likely.chain(SHAPES).find(|shape| (shape.is_response)(body)).map(|shape| shape.api)
}

/// Reads the request body of a call to `api`; what is not there stays empty.
pub fn read_request_as(api: Api, body: &Value) -> Exchange {
    let mut exchange = Exchange { api: Some(api), ..Exchange::default() };
    (api.shape().read_request)(body, &mut exchange);
    exchange
}

/// Reads the response body of a call to `api`; what is not there stays empty.
///
/// ```
/// use llmtrace::provider::{Api, read_response_as};
///
/// let body = serde_json::json!({"error": {"type": "rate_limit_error", "message": "slow down"}});
/// let exchange = read_response_as(Api::AnthropicMessages, &body);
/// assert_eq!(exchange.error.ok_or("no error")?.kind.as_deref(), Some("rate_limit_error"));
/// # Ok::<(), &str>(())
/// ```
pub fn read_response_as(api: Api, body: &Value) -> Exchange {
    match batch::response(body) {
        Some(inner) => in_batch(read_body_as(api, inner)),
        None => read_body_as(api, body),
    }
}

fn read_body_as(api: Api, body: &Value) -> Exchange {
    let mut exchange = Exchange { api: Some(api), error: ApiError::read(body), ..Exchange::default() };
    note_request_id(body, &mut exchange);
    (api.shape().read_response)(body, &mut exchange);
    if impossible::has_negative_count(body) {
        exchange.usage.status = UsageStatus::Invalid;
    }
    exchange
}

fn in_batch(mut exchange: Exchange) -> Exchange {
    exchange.attributes.set(semconv::PROCESSING, "batch");
    exchange
}

/// Anthropic and others name the request in the body of an error.
fn note_request_id(body: &Value, exchange: &mut Exchange) {
    if exchange.error.is_some() {
        json::text_parameter(&mut exchange.attributes, semconv::REQUEST_ID, body, "request_id");
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Api {
    type Err = ParseApiError;

    fn from_str(name: &str) -> Result<Self, ParseApiError> {
        let known = Self::ALL.iter().find(|api| api.as_str() == name);
        known.copied().ok_or_else(|| ParseApiError { found: name.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests;
