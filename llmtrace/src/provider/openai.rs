//! What the shapes of `OpenAI`'s APIs share, and what the providers that speak them add.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::Exchange;
use super::json::{count, has, object, text};
use crate::{Usage, UsageStatus, Usd, semconv};

/// A tick of xAI's `cost_in_usd_ticks` in pico-dollars: 1e-10 USD.
const PICO_PER_TICK: i128 = 100;

/// How an API names its counts.
pub(super) struct UsageNames {
    pub(super) input: &'static str,
    pub(super) output: &'static str,
    pub(super) input_details: &'static str,
    pub(super) output_details: &'static str,
}

/// Reads a `usage` object. Its totals are inclusive already, save for the reasoning that some providers leave
/// out of the output: xAI, whose stated total shows it, and Perplexity.
pub(super) fn usage(stated: &Value, names: &UsageNames) -> Usage {
    let detail = |details: &str, key: &str| stated.get(details).and_then(|details| count(details, key));
    let input = |key: &str| detail(names.input_details, key);
    let output = |key: &str| detail(names.output_details, key);
    // DeepSeek states the cache reads beside the details, Moonshot too.
    let cached = input("cached_tokens")
        .or_else(|| count(stated, "prompt_cache_hit_tokens"))
        .or_else(|| count(stated, "cached_tokens"));
    let cached_audio =
        stated.get(names.input_details).and_then(|details| object(details, "cached_tokens_details"));
    let mut usage = Usage {
        input_tokens: count(stated, names.input),
        output_tokens: count(stated, names.output),
        total_tokens: count(stated, "total_tokens"),
        cache_read_tokens: cached,
        cache_write_tokens: input("cache_write_tokens"),
        reasoning_tokens: output("reasoning_tokens").or_else(|| count(stated, "reasoning_tokens")),
        input_text_tokens: input("text_tokens"),
        input_audio_tokens: input("audio_tokens"),
        input_image_tokens: input("image_tokens"),
        cache_read_audio_tokens: cached_audio.and_then(|details| count(details, "audio_tokens")),
        output_text_tokens: output("text_tokens"),
        output_audio_tokens: output("audio_tokens"),
        output_image_tokens: output("image_tokens"),
        web_searches: stated
            .get("server_tool_use_details")
            .and_then(|tools| count(tools, "web_search_requests"))
            .or_else(|| count(stated, "num_search_queries")),
        ..Usage::default()
    };
    include_reasoning(&mut usage, is_perplexity(stated));
    usage.status = status(&usage);
    usage.checked()
}

/// The finish reason in the words of the conventions; a word that has none there stays.
pub(super) fn finish_word(reason: &str) -> &str {
    match reason {
        "stop" | "eos" | "eos_token" | "stop_sequence" => "stop",
        "length" | "max_tokens" | "max_output_tokens" | "model_length" => "length",
        "tool_calls" | "function_call" | "tool_call" => "tool_call",
        other => other,
    }
}

/// Tool definitions in the conventions' shape: functions flat, other tools as they are.
pub(super) fn tools(tools: &[Value]) -> Option<Value> {
    let definition = |tool: &Value| {
        let function = object(tool, "function").unwrap_or(tool);
        if text(tool, "type") != Some("function") {
            return tool.clone();
        }
        function_definition(function, "parameters")
    };
    (!tools.is_empty()).then(|| tools.iter().map(definition).collect())
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

/// Reads what every response states beside its content and its usage.
pub(super) fn read_common(body: &Value, exchange: &mut Exchange) {
    exchange.response_id = text(body, "id").map(str::to_owned);
    exchange.response_model = text(body, "model").map(str::to_owned);
    exchange.service_tier = text(body, "service_tier").map(str::to_owned);
    if let Some(fingerprint) = text(body, "system_fingerprint") {
        exchange.attributes.set(semconv::OPENAI_RESPONSE_SYSTEM_FINGERPRINT, fingerprint);
    }
    exchange.provider = provider(body).map(Cow::Borrowed);
    exchange.stated_cost = body.get("usage").and_then(stated_cost);
}

/// `json`, `text`, ... for a response format's `type`.
pub(super) fn output_type(format: &Value) -> Option<&'static str> {
    match text(format, "type")? {
        "json_object" | "json_schema" => Some("json"),
        "text" => Some("text"),
        _ => None,
    }
}

