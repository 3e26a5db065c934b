//! What providers send.

/// A chat completion: 1000 tokens in, of them 200 from the cache, and 100 out.
pub const CHAT: &str = r#"{
  "id": "chatcmpl-1", "object": "chat.completion", "created": 1767225600, "model": "gpt-4o-mini-2024-07-18",
  "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}],
  "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100,
    "prompt_tokens_details": {"cached_tokens": 200}, "completion_tokens_details": {"reasoning_tokens": 0}}
}"#;

/// [`CHAT`] as a stream.
pub const CHAT_EVENTS: &str = concat!(
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":"Hello "},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":"there"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    "\n\n",
    r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1767225600,"model":"gpt-4o-mini-2024-07-18","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100,"prompt_tokens_details":{"cached_tokens":200}}}"#,
    "\n\n",
    "data: [DONE]\n\n",
);

/// A refusal.
pub const RATE_LIMIT: &str =
    r#"{"error": {"message": "slow down", "type": "rate_limit_error", "param": null, "code": null}}"#;

/// Two vectors.
pub const EMBEDDINGS: &str = r#"{"object": "list", "model": "text-embedding-3-small",
  "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
  "usage": {"prompt_tokens": 8, "total_tokens": 8}}"#;

/// An OpenAI response.
pub const RESPONSE: &str = r#"{
  "id": "resp_1", "object": "response", "created_at": 1767225600, "status": "completed", "model": "gpt-4o-mini-2024-07-18",
  "output": [{"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
    "content": [{"type": "output_text", "text": "Hello there", "annotations": []}]}],
  "parallel_tool_calls": true, "tool_choice": "auto", "tools": [], "metadata": {}, "temperature": 1.0, "top_p": 1.0,
  "usage": {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 200}, "output_tokens": 100,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1100}
}"#;

/// An Ollama chat, whole.
pub const OLLAMA: &str = r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":"Hello there"},"done":true,"done_reason":"stop","total_duration":5000000,"load_duration":1000000,"prompt_eval_count":26,"prompt_eval_duration":1000000,"eval_count":7,"eval_duration":2000000}"#;

/// [`OLLAMA`] as a stream.
pub const OLLAMA_LINES: &str = concat!(
    r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":"Hello "},"done":false}"#,
    "\n",
    r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":"there"},"done":false}"#,
    "\n",
    r#"{"model":"llama3.2","created_at":"2026-01-01T00:00:00.000000000Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":5000000,"load_duration":1000000,"prompt_eval_count":26,"prompt_eval_duration":1000000,"eval_count":7,"eval_duration":2000000}"#,
    "\n",
);

/// An Anthropic message: 1000 tokens in, of them 200 read from the cache, and 100 out.
pub const MESSAGE: &str = r#"{
  "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
  "content": [{"type": "text", "text": "Hello there"}], "stop_reason": "end_turn", "stop_sequence": null,
  "usage": {"input_tokens": 800, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 200, "output_tokens": 100}
}"#;
