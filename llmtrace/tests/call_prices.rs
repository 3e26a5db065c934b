//! What calls cost, from the provider's body to the figure: one case for each way in which others go wrong.
#![cfg(feature = "prices")]
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, missing_docs)]

use llmtrace::provider::{Api, Exchange, read_request_as, read_response_as};
use llmtrace::{
    BundledPrices, Cost, CostSource, ObservationKind, PriceChain, PriceMatch, PriceOverride, PriceOverrides,
    Rates, SpanId, SpanRecord, Timestamp, TraceId, Unpriced, Usage, UsageSource, UsageStatus, semconv,
};
use serde_json::{Value, json};

/// A Friday, outside of peak hours.
const NOON: &str = "2026-11-20T12:00:00Z";

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn prices() -> PriceChain {
    PriceChain::new(BundledPrices::new())
}

fn exchange(api: Api, provider: &'static str, body: Value) -> Exchange {
    let mut exchange = read_response_as(api, &body);
    exchange.provider = Some(provider.into());
    exchange
}

/// A chat completion of a million tokens in and a hundred thousand out.
fn chat(provider: &'static str, model: &str, more: Value) -> Exchange {
    let mut body = json!({"model": model, "choices": [],
        "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 100_000}});
    overlay(&mut body, &more);
    exchange(Api::OpenAiChat, provider, body)
}

fn overlay(body: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        match body.get_mut(key) {
            Some(slot) if slot.is_object() => overlay(slot, value),
            _ => body[key] = value.clone(),
        }
    }
}

fn total(exchange: &Exchange) -> Result<String, Unpriced> {
    exchange.price(&prices(), at(NOON)).map(|cost| cost.total.to_string())
}

#[track_caller]
fn check(exchange: Exchange, expected: &str) {
    assert_eq!(total(&exchange).as_deref(), Ok(expected), "{exchange:?}");
}

#[track_caller]
fn check_unpriced(exchange: Exchange, expected: Unpriced) {
    assert_eq!(total(&exchange), Err(expected), "{exchange:?}");
}

#[test]
fn the_tier_that_was_served_wins_over_the_one_that_was_asked_for() {
    let call = |asked: &str, served: Option<&str>| {
        let mut call =
            read_request_as(Api::OpenAiChat, &json!({"model": "o3", "messages": [], "service_tier": asked}));
        call.merge(chat("openai", "o3", json!({"service_tier": served})));
        call
    };
    check(call("auto", None), "2.8");
    check(call("priority", Some("default")), "2.8");
    check(call("default", Some("priority")), "4.9");
    check(call("flex", Some("flex")), "1.4");
    check(call("flex", None), "1.4");
}

#[test]
fn batch_is_what_the_user_or_the_api_says() {
    let mut call = chat("openai", "o3", json!({}));
    call.attributes.set(semconv::PROCESSING, "batch");
    check(call, "1.4");
    let claude = |tier: &str| {
        let usage = json!({"input_tokens": 100_000, "output_tokens": 10_000, "service_tier": tier});
        exchange(Api::AnthropicMessages, "anthropic", json!({"model": "claude-sonnet-4-6", "usage": usage}))
    };
    check(claude("standard"), "0.45");
    check(claude("batch"), "0.225");
}

#[test]
fn fast_inference_without_a_price_is_a_lower_bound() {
    let usage = json!({"input_tokens": 1_000_000, "output_tokens": 0, "speed": "fast"});
    let call =
        exchange(Api::AnthropicMessages, "anthropic", json!({"model": "claude-opus-4-6", "usage": usage}));
    assert!(call.price(&prices(), at(NOON)).unwrap().incomplete);
}

#[test]
fn what_the_provider_says_it_cost_stands() {
    let call = chat("openrouter", "openai/gpt-4o", json!({"usage": {"cost": 0.5}}));
    let cost = call.price(&PriceOverrides::new().model("*", Rates::free()), at(NOON)).unwrap();
    assert_eq!((cost.total.to_string().as_str(), cost.source), ("0.5", CostSource::Provider));
    check(chat("x_ai", "grok-unheard-of", json!({"usage": {"cost_in_usd_ticks": 12_345}})), "0.0000012345");
    check(chat("perplexity", "sonar", json!({"usage": {"cost": {"total_cost": 0.006}}})), "0.006");
    check(chat("openrouter", "any", json!({"usage": {"cost": 0}})), "0");
}

#[test]
fn deepseek_cache_hits_are_billed_as_such() {
    let usage = json!({"prompt_cache_hit_tokens": 900_000, "prompt_cache_miss_tokens": 100_000});
    check(chat("deepseek", "deepseek-v4-pro", json!({"usage": usage})), "0.2838");
    check(chat("deepseek", "deepseek-v4-pro", json!({})), "0.858");
}

#[test]
fn deepseek_peak_hours_depend_on_the_weekday() {
    let call = |model: &str| chat("deepseek", model, json!({}));
    let check = |model: &str, time: &str, expected: &str| {
        let cost = call(model).price(&prices(), at(time)).unwrap();
        assert_eq!((cost.total.to_string().as_str(), cost.incomplete), (expected, false), "{model} {time}");
    };
    for model in ["deepseek-flash", "deepseek-v4-flash"] {
        check(model, "2026-11-20T02:00:00Z", "0.42");
        check(model, "2026-11-20T05:00:00Z", "0.21");
        check(model, "2026-11-20T09:59:59Z", "0.42");
        check(model, "2026-11-21T02:00:00Z", "0.21");
        check(model, "2026-11-22T09:00:00Z", "0.21");
        check(model, "2026-10-01T02:00:00Z", "0.21");
    }
    check("deepseek-v4-pro", "2026-11-20T02:00:00Z", "1.716");
    check("deepseek-v4-pro", "2026-11-21T02:00:00Z", "0.858");
    // Before the peak hours, and between their first day and the next price.
    check("deepseek-v4-flash", "2026-06-05T02:00:00Z", "0.168");
    check("deepseek-v4-flash", "2026-08-20T02:00:00Z", "0.572");
    check("deepseek-v4-flash", "2026-08-20T12:00:00Z", "0.286");
}

#[test]
fn searches_outside_the_usage_are_fees_or_leave_the_cost_incomplete() {
    let call = |output: Value| {
        let usage = json!({"input_tokens": 1_000_000, "output_tokens": 0});
        let body = json!({"object": "response", "model": "gpt-5", "status": "completed", "output": output, "usage": usage});
        exchange(Api::OpenAiResponses, "openai", body)
    };
    let web = json!({"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search", "query": "q"}});
    let file = json!({"type": "file_search_call", "id": "f", "status": "completed", "queries": ["q"]});
    check(call(json!([])), "1.25");
    check(call(json!([web.clone(), web.clone()])), "1.27");
    check(call(json!([file])), "1.2525");
    let mut elsewhere = call(json!([web]));
    elsewhere.provider = Some("groq".into());
    elsewhere.response_model = Some("openai/gpt-oss-120b".to_owned());
    assert!(elsewhere.price(&prices(), at(NOON)).unwrap().incomplete);
}

