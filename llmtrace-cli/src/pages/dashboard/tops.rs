//! What costs most.

use llmtrace::Usd;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::groups::{cost, label};
use super::{DEAREST, DashboardView, NameCost};
use crate::pages::chart::meter::meter;
use crate::pages::components::figure::{self, Exactness};
use crate::pages::components::text;
use crate::store::dashboard::{DashboardBy, DashboardGroup, GroupKey};
use crate::store::row::TraceRow;

/// Entries of a list.
const SHOWN: usize = 8;

/// Characters of a name that are shown.
const MAX_NAME_CHARS: usize = 44;

/// One entry: what it is, its list or page, its cost, and how often it was called.
struct Entry {
    name: String,
    href: Option<String>,
    cost: Markup,
    size: Option<f64>,
    calls: u64,
}

/// The models, users and traces that cost most.
pub(super) fn tops(view: &DashboardView<'_>) -> Markup {
    let costliest = view.list().with("sort", "costliest").href("/traces");
    html! {
        section.stack {
            h2 { "What costs most" }
            div.tops {
                (card("Models", &groups(view, view.models, DashboardBy::Model), &told_apart(view, "model")))
                (card("Users", &groups(view, view.users, DashboardBy::User), &told_apart(view, "user")))
                (card("Traces", &traces(view), &costliest))
                (card(&format!("Spans, in the {DEAREST} dearest traces"), &names(view), &costliest))
            }
        }
    }
}

/// The dashboard told apart by something else.
fn told_apart(view: &DashboardView<'_>, by: &str) -> String {
    view.query.with("by", by).href(super::PATH)
}

fn card(title: &str, entries: &[Entry], more: &str) -> Markup {
    let largest = entries.iter().filter_map(|entry| entry.size).fold(0.0, f64::max);
    html! {
        section.card.costliest {
            div.row { h3.grow { (title) } a href=(more) { "all" span.visually-hidden { " of these: " (title) } } }
            @if entries.is_empty() {
                p.muted { "None is known." }
            } @else {
                table {
                    thead.visually-hidden { tr { th { "name" } th { "calls" } th { "cost" } } }
                    tbody {
                        @for entry in entries {
                            tr {
                                td { (name(entry)) (meter(entry.size, largest)) }
                                td.figure.muted { (figures::count(entry.calls)) " " (if entry.calls == 1 { "call" } else { "calls" }) }
                                td.figure { (entry.cost) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn name(entry: &Entry) -> Markup {
    let label = text::line(&entry.name);
    let shown = text::cut(&label, MAX_NAME_CHARS);
    html! {
        @match &entry.href {
            Some(href) => a href=(href) title=(label) { bdi { (shown) } },
            None => span.muted { (shown) },
        }
    }
}

fn groups(view: &DashboardView<'_>, groups: &[DashboardGroup], by: DashboardBy) -> Vec<Entry> {
    let list = view.list();
    let entry = |group: &DashboardGroup| Entry {
        name: label(&group.key, by),
        href: match &group.key {
            GroupKey::Named(value) => {
                Some(list.with(super::name(by), value).with("sort", "costliest").href("/traces"))
            }
            GroupKey::Unnamed | GroupKey::Others => None,
        },
        cost: cost(&group.total),
        size: group.total.cost().map(Usd::to_f64),
        calls: group.total.calls,
    };
    groups.iter().filter(|group| group.key != GroupKey::Others).take(SHOWN).map(entry).collect()
}

fn traces(view: &DashboardView<'_>) -> Vec<Entry> {
    let entry = |trace: &TraceRow| Entry {
        name: trace.name.clone(),
        href: Some(format!("/traces/{}", trace.trace_id)),
        cost: figure::cost(
            trace.cost,
            if trace.is_cost_lower_bound { Exactness::AtLeast } else { Exactness::Exact },
        ),
        size: trace.cost.map(Usd::to_f64),
        calls: trace.calls,
    };
    view.traces.iter().take(SHOWN).map(entry).collect()
}

fn names(view: &DashboardView<'_>) -> Vec<Entry> {
    let list = view.list();
    let entry = |name: &NameCost| Entry {
        name: name.name.clone(),
        href: Some(list.with("name", &name.name).with("sort", "costliest").href("/traces")),
        cost: figure::cost(Some(name.cost), Exactness::Exact),
        size: Some(name.cost.to_f64()),
        calls: name.calls,
    };
    view.names.iter().take(SHOWN).map(entry).collect()
}
