//! What the shapes of `OpenAI`'s APIs share, and what the providers that speak them add.

use serde_json::{Map, Value, json};

use super::json::{count, has, object, text};
use super::openai_served::is_perplexity;
use crate::{Attributes, Usage, UsageStatus, semconv};

/// How an API names its counts.
pub(super) struct UsageNames {
    pub(super) input: &'static str,
    pub(super) output: &'static str,
    pub(super) input_details: &'static str,
    pub(super) output_details: &'static str,
}

/// Reads a `usage` object. Its totals are inclusive already, save for the reasoning that some providers leave
/// out of the output: xAI in chat completions, whose stated total shows it, and Perplexity.
pub(super) fn usage(stated: &Value, names: &UsageNames) -> Usage {
    let of = |key: &str| count(stated, key);
    let input_details = stated.get(names.input_details);
    let output_details = stated.get(names.output_details);
    let input = |key: &str| count(input_details?, key);
    let output = |key: &str| count(output_details?, key);
    // DeepSeek states the cache reads beside the details, Moonshot too.
    let cached =
        input("cached_tokens").or_else(|| of("prompt_cache_hit_tokens")).or_else(|| of("cached_tokens"));
    let cached_details = input_details.and_then(|details| object(details, "cached_tokens_details"));
    let cached_part = |key: &str| count(cached_details?, key);
    let mut usage = Usage {
        input_tokens: of(names.input).or_else(|| hits_and_misses(stated)),
        output_tokens: of(names.output),
        total_tokens: of("total_tokens"),
        cache_read_tokens: cached,
        // LiteLLM keeps Anthropic's name for it, within an input that is inclusive.
        cache_write_tokens: input("cache_write_tokens").or_else(|| of("cache_creation_input_tokens")),
        reasoning_tokens: output("reasoning_tokens").or_else(|| of("reasoning_tokens")),
        input_text_tokens: input("text_tokens"),
        input_audio_tokens: input("audio_tokens"),
        input_image_tokens: input("image_tokens"),
        input_video_tokens: input("video_tokens"),
        cache_read_text_tokens: cached_part("text_tokens"),
        cache_read_audio_tokens: cached_part("audio_tokens"),
        cache_read_image_tokens: cached_part("image_tokens"),
        output_text_tokens: output("text_tokens"),
        output_audio_tokens: output("audio_tokens"),
        output_image_tokens: output("image_tokens"),
        accepted_prediction_tokens: output("accepted_prediction_tokens"),
        rejected_prediction_tokens: output("rejected_prediction_tokens"),
        web_searches: web_searches(stated),
        file_searches: of_details(stated, XAI_TOOLS, "file_search_calls"),
        ..Usage::default()
    };
    let is_chat = names.input == "prompt_tokens";
    let is_xai_chat = is_chat && has(stated, "cost_in_usd_ticks") && usage.total_tokens.is_none();
    include_reasoning(&mut usage, is_perplexity(stated) || is_xai_chat);
    usage.status = status(&usage);
    usage.checked()
}

/// Where xAI counts the tools that it ran.
const XAI_TOOLS: &str = "server_side_tool_usage_details";

fn of_details(stated: &Value, details: &str, key: &str) -> Option<u64> {
    count(stated.get(details)?, key)
}

/// `DeepSeek` splits the input into what was read from its cache and what was not.
fn hits_and_misses(stated: &Value) -> Option<u64> {
    count(stated, "prompt_cache_hit_tokens")?.checked_add(count(stated, "prompt_cache_miss_tokens")?)
}

/// The searches that were run. `OpenRouter` also counts the calls that asked for them, which are the same ones.
fn web_searches(stated: &Value) -> Option<u64> {
    of_details(stated, "server_tool_use_details", "web_search_requests")
        .or_else(|| of_details(stated, "server_tool_use", "web_search_requests"))
        .or_else(|| of_details(stated, XAI_TOOLS, "web_search_calls"))
        .or_else(|| count(stated, "num_search_queries"))
}

/// The finish reason in the words of the conventions; a word that has none there stays.
pub(super) fn finish_word(reason: &str) -> &str {
    match reason {
        "stop" | "eos" | "eos_token" | "stop_sequence" => "stop",
        "length" | "max_tokens" | "max_output_tokens" | "model_length" | "model_context_window_exceeded" => {
            "length"
        }
        "tool_calls" | "function_call" | "tool_call" => "tool_call",
        // Z.ai.
        "sensitive" => "content_filter",
        // Z.ai and DeepSeek.
        "network_error" | "insufficient_system_resource" => "error",
        other => other,
    }
}