#[test]
fn inference_in_the_us_costs_a_tenth_more() {
    let call = |model: &str, geo: &str| {
        let usage = json!({"input_tokens": 1_000_000, "output_tokens": 100_000, "inference_geo": geo});
        exchange(Api::AnthropicMessages, "anthropic", json!({"model": model, "usage": usage}))
    };
    check(call("claude-sonnet-4-6", "global"), "4.5");
    check(call("claude-sonnet-4-6", "us"), "4.95");
    // An older model; the price is that of a long context.
    check(call("claude-sonnet-4-5", "us"), "8.25");
}

#[test]
fn what_a_call_did_besides_its_message_is_billed() {
    let call = |advisor: Value| {
        let message = json!({"type": "message", "input_tokens": 1_000_000, "output_tokens": 0});
        let compaction = json!({"type": "compaction", "input_tokens": 1_000_000, "output_tokens": 0});
        let rows = json!([message, compaction, advisor]);
        let usage = json!({"input_tokens": 1_000_000, "output_tokens": 0, "iterations": rows});
        exchange(Api::AnthropicMessages, "anthropic", json!({"model": "claude-haiku-4-5", "usage": usage}))
    };
    let own = json!({"type": "message", "input_tokens": 0, "output_tokens": 0});
    check(call(own), "2");
    // Another model's tokens: all at the cheaper one's price are a lower bound.
    let advised = |model: &str| {
        let row =
            json!({"type": "advisor_message", "model": model, "input_tokens": 1_000_000, "output_tokens": 0});
        let cost = call(row).price(&prices(), at(NOON)).unwrap();
        (cost.total.to_string(), cost.incomplete)
    };
    assert_eq!(advised("claude-opus-4-6"), ("3".to_owned(), true));
    assert_eq!(advised("claude-3-haiku-20240307"), ("0.75".to_owned(), true));
}

