//! Attribute keys as small numbers.
//!
//! A span callsite's field names are resolved once, when the callsite is first met. On the hot path a key is
//! then two bytes. Names that other crates use for the same thing are resolved to the one in [`semconv`].

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

use crate::semconv;

/// A key known to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId(pub(crate) u16);

#[derive(Default)]
struct Interner {
    ids: HashMap<&'static str, KeyId>,
    names: Vec<&'static str>,
}

/// Keys whose values are content: left out, unread, where the policy says so.
const CONTENT: &[&str] = &[
    semconv::INPUT_MESSAGES,
    semconv::OUTPUT_MESSAGES,
    semconv::SYSTEM_INSTRUCTIONS,
    semconv::TOOL_CALL_ARGUMENTS,
    semconv::TOOL_CALL_RESULT,
    semconv::TOOL_DEFINITIONS,
    semconv::RETRIEVAL_QUERY_TEXT,
    semconv::RETRIEVAL_DOCUMENTS,
    semconv::ARGUMENTS,
    semconv::LENS_GRAPH,
    // As other crates and conventions name them, on spans and on events.
    "content",
    "prompt",
    "completion",
    "input",
    "output",
    "arguments",
    "result",
    "input.value",
    "output.value",
];

/// What attributes of local models begin with that hold content.
const LENS_CONTENT_PREFIX: &str = "llmtrace.lens.content.";

/// What content begins with where it is written in numbered parts.
const CONTENT_PREFIXES: &[&str] =
    &["gen_ai.prompt.", "gen_ai.completion.", "llm.input_messages.", "llm.output_messages."];

fn interner() -> &'static RwLock<Interner> {
    static INTERNER: OnceLock<RwLock<Interner>> = OnceLock::new();
    INTERNER.get_or_init(RwLock::default)
}

impl KeyId {
    /// The id of a field name, with aliases resolved; `None` once 65,536 different names have been met.
    pub(crate) fn of(name: &'static str) -> Option<Self> {
        let name = semconv::ALIASES
            .iter()
            .find(|(alias, _)| *alias == name)
            .map_or(name, |(_, canonical)| canonical);
        if let Some(id) = interner().read().unwrap_or_else(PoisonError::into_inner).ids.get(name) {
            return Some(*id);
        }
        let mut interner = interner().write().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = interner.ids.get(name) {
            return Some(*id);
        }
        let id = Self(u16::try_from(interner.names.len()).ok()?);
        interner.names.push(name);
        interner.ids.insert(name, id);
        Some(id)
    }
}

/// The names of all ids so far, in their order.
pub(crate) fn names() -> Vec<&'static str> {
    interner().read().unwrap_or_else(PoisonError::into_inner).names.clone()
}

/// The canonical name, if a callsite has declared it.
pub(crate) fn canonical_static(name: &str) -> Option<&'static str> {
    let name = canonical(name);
    let interner = interner().read().unwrap_or_else(PoisonError::into_inner);
    interner.ids.get_key_value(name).map(|(name, _)| *name)
}

/// The canonical name of a key that came as text.
pub(crate) fn canonical(name: &str) -> &str {
    semconv::ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, canonical)| canonical)
}

/// Whether the value of `name` is content.
pub(crate) fn is_content(name: &str) -> bool {
    let is_numbered = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    let mut numbered = CONTENT_PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix));
    CONTENT.contains(&canonical(name)) || name.starts_with(LENS_CONTENT_PREFIX) || numbered.any(is_numbered)
}

/// Whether a field of this name says that a span is about an LLM.
pub(crate) fn is_llm_field(name: &str) -> bool {
    name.starts_with("gen_ai.") || name.starts_with("llmtrace.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_resolve_to_one_key() {
        let canonical = KeyId::of(semconv::USAGE_REASONING_TOKENS);
        assert_eq!(KeyId::of("gen_ai.usage.reasoning_tokens"), canonical);
        assert_eq!(names()[usize::from(canonical.unwrap().0)], semconv::USAGE_REASONING_TOKENS);
        assert_ne!(KeyId::of("a.key.of.mine"), canonical);
        assert!(is_content("gen_ai.prompt") && !is_content(semconv::REQUEST_MODEL));
        assert!(is_content("llmtrace.lens.content.piece") && !is_content("llmtrace.lens.rank"));
        assert!(is_content("llmtrace.lens.graph") && !is_content("llmtrace.lens.graph.nodes"));
    }
}
