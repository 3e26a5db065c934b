//! Provider names as traces spell them, and the names that price tables use.

/// What a provider's name means to a price table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    /// A provider of the table, by the table's id.
    Priced(&'static str),
    /// A proxy that says nothing of who answered.
    Proxy,
    /// A server that the user runs: no price list exists.
    Local,
}

/// `OTel` names (`gen_ai.provider.name`), those that instrumentations have sent in its place, and short ones,
/// each with the id that crate `genai-prices` gives the provider.
const PRICED: [(&str, &str); 104] = [
    ("openai", "openai"),
    ("openai_chat", "openai"),
    ("openai_responses", "openai"),
    ("anthropic", "anthropic"),
    ("claude", "anthropic"),
    ("gcp.gemini", "google"),
    ("gcp.gen_ai", "google"),
    ("gcp.vertex_ai", "google"),
    ("google", "google"),
    ("google_genai", "google"),
    ("google_ai_studio", "google"),
    ("google_vertexai", "google"),
    ("google-gla", "google"),
    ("google-vertex", "google"),
    ("google.gemini", "google"),
    ("gemini", "google"),
    ("vertex", "google"),
    ("vertexai", "google"),
    ("vertex_ai", "google"),
    ("vertex-ai", "google"),
    ("aws.bedrock", "aws"),
    ("aws_bedrock", "aws"),
    ("amazon_bedrock", "aws"),
    ("amazon-bedrock", "aws"),
    ("bedrock", "aws"),
    ("bedrock_converse", "aws"),
    ("amazon", "aws"),
    ("aws", "aws"),
    ("azure.ai.openai", "azure"),
    ("azure.ai.inference", "azure"),
    ("az.ai.openai", "azure"),
    ("az.ai.inference", "azure"),
    ("azure.openai", "azure"),
    ("azure_openai", "azure"),
    ("azure-openai", "azure"),
    ("azure_ai", "azure"),
    ("azure", "azure"),
    ("cohere", "cohere"),
    ("mistral_ai", "mistral"),
    ("mistralai", "mistral"),
    ("mistral", "mistral"),
    ("groq", "groq"),
    ("deepseek", "deepseek"),
    ("deepseek-ai", "deepseek"),
    ("x_ai", "x-ai"),
    ("x.ai", "x-ai"),
    ("xai", "x-ai"),
    ("x-ai", "x-ai"),
    ("perplexity", "perplexity"),
    ("openrouter", "openrouter"),
    ("moonshot_ai", "moonshotai"),
    ("moonshotai", "moonshotai"),
    ("moonshot", "moonshotai"),
    ("together", "together"),
    ("togetherai", "together"),
    ("together_ai", "together"),
    ("together-ai", "together"),
    ("fireworks", "fireworks"),
    ("fireworks_ai", "fireworks"),
    ("fireworks-ai", "fireworks"),
    ("cerebras", "cerebras"),
    ("cloudflare", "cloudflare"),
    ("workers-ai", "cloudflare"),
    ("databricks", "databricks"),
    ("github-copilot", "github-copilot"),
    ("github_copilot", "github-copilot"),
    ("copilot", "github-copilot"),
    ("novita", "novita"),
    ("novita_ai", "novita"),
    ("novita-ai", "novita"),
    ("voyage", "voyageai"),
    ("voyageai", "voyageai"),
    ("voyage_ai", "voyageai"),
    ("zai", "zai"),
    ("z_ai", "zai"),
    ("z-ai", "zai"),
    ("z.ai", "zai"),
    ("zhipuai", "zhipuai"),
    ("zhipu", "zhipuai"),
    ("minimax", "minimax"),
    ("arcee", "arcee"),
    ("avian", "avian"),
    ("baseten", "baseten"),
    ("cursor", "cursor"),
    ("doubleword", "doubleword"),
    ("elevenlabs", "elevenlabs"),
    ("meta", "meta"),
    ("modal", "modal"),
    ("ovhcloud", "ovhcloud"),
    ("ovh", "ovhcloud"),
    ("quicksilverpro", "quicksilverpro"),
    ("typesafe", "typesafe"),
    ("huggingface_cerebras", "huggingface_cerebras"),
    ("huggingface_fireworks-ai", "huggingface_fireworks-ai"),
    ("huggingface_groq", "huggingface_groq"),
    ("huggingface_hyperbolic", "huggingface_hyperbolic"),
    ("huggingface_nebius", "huggingface_nebius"),
    ("huggingface_novita", "huggingface_novita"),
    ("huggingface_nscale", "huggingface_nscale"),
    ("huggingface_ovhcloud", "huggingface_ovhcloud"),
    ("huggingface_publicai", "huggingface_publicai"),
    ("huggingface_sambanova", "huggingface_sambanova"),
    ("huggingface_together", "huggingface_together"),
    ("openai-decisions", "openai-decisions"),
];

