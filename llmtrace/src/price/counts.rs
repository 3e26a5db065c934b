//! The counts of a call under the names of the bundled table.

use genai_prices::UsageKey;

use crate::Usage;

pub(super) type Counts = genai_prices::Usage;

/// The counts that the price of a call of `model` depends on.
pub(super) fn of(usage: &Usage, model: &str) -> Counts {
    if is_some(usage.web_searches) && is_search_billed_once(model) {
        return plain(&Usage { web_searches: Some(1), ..usage.clone() });
    }
    plain(usage)
}

/// Whether there is any of it.
pub(super) fn is_some(count: Option<u64>) -> bool {
    count.is_some_and(|count| count > 0)
}

/// The counts under the table's names. Only what is stated is there, and what follows from it: the parts of the
/// cache reads that are left out are none where the stated ones are all of them.
fn plain(usage: &Usage) -> Counts {
    let split = usage
        .cache_write_1h_tokens
        .map(|tokens| tokens.saturating_add(usage.cache_write_5m_tokens.unwrap_or(0)));
    let cache_write = usage.cache_write_tokens.or(split).or(usage.cache_write_5m_tokens);
    let read_parts = [
        usage.cache_read_text_tokens,
        usage.cache_read_audio_tokens,
        usage.cache_read_image_tokens,
        usage.cache_read_video_tokens,
    ];
    let is_all_read =
        usage.cache_read_tokens == Some(read_parts.into_iter().flatten().fold(0, u64::saturating_add));
    let read = |part: Option<u64>| part.or(is_all_read.then_some(0));
    let counts = [
        (UsageKey::INPUT_TOKENS, usage.input_tokens),
        (UsageKey::OUTPUT_TOKENS, usage.output_tokens),
        (UsageKey::CACHE_READ_TOKENS, usage.cache_read_tokens),
        (UsageKey::CACHE_WRITE_TOKENS, cache_write),
        (UsageKey::CACHE_WRITE_5M_TOKENS, usage.cache_write_5m_tokens),
        (UsageKey::CACHE_WRITE_1H_TOKENS, usage.cache_write_1h_tokens),
        (UsageKey::OUTPUT_REASONING_TOKENS, usage.reasoning_tokens),
        (UsageKey::INPUT_TEXT_TOKENS, usage.input_text_tokens),
        (UsageKey::INPUT_AUDIO_TOKENS, usage.input_audio_tokens),
        (UsageKey::INPUT_IMAGE_TOKENS, usage.input_image_tokens),
        (UsageKey::INPUT_VIDEO_TOKENS, usage.input_video_tokens),
        (UsageKey::CACHE_TEXT_READ_TOKENS, read(usage.cache_read_text_tokens)),
        (UsageKey::CACHE_AUDIO_READ_TOKENS, read(usage.cache_read_audio_tokens)),
        (UsageKey::CACHE_IMAGE_READ_TOKENS, read(usage.cache_read_image_tokens)),
        (UsageKey::CACHE_VIDEO_READ_TOKENS, read(usage.cache_read_video_tokens)),
        (UsageKey::OUTPUT_TEXT_TOKENS, usage.output_text_tokens),
        (UsageKey::OUTPUT_AUDIO_TOKENS, usage.output_audio_tokens),
        (UsageKey::OUTPUT_IMAGE_TOKENS, usage.output_image_tokens),
        (UsageKey::INPUT_TOOL_TOKENS, usage.tool_use_tokens),
        (UsageKey::WEB_SEARCHES, usage.web_searches),
        (UsageKey::STORAGE_SEARCHES, usage.file_searches),
        (UsageKey::RERANK_SEARCHES, usage.rerank_searches),
        (UsageKey::AUDIO_SECONDS, usage.audio_seconds),
        (UsageKey::INPUT_AUDIO_SECONDS, usage.audio_seconds),
        (UsageKey::INPUT_DOCUMENT_PAGES, usage.document_pages),
    ];
    counts.into_iter().filter_map(|(key, count)| count.map(|count| (key, count as f64))).collect()
}

/// What is billed in place of tokens.
pub(super) fn others(usage: &Usage) -> [Option<u64>; 3] {
    [usage.audio_seconds, usage.document_pages, usage.rerank_searches]
}

/// Whether a search costs what the request that made it does, however many it made: Gemini before version 3
/// (<https://ai.google.dev/gemini-api/docs/google-search>).
fn is_search_billed_once(model: &str) -> bool {
    let version = model.strip_prefix("gemini-").and_then(|rest| rest.split(['-', '.']).next());
    version.and_then(|version| version.parse::<u32>().ok()).is_some_and(|version| version < 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(usage: &Usage, model: &str, expected: &[(UsageKey, f64)]) {
        let counts = of(usage, model);
        for (key, count) in expected {
            assert_eq!(counts.get(key.as_str()), Some(*count), "{}", key.as_str());
        }
        assert_eq!(counts.iter().count(), expected.len(), "{counts:?}");
    }

    #[test]
    fn only_what_is_stated_or_follows_is_counted() {
        let both = [(UsageKey::INPUT_TOKENS, 10.0), (UsageKey::OUTPUT_TOKENS, 5.0)];
        check(&Usage::new(10, 5), "m", &both);
        let read =
            |text: u64| Usage { cache_read_text_tokens: Some(text), ..Usage::new(10, 5).with_cache_read(4) };
        let stated = |text: f64| {
            [
                (UsageKey::CACHE_READ_TOKENS, 4.0),
                (UsageKey::CACHE_TEXT_READ_TOKENS, text),
                both[0].clone(),
                both[1].clone(),
            ]
        };
        // One cached token is of a kind that is not stated.
        check(&read(3), "m", &stated(3.0));
        let none = [
            (UsageKey::CACHE_AUDIO_READ_TOKENS, 0.0),
            (UsageKey::CACHE_IMAGE_READ_TOKENS, 0.0),
            (UsageKey::CACHE_VIDEO_READ_TOKENS, 0.0),
        ];
        check(&read(4), "m", &[stated(4.0).as_slice(), &none].concat());
        let seconds = Usage { audio_seconds: Some(9), ..Usage::default() };
        check(&seconds, "m", &[(UsageKey::AUDIO_SECONDS, 9.0), (UsageKey::INPUT_AUDIO_SECONDS, 9.0)]);
    }

    #[test]
    fn searches_of_older_gemini_models_are_billed_once() {
        let searched = |model: &str, expected: f64| {
            let usage = Usage { web_searches: Some(3), ..Usage::default() };
            check(&usage, model, &[(UsageKey::WEB_SEARCHES, expected)]);
        };
        searched("gemini-2.5-pro", 1.0);
        searched("gemini-1.5-flash", 1.0);
        searched("gemini-3-flash-preview", 3.0);
        searched("gemini-3.1-pro-preview", 3.0);
        searched("gemini-nano-banana-2.1", 3.0);
        searched("gpt-5", 3.0);
        check(
            &Usage { web_searches: Some(0), ..Usage::default() },
            "gemini-2.5-pro",
            &[(UsageKey::WEB_SEARCHES, 0.0)],
        );
    }
}
