//! Who serves a model, and whose model it is, in `OpenInference`'s words.

/// `OpenTelemetry`'s provider, `llm.system`, `llm.provider`.
pub(in crate::otlp) const VENDORS: [(&str, &str, &str); 11] = [
    ("openai", "openai", "openai"),
    ("azure.ai.openai", "openai", "azure"),
    ("azure.ai.inference", "azure.ai.inference", "azure"),
    ("anthropic", "anthropic", "anthropic"),
    ("aws.bedrock", "amazon", "aws"),
    ("mistral_ai", "mistralai", "mistralai"),
    ("gcp.gemini", "vertexai", "google"),
    ("gcp.vertex_ai", "vertexai", "google"),
    ("gcp.gen_ai", "vertexai", "google"),
    ("x_ai", "xai", "xai"),
    ("moonshot_ai", "moonshot", "moonshot"),
];

/// `llm.system` of an `OpenTelemetry` provider; one that has no other word for it keeps its own.
pub(super) fn system(provider: &str) -> &str {
    find(provider).map_or(provider, |(_, system, _)| system)
}

/// `llm.provider` of an `OpenTelemetry` provider.
pub(super) fn provider(provider: &str) -> &str {
    find(provider).map_or(provider, |(_, _, provider)| provider)
}

fn find(provider: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    VENDORS.iter().find(|(name, _, _)| *name == provider)
}