#[test]
fn a_response_without_a_model_is_priced_as_the_request_says() {
    let mut call = chat("aws.bedrock", "", json!({"model": null}));
    check_unpriced(call.clone(), Unpriced::UnknownModel);
    let check = |model: &str, expected: &str| {
        call.request_model = Some(model.to_owned());
        check(call.clone(), expected);
    };
    let mut check = check;
    check("us.anthropic.claude-haiku-4-5-20251001-v1:0", "1.65");
    check("eu.anthropic.claude-haiku-4-5-20251001-v1:0", "1.65");
    check("global.anthropic.claude-haiku-4-5-20251001-v1:0", "1.5");
    check(
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "1.65",
    );
    let mut cohere = chat("cohere", "", json!({"model": null}));
    cohere.request_model = Some("command-a-03-2025".to_owned());
    assert!(total(&cohere).is_ok());
}

#[test]
fn a_deployment_is_priced_as_its_model() {
    let aliases = || {
        PriceOverrides::new()
            .entry(PriceOverride::alias("my-deployment", "gpt-4o-mini").provider("azure"))
            .entry(PriceOverride::alias("our-gateway-model", "gpt-4o-mini").alias_provider("openai"))
    };
    let check =
        |provider: &'static str, request: &str, response: Option<&str>, expected: Result<&str, Unpriced>| {
            let mut call = chat(provider, "", json!({"model": response}));
            call.request_model = Some(request.to_owned());
            let chain = PriceChain::new(aliases()).then(BundledPrices::new());
            let cost = call.price(&chain, at(NOON));
            let found = cost.as_ref().map(|cost| cost.matched_model.as_deref().unwrap_or_default());
            assert_eq!(found, expected.as_ref().map(|model| *model), "{provider} {request}: {cost:?}");
        };
    check("azure.ai.openai", "my-deployment", None, Ok("gpt-4o-mini"));
    check("azure.ai.openai", "my-deployment", Some("gpt-4o-2024-08-06"), Ok("gpt-4o-mini"));
    check("azure.ai.openai", "unlisted", Some("gpt-4o-2024-08-06"), Ok("gpt-4o"));
    check("openai", "my-deployment", None, Err(Unpriced::UnknownModel));
    check("our-gateway", "our-gateway-model", None, Ok("gpt-4o-mini"));
}

#[test]
fn what_only_says_where_a_model_is_served_is_passed_over() {
    let check = |provider: &'static str, model: &str, expected: &str| {
        let cost = chat(provider, model, json!({})).price(&prices(), at(NOON)).unwrap();
        assert_eq!(cost.matched_model.as_deref(), Some(expected), "{provider} {model}");
    };
    check("gcp.gemini", "models/gemini-2.5-flash", "gemini-2.5-flash");
    check("vertex", "publishers/google/models/gemini-2.5-flash", "gemini-2.5-flash");
    check("openai", "openai/gpt-4o", "gpt-4o");
    check("litellm", "anthropic/claude-haiku-4-5", "claude-haiku-4-5");
    check("azure", "openai/gpt-4o-mini", "gpt-4o-mini");
}