/// Who serves an `OpenAI` shape, where a field proves it that nobody else sends.
fn provider(body: &Value) -> Option<&'static str> {
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let model = text(body, "model").unwrap_or_default();
    let is_routed = has(usage, "is_byok")
        || text(body, "provider").is_some() && text(body, "id").is_some_and(|id| id.starts_with("gen-"));
    if is_routed {
        Some("openrouter")
    } else if text(body, "system_fingerprint") == Some("fp_ollama") {
        Some("ollama")
    } else if has(body, "x_groq") {
        Some("groq")
    } else if has(usage, "cost_in_usd_ticks") {
        Some("x_ai")
    } else if is_perplexity(usage) {
        Some("perplexity")
    } else if has(usage, "prompt_cache_hit_tokens") && model.starts_with("deepseek-") && !model.contains('/')
    {
        Some("deepseek")
    } else {
        None
    }
}

/// What the provider says that the call cost: `OpenRouter`, Perplexity and xAI do.
fn stated_cost(usage: &Value) -> Option<Usd> {
    if let Some(ticks) = count(usage, "cost_in_usd_ticks") {
        return Some(Usd::from_pico(i128::from(ticks).saturating_mul(PICO_PER_TICK)));
    }
    let dollars = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_f64).filter(|cost| *cost >= 0.0).and_then(Usd::from_f64)
    };
    if let Some(cost) = object(usage, "cost") {
        return dollars(cost, "total_cost");
    }
    let charged = dollars(usage, "cost")?;
    if usage.get("is_byok").and_then(Value::as_bool) != Some(true) {
        return Some(charged);
    }
    // With a key of one's own, the router charges its fee only; the provider's part stands beside it.
    Some(charged + dollars(usage.get("cost_details")?, "upstream_inference_cost")?)
}

fn is_perplexity(usage: &Value) -> bool {
    has(usage, "search_context_size") || object(usage, "cost").is_some_and(|cost| has(cost, "total_cost"))
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
        // xAI: the reasoning stands beside the output, as the total shows.
        check(
            json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 115,
                "completion_tokens_details": {"reasoning_tokens": 100}}),
            Usage { total_tokens: Some(115), ..Usage::new(10, 105).with_reasoning(100) },
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
    fn a_stated_cost_is_read_and_its_provider_known() {
        let check = |body: Value, cost: Option<&str>, provider: Option<&str>| {
            let mut exchange = Exchange::default();
            read_common(&body, &mut exchange);
            assert_eq!(exchange.stated_cost.map(|cost| cost.to_string()).as_deref(), cost, "{body}");
            assert_eq!(exchange.provider.as_deref(), provider, "{body}");
        };
        check(
            json!({"usage": {"cost": 0.002_198_55, "is_byok": false}}),
            Some("0.00219855"),
            Some("openrouter"),
        );
        check(
            json!({"usage": {"cost": 0}, "provider": "Google", "id": "gen-1"}),
            Some("0"),
            Some("openrouter"),
        );
        let own_key = |upstream: Value| json!({"usage": {"cost": 0.1, "is_byok": true, "cost_details": {"upstream_inference_cost": upstream}}});
        check(own_key(json!(0.25)), Some("0.35"), Some("openrouter"));
        check(own_key(json!(null)), None, Some("openrouter"));
        check(json!({"usage": {"cost_in_usd_ticks": 12_345}}), Some("0.0000012345"), Some("x_ai"));
        check(json!({"usage": {"cost": {"total_cost": 0.006}}}), Some("0.006"), Some("perplexity"));
        check(json!({"usage": {"cost": -1}}), None, None);
        check(json!({"usage": {"cost": "1"}, "id": "chatcmpl-1"}), None, None);
        check(json!({"x_groq": {"id": "req_1"}}), None, Some("groq"));
        check(json!({"system_fingerprint": "fp_ollama"}), None, Some("ollama"));
        check(
            json!({"model": "deepseek-chat", "usage": {"prompt_cache_hit_tokens": 0}}),
            None,
            Some("deepseek"),
        );
        check(json!({"model": "deepseek-ai/V3", "usage": {"prompt_cache_hit_tokens": 0}}), None, None);
    }
}
