//! What Google's APIs share: names in two spellings, counts by modality, models, who serves them.
//!
//! The fields are those of `GenerateContentResponse.UsageMetadata`
//! (<https://ai.google.dev/api/generate-content>). The REST API spells them in camel case, its SDKs in snake
//! case; both are read. Enums may come as their numbers (`$alt=json;enum-encoding=int`).

use serde_json::Value;

use super::json::{count, list, object, text};
use crate::{Usage, UsageStatus};

/// The provider that Vertex AI is.
pub(super) const VERTEX: &str = "gcp.vertex_ai";

/// The spelling under which `value` has the field `name`, which is in camel case.
pub(super) fn key<'a>(value: &'a Value, name: &'a str) -> &'a str {
    let Some(fields) = value.as_object() else { return name };
    if fields.contains_key(name) {
        return name;
    }
    fields.keys().find(|key| is_snake_case_of(key, name)).map_or(name, String::as_str)
}

/// The field `name`; null counts as absent.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(key(value, name)).filter(|found| !found.is_null())
}

/// The text of the field `name`.
pub(super) fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    text(value, key(value, name))
}

/// The elements of the field `name`.
pub(super) fn list_of<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    list(value, key(value, name))
}

/// The object in the field `name`.
pub(super) fn object_of<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    object(value, key(value, name))
}

/// The count in the field `name`.
pub(super) fn count_of(value: &Value, name: &str) -> Option<u64> {
    count(value, key(value, name))
}

/// A model's name without the collections it is in: `models/`, `publishers/google/models/`, ...
pub(super) fn model_name(name: &str) -> String {
    name.rsplit_once("models/").map_or(name, |(_, model)| model).to_owned()
}

/// The counts that an API states, whatever it calls them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    /// The prompt, cached content included.
    pub(super) prompt: Option<u64>,
    /// Results of tools that the provider ran.
    pub(super) tools: Option<u64>,
    /// The answer.
    pub(super) answer: Option<u64>,
    pub(super) thoughts: Option<u64>,
    pub(super) total: Option<u64>,
}

impl Stated {
    /// Inclusive totals: tool results stand beside the prompt and thoughts beside the answer, unless the stated
    /// total shows that they are in them.
    pub(super) fn usage(self) -> Usage {
        let sum = |parts: &[Option<u64>]| parts.iter().flatten().copied().reduce(u64::saturating_add);
        let input = self.prompt.and_then(|_| sum(&[self.prompt, self.tools]));
        let apart = sum(&[self.answer, self.thoughts]);
        let is_total = |input: Option<u64>, output: Option<u64>| {
            self.total.is_some() && sum(&[input, output]) == self.total
        };
        let are_in_answer = self.thoughts <= self.answer && is_total(input, self.answer);
        let are_in_prompt = self.tools <= self.prompt && is_total(self.prompt, apart);
        let mut usage = Usage {
            input_tokens: if are_in_prompt { self.prompt } else { input },
            output_tokens: if are_in_answer { self.answer } else { apart },
            total_tokens: self.total,
            reasoning_tokens: self.thoughts,
            tool_use_tokens: self.tools,
            ..Usage::default()
        };
        let counted = sum(&[usage.input_tokens, usage.output_tokens]);
        usage.status = match (usage.input_tokens, usage.output_tokens) {
            // The total counts something that no part does.
            (Some(_), _) if self.total > counted => UsageStatus::Partial,
            // A count of zero is left out: the total shows that nothing was written.
            (Some(_), None) if self.total == counted => UsageStatus::Complete,
            _ => usage.stated_status(),
        };
        usage
    }
}

/// The counts of a `usageMetadata`.
pub(super) fn usage(stated: &Value) -> Usage {
    let prompt = ["promptTokensDetails", "toolUsePromptTokensDetails", "promptTokenDetails"];
    let cached = ["cacheTokensDetails"];
    let answer = ["candidatesTokensDetails", "responseTokensDetails"];
    let by = |lists: &[&str], modality| by_modality(stated, lists, modality, "tokenCount");
    let counts = Stated {
        prompt: count_of(stated, "promptTokenCount"),
        tools: count_of(stated, "toolUsePromptTokenCount"),
        // The Live API has a name of its own for it.
        answer: count_of(stated, "candidatesTokenCount").or_else(|| count_of(stated, "responseTokenCount")),
        thoughts: count_of(stated, "thoughtsTokenCount"),
        total: count_of(stated, "totalTokenCount"),
    };
    Usage {
        cache_read_tokens: count_of(stated, "cachedContentTokenCount"),
        input_text_tokens: by(&prompt, TEXT),
        input_audio_tokens: by(&prompt, AUDIO),
        input_image_tokens: by(&prompt, IMAGE),
        input_video_tokens: by(&prompt, VIDEO),
        cache_read_text_tokens: by(&cached, TEXT),
        cache_read_audio_tokens: by(&cached, AUDIO),
        cache_read_image_tokens: by(&cached, IMAGE),
        cache_read_video_tokens: by(&cached, VIDEO),
        output_text_tokens: by(&answer, TEXT),
        output_audio_tokens: by(&answer, AUDIO),
        output_image_tokens: by(&answer, IMAGE),
        ..counts.usage()
    }
    .checked()
}