/// Tool definitions in the conventions' shape: functions flat, other tools as they are.
pub(super) fn tools(tools: &[Value]) -> Option<Value> {
    let definition = |tool: &Value| {
        // Mistral's users may leave the type out.
        match object(tool, "function") {
            Some(function) => function_definition(function, "parameters"),
            None if text(tool, "type") == Some("function") => function_definition(tool, "parameters"),
            None => provided_tool(tool),
        }
    };
    (!tools.is_empty()).then(|| tools.iter().map(definition).collect())
}

/// A tool of the provider's, as it is, with the name that the conventions ask for: its own, else its type.
pub(super) fn provided_tool(tool: &Value) -> Value {
    let mut definition = tool.clone();
    let custom = object(tool, "custom").and_then(|custom| text(custom, "name"));
    let name = || custom.or_else(|| text(tool, "server_label")).or_else(|| text(tool, "type"));
    if let Some(members) = definition.as_object_mut()
        && text(tool, "name").is_none()
        && let Some(name) = name()
    {
        members.insert("name".to_owned(), name.into());
    }
    definition
}

/// One function in the shape of `gen_ai.tool.definitions`; its parameters stand under the key `schema`.
pub(super) fn function_definition(function: &Value, schema: &str) -> Value {
    let mut definition = Map::from_iter([("type".to_owned(), json!("function"))]);
    for (key, name) in [("name", "name"), ("description", "description"), (schema, "parameters")] {
        if let Some(value) = function.get(key).filter(|value| !value.is_null()) {
            definition.insert(name.to_owned(), value.clone());
        }
    }
    definition.into()
}

/// Records whether and how far a request asks for thinking, in whatever way: `thinking` (Z.ai, `DeepSeek`, Moonshot,
/// Anthropic), `enable_thinking` and `thinking_budget` (Qwen), a chat template's arguments (vLLM), `reasoning`
/// (`OpenRouter`), or what clients put under `extra_body`.
pub(super) fn thinking(parameters: &mut Attributes, body: &Value) {
    let extra = object(body, "extra_body");
    for body in [Some(body), extra, object(body, "chat_template_kwargs")].into_iter().flatten() {
        let config = body.get("thinking").unwrap_or(&Value::Null);
        let switch = |key: &str| body.get(key).and_then(Value::as_bool);
        let switched = config.as_bool().or_else(|| switch("enable_thinking"));
        let word = || Some(if switched? { "enabled" } else { "disabled" });
        if let Some(word) = text(config, "type").or_else(word) {
            parameters.set_default(semconv::REQUEST_THINKING, word);
        }
        let reasoning = body.get("reasoning").unwrap_or(&Value::Null);
        let budget = count(config, "budget_tokens")
            .or_else(|| count(body, "thinking_budget"))
            .or_else(|| count(reasoning, "max_tokens"));
        if let Some(budget) = budget {
            parameters.set_default(semconv::REQUEST_THINKING_TOKENS, budget);
        }
    }
}

/// `json`, `text`, ... for a response format's `type`.
pub(super) fn output_type(format: &Value) -> Option<&'static str> {
    match text(format, "type")? {
        "json_object" | "json_schema" => Some("json"),
        "text" => Some("text"),
        _ => None,
    }
}

fn include_reasoning(usage: &mut Usage, always: bool) {
    let (Some(input), Some(output), Some(reasoning)) =
        (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens)
    else {
        return;
    };
    let whole = output.saturating_add(reasoning);
    let is_beside = reasoning > 0 && usage.total_tokens == input.checked_add(whole);
    if always || is_beside {
        usage.output_tokens = Some(whole);
    }
}

fn status(usage: &Usage) -> UsageStatus {
    match (usage.input_tokens, usage.output_tokens) {
        // The total counts something that neither part does: hidden reasoning.
        (Some(input), Some(output))
            if usage.total_tokens.is_some_and(|total| total > input.saturating_add(output)) =>
        {
            UsageStatus::Partial
        }
        (Some(_), Some(_)) => UsageStatus::Complete,
        _ if usage.is_empty() => UsageStatus::Missing,
        _ => UsageStatus::Partial,
    }
}

#[cfg(test)]
mod tests {
    use super::super::openai_chat::USAGE;
    use super::*;

