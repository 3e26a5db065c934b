//! What may follow, or come before, a model's name without making it another model.

use super::places::bare;
use super::version::{Suffix, classify, is_number};
use crate::PriceMatch;

/// Names that a table entry covers by name though their suffix would not tell: (entry, suffix).
const ALIASES: [(&str, &str); 4] = [
    ("claude-2", ".0"),
    ("claude-2", ".1"),
    ("deepseek-chat", "-v3-0324"),
    ("gemini-2.5-flash-preview", ":thinking"),
];

/// Whether `rest`, the end of a name that the rule of table entry `id` never looked at, leaves the model what it
/// is.
///
/// A rule of the form "starts with `claude-sonnet-4-5`" also covers `claude-sonnet-4-50`, which nobody has
/// priced. Allowed are dates (`-20250929`, `-2025-09-29`, `-0613`, `-2506`, `-08-2024`), `-latest`, `@20250929`,
/// revisions (`-002`, `-v1:0`, `:0`), a context size behind one (`:200k`), and words such as `-preview`. Anything else,
/// further digits above all, is another model. So is `:free`: it has another price.
pub(super) fn is_same_model(id: &str, provider: &str, rest: &str) -> bool {
    let id = id.to_ascii_lowercase();
    let rest = rest.to_ascii_lowercase();
    let is_alias = ALIASES.iter().any(|(entry, suffix)| *entry == id && *suffix == rest);
    let is_gemma_size = id.starts_with("gemma-") && rest.strip_suffix("-it").is_some_and(is_size);
    let is_audio = id.contains("live") && rest.contains("-native-audio");
    let without_audio = if is_audio { rest.replacen("-native-audio", "", 1) } else { String::new() };
    // Azure names a fine-tuned model after its base, `.ft-` and an id.
    is_alias
        || id.ends_with(".ft-")
        || is_gemma_size
        || classify(&rest, provider == "aws", id.starts_with("ft:")).is_some()
        || (is_audio && classify(&without_audio, false, false).is_some())
}

/// Whether `head`, the start of a name that the rule of entry `id` never looked at, only says where the model is
/// served: a path or labels such as `publishers/anthropic/models/` and `us.anthropic.`.
pub(super) fn is_only_a_place(id: &str, head: &str) -> bool {
    head.is_empty()
        || head.ends_with(['/', '.', ':'])
        || (id == "moderation" && ["text-", "omni-"].contains(&head))
}

/// How closely `name` matches the table's `id`.
pub(super) fn compare(name: &str, id: &str) -> PriceMatch {
    if without_path(name).eq_ignore_ascii_case(without_path(id)) {
        return PriceMatch::Exact;
    }
    let (name, id) = (bare(name), bare(id));
    if without_version(&name) == without_version(&id) { PriceMatch::Dated } else { PriceMatch::Family }
}

fn without_path(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, name)| name)
}

/// The name up to its date or revision; `-4-0` is the same version as `-4`.
fn without_version(name: &str) -> &str {
    let stem = name
        .match_indices(['-', '@', ':'])
        .find(|(at, _)| name.get(*at..).and_then(|rest| classify(rest, true, false)) == Some(Suffix::Version))
        .and_then(|(at, _)| name.get(..at))
        .unwrap_or(name);
    stem.strip_suffix("-0").unwrap_or(stem)
}

/// `-27b`, `-e4b`: a size in billions of parameters.
fn is_size(text: &str) -> bool {
    let digits = text.strip_prefix('-').and_then(|size| size.strip_suffix('b'));
    digits.is_some_and(|digits| is_number(digits.strip_prefix('e').unwrap_or(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_or_a_stage_keeps_the_model_and_more_digits_do_not() {
        let check =
            |rest, expected| assert_eq!(is_same_model("entry", "anthropic", rest), expected, "{rest}");
        for same in [
            "",
            "-20250929",
            "@20250929",
            "-2025-09-29",
            "-0613",
            "-2506",
            "-250414",
            "-08-2024",
            "-latest",
            "-preview",
            "-preview-05-20",
            "-preview-09-2025",
            "-exp-0827",
            "-001",
            "-v1:0",
            "-v2@20241022",
            "-v1:0:200k",
            ":0",
            "-LATEST",
        ] {
            check(same, true);
        }
        for other in [
            "-50",
            "-9",
            "0",
            "-v9",
            "-v3-0324",
            "-ultra",
            "-lite",
            "-fast",
            "-10",
            "-100",
            "-05-20",
            "-20251345",
            "-202509",
            "x",
            "-",
            "--",
            "-latest-2",
            ":free",
            "-mini",
            "-image",
            "-8b",
            "-2025-09-29x",
            "-é",
        ] {
            check(other, false);
        }
    }

    #[test]
    fn what_follows_may_depend_on_the_entry() {
        let check = |id, provider, rest, expected| {
            assert_eq!(is_same_model(id, provider, rest), expected, "{id} {rest}");
        };
        check("claude-2", "anthropic", ".1", true);
        check("claude-2", "anthropic", ".5", false);
        check("deepseek-chat", "deepseek", "-v3-0324", true);
        check("claude-opus-4-6", "aws", "-v1", true);
        check("ft:gpt-4o", "openai", "-08-06", true);
        check("ft:gpt-4o", "openai", "-99-06", false);
        check("gpt-4o-mini-2024-07-18.ft-", "openai", "-anything", true);
        check("gemma-3", "google", "-27b-it", true);
        check("gemma-3n", "google", "-e4b-it", true);
        check("gemini-1.5-flash", "google", "-8b", false);
        check("gemini-live-2.5-flash", "google", "-preview-native-audio-09-2025", true);
        check("gemini-2.5-flash", "google", "-preview-native-audio-09-2025", false);
        assert!(is_only_a_place("x", "publishers/google/models/"));
        assert!(is_only_a_place("x", "us.anthropic."));
        assert!(is_only_a_place("moderation", "omni-"));
        assert!(!is_only_a_place("x", "my-"));
    }

    #[test]
    fn names_are_the_same_dated_or_of_one_family() {
        let check = |name, id, expected| assert_eq!(compare(name, id), expected, "{name} {id}");
        check("GPT-4o", "gpt-4o", PriceMatch::Exact);
        check("gpt-4o-2024-08-06", "gpt-4o", PriceMatch::Dated);
        check("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest", PriceMatch::Dated);
        check("claude-sonnet-4-20250514", "claude-sonnet-4-0", PriceMatch::Dated);
        check("claude-haiku-4-5@20251001", "claude-haiku-4-5", PriceMatch::Dated);
        check(
            "us.anthropic.claude-opus-4-6-v1",
            "regional.anthropic.claude-opus-4-6-v1:0",
            PriceMatch::Dated,
        );
        check("gpt-4-0613", "gpt-4", PriceMatch::Dated);
        check("gemini-1.5-pro-002", "gemini-1.5-pro", PriceMatch::Dated);
        check("gemini-2.0-flash-exp", "gemini-2.0-flash", PriceMatch::Family);
        check("gpt-5-codex", "gpt-5", PriceMatch::Family);
        check("claude-sonnet-4.5", "claude-sonnet-4-5", PriceMatch::Family);
    }
}