/// The names and the numbers of a modality.
pub(super) type Modality = &'static [(&'static str, u64)];

pub(super) const TEXT: Modality = &[("TEXT", 1)];
/// Pages of documents are read, and billed, as images.
pub(super) const IMAGE: Modality = &[("IMAGE", 2), ("DOCUMENT", 5)];
pub(super) const VIDEO: Modality = &[("VIDEO", 3)];
pub(super) const AUDIO: Modality = &[("AUDIO", 4)];

/// The tokens of one modality in all of `lists`, whose elements hold them under `tokens`.
pub(super) fn by_modality(stated: &Value, lists: &[&str], modality: Modality, tokens: &str) -> Option<u64> {
    let is_of = |row: &Value| {
        let named = row.get("modality").unwrap_or(&Value::Null);
        modality.iter().any(|(name, number)| {
            named.as_str().is_some_and(|named| named.eq_ignore_ascii_case(name))
                || named.as_u64() == Some(*number)
        })
    };
    let rows = lists.iter().flat_map(|list| list_of(stated, list)).filter(|row| is_of(row));
    rows.filter_map(|row| count_of(row, tokens)).reduce(u64::saturating_add)
}

/// Who serves a response: the field of `usageMetadata` for the kind of traffic, and the time of the request, are
/// Vertex's, the one for the service tier is the Gemini API's.
pub(super) fn provider(body: &Value, usage: &Value) -> Option<&'static str> {
    if field(usage, "trafficType").is_some() || field(body, "createTime").is_some() {
        Some(VERTEX)
    } else if field(usage, "serviceTier").is_some() {
        Some("gcp.gemini")
    } else {
        None
    }
}

/// The tier that was served, as `serviceTier` or `trafficType` names it.
pub(super) fn service_tier(usage: &Value) -> Option<String> {
    const TRAFFIC: [&str; 3] = ["TRAFFIC_TYPE_UNSPECIFIED", "ON_DEMAND", "PROVISIONED_THROUGHPUT"];
    let numbered = || TRAFFIC.get(usize::try_from(count_of(usage, "trafficType")?).ok()?).copied();
    let tier = text_of(usage, "serviceTier").or_else(|| text_of(usage, "trafficType")).or_else(numbered);
    tier.map(str::to_owned)
}

