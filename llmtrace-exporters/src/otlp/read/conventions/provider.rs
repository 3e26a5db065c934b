//! Who serves a model, in whatever words a sender has for it.

use crate::otlp::profile::openinference::vendor::VENDORS;

/// Words of instrumentations, in lower case, and the `OpenTelemetry` names.
const WORDS: [(&str, &str); 24] = [
    ("azure", "azure.ai.openai"),
    ("azure-openai", "azure.ai.openai"),
    ("az.ai.openai", "azure.ai.openai"),
    ("azureopenai", "azure.ai.openai"),
    ("az.ai.inference", "azure.ai.inference"),
    ("aws", "aws.bedrock"),
    ("amazon", "aws.bedrock"),
    ("amazon-bedrock", "aws.bedrock"),
    ("amazon_bedrock", "aws.bedrock"),
    ("bedrock", "aws.bedrock"),
    ("google", "gcp.gemini"),
    ("gemini", "gcp.gemini"),
    ("google-gla", "gcp.gemini"),
    ("google_genai", "gcp.gemini"),
    ("google-vertex", "gcp.vertex_ai"),
    ("google_vertexai", "gcp.vertex_ai"),
    ("vertex_ai", "gcp.vertex_ai"),
    ("vertexai", "gcp.vertex_ai"),
    ("mistral", "mistral_ai"),
    ("mistralai", "mistral_ai"),
    ("xai", "x_ai"),
    ("moonshot", "moonshot_ai"),
    ("watsonx", "ibm.watsonx.ai"),
    ("fireworksai", "fireworks"),
];

/// The `OpenTelemetry` name of a provider; one that has none keeps its own, in lower case where it is one word.
pub(super) fn named(word: &str) -> String {
    let lower = word.trim().to_ascii_lowercase();
    let bare = APIS.iter().find_map(|api| lower.strip_suffix(api)).unwrap_or(&lower);
    let found = WORDS.iter().find(|(known, _)| *known == bare);
    found.map_or(bare, |(_, name)| name).to_owned()
}

/// What the Vercel AI SDK adds to a provider: which of its APIs it is.
const APIS: [&str; 8] = [
    ".chat",
    ".completion",
    ".responses",
    ".messages",
    ".embedding",
    ".textembedding",
    ".generative-ai",
    ".vertex",
];

/// The `OpenTelemetry` name behind `OpenInference`'s words for who serves a model and whose model it is.
pub(super) fn of_vendor(provider: Option<&str>, system: Option<&str>) -> Option<String> {
    let both = VENDORS.iter().find(|(_, known_system, known_provider)| {
        provider == Some(known_provider) && system == Some(known_system)
    });
    both.map(|(name, ..)| (*name).to_owned()).or_else(|| provider.or(system).map(named))
}
