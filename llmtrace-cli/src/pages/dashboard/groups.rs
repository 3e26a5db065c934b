//! The groups of the dashboard as a table.

use llmtrace::Usd;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::points::{cost_exactness, token_exactness};
use super::{DashboardView, name};
use crate::pages::chart::meter::meter;
use crate::pages::components::figure::{self, Exactness};
use crate::pages::components::text;
use crate::store::dashboard::{DashboardBy, GroupKey};
use crate::store::sums::Sums;
use crate::unit::Unit;

/// Characters of a group's name that are shown.
const MAX_NAME_CHARS: usize = 60;

/// All figures of each group, and of all together.
pub(super) fn table(view: &DashboardView<'_>) -> Markup {
    let groups = &view.dashboard.groups;
    let largest = groups.iter().filter_map(|group| group.total.cost()).map(Usd::to_f64).fold(0.0, f64::max);
    html! {
        section.stack {
            h2 { "By " (name(view.by)) }
            div.scroll tabindex="0" role="region" aria-label={ "Figures by " (name(view.by)) } {
                table.groups {
                    thead { tr {
                        th scope="col" { (name(view.by)) }
                        @for title in ["calls", "errors", "input", "output", "cache hits", "cost"] {
                            th.figure scope="col" { (title) }
                        }
                        th scope="col" { span.visually-hidden { "part of the largest cost" } }
                        @for title in ["p50", "p95", "p99", "first chunk p50", "p95"] {
                            th.figure scope="col" { (title) }
                        }
                    } }
                    tbody {
                        @for group in groups {
                            tr {
                                th scope="row" { (named(view, &group.key)) }
                                (cells(&group.total, Some(largest)))
                            }
                        }
                    }
                    tfoot { tr { th scope="row" { "all" } (cells(&view.dashboard.total, None)) } }
                }
            }
        }
    }
}

/// What a group is called.
pub(super) fn label(key: &GroupKey, by: DashboardBy) -> String {
    match key {
        GroupKey::Named(name) => name.clone(),
        GroupKey::Unnamed => format!("(no {})", name(by)),
        GroupKey::Others => "(others)".to_owned(),
    }
}

/// The list of what a group sums up; there is none for those without a name.
pub(super) fn href(view: &DashboardView<'_>, key: &GroupKey) -> Option<String> {
    match key {
        GroupKey::Named(value) => Some(view.list().with(name(view.by), value).href("/traces")),
        GroupKey::Unnamed | GroupKey::Others => None,
    }
}

fn named(view: &DashboardView<'_>, key: &GroupKey) -> Markup {
    let label = text::line(&label(key, view.by));
    let shown = text::cut(&label, MAX_NAME_CHARS);
    html! {
        @match href(view, key) {
            Some(href) => a href=(href) title=(label) { bdi { (shown) } },
            None => span.muted { (shown) },
        }
    }
}

fn cells(sums: &Sums, largest: Option<f64>) -> Markup {
    let (tokens, exactness) = (sums.tokens(), token_exactness(sums));
    let (latency, first) = (sums.latency.percentiles(), sums.first_chunk.percentiles());
    html! {
        td.figure { (figures::count(sums.calls)) }
        td.figure {
            @if sums.errors > 0 {
                span.error-text { (figures::count(sums.errors)) } " "
                span.muted { (figure::share(sums.errors, sums.calls)) }
            } @else { span.muted { "0" } }
        }
        td.figure { (figure::count(tokens.input, exactness)) }
        td.figure { (figure::count(tokens.output, exactness)) }
        td.figure { @match sums.cache_hit_share() {
            Some(share) => (Unit::Share.shown(share)),
            None => (figure::unknown()),
        } }
        td.figure { (figure::cost(sums.cost(), cost_exactness(sums))) }
        td.meter-cell {
            @if let Some(largest) = largest { (meter(sums.cost().map(Usd::to_f64), largest)) }
        }
        @for found in [latency.map(|found| found.p50), latency.map(|found| found.p95), latency.map(|found| found.p99),
            first.map(|found| found.p50), first.map(|found| found.p95)] {
            td.figure { (figure::duration(found)) }
        }
    }
}

/// A cost with its mark.
pub(super) fn cost(sums: &Sums) -> Markup {
    let exactness = if sums.is_cost_lower_bound() { Exactness::AtLeast } else { Exactness::Exact };
    figure::cost(sums.cost(), exactness)
}
