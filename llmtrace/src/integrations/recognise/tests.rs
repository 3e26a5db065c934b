use super::*;

const CHAT_BODY: &str = r#"{"model":"m","messages":[]}"#;

/// The API's reader (whatever is known of it), operation, kind, provider and model.
fn found(
    url: &str,
    body: &str,
) -> Option<(&'static str, ObservationKind, Option<&'static str>, Option<String>)> {
    let (host, path) = url.split_at(url.find('/').unwrap());
    let (host, port) = host.split_once(':').map_or((host, 443), |(host, port)| (host, port.parse().unwrap()));
    let target = Target { host, port: Some(port), path };
    let (call, _) = recognise(target, || Peek::new(body.as_bytes()))?;
    Some((call.operation, call.kind, call.provider, call.model.map(Cow::into_owned)))
}

fn check(
    url: &str,
    body: &str,
    operation: &'static str,
    kind: ObservationKind,
    provider: &'static str,
    model: &str,
) {
    let provider = (!provider.is_empty()).then_some(provider);
    let model = (!model.is_empty()).then(|| model.to_owned());
    assert_eq!(found(url, body), Some((operation, kind, provider, model)), "{url}");
}

#[test]
fn llm_calls_are_told_by_path_host_and_body() {
    let any = CHAT_BODY;
    let input = r#"{"input":"x","model":"m"}"#;
    check("api.openai.com/v1/chat/completions", any, "chat", Generation, "openai", "m");
    check("api.openai.com/v1/responses/", input, "chat", Generation, "openai", "m");
    check("api.openai.com/v1/embeddings", input, "embeddings", Embedding, "openai", "m");
    check("api.openai.com/v1/images/generations", any, "image_generation", Generation, "openai", "m");
    check("api.openai.com/v1/audio/transcriptions", "--x", "transcription", Generation, "openai", "");
    check("localhost:8000/v1/chat/completions", any, "chat", Generation, "", "m");
    check(
        "localhost:8000/v1/completions",
        r#"{"model":"m","prompt":"x"}"#,
        "text_completion",
        Generation,
        "",
        "m",
    );
    check(
        "me.openai.azure.com/openai/deployments/my-gpt/chat/completions",
        r#"{"messages":[]}"#,
        "chat",
        Generation,
        "azure.ai.openai",
        "my-gpt",
    );
    check(
        "gateway.corp/x/openai/deployments/d/embeddings",
        input,
        "embeddings",
        Embedding,
        "azure.ai.openai",
        "m",
    );
    check("api.anthropic.com/v1/messages", any, "chat", Generation, "anthropic", "m");
    check("proxy.corp/anthropic/v1/messages", any, "chat", Generation, "", "m");
}

#[test]
fn calls_of_clouds_name_their_model_in_the_path() {
    let any = CHAT_BODY;
    check(
        "generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent",
        "{}",
        "generate_content",
        Generation,
        "gcp.gemini",
        "gemini-2.5-pro",
    );
    check(
        "generativelanguage.googleapis.com/v1beta/models/e:batchEmbedContents",
        "{}",
        "embeddings",
        Embedding,
        "gcp.gemini",
        "e",
    );
    check(
        "generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        any,
        "chat",
        Generation,
        "gcp.gemini",
        "m",
    );
    let vertex = "europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers";
    check(
        &format!("{vertex}/google/models/gemini-2.5-pro:generateContent"),
        "{}",
        "generate_content",
        Generation,
        "gcp.vertex_ai",
        "gemini-2.5-pro",
    );
    check(
        &format!("{vertex}/anthropic/models/claude-sonnet-4@20250514:streamRawPredict"),
        r#"{"messages":[]}"#,
        "chat",
        Generation,
        "gcp.vertex_ai",
        "claude-sonnet-4@20250514",
    );
    let bedrock = "bedrock-runtime.us-east-1.amazonaws.com/model";
    check(
        &format!("{bedrock}/anthropic.claude-3-haiku-20240307-v1%3A0/converse-stream"),
        "{}",
        "chat",
        Generation,
        "aws.bedrock",
        "anthropic.claude-3-haiku-20240307-v1:0",
    );
    check(
        &format!("{bedrock}/amazon.titan-embed-text-v2:0/invoke"),
        "{}",
        "embeddings",
        Embedding,
        "aws.bedrock",
        "amazon.titan-embed-text-v2:0",
    );
}

