//! Sums as values of charts.

use std::time::Duration;

use llmtrace::Usd;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use crate::pages::chart::series::Point;
use crate::pages::components::figure::Exactness;
use crate::store::histogram::Percentiles;
use crate::store::sums::Sums;
use crate::unit::compact;

/// How a cost is to be taken.
pub(super) fn cost_exactness(sums: &Sums) -> Exactness {
    if sums.is_cost_lower_bound() { Exactness::AtLeast } else { Exactness::Exact }
}

/// How token counts are to be taken.
pub(super) fn token_exactness(sums: &Sums) -> Exactness {
    match (sums.uncounted, sums.estimated) {
        (1.., _) => Exactness::AtLeast,
        (0, 1..) => Exactness::Estimated,
        (0, 0) => Exactness::Exact,
    }
}

/// The cost; where nothing was called, nothing.
pub(super) fn cost(sums: &Sums) -> Point {
    let none = (sums.calls == 0).then_some(0.0);
    Point { value: sums.cost().map(Usd::to_f64).or(none), exactness: cost_exactness(sums) }
}

/// How many calls there were.
pub(super) fn calls(sums: &Sums) -> Point {
    Point::exact(sums.calls as f64)
}

/// How many calls failed.
pub(super) fn errors(sums: &Sums) -> Point {
    Point::exact(sums.errors as f64)
}

/// A count of tokens; where nothing was called, none.
pub(super) fn tokens(sums: &Sums, count: Option<u64>) -> Point {
    let none = (sums.calls == 0).then_some(0.0);
    Point { value: count.map(|count| count as f64).or(none), exactness: token_exactness(sums) }
}

/// Tokens in and out in three digits each; the title has all of them.
pub(super) fn short_tokens(sums: &Sums) -> Markup {
    let (tokens, exactness) = (sums.tokens(), token_exactness(sums));
    let short = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), compact);
    let shown = |count: Option<u64>| count.map_or_else(|| "–".to_owned(), figures::count);
    html! {
        span.num.tokens title={ (exactness.mark()) (shown(tokens.input)) " in, " (shown(tokens.output)) " out" } {
            (exactness.mark()) (short(tokens.input)) span.arrow { "→" } (short(tokens.output))
        }
    }
}

/// A percentile in milliseconds.
pub(super) fn millis(percentiles: Option<Percentiles>, which: fn(&Percentiles) -> Duration) -> Point {
    Point::known(percentiles.map(|found| which(&found).as_secs_f64() * 1e3))
}

/// A kind of tokens: its name, and how it is counted.
pub(super) type Kind = (&'static str, fn(&Sums) -> Option<u64>);

/// The kinds of tokens that do not overlap, in the order in which they are stacked.
pub(super) const KINDS: [Kind; 5] = [
    ("cache read", |sums| sums.tokens().cache_read),
    ("cache written", |sums| sums.tokens().cache_write),
    ("other input", |sums| {
        let tokens = sums.tokens();
        let cached = tokens.cache_read.unwrap_or(0).saturating_add(tokens.cache_write.unwrap_or(0));
        tokens.input.map(|input| input.saturating_sub(cached))
    }),
    ("reasoning", |sums| sums.tokens().reasoning),
    ("other output", |sums| {
        let tokens = sums.tokens();
        tokens.output.map(|output| output.saturating_sub(tokens.reasoning.unwrap_or(0)))
    }),
];
