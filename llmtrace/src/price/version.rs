//! Dates and revisions at the end of a model's name.

use super::places::{bare, is_bedrock_id};

/// How much a suffix says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suffix {
    /// Nothing, or a date or revision of the same model.
    Version,
    /// A release stage or a variant that is billed alike.
    Variant,
}

/// Suffixes that keep the price, each a whole segment.
const WORDS: [&str; 9] =
    ["preview", "exp", "experimental", "beta", "nightly", "instruct", "thinking", "customtools", "dialog"];

/// Whether `name` is `model` with a date or a revision behind it: `gpt-4o-2024-08-06`, `claude-haiku-4-5@20251001`,
/// `us.anthropic.claude-haiku-4-5-20251001-v1:0`.
pub(super) fn is_version_of(name: &str, model: &str) -> bool {
    let (bare_name, model) = (bare(name), model.to_ascii_lowercase());
    let rest = bare_name.strip_prefix(&*model).filter(|rest| !rest.is_empty());
    rest.is_some_and(|rest| classify(rest, is_bedrock_id(name), false) == Some(Suffix::Version))
}

/// What a suffix made of `-`, `@` and `:` segments says; `None` if it makes another model.
pub(super) fn classify(suffix: &str, is_bedrock: bool, is_month_first: bool) -> Option<Suffix> {
    let mut found = Suffix::Version;
    let mut rest = suffix;
    let mut after_word = is_month_first;
    while !rest.is_empty() {
        let separator = rest.chars().next().filter(|c| ['-', '@', ':'].contains(c))?;
        let body = rest.get(1..)?;
        if let Some(length) = date_length(body, after_word) {
            rest = body.get(length..)?;
            continue;
        }
        let (segment, next) = body.find(['-', '@', ':']).map_or((body, ""), |at| body.split_at(at));
        after_word = separator == '-' && WORDS.contains(&segment);
        let is_version = match separator {
            '@' => ["latest", "default"].contains(&segment) || is_revision(segment),
            ':' => is_digit(segment) || segment.strip_suffix('k').is_some_and(is_number),
            _ => {
                // `-v2` alone would be a new version, save on Bedrock, where each id ends in one.
                let is_v = ["v1", "v2", "v3"].contains(&segment);
                let is_marked = is_bedrock || next.starts_with(':') || next.starts_with('@');
                segment == "latest" || is_revision(segment) || (is_v && is_marked)
            }
        };
        if !is_version && !after_word {
            return None;
        }
        found = if after_word { Suffix::Variant } else { found };
        rest = next;
    }
    Some(found)
}

/// The length of the date that `text` starts with, where it is a whole segment.
fn date_length(text: &str, after_word: bool) -> Option<usize> {
    const YEAR: std::ops::RangeInclusive<u32> = 2020..=2039;
    const SHORT_YEAR: std::ops::RangeInclusive<u32> = 20..=39;
    let number =
        |from: usize, to: usize| text.get(from..to).filter(|part| is_number(part))?.parse::<u32>().ok();
    let is = |from: usize, to: usize, range: &std::ops::RangeInclusive<u32>| {
        number(from, to).is_some_and(|value| range.contains(&value))
    };
    let (month, day) = (1..=12, 1..=31);
    let dash = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    let ends = |at: usize| text.as_bytes().get(at).is_none_or(|byte| b"-@:".contains(byte));
    let forms = [
        (10, is(0, 4, &YEAR) && dash(4) && is(5, 7, &month) && dash(7) && is(8, 10, &day)), // 2025-09-29
        (8, is(0, 4, &YEAR) && is(4, 6, &month) && is(6, 8, &day)),                         // 20250929
        (7, is(0, 2, &month) && dash(2) && is(3, 7, &YEAR)),                                // 09-2025
        (6, is(0, 2, &SHORT_YEAR) && is(2, 4, &month) && is(4, 6, &day)),                   // 250929
        (5, after_word && is(0, 2, &month) && dash(2) && is(3, 5, &day)),                   // 09-29
        (4, is(0, 2, &month) && is(2, 4, &day)),                                            // 0929
        (4, is(0, 2, &SHORT_YEAR) && is(2, 4, &month)),                                     // 2509
    ];
    forms.into_iter().find(|(length, is_date)| *is_date && ends(*length)).map(|(length, _)| length)
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_digit(text: &str) -> bool {
    text.len() == 1 && is_number(text)
}

/// `001`, `002`, ...: Google's revisions of one model.
fn is_revision(text: &str) -> bool {
    text.len() == 3 && text.starts_with("00") && is_number(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_another_model() {
        let check =
            |name, model, expected| assert_eq!(is_version_of(name, model), expected, "{name} {model}");
        check("gpt-4o-2024-08-06", "gpt-4o", true);
        check("openai/GPT-4o-2024-08-06", "gpt-4O", true);
        check("gpt-4-0613", "gpt-4", true);
        check("claude-haiku-4-5@20251001", "claude-haiku-4-5", true);
        check("us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", true);
        check("us.anthropic.claude-opus-4-6-v1", "claude-opus-4-6", true);
        check("gemini-2.0-flash-001", "gemini-2.0-flash", true);
        check("gpt-4o", "gpt-4o", false);
        check("gpt-4o-mini-2024-07-18", "gpt-4o", false);
        check("gpt-4-32k", "gpt-4", false);
        check("gpt-4-1106-preview", "gpt-4", false);
        check("claude-sonnet-4-50", "claude-sonnet-4", false);
        check("claude-sonnet-4-5-20250929", "claude-sonnet-4", false);
        check("gpt-4o:free", "gpt-4o", false);
        check("m-v2", "m", false);
        check("amazon.m-v2", "m", true);
        for invented in ["amazon.m-v9", "amazon.m-v10", "amazon.m-v10:0", "amazon.m-v1:00", "amazon.m-v1:09"]
        {
            check(invented, "m", false);
        }
        check("é-2024-08-06", "e", false);
    }
}