fn is_snake_case_of(key: &str, camel: &str) -> bool {
    let letters = key.bytes().filter(|byte| *byte != b'_');
    key.contains('_') && letters.eq(camel.bytes().map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_are_read_and_null_is_absent() {
        let check = |body: Value, expected: Option<u64>| {
            assert_eq!(field(&body, "promptTokenCount").and_then(Value::as_u64), expected, "{body}");
        };
        check(json!({"promptTokenCount": 1}), Some(1));
        check(json!({"prompt_token_count": 1}), Some(1));
        check(json!({"promptTokenCount": 1, "prompt_token_count": 2}), Some(1));
        check(json!({"promptTokenCount": null}), None);
        check(json!({"prompttokencount": 1}), None);
        check(json!({"prompt_tokens_count": 1}), None);
        check(json!([1]), None);
    }

    #[test]
    fn models_lose_the_collections_they_are_in() {
        let check = |name: &str, expected: &str| assert_eq!(model_name(name), expected);
        check("gemini-2.5-pro", "gemini-2.5-pro");
        check("models/gemini-2.5-pro", "gemini-2.5-pro");
        check("projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro");
        check("tunedModels/mine", "tunedModels/mine");
    }

    #[test]
    fn counts_are_inclusive_and_only_what_is_stated() {
        let check = |stated: Value, expected: Usage| assert_eq!(usage(&stated), expected, "{stated}");
        check(
            json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7,
                "toolUsePromptTokenCount": 3, "totalTokenCount": 25}),
            Usage {
                total_tokens: Some(25),
                tool_use_tokens: Some(3),
                ..Usage::new(13, 12).with_reasoning(7)
            },
        );
        // The total shows that the thoughts are in the candidates, or the tool results in the prompt.
        check(
            json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 4, "totalTokenCount": 15}),
            Usage { total_tokens: Some(15), ..Usage::new(10, 5).with_reasoning(4) },
        );
        check(
            json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "toolUsePromptTokenCount": 4, "totalTokenCount": 15}),
            Usage { total_tokens: Some(15), tool_use_tokens: Some(4), ..Usage::new(10, 5) },
        );
        // Nothing was written, as the total shows; without a total, nobody knows.
        let written =
            |status, total_tokens| Usage { status, input_tokens: Some(14), total_tokens, ..Usage::default() };
        check(
            json!({"promptTokenCount": 14, "totalTokenCount": 14}),
            written(UsageStatus::Complete, Some(14)),
        );
        check(json!({"promptTokenCount": 14}), written(UsageStatus::Partial, None));
        check(
            json!({"promptTokenCount": 14, "totalTokenCount": 40}),
            written(UsageStatus::Partial, Some(40)),
        );
        check(json!({"trafficType": "ON_DEMAND"}), Usage::default());
        check(json!({"promptTokenCount": -1}), Usage::default());
        check(
            json!({"promptTokenCount": 5, "responseTokenCount": 2, "totalTokenCount": 7,
                "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}]}),
            Usage { total_tokens: Some(7), output_audio_tokens: Some(2), ..Usage::new(5, 2) },
        );
        let too_much = Usage { status: UsageStatus::Invalid, ..Usage::new(5, 2).with_cache_read(6) };
        check(
            json!({"promptTokenCount": 5, "candidatesTokenCount": 2, "cachedContentTokenCount": 6}),
            too_much,
        );
    }

    #[test]
    fn tokens_are_counted_by_modality() {
        let stated = json!({
            "promptTokenCount": 100, "candidatesTokenCount": 3, "cachedContentTokenCount": 50,
            "toolUsePromptTokenCount": 9, "totalTokenCount": 112,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 10}, {"modality": "IMAGE", "tokenCount": 20},
                {"modality": "DOCUMENT", "tokenCount": 30}, {"modality": "AUDIO", "tokenCount": 15},
                {"modality": "VIDEO", "tokenCount": 25}, {"modality": "SMELL", "tokenCount": 1},
            ],
            "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
            "cacheTokensDetails": [{"modality": "VIDEO", "tokenCount": 20}, {"modality": "DOCUMENT", "tokenCount": 30}],
            "candidatesTokensDetails": [{"modality": 1, "tokenCount": 1}, {"modality": 2, "tokenCount": 2}],
        });
        let expected = Usage {
            total_tokens: Some(112),
            tool_use_tokens: Some(9),
            input_text_tokens: Some(19),
            input_image_tokens: Some(50),
            input_audio_tokens: Some(15),
            input_video_tokens: Some(25),
            cache_read_video_tokens: Some(20),
            cache_read_image_tokens: Some(30),
            output_text_tokens: Some(1),
            output_image_tokens: Some(2),
            ..Usage::new(109, 3).with_cache_read(50)
        };
        assert_eq!(usage(&stated), expected);
    }

    #[test]
    fn the_tier_and_the_server_are_told_where_they_are_stated() {
        let check = |body: Value, server: Option<&str>, tier: Option<&str>| {
            let usage = body.get("usageMetadata").unwrap_or(&Value::Null);
            assert_eq!(provider(&body, usage), server, "{body}");
            assert_eq!(service_tier(usage).as_deref(), tier, "{body}");
        };
        check(
            json!({"usageMetadata": {"trafficType": "ON_DEMAND"}}),
            Some("gcp.vertex_ai"),
            Some("ON_DEMAND"),
        );
        check(json!({"usageMetadata": {"trafficType": 1}}), Some("gcp.vertex_ai"), Some("ON_DEMAND"));
        check(json!({"usageMetadata": {"trafficType": 99}}), Some("gcp.vertex_ai"), None);
        check(json!({"createTime": "2026-01-01T00:00:00Z"}), Some("gcp.vertex_ai"), None);
        check(json!({"usageMetadata": {"serviceTier": "flex"}}), Some("gcp.gemini"), Some("flex"));
        check(json!({"usageMetadata": {"promptTokenCount": 1}}), None, None);
    }
}
