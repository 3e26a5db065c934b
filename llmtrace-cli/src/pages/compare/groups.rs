//! Two sets of spans in figures.

use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::PATH;
use super::asked::GroupAsked;
use super::picker::{Known, group_forms};
use super::totals::value;
use crate::compare::groups::{GroupComparison, GroupSide, Interval, Measure, ModelShare, Verdict};
use crate::pages::chart::interval::{Extent, interval};
use crate::pages::chart::meter::meter;
use crate::pages::components::{figure, text};
use crate::pages::layout::{Page, Section};
use crate::pages::query::Query;

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupsView<'a> {
    /// The state in the address.
    pub(crate) query: &'a Query,
    pub(crate) asked: &'a [GroupAsked; 2],
    pub(crate) compared: &'a GroupComparison,
    /// Whether a side has more spans than were looked at.
    pub(crate) is_cut: bool,
    /// What can be chosen.
    pub(crate) known: &'a Known,
}

/// The whole page.
pub(crate) fn page(view: &GroupsView<'_>) -> Markup {
    let compared = view.compared;
    let [a, b] = view.asked;
    let body = html! {
        div.row {
            h1.grow { "Compare" }
            a.button href=(PATH) { "Something else" }
        }
        details.ask { summary { "Change what is compared" } (group_forms(view.query, view.known)) }
        div.sides {
            (side("A", &compared.a, &a.href()))
            (side("B", &compared.b, &b.href()))
        }
        @if view.is_cut { p.notice { "There are more spans than were looked at; the newest of each side were taken." } }
        (measures(compared))
        (models(compared))
    };
    Page::new("Compare", Section::Compare).render(&body)
}

fn side(letter: &str, side: &GroupSide, href: &str) -> Markup {
    let label = text::line(&side.label);
    html! {
        section class={ "card side is-" (letter.to_lowercase()) } {
            div.row { span.letter { (letter) } h2.grow { a href=(href) { bdi { (text::cut(&label, 80)) } } } }
            dl.tiles {
                div { dt { "Traces" } dd { (figures::count(side.traces)) } }
                div { dt { "Calls" } dd { (figures::count(side.calls)) } }
                div { dt { "Errors" } dd { (figures::count(side.errors)) " " small { (figure::share(side.errors, side.calls)) } } }
                @if side.unpriced > 0 { div { dt { "Without a cost" } dd { (figures::count(side.unpriced)) } } }
            }
        }
    }
}

fn measures(compared: &GroupComparison) -> Markup {
    let factors = compared.measures.iter().filter(|measure| measure.is_factor);
    let shares = compared.measures.iter().filter(|measure| !measure.is_factor);
    let factors = Extent::around(0.0, factors.filter_map(|measure| measure.change.map(logarithm)));
    let shares = Extent::around(0.0, shares.filter_map(|measure| measure.change));
    html! {
        section.stack {
            h2 { "Figures" span.muted { " with the range in which each change lies; all of them hold together with 95 % confidence" } }
            div.scroll {
                table.measures {
                    thead { tr {
                        th scope="col" { "figure" }
                        th.figure scope="col" { "A" }
                        th.figure scope="col" { "B" }
                        th.figure scope="col" { "change" }
                        th.axis scope="col" { span { "less" } span { "same" } span { "more" } }
                        th scope="col" { "verdict" }
                    } }
                    tbody {
                        @for measure in &compared.measures {
                            (row(measure, if measure.is_factor { factors } else { shares }))
                        }
                    }
                }
            }
            p.muted { "A change whose range includes “same” may be chance." }
        }
    }
}

fn row(measure: &Measure, extent: Extent) -> Markup {
    let (change, range) = (measure.change_shown(), measure.range_shown());
    html! {
        tr class=(class(measure.verdict)) {
            th scope="row" { (measure.name) }
            td.figure { (value(measure.a, measure.unit)) (sample(measure.a_sample)) }
            td.figure { (value(measure.b, measure.unit)) (sample(measure.b_sample)) }
            td.figure {
                @match &change { Some(change) => b { (change) }, None => (figure::unknown()) }
                @if let Some(range) = &range { div.muted { (range) } }
            }
            td.interval {
                @if let Some(drawn) = measure.change {
                    @let says = format!("{}: {} ({})", measure.name, change.unwrap_or_default(), range.unwrap_or_default());
                    (interval(if measure.is_factor { logarithm(drawn) } else { drawn }, extent, &says))
                }
            }
            td { (verdict(measure.verdict)) }
        }
    }
}

fn sample(calls: u64) -> Markup {
    html! { div.muted { "of " (figures::count(calls)) } }
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Higher => "higher",
        Verdict::Lower => "lower",
        Verdict::Unclear | Verdict::Unjudged => "unclear",
    }
}

fn verdict(verdict: Verdict) -> Markup {
    html! {
        @match verdict {
            Verdict::Higher => span.badge.warn { "▲ B is higher" },
            Verdict::Lower => span.badge.s-ok { "▼ B is lower" },
            Verdict::Unclear => span.badge { "may be chance" },
            Verdict::Unjudged => span.muted { "not judged" },
        }
    }
}

/// Factors lie as far from each other as their logarithms: half as much is as far from the same as twice as much.
fn logarithm(change: Interval) -> Interval {
    let [value, low, high] = [change.value, change.low, change.high].map(|factor| factor.max(1e-6).ln());
    Interval { value, low, high }
}

fn models(compared: &GroupComparison) -> Markup {
    let sum = |calls: fn(&ModelShare) -> u64| compared.models.iter().map(calls).sum::<u64>();
    let (all_a, all_b) = (sum(|model| model.a_calls), sum(|model| model.b_calls));
    let part = |calls: u64, all: u64| (all > 0).then(|| calls as f64 / all as f64);
    html! {
        @if !compared.models.is_empty() {
            section.stack {
                h2 { "Models" }
                div.scroll {
                    table.shares {
                        thead { tr {
                            th scope="col" { "model" }
                            @for letter in ["A", "B"] { th.figure scope="col" { "calls in " (letter) } th scope="col" {} }
                        } }
                        tbody {
                            @for model in &compared.models { tr {
                                th scope="row" { @match &model.model {
                                    Some(name) => bdi { (text::cut(&text::line(name), 80)) },
                                    None => span.muted { "(no model)" },
                                } }
                                @for (calls, all) in [(model.a_calls, all_a), (model.b_calls, all_b)] {
                                    td.figure { (figures::count(calls)) " " span.muted { (figure::share(calls, all)) } }
                                    td.meter-cell { (meter(part(calls, all), 1.0)) }
                                }
                            } }
                        }
                    }
                }
            }
        }
    }
}
