//! Who served an `OpenAI` shape, what it cost and how long it took, as far as the body says so.

use std::borrow::Cow;

use serde_json::Value;

use super::Exchange;
use super::json::{count, has, has_any, list, object, owned, text};
use crate::content::LEFT_OUT;
use crate::{Attributes, Usd, semconv};

/// A tick of xAI's `cost_in_usd_ticks` in pico-dollars: 1e-10 USD
/// (<https://docs.x.ai/developers/cost-tracking>).
const PICO_PER_TICK: i128 = 100;

/// Seconds that servers state: the field, and the attribute that holds it. Groq states them in its usage, Cerebras
/// under `time_info`, `SambaNova` in its usage under names of its own.
const SECONDS: [(&str, &str); 6] = [
    ("queue_time", semconv::SERVER_QUEUE_SECONDS),
    ("prompt_time", semconv::SERVER_INPUT_SECONDS),
    ("completion_time", semconv::SERVER_OUTPUT_SECONDS),
    ("total_time", semconv::SERVER_TOTAL_SECONDS),
    ("total_latency", semconv::SERVER_TOTAL_SECONDS),
    ("time_to_first_token", semconv::SERVER_FIRST_TOKEN_SECONDS),
];

/// Counts beside the tokens of a usage: Perplexity's tokens of cited pages, xAI's sources.
const COUNTS: [(&str, &str); 2] =
    [("citation_tokens", semconv::USAGE_CITATION_TOKENS), ("num_sources_used", semconv::USAGE_SOURCES)];

/// Reads what every response states beside its content and its token counts.
pub(super) fn read_common(body: &Value, exchange: &mut Exchange) {
    exchange.response_id = owned(body, "id");
    exchange.response_model = owned(body, "model");
    exchange.service_tier = owned(body, "service_tier");
    if let Some(fingerprint) = text(body, "system_fingerprint") {
        exchange.attributes.set(semconv::OPENAI_RESPONSE_SYSTEM_FINGERPRINT, fingerprint);
    }
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let provider = provider(body, usage);
    exchange.provider = provider.map(Cow::Borrowed);
    exchange.stated_cost = stated_cost(usage);
    let attributes = &mut exchange.attributes;
    if provider == Some("openrouter")
        && let Some(upstream) = text(body, "provider").filter(|upstream| *upstream != LEFT_OUT)
    {
        attributes.set(semconv::UPSTREAM_PROVIDER, upstream);
    }
    for (key, name) in COUNTS {
        if let Some(count) = count(usage, key) {
            attributes.set(name, count);
        }
    }
    for stated in [Some(usage), object(body, "time_info")].into_iter().flatten() {
        times(attributes, stated);
    }
}

/// Records the times among the fields of `stated`.
fn times(attributes: &mut Attributes, stated: &Value) {
    for (key, name) in SECONDS {
        if let Some(time) = stated.get(key).and_then(Value::as_f64).filter(|time| *time >= 0.0) {
            attributes.set_default(name, time);
        }
    }
}

/// Who serves an `OpenAI` shape, where a field proves it that nobody else sends.
fn provider(body: &Value, usage: &Value) -> Option<&'static str> {
    let model = text(body, "model").unwrap_or_default();
    let is_routed = has(usage, "is_byok")
        || text(body, "provider").is_some() && text(body, "id").is_some_and(|id| id.starts_with("gen-"));
    // Azure filters content itself, and says with what result.
    let is_filtered = || {
        has(body, "prompt_filter_results")
            || list(body, "choices").iter().any(|choice| has(choice, "content_filter_results"))
    };
    let is_deepseek =
        || has(usage, "prompt_cache_hit_tokens") && model.starts_with("deepseek-") && !model.contains('/');
    if is_routed {
        Some("openrouter")
    } else if text(body, "system_fingerprint") == Some("fp_ollama") {
        Some("ollama")
    } else if has(body, "x_groq") {
        Some("groq")
    } else if has_any(usage, &["cost_in_usd_ticks", "num_sources_used"]) {
        Some("x_ai")
    } else if is_perplexity(usage) {
        Some("perplexity")
    } else if is_deepseek() {
        Some("deepseek")
    } else if object(body, "time_info").is_some_and(|times| has(times, "completion_time")) {
        Some("cerebras")
    } else if has(usage, "completion_tokens_after_first_per_sec") {
        Some("sambanova")
    } else if is_filtered() {
        Some("azure.ai.openai")
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

pub(super) fn is_perplexity(usage: &Value) -> bool {
    has_any(usage, &["search_context_size", "citation_tokens", "num_search_queries"])
        || object(usage, "cost").is_some_and(|cost| has(cost, "total_cost"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Value as Attribute;

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
        check(
            json!({"model": "deepseek-chat", "usage": {"prompt_cache_hit_tokens": 0}}),
            None,
            Some("deepseek"),
        );
        check(json!({"model": "deepseek-ai/V3", "usage": {"prompt_cache_hit_tokens": 0}}), None, None);
        check(json!({"usage": {"num_sources_used": 0}}), None, Some("x_ai"));
        check(json!({"time_info": {"queue_time": 0.1, "completion_time": 0.2}}), None, Some("cerebras"));
        check(json!({"usage": {"completion_tokens_after_first_per_sec": 99.5}}), None, Some("sambanova"));
        check(json!({"system_fingerprint": "fp_ollama"}), None, Some("ollama"));
        check(json!({"prompt_filter_results": []}), None, Some("azure.ai.openai"));
        check(json!({"choices": [{"content_filter_results": {}}]}), None, Some("azure.ai.openai"));
        check(
            json!({"id": "gen-1", "provider": "Azure", "choices": [{"content_filter_results": {}}]}),
            None,
            Some("openrouter"),
        );
    }

    #[test]
    fn what_a_server_says_of_its_work_is_kept() {
        let check = |body: Value, expected: &[(&'static str, Attribute)]| {
            let mut exchange = Exchange::default();
            read_common(&body, &mut exchange);
            assert_eq!(exchange.attributes, expected.iter().cloned().collect(), "{body}");
        };
        let seconds = |seconds: f64| Attribute::Float(seconds);
        let times = json!({"queue_time": 0.5, "prompt_time": 0.25, "completion_time": 1, "total_time": 1.25});
        let expected = [
            (semconv::SERVER_QUEUE_SECONDS, seconds(0.5)),
            (semconv::SERVER_INPUT_SECONDS, seconds(0.25)),
            (semconv::SERVER_OUTPUT_SECONDS, seconds(1.0)),
            (semconv::SERVER_TOTAL_SECONDS, seconds(1.25)),
        ];
        check(json!({ "usage": times }), &expected);
        check(json!({ "time_info": times }), &expected);
        check(
            json!({"usage": {"total_latency": 2.0, "time_to_first_token": 0.5}}),
            &[
                (semconv::SERVER_TOTAL_SECONDS, seconds(2.0)),
                (semconv::SERVER_FIRST_TOKEN_SECONDS, seconds(0.5)),
            ],
        );
        check(
            json!({"usage": {"citation_tokens": 7, "num_sources_used": 2, "queue_time": -1, "total_time": "1"}}),
            &[
                (semconv::USAGE_CITATION_TOKENS, Attribute::Int(7)),
                (semconv::USAGE_SOURCES, Attribute::Int(2)),
            ],
        );
        check(
            json!({"id": "gen-1", "provider": "DeepInfra"}),
            &[(semconv::UPSTREAM_PROVIDER, Attribute::from("DeepInfra"))],
        );
        check(json!({"id": "x", "provider": "DeepInfra"}), &[]);
    }
}
