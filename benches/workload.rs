//! The LLM call that every subject traces.

use std::hint::black_box;

/// What one call says of itself: 15 `gen_ai.*` attributes, two of them long texts.
#[derive(Clone, Debug)]
pub struct Call {
    /// Input messages, 2 kB of JSON.
    pub prompt: String,
    /// Output messages, 1 kB of JSON.
    pub completion: String,
    /// The model that was asked for.
    pub request_model: String,
    /// The model that answered.
    pub response_model: String,
    /// The provider's id of the response.
    pub response_id: String,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Tokens read from a cache.
    pub cache_read_tokens: u64,
    /// Tokens of reasoning.
    pub reasoning_tokens: u64,
}

/// How often the future of one call is polled.
pub const POLLS: usize = 10;

/// Spans of one call: the function that asked, and the call of the model.
pub const SPANS: u64 = 2;

impl Default for Call {
    fn default() -> Self {
        black_box(Self {
            prompt: messages("user", 2048),
            completion: messages("assistant", 1024),
            request_model: "gpt-4o-mini".to_owned(),
            response_model: "gpt-4o-mini-2024-07-18".to_owned(),
            response_id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT".to_owned(),
            input_tokens: 512,
            output_tokens: 256,
            cache_read_tokens: 128,
            reasoning_tokens: 64,
        })
    }
}

/// Messages as JSON, `bytes` long.
fn messages(role: &str, bytes: usize) -> String {
    let head = format!(r#"[{{"role":"{role}","parts":[{{"type":"text","content":""#);
    let tail = r#""}]}]"#;
    let text = "The sky is blue because air scatters short waves more than long ones. ";
    let content: String = text.chars().cycle().take(bytes - head.len() - tail.len()).collect();
    head + &content + tail
}
