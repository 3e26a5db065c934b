//! The sums of the whole time, and how they changed.

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::DashboardView;
use super::points::{cost_exactness, short_tokens};
use crate::pages::components::figure;
use crate::store::histogram::Histogram;
use crate::store::sums::Sums;
use crate::unit::Unit;

/// A figure that is compared with the time before.
type Read = fn(&Sums) -> Option<f64>;

/// One figure for each thing that a reader asks first.
pub(super) fn tiles(view: &DashboardView<'_>) -> Markup {
    let (sums, list) = (&view.dashboard.total, view.list());
    let sorted = |sort: &str| list.with("sort", sort).href("/traces");
    let change = |read: Read| change(view, read);
    html! {
        dl.figures {
            (tile("Cost", &sorted("costliest"),
                &figure::cost(sums.cost(), cost_exactness(sums)), &change(|sums| sums.cost().map(llmtrace::Usd::to_f64))))
            (tile("Calls", &list.href("/traces"),
                &html! { (figures::count(sums.calls)) }, &change(|sums| Some(sums.calls as f64))))
            (tile("Errors", &list.with("status", "error").href("/traces"),
                &html! { (figures::count(sums.errors)) " " small { (figure::share(sums.errors, sums.calls)) } },
                &change(|sums| Some(sums.errors as f64))))
            (tile("Tokens in → out", &sorted("tokens"),
                &short_tokens(sums),
                &change(|sums| sums.tokens().total().map(|total| total as f64))))
            (tile("Cache hits", &sorted("tokens"),
                &html! { @match sums.cache_hit_share() {
                    Some(share) => { (Unit::Share.shown(share)) " " small { "of input" } },
                    None => (figure::unknown()),
                } }, &html! {}))
            (tile("Latency p50 · p95", &sorted("slowest"),
                &pair(&sums.latency), &change(|sums| median(&sums.latency))))
            (tile("First chunk p50 · p95", &sorted("slowest"),
                &pair(&sums.first_chunk), &change(|sums| median(&sums.first_chunk))))
        }
    }
}

fn tile(title: &str, href: &str, figure: &Markup, change: &Markup) -> Markup {
    html! { div { dt { (title) } dd { a href=(href) { (figure) } (change) } } }
}

/// How a figure changed since the time before; of what is not known on both sides, nothing.
fn change(view: &DashboardView<'_>, read: Read) -> Markup {
    let then = view.before.and_then(read).filter(|then| *then > 0.0);
    let (Some(then), Some(now)) = (then, read(&view.dashboard.total)) else { return html! {} };
    let part = now / then - 1.0;
    let (sign, word) = if part > 0.0 { ("▲", "more") } else { ("▼", "less") };
    let size = if part >= 9.995 { format!("{:.0}×", now / then) } else { Unit::Share.shown(part.abs()) };
    html! {
        @if part.abs() < 0.000_5 {
            small.change title="as in the time before" { "=" }
        } @else {
            small.change title={ (size) " " (word) " than in the time before, as long as this one" } {
                span aria-hidden="true" { (sign) } (size) span.visually-hidden { " " (word) " than before" }
            }
        }
    }
}

fn pair(durations: &Histogram) -> Markup {
    let found = durations.percentiles();
    html! {
        (figure::duration(found.map(|found| found.p50)))
        @if let Some(found) = found { small { " · " (figure::duration(Some(found.p95))) } }
    }
}

fn median(durations: &Histogram) -> Option<f64> {
    durations.percentiles().map(|found| found.p50.as_secs_f64())
}
