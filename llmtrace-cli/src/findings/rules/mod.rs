//! The rules, each in a file of its own. A new one is a copy of the file most like it, and a line in [`RULES`].

mod cache_drop;
mod cost_outlier;
mod empty_output;
mod error_burst;
mod growing_prompt;
mod latency_outlier;
mod refusal;
mod retry_storm;
mod secret;
mod slow_first_chunk;
mod token_outlier;
mod tool_loop;
mod truncated;
mod unpriced;

use clap::builder::PossibleValue;

use super::rule::Rule;

/// Every rule.
pub(crate) static RULES: [&dyn Rule; 14] = [
    &secret::Secret,
    &error_burst::ErrorBurst,
    &tool_loop::ToolLoop,
    &retry_storm::RetryStorm,
    &growing_prompt::GrowingPrompt,
    &cache_drop::CacheDrop,
    &cost_outlier::CostOutlier,
    &latency_outlier::LatencyOutlier,
    &slow_first_chunk::SlowFirstChunk,
    &token_outlier::TokenOutlier,
    &truncated::Truncated,
    &empty_output::EmptyOutput,
    &refusal::Refusal,
    &unpriced::Unpriced,
];

/// The names of all rules, each with what it finds.
pub(crate) fn named() -> impl Iterator<Item = PossibleValue> {
    RULES.iter().map(|rule| PossibleValue::new(rule.name()).help(rule.about()))
}

/// What the rule of this name finds, in a few words.
pub(crate) fn about(name: &str) -> Option<&'static str> {
    RULES.iter().find(|rule| rule.name() == name).map(|rule| rule.about())
}
