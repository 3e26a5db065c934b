//! Tokens and cost of one call, with the shares that are known.

use llmtrace::Usd;
use llmtrace::{SpanRecord, UsageSource, UsageStatus, Value, semconv};
use llmtrace_exporters::figures;
use maud::{Markup, html};

use crate::pages::components::figure::{Exactness, cost, count, share};
use crate::pages::components::text::line;

/// A part of a whole, and the class that colours it.
type Share<'a> = (&'a str, u64, &'a str);

/// What the call used and what it cost; nothing where neither is known.
pub(super) fn usage(span: &SpanRecord) -> Markup {
    let usage = span.usage();
    if usage.input_tokens.is_none() && usage.output_tokens.is_none() && span.cost().is_none() {
        return unpriced(span);
    }
    let exactness = match (usage.status, usage.source) {
        (UsageStatus::Partial | UsageStatus::Interrupted, _) => Exactness::AtLeast,
        (_, UsageSource::Estimated) => Exactness::Estimated,
        _ => Exactness::Exact,
    };
    let cached = usage.cache_read_tokens.unwrap_or(0);
    let written = usage.cache_write_tokens.unwrap_or(0);
    let reasoning = usage.reasoning_tokens.unwrap_or(0);
    let fresh = usage.input_tokens.unwrap_or(0).saturating_sub(cached).saturating_sub(written);
    let said = usage.output_tokens.unwrap_or(0).saturating_sub(reasoning);
    let input = [("cached", cached, "u-cached"), ("written", written, "u-written"), ("new", fresh, "u-new")];
    let output = [("reasoning", reasoning, "u-reasoning"), ("text", said, "u-text")];
    html! {
        section.usage aria-label="Tokens and cost" {
            (side("Input", usage.input_tokens, exactness, &input, amount(span, semconv::COST_INPUT)))
            (side("Output", usage.output_tokens, exactness, &output, amount(span, semconv::COST_OUTPUT)))
            div.usage-cost {
                div.usage-head { span.muted { "Cost" } strong { (cost(span.cost(), cost_exactness(span))) } }
                p.muted { (origin(span)) }
            }
            @if usage.status == UsageStatus::Invalid {
                p.warn-text { "The counts contradict each other, so the call has no price." }
            }
        }
    }
}

fn side(
    name: &str,
    whole: Option<u64>,
    exactness: Exactness,
    shares: &[Share<'_>],
    amount: Option<Usd>,
) -> Markup {
    let known = shares.iter().filter(|(_, tokens, _)| *tokens > 0);
    let parts: Vec<_> = known.collect();
    html! {
        div.usage-side {
            div.usage-head {
                span.muted { (name) }
                strong { (count(whole, exactness)) }
                @if amount.is_some() { span.muted { (cost(amount, Exactness::Exact)) } }
            }
            @if let Some(whole) = whole.filter(|whole| *whole > 0) {
                (bar(whole, &parts))
                @if parts.len() > 1 {
                    ul.legend {
                        @for (name, tokens, class) in &parts {
                            li {
                                svg class=(class) width="8" height="8" aria-hidden="true" { rect width="8" height="8" rx="2" {} }
                                (figures::count(*tokens)) " " (name) " " span.muted { (share(*tokens, whole)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Shares side by side.
fn bar(whole: u64, parts: &[&Share<'_>]) -> Markup {
    let percent = |tokens: u64| (tokens.min(whole) as f64 / whole as f64 * 1e4).round() / 1e2;
    let places = parts.iter().scan(0_u64, |before, (_, tokens, class)| {
        let from = *before;
        *before = before.saturating_add(*tokens);
        Some((class, percent(from), percent(*tokens)))
    });
    html! {
        svg.usage-bar width="100%" height="8" aria-hidden="true" {
            @for (class, from, width) in places {
                rect class=(class) x={ (from) "%" } width={ (width) "%" } height="8" {}
            }
        }
    }
}

fn amount(span: &SpanRecord, key: &str) -> Option<Usd> {
    span.attributes.get(key).and_then(Value::as_f64).and_then(Usd::from_f64)
}

fn cost_exactness(span: &SpanRecord) -> Exactness {
    match span.attributes.get(semconv::COST_INCOMPLETE).and_then(Value::as_bool) {
        Some(true) => Exactness::AtLeast,
        _ => Exactness::Exact,
    }
}

/// Where the cost comes from.
fn origin(span: &SpanRecord) -> String {
    let text = |key: &str| span.attributes.get_str(key).map(line);
    let source = match span.attributes.get_str(semconv::COST_SOURCE) {
        Some("provider") => "as the provider stated it".to_owned(),
        Some("override") => "by a price of your own".to_owned(),
        Some(_) => "by the price table".to_owned(),
        None if span.cost().is_some() => "as the span states it".to_owned(),
        None => return why_not(span).to_owned(),
    };
    let matched = text(semconv::COST_MATCHED_MODEL).map(|model| format!(", {model}"));
    let as_of = text(semconv::COST_AS_OF).map(|day| format!(", {day}"));
    format!("{source}{}{}", matched.unwrap_or_default(), as_of.unwrap_or_default())
}

/// Why a call has no cost.
fn why_not(span: &SpanRecord) -> &'static str {
    match span.attributes.get_str(semconv::COST_STATUS) {
        Some("unknown_model") => "no price is known for this model",
        Some("no_usage") => "the tokens are not known",
        Some("invalid_usage") => "the token counts contradict each other",
        _ => "not stated",
    }
}

/// A call of a model that states nothing.
fn unpriced(span: &SpanRecord) -> Markup {
    html! {
        @if span.kind.is_model_call() && !span.status.is_error() {
            p.muted { "Tokens and cost are not known: " (why_not(span)) "." }
        }
    }
}
