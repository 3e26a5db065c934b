//! Prices of your own: `prices.json`, beside this file, has an entry of each kind. Prints what some calls cost, and
//! where each price comes from; then prices a recorded call anew, as one does when a price was wrong.

use llmtrace::provider::{Api, read_response_as};
use llmtrace::{
    BundledPrices, ObservationKind, PriceChain, PriceOverrides, SpanRecord, Timestamp, Usage, semconv,
};
use serde_json::json;

type Error = Box<dyn std::error::Error>;

/// Prices of our own first, then the bundled ones; `Builder::prices` makes the same chain.
fn prices() -> Result<PriceChain, Error> {
    let ours = PriceOverrides::from_json(include_str!("prices.json"))?;
    Ok(PriceChain::new(ours).then(BundledPrices::new()))
}

/// What a call of 1,000 tokens in and 100 out costs, in words.
fn cost(provider: &'static str, model: &str, at: &str) -> Result<String, Error> {
    let body =
        json!({"model": model, "choices": [], "usage": {"prompt_tokens": 1000, "completion_tokens": 100}});
    let mut call = read_response_as(Api::OpenAiChat, &body);
    call.provider = Some(provider.into());
    Ok(match call.price(&prices()?, at.parse()?) {
        Ok(cost) => format!("${} ({})", cost.total, cost.source.as_str()),
        Err(reason) => reason.to_string(),
    })
}

fn main() -> Result<(), Error> {
    for (provider, model, at) in [
        ("openai", "gpt-4o-mini-2024-07-18", "2026-06-30T23:59:59Z"),
        ("openai", "gpt-4o-mini-2024-07-18", "2026-07-01T00:00:00Z"),
        ("azure.ai.openai", "support-bot-eu", "2026-11-22T12:00:00Z"),
        ("our-gateway", "fast", "2026-11-22T12:00:00Z"),
        ("owls", "night-owl", "2026-11-20T03:00:00Z"),
        ("owls", "night-owl", "2026-11-21T03:00:00Z"),
        ("ollama", "llama3", "2026-11-22T12:00:00Z"),
        ("openai", "gpt-4o", "2026-11-22T12:00:00Z"),
        ("openai", "gpt-99", "2026-11-22T12:00:00Z"),
    ] {
        println!("{at} {provider:>15} {model:<22} {}", cost(provider, model, at)?);
    }

    let (trace, span) = ("0af7651916cd43dd8448eb211c80319c".parse()?, "b7ad6b7169203331".parse()?);
    let (kind, at) = (ObservationKind::Generation, Timestamp::now());
    let mut record = SpanRecord::new(trace, span, "chat", kind, at, at);
    record.attributes.set(semconv::REQUEST_MODEL, "searcher");
    record.set_usage(&Usage::new(1_000, 100));
    record.reprice(&BundledPrices::new());
    println!("\nBefore: {:?} ({})", record.cost(), status(&record));
    record.reprice(&prices()?);
    println!("After:  {:?} ({})", record.cost().map(|cost| cost.to_string()), status(&record));
    Ok(())
}

fn status(record: &SpanRecord) -> &str {
    record.attributes.get_str(semconv::COST_STATUS).unwrap_or("none")
}

#[test]
fn every_kind_of_entry_prices_its_calls() {
    let check = |provider, model, at, expected: &str| {
        assert_eq!(cost(provider, model, at).unwrap(), expected, "{provider} {model} {at}");
    };
    check("openai", "gpt-4o-mini", "2026-06-30T23:59:59Z", "$0.000168 (override)");
    check("openai", "gpt-4o-mini", "2026-07-01T00:00:00Z", "$0.00014 (override)");
    // What Azure charges for the model is Azure's price, which only the bundled table has.
    check("azure.ai.openai", "support-bot-eu", "2026-07-01T00:00:00Z", "$0.00021 (bundled)");
    check("our-gateway", "fast", "2026-07-01T00:00:00Z", "$0.00014 (override)");
    check("owls", "night-owl", "2026-11-20T03:00:00Z", "$0.00042 (override)");
    check("owls", "night-owl", "2026-11-20T05:00:00Z", "$0.00021 (override)");
    check("owls", "night-owl", "2026-11-21T03:00:00Z", "$0.00021 (override)");
    check("anyone", "long-reader", "2026-11-20T03:00:00Z", "$0.0032 (override)");
    check("anyone", "searcher", "2026-11-20T03:00:00Z", "$0.0061 (override)");
    check("anyone", "talker-2", "2026-11-20T03:00:00Z", "$0.0056 (override)");
    check("ollama", "llama3", "2026-11-20T03:00:00Z", "$0 (override)");
    check("openai", "gpt-99", "2026-11-20T03:00:00Z", "no price is known for the model");
}