#[test]
fn calls_of_other_providers_are_told() {
    let any = CHAT_BODY;
    check("api.cohere.com/v2/chat", any, "chat", Generation, "cohere", "m");
    check("api.cohere.com/v2/embed", any, "embeddings", Embedding, "cohere", "m");
    check("api.cohere.com/v2/rerank", any, "rerank", Reranker, "cohere", "m");
    check("api.mistral.ai/v1/chat/completions", any, "chat", Generation, "mistral_ai", "m");
    check("localhost:11434/api/chat", any, "chat", Generation, "ollama", "m");
    check(
        "gpu-box:80/api/generate",
        r#"{"model":"m","prompt":"x"}"#,
        "text_completion",
        Generation,
        "ollama",
        "m",
    );
    check("localhost:11434/v1/chat/completions", any, "chat", Generation, "ollama", "m");
    check("api.groq.com/openai/v1/chat/completions", any, "chat", Generation, "groq", "m");
    check("openrouter.ai/api/v1/chat/completions", any, "chat", Generation, "openrouter", "m");
    check("api.perplexity.ai/chat/completions", any, "chat", Generation, "perplexity", "m");
}

#[test]
fn other_requests_are_none() {
    for (url, body) in [
        ("api.openai.com/v1/models", ""),
        ("api.openai.com/v1/files", ""),
        ("api.openai.com/v1/chat/completions/chatcmpl-1/messages/x", ""),
        ("api.openai.com/v1/responses/resp_1/cancel", "{}"),
        ("api.openai.com/v1/responses/input_tokens", r#"{"model":"m","input":"x"}"#),
        ("api.anthropic.com/v1/messages/count_tokens", CHAT_BODY),
        ("api.anthropic.com/v1/messages/batches", "{}"),
        ("generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:countTokens", "{}"),
        ("generativelanguage.googleapis.com/v1beta/models/:generateContent", "{}"),
        ("chat.example.com/api/messages", r#"{"text":"hi"}"#),
        ("chat.example.com/api/chat", r#"{"messages":[]}"#),
        ("forms.example.com/forms/1/responses", r#"{"answers":[]}"#),
        ("example.com/v1/embed", r#"{"url":"x"}"#),
        ("example.com/", ""),
        ("localhost:11434/api/pull", r#"{"model":"m"}"#),
        ("localhost:11434/api/tags", ""),
    ] {
        assert_eq!(found(url, body), None, "{url}");
    }
}

#[test]
fn readers_that_exist_are_named() {
    for (path, api) in [
        ("/v1/chat/completions", "openai_chat"),
        ("/v1/responses", "openai_responses"),
        ("/v1/embeddings", "openai_embeddings"),
        ("/v1/messages", "anthropic_messages"),
    ] {
        let body = r#"{"model":"m","messages":[],"input":"x"}"#;
        let target = Target { host: "localhost", port: None, path };
        let (call, _) = recognise(target, || Peek::new(body.as_bytes())).unwrap();
        assert_eq!(call.api.map(Api::as_str), Some(api), "{path}");
    }
}

#[test]
fn paths_are_decoded() {
    for (segment, expected) in
        [("a%3Ab%2fc", "a:b/c"), ("%", "%"), ("%zz", "%zz"), ("%e2%82%ac", "€"), ("%+1", "%+1")]
    {
        assert_eq!(decoded(segment), expected);
    }
}
