//! The bar of menus that set filters.

use maud::{Markup, html};

use super::filters::hidden_fields;
use super::{ListView, PATH};
use crate::pages::components::menu::{Choice, choice_list, choices, panel, segments};
use crate::pages::dataset;
use crate::store::facets::{Facet, FacetValue};
use crate::store::filter::Sort;

/// Stretches of time up to now.
const PRESETS: [&str; 5] = ["15m", "1h", "24h", "7d", "30d"];

/// Facets in the order of their menus, with their names in addresses and their titles.
const FACETS: [(Facet, &str, &str); 11] = [
    (Facet::Status, "status", "Status"),
    (Facet::Kind, "kind", "Kind"),
    (Facet::Model, "model", "Model"),
    (Facet::Provider, "provider", "Provider"),
    (Facet::Service, "service", "Service"),
    (Facet::Environment, "environment", "Environment"),
    (Facet::Session, "session", "Session"),
    (Facet::User, "user", "User"),
    (Facet::Tag, "tag", "Tag"),
    (Facet::Name, "name", "Span"),
    (Facet::Score, "score", "Score"),
];

/// The bar.
pub(super) fn menus(view: &ListView<'_>) -> Markup {
    html! {
        div.row.menubar role="group" aria-label="Filters" {
            (presets(view))
            (times(view))
            @for (facet, name, title) in FACETS {
                @let values = view.facets.iter().find(|(known, _)| *known == facet).map(|(_, values)| values);
                @match values {
                    Some(values) if facet == Facet::Status => (statuses(view, values)),
                    Some(values) => (facet_menu(view, name, title, values)),
                    None => {},
                }
            }
            (figures(view))
            a.button.export href=(view.query.without(&["after", "sort", "limit"]).href(dataset::PATH)) { "Export" }
            div.sorts { (sorts(view)) }
        }
    }
}

fn presets(view: &ListView<'_>) -> Markup {
    let (since, until) = (view.query.get("since"), view.query.get("until"));
    let rest = view.query.without(&["since", "until", "after"]);
    let preset = |name: &str| Choice {
        label: name.to_owned(),
        count: None,
        href: rest.with("since", name).href(PATH),
        chosen: since == Some(name) && until.is_none(),
    };
    let mut all: Vec<_> = PRESETS.into_iter().map(preset).collect();
    let is_all = since.is_none() && until.is_none();
    all.push(Choice { label: "All".to_owned(), count: None, href: rest.href(PATH), chosen: is_all });
    segments("Time", &all)
}

/// A form for any other stretch of time.
fn times(view: &ListView<'_>) -> Markup {
    let field = |name: &str, label: &str| {
        html! {
            label { (label)
                input type="text" name=(name) value=(view.query.get(name).unwrap_or_default()) maxlength="40"
                    placeholder="2026-11-22T08:30:00Z, 2026-11-22, 3h";
            }
        }
    };
    let form = html! {
        form.fields action=(PATH) method="get" {
            (hidden_fields(view.query, &["since", "until"]))
            (field("since", "Since"))
            (field("until", "Until"))
            button.primary type="submit" { "Apply" }
        }
    };
    panel("Time", &form)
}

/// The menu of a facet; none where there is nothing to choose.
fn facet_menu(view: &ListView<'_>, name: &str, title: &str, values: &[FacetValue]) -> Markup {
    let chosen = view.query.get(name);
    let is_open_ended = matches!(name, "session" | "user" | "tag" | "name" | "score");
    if chosen.is_none() && (values.is_empty() || (values.len() == 1 && !is_open_ended)) {
        return html! {};
    }
    let all: Vec<_> =
        values.iter().map(|value| choice(view, name, &value.value, Some(value.traces))).collect();
    if is_open_ended {
        return panel(title, &html! { (other(view, name, title)) (choice_list(&all)) });
    }
    choices(title, &all)
}

/// How traces stand. Which of those without a root still run depends on the time, so that they have no count.
fn statuses(view: &ListView<'_>, values: &[FacetValue]) -> Markup {
    let all = ["ok", "error", "running", "incomplete"].map(|status| {
        let known = values.iter().find(|value| value.value == status);
        choice(view, "status", status, known.map(|known| known.traces))
    });
    choices("Status", &all)
}

fn choice(view: &ListView<'_>, name: &str, value: &str, count: Option<u64>) -> Choice {
    let rest = view.query.without(&[name, "after"]);
    let chosen = view.query.get(name) == Some(value);
    let href = if chosen { rest.href(PATH) } else { rest.with(name, value).href(PATH) };
    Choice { label: value.to_owned(), count, href, chosen }
}

/// A field for a value that the menu may not list.
fn other(view: &ListView<'_>, name: &str, title: &str) -> Markup {
    let hint = if name == "score" { "helpful>=0.5" } else { "" };
    html! {
        form.row.other action=(PATH) method="get" {
            (hidden_fields(view.query, &[name]))
            input.grow type="text" name=(name) maxlength="400" aria-label=(title) placeholder=(hint)
                value=(view.query.get(name).unwrap_or_default());
            button type="submit" { "Apply" }
        }
    }
}

/// Bounds of cost, latency and tokens.
fn figures(view: &ListView<'_>) -> Markup {
    let fields = [
        ("min_cost", "Cost ≥ $", "0.01"),
        ("max_cost", "Cost ≤ $", ""),
        ("min_ms", "Latency ≥ ms", "1000"),
        ("max_ms", "Latency ≤ ms", ""),
        ("min_tokens", "Tokens ≥", "10000"),
    ];
    let names = fields.map(|(name, ..)| name);
    let form = html! {
        form.fields.two action=(PATH) method="get" {
            (hidden_fields(view.query, &names))
            @for (name, label, hint) in fields {
                label { (label)
                    input type="text" inputmode="decimal" name=(name) maxlength="20" placeholder=(hint)
                        value=(view.query.get(name).unwrap_or_default());
                }
            }
            button.primary type="submit" { "Apply" }
        }
    };
    panel("Figures", &form)
}

fn sorts(view: &ListView<'_>) -> Markup {
    let choice = |sort: Sort| Choice {
        label: sort_title(sort).to_owned(),
        count: None,
        href: sorted(view, sort),
        chosen: sort == view.sort,
    };
    choices(sort_title(view.sort), &Sort::ALL.map(choice))
}

fn sort_title(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "Newest first",
        Sort::Oldest => "Oldest first",
        Sort::Slowest => "Slowest first",
        Sort::Costliest => "Costliest first",
        Sort::MostTokens => "Most tokens first",
    }
}

/// The page in another order.
pub(super) fn sorted(view: &ListView<'_>, sort: Sort) -> String {
    let rest = view.query.without(&["sort", "after"]);
    if sort == Sort::default() { rest.href(PATH) } else { rest.with("sort", sort.as_str()).href(PATH) }
}