#[test]
fn how_closely_a_name_matches_is_marked() {
    let matched = |provider: &'static str, model: &str| {
        chat(provider, model, json!({})).price(&prices(), at(NOON)).map(|cost| cost.matched.unwrap())
    };
    assert_eq!(matched("openai", "gpt-4o"), Ok(PriceMatch::Exact));
    assert_eq!(matched("openai", "gpt-4o-2024-08-06"), Ok(PriceMatch::Dated));
    assert_eq!(matched("openai", "gpt-5-codex"), Ok(PriceMatch::Family));
    for (provider, model) in [
        ("anthropic", "claude-sonnet-4-50"),
        ("anthropic", "claude-zenith-9"),
        ("gcp.gemini", "gemini-2.5-pro-ultra"),
        ("deepseek", "deepseek-chat-v9"),
        ("openai", "gpt-6.1-terra-x"),
        ("openai", "o9-mini"),
    ] {
        assert_eq!(matched(provider, model), Err(Unpriced::UnknownModel), "{model}");
    }
    // A gateway that answers under a name of its own.
    let mut routed = chat("openai", "fast-route-7", json!({}));
    routed.request_model = Some("gpt-4o".to_owned());
    assert_eq!(routed.price(&prices(), at(NOON)).unwrap().matched, Some(PriceMatch::Family));
}

#[test]
fn a_long_context_moves_the_price_of_all_its_tokens() {
    let call = |model: &str, input: u64, cached: u64| {
        let usage = json!({"prompt_tokens": input, "completion_tokens": 1_000,
            "prompt_tokens_details": {"cached_tokens": cached}});
        exchange(Api::OpenAiChat, "google", json!({"model": model, "choices": [], "usage": usage}))
    };
    check(call("gemini-2.5-pro", 200_000, 100_000), "0.1475");
    check(call("gemini-2.5-pro", 200_001, 100_000), "0.2900025");
}

#[test]
fn cached_tokens_are_never_billed_twice() {
    // Counted beside the input by one API, within it by another: the same call costs the same.
    let usage = json!({"input_tokens": 1_000, "cache_read_input_tokens": 9_000, "cache_creation_input_tokens": 0, "output_tokens": 100});
    check(
        exchange(Api::AnthropicMessages, "anthropic", json!({"model": "claude-haiku-4-5", "usage": usage})),
        "0.0024",
    );
    let usage = json!({"prompt_tokens": 10_000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 9_000}});
    check(
        exchange(Api::OpenAiChat, "anthropic", json!({"model": "claude-haiku-4-5", "usage": usage})),
        "0.0024",
    );
}

#[test]
fn what_is_not_known_has_no_cost() {
    check_unpriced(chat("openai", "gpt-99", json!({})), Unpriced::UnknownModel);
    check_unpriced(chat("ollama", "llama3", json!({})), Unpriced::UnknownModel);
    let usage = |usage: Usage| {
        let mut call = chat("openai", "gpt-4o", json!({}));
        call.usage = usage;
        call
    };
    let with = |set: &dyn Fn(&mut Usage)| {
        let mut counts = Usage::new(10, 10);
        set(&mut counts);
        usage(counts)
    };
    let status = |status| with(&|usage| usage.status = status);
    check_unpriced(usage(Usage::default()), Unpriced::NoUsage);
    check_unpriced(status(UsageStatus::Partial), Unpriced::NoUsage);
    check_unpriced(status(UsageStatus::Interrupted), Unpriced::NoUsage);
    check_unpriced(status(UsageStatus::Invalid), Unpriced::InvalidUsage);
    check_unpriced(with(&|usage| usage.source = UsageSource::Estimated), Unpriced::NoUsage);
    // A fee for each call is no price of a call whose tokens nobody stated.
    let fee = PriceOverrides::new().model("*", Rates::free().per_call("0.01".parse().unwrap()));
    assert_eq!(usage(Usage::default()).price(&fee, at(NOON)), Err(Unpriced::NoUsage));
    // Only who says that a model is free makes it so.
    let free = PriceOverrides::new().model("llama3", Rates::free());
    let cost = chat("ollama", "llama3", json!({})).price(&free, at(NOON)).unwrap();
    assert_eq!((cost.total.to_string().as_str(), cost.source), ("0", CostSource::Override));
}

