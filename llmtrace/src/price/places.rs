//! The parts of a model's name that only say where it is served.

use std::borrow::Cow;

#[cfg(feature = "prices")]
use super::names::Provider;

/// The provider that a `provider/model` name starts with, and the model.
#[cfg(feature = "prices")]
pub(super) fn split_provider_prefix(model: &str) -> Option<(&'static str, &str)> {
    let (prefix, name) = model.split_once('/')?;
    match Provider::named(prefix)? {
        Provider::Priced(id) if !name.is_empty() => Some((id, name)),
        _ => None,
    }
}

/// Whether a name has the form of a Bedrock model id: `anthropic.claude-...`, `us.amazon.nova-...`.
pub(super) fn is_bedrock_id(model: &str) -> bool {
    let Some((_, rest)) = split_label(model, &REGIONS).or(Some(("", model))) else { return false };
    split_label(rest, &VENDORS).is_some()
}

/// The labels with which an inference profile's id starts, and those that the table writes in their place.
const REGIONS: [&str; 10] = ["us", "eu", "apac", "jp", "au", "in", "ca", "us-gov", "global", "regional"];

/// The vendors with which a Bedrock model id starts.
const VENDORS: [&str; 14] = [
    "ai21",
    "amazon",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "meta",
    "minimax",
    "mistral",
    "moonshotai",
    "nvidia",
    "openai",
    "qwen",
    "writer",
];

/// The name in lower case without what says only where it is served: a path, a region, a Bedrock vendor.
pub(super) fn bare(model: &str) -> Cow<'_, str> {
    let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
    let name = split_label(name, &REGIONS).map_or(name, |(_, name)| name);
    let name = split_label(name, &VENDORS).map_or(name, |(_, name)| name);
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

fn split_label<'a>(name: &'a str, labels: &[&str]) -> Option<(&'a str, &'a str)> {
    name.split_once('.').filter(|(label, _)| labels.iter().any(|known| known.eq_ignore_ascii_case(label)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_from_a_name() {
        assert_eq!(bare("us.anthropic.Claude-Opus-4-6-v1"), "claude-opus-4-6-v1");
        assert_eq!(bare("openai/gpt-4.1"), "gpt-4.1");
        assert_eq!(bare("meta.llama3-8b"), "llama3-8b");
        assert!(is_bedrock_id("eu.amazon.nova-pro-v1:0"));
        assert!(is_bedrock_id("anthropic.claude-v2"));
        assert!(!is_bedrock_id("claude-2.1"));
    }

    #[test]
    #[cfg(feature = "prices")]
    fn a_provider_before_a_model_is_told() {
        assert_eq!(split_provider_prefix("openai/gpt-4o"), Some(("openai", "gpt-4o")));
        assert_eq!(split_provider_prefix("openrouter/openai/gpt-4o"), Some(("openrouter", "openai/gpt-4o")));
        assert_eq!(split_provider_prefix("meta-llama/llama-4"), None);
        assert_eq!(split_provider_prefix("openai/"), None);
    }
}