    #[test]
    fn counts_are_inclusive_and_only_what_is_stated() {
        let check = |stated: Value, expected: Usage| assert_eq!(usage(&stated, &USAGE), expected, "{stated}");
        check(
            json!({
                "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30, "audio_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 0},
            }),
            Usage {
                total_tokens: Some(120),
                cache_read_tokens: Some(60),
                cache_write_tokens: Some(30),
                input_audio_tokens: Some(5),
                reasoning_tokens: Some(12),
                output_audio_tokens: Some(0),
                ..Usage::new(100, 20)
            },
        );
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}),
            Usage::new(10, 5).with_cache_read(8),
        );
        check(
            json!({"completion_tokens": 5, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}),
            Usage::new(10, 5).with_cache_read(8),
        );
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 9, "completion_tokens_details": {
                "accepted_prediction_tokens": 4, "rejected_prediction_tokens": 3}}),
            Usage {
                accepted_prediction_tokens: Some(4),
                rejected_prediction_tokens: Some(3),
                ..Usage::new(10, 9)
            },
        );
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 6,
                "video_tokens": 2, "cached_tokens_details": {"text_tokens": 1, "audio_tokens": 2, "image_tokens": 3}}}),
            Usage {
                input_video_tokens: Some(2),
                cache_read_text_tokens: Some(1),
                cache_read_audio_tokens: Some(2),
                cache_read_image_tokens: Some(3),
                ..Usage::new(10, 1).with_cache_read(6)
            },
        );
        // LiteLLM in front of Anthropic.
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 1, "cache_creation_input_tokens": 3,
                "cache_read_input_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}}),
            Usage::new(10, 1).with_cache_read(4).with_cache_write(3),
        );
        // OpenRouter: the calls that asked for searches are no searches more.
        check(
            json!({"prompt_tokens": 1, "completion_tokens": 1, "server_tool_use_details": {
                "web_search_requests": 2, "tool_calls_requested": 2, "tool_calls_executed": 2}}),
            Usage { web_searches: Some(2), ..Usage::new(1, 1) },
        );
        check(
            json!({"prompt_tokens": 1, "completion_tokens": 1, "num_sources_used": 9,
                "server_side_tool_usage_details": {"web_search_calls": 3, "x_search_calls": 1, "file_search_calls": 0}}),
            Usage { web_searches: Some(3), file_searches: Some(0), ..Usage::new(1, 1) },
        );
        // xAI: the reasoning stands beside the output, as the total shows.
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115,
                "completion_tokens_details": {"reasoning_tokens": 100}}),
            Usage { total_tokens: Some(115), ..Usage::new(10, 105).with_reasoning(100) },
        );
        // The same without a total.
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 5, "cost_in_usd_ticks": 7,
                "completion_tokens_details": {"reasoning_tokens": 100}}),
            Usage::new(10, 105).with_reasoning(100),
        );
        // Perplexity: the total leaves the reasoning out.
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "reasoning_tokens": 100,
                "num_search_queries": 3, "cost": {"total_cost": 0.5}}),
            Usage {
                total_tokens: Some(15),
                web_searches: Some(3),
                ..Usage::new(10, 105).with_reasoning(100)
            },
        );
        // Gemini behind this shape: the total counts reasoning that is stated nowhere.
        check(
            json!({"prompt_tokens": 66, "completion_tokens": 6, "total_tokens": 100}),
            Usage { status: UsageStatus::Partial, total_tokens: Some(100), ..Usage::new(66, 6) },
        );
        check(
            json!({"prompt_tokens": 5, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}}),
            Usage { status: UsageStatus::Invalid, ..Usage::new(5, 5).with_cache_read(6) },
        );
        check(json!({"prompt_tokens": -1, "completion_tokens": "5"}), Usage::default());
        check(
            json!({"prompt_tokens": 3, "completion_tokens": 1.5, "prompt_tokens_details": null}),
            Usage { status: UsageStatus::Partial, input_tokens: Some(3), ..Usage::default() },
        );
        check(json!("none"), Usage::default());
    }

    #[test]
    fn thinking_is_asked_for_in_many_ways() {
        let check = |body: Value, word: Option<&str>, budget: Option<i128>| {
            let mut parameters = Attributes::default();
            thinking(&mut parameters, &body);
            assert_eq!(parameters.get_str(semconv::REQUEST_THINKING), word, "{body}");
            let read = parameters.get(semconv::REQUEST_THINKING_TOKENS).cloned();
            assert_eq!(read, budget.map(crate::Value::Int), "{body}");
        };
        check(json!({"thinking": {"type": "disabled"}}), Some("disabled"), None);
        check(json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}), Some("enabled"), Some(2048));
        check(json!({"enable_thinking": true, "thinking_budget": 50}), Some("enabled"), Some(50));
        check(json!({"chat_template_kwargs": {"enable_thinking": false}}), Some("disabled"), None);
        check(json!({"chat_template_kwargs": {"thinking": true}}), Some("enabled"), None);
        check(json!({"extra_body": {"enable_thinking": true}}), Some("enabled"), None);
        check(json!({"reasoning": {"max_tokens": 9}}), None, Some(9));
        check(json!({"thinking": null, "reasoning": "high"}), None, None);
    }
}