fn record(model: &str, usage: &Usage) -> SpanRecord {
    let kind = ObservationKind::Generation;
    let (trace, span) = (TraceId::from_bytes([1; 16]).unwrap(), SpanId::from_bytes([1; 8]).unwrap());
    let mut record = SpanRecord::new(trace, span, "chat", kind, at(NOON), at(NOON));
    record.attributes.set(semconv::PROVIDER_NAME, "openai");
    record.attributes.set(semconv::RESPONSE_MODEL, model.to_owned());
    record.set_usage(usage);
    record
}

fn figure(record: &SpanRecord) -> (Option<String>, String) {
    let status = record.attributes.get_str(semconv::COST_STATUS).unwrap_or_default().to_owned();
    (record.cost().map(|cost| cost.to_string()), status)
}

#[test]
fn a_stored_record_is_priced_anew() {
    let mut usage = Usage::new(1_000_000, 0);
    usage.web_searches = Some(1);
    let mut record = record("gpt-4o", &usage);
    let check = |record: &mut SpanRecord, prices: &PriceChain, cost: Option<&str>, status: &str| {
        record.reprice(prices);
        assert_eq!(figure(record), (cost.map(str::to_owned), status.to_owned()));
    };
    let ours = || {
        PriceChain::new(
            PriceOverrides::new()
                .model("gpt-4o", Rates::per_mtok("1".parse().unwrap(), "1".parse().unwrap())),
        )
    };
    let none = PriceChain::new(PriceOverrides::new());
    check(&mut record, &prices(), Some("2.51"), "priced");
    check(&mut record, &ours(), Some("1"), "priced");
    assert!(record.attributes.get(semconv::COST_INCOMPLETE).is_some());
    assert!(record.attributes.get(semconv::COST_AS_OF).is_none(), "the table's day is gone with its price");
    check(&mut record, &prices(), Some("2.51"), "priced");
    assert!(record.attributes.get(semconv::COST_INCOMPLETE).is_none());
    check(&mut record, &none, None, "unknown_model");
    let left: Vec<_> =
        record.attributes.iter().filter(|(key, _)| key.contains("cost")).map(|(key, _)| key).collect();
    assert_eq!(left, [semconv::COST_STATUS]);
    check(&mut record, &prices(), Some("2.51"), "priced");

    // The exchange says the same.
    let mut call = chat("openai", "gpt-4o", json!({}));
    call.usage = record.usage();
    assert_eq!(call.price(&prices(), at(NOON)).unwrap().total, record.cost().unwrap());
}

#[test]
fn a_stated_cost_stays_unless_it_is_to_go() {
    let mut record = record("gpt-4o", &Usage::new(1_000_000, 0));
    record.set_cost(&Cost::new("7".parse().unwrap(), CostSource::Provider));
    record.reprice(&prices());
    assert_eq!(figure(&record), (Some("7".to_owned()), "provider_cost".to_owned()));
    record.reprice_over_stated(&prices());
    assert_eq!(figure(&record), (Some("2.5".to_owned()), "priced".to_owned()));
    record.set_cost(&Cost::new("7".parse().unwrap(), CostSource::Provider));
    record.reprice_over_stated(&PriceOverrides::new());
    assert_eq!(figure(&record), (None, "unknown_model".to_owned()));
    // A cost that another library recorded is stated too.
    record.attributes.remove(semconv::COST_STATUS);
    record.attributes.set(semconv::USAGE_COST, 0.25);
    record.reprice(&prices());
    assert_eq!(figure(&record), (Some("0.25".to_owned()), "provider_cost".to_owned()));
    // What is no model call has no price.
    record.kind = ObservationKind::Tool;
    record.reprice_over_stated(&prices());
    assert_eq!(figure(&record), (Some("0.25".to_owned()), "provider_cost".to_owned()));
}
