//! Who serves models at a host.

use super::Target;

/// Hosts that serve models, by how their names end, and the provider's name as `gen_ai.provider.name` has it.
const HOSTS: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    ("models.inference.ai.azure.com", "azure.ai.inference"),
    (".inference.ai.azure.com", "azure.ai.inference"),
    (".models.ai.azure.com", "azure.ai.inference"),
    (".services.ai.azure.com", "azure.ai.inference"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.mistral.ai", "mistral_ai"),
    ("codestral.mistral.ai", "mistral_ai"),
    ("api.groq.com", "groq"),
    ("api.deepseek.com", "deepseek"),
    ("api.x.ai", "x_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("openrouter.ai", "openrouter"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.moonshot.cn", "moonshot_ai"),
    ("api.novita.ai", "novita"),
    ("api.voyageai.com", "voyageai"),
    ("api.z.ai", "zai"),
    ("open.bigmodel.cn", "zhipuai"),
    ("api.minimax.io", "minimax"),
    ("api.githubcopilot.com", "github-copilot"),
    (".databricks.com", "databricks"),
    (".azuredatabricks.net", "databricks"),
    ("ollama.com", "ollama"),
];

/// The port that Ollama listens on unless told otherwise.
const OLLAMA_PORT: u16 = 11434;

/// The provider behind a host that serves models.
pub(super) fn provider(target: Target<'_>) -> Option<&'static str> {
    let host = target.host.to_ascii_lowercase();
    if target.port == Some(OLLAMA_PORT) {
        return Some("ollama");
    }
    if host.starts_with("bedrock-runtime") && host.ends_with(".amazonaws.com") {
        return Some("aws.bedrock");
    }
    // Vertex hosts carry a region: `europe-west1-aiplatform.googleapis.com`.
    if host.ends_with("-aiplatform.googleapis.com")
        || host.starts_with("aiplatform.") && host.ends_with(".googleapis.com")
    {
        return Some("gcp.vertex_ai");
    }
    let is = |known: &str| {
        host == known
            || host.strip_suffix(known).is_some_and(|rest| known.starts_with('.') || rest.ends_with('.'))
    };
    let (_, provider) = HOSTS.iter().find(|(known, _)| is(known))?;
    // One Azure host serves both: OpenAI's API stands below `/openai/`.
    if *provider == "azure.ai.inference" && target.path.contains("/openai/") {
        return Some("azure.ai.openai");
    }
    Some(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_tell_the_provider() {
        let check = |host, path, expected: Option<&str>| {
            let found = provider(Target { host, port: Some(443), path });
            assert_eq!(found, expected, "{host}{path}");
        };
        check("api.openai.com", "/", Some("openai"));
        check("API.OpenAI.com", "/", Some("openai"));
        check("eu.api.openai.com", "/", Some("openai"));
        check("evil-api.openai.com.example", "/", None);
        check("notapi.openai.com", "/", None);
        check("me.openai.azure.com", "/", Some("azure.ai.openai"));
        check("me.services.ai.azure.com", "/models/chat/completions", Some("azure.ai.inference"));
        check("me.services.ai.azure.com", "/openai/deployments/d/chat/completions", Some("azure.ai.openai"));
        check("europe-west1-aiplatform.googleapis.com", "/", Some("gcp.vertex_ai"));
        check("aiplatform.eu.rep.googleapis.com", "/", Some("gcp.vertex_ai"));
        check("bedrock-runtime.us-east-1.amazonaws.com", "/", Some("aws.bedrock"));
        check("bedrock-runtime-fips.us-east-1.amazonaws.com", "/", Some("aws.bedrock"));
        check("openrouter.ai", "/", Some("openrouter"));
        check("example.com", "/", None);
        check("", "/", None);
        let local = Target { host: "localhost", port: Some(11434), path: "/" };
        assert_eq!(provider(local), Some("ollama"));
    }
}