const PROXIES: [&str; 2] = ["litellm", "litellm_proxy"];

const LOCAL: [&str; 37] = [
    "ollama",
    "ollama_chat",
    "vllm",
    "hosted_vllm",
    "llama.cpp",
    "llama_cpp",
    "llamacpp",
    "llama-cpp",
    "llama_cpp_python",
    "llama-cpp-python",
    "llamafile",
    "tgi",
    "text-generation-inference",
    "huggingface_tgi",
    "lmstudio",
    "lm_studio",
    "lm-studio",
    "lm studio",
    "localai",
    "sglang",
    "mistral.rs",
    "mistralrs",
    "candle",
    "mlx",
    "mlx_lm",
    "mlx-lm",
    "koboldcpp",
    "tabbyapi",
    "xinference",
    "gpt4all",
    "lmdeploy",
    "aphrodite",
    "tensorrt_llm",
    "tensorrt-llm",
    "triton",
    "docker_model_runner",
    "ramalama",
];

impl Provider {
    /// What `name` means; `None` for a provider that no table knows.
    pub(super) fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        let is = |known: &&'static str| known.eq_ignore_ascii_case(name);
        if let Some((_, id)) = PRICED.iter().find(|(known, _)| is(known)) {
            Some(Self::Priced(id))
        } else if PROXIES.iter().any(is) {
            Some(Self::Proxy)
        } else {
            LOCAL.iter().any(is).then_some(Self::Local)
        }
    }
}

/// Whether two names mean one provider.
pub(super) fn same_provider(one: &str, other: &str) -> bool {
    match (Provider::named(one), Provider::named(other)) {
        (Some(Provider::Priced(one)), Some(Provider::Priced(other))) => one == other,
        _ => one.trim().eq_ignore_ascii_case(other.trim()),
    }
}

/// The model's name without a path that only says where it is served: `models/gemini-2.5-pro`,
/// `projects/p/locations/l/publishers/google/models/gemini-2.5-pro`.
pub(super) fn without_resource_path(model: &str) -> &str {
    if let Some(name) = model.strip_prefix("models/") {
        return name;
    }
    let is_resource = model.starts_with("projects/") || model.starts_with("publishers/");
    model.rsplit_once("/models/").filter(|_| is_resource).map_or(model, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers_are_known_in_every_usual_spelling() {
        let check = |name, expected| assert_eq!(Provider::named(name), expected, "{name}");
        check("OpenAI", Some(Provider::Priced("openai")));
        check("gcp.vertex_ai", Some(Provider::Priced("google")));
        check("aws.bedrock", Some(Provider::Priced("aws")));
        check("azure.ai.inference", Some(Provider::Priced("azure")));
        check(" xai ", Some(Provider::Priced("x-ai")));
        check("vllm", Some(Provider::Local));
        check("mistralrs", Some(Provider::Local));
        check("litellm", Some(Provider::Proxy));
        check("ibm.watsonx.ai", None);
        check("my-openai-gateway", None);
        check("", None);
        assert!(same_provider("bedrock", "aws.bedrock"));
        assert!(same_provider("Our-Server", "our-server"));
        assert!(!same_provider("openai", "azure"));
        assert!(!same_provider("vllm", "ollama"));
    }

    #[test]
    fn what_says_only_where_a_model_is_served_is_left_out() {
        assert_eq!(without_resource_path("models/gemini-2.5-pro"), "gemini-2.5-pro");
        assert_eq!(without_resource_path("publishers/google/models/gemini-2.5-pro"), "gemini-2.5-pro");
        assert_eq!(
            without_resource_path("accounts/fireworks/models/kimi-k3"),
            "accounts/fireworks/models/kimi-k3"
        );
    }
}
