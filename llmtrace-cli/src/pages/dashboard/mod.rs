//! The dashboard: what calls came to over time, and what costs most.

mod charts;
mod coarse;
mod groups;
mod points;
mod tiles;
mod tops;

use llmtrace::Usd;
use maud::{Markup, html};

use super::components::chip;
use super::components::empty::{empty, first_trace};
use super::components::menu::{Choice, segments};
use super::layout::{Page, Section};
use super::query::Query;
use super::range::{Chosen, Range, presets};
use super::scores;
use crate::store::dashboard::{Dashboard, DashboardBy, DashboardGroup, DashboardQuery};
use crate::store::row::TraceRow;
use crate::store::sums::Sums;

/// What the dashboard shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DashboardView<'a> {
    /// The state in the address.
    pub(crate) query: &'a Query,
    pub(crate) range: Range,
    pub(crate) by: DashboardBy,
    pub(crate) dashboard: &'a Dashboard,
    /// What the calls of the time before came to.
    pub(crate) before: Option<&'a Sums>,
    /// The models that cost most.
    pub(crate) models: &'a [DashboardGroup],
    /// The users who cost most.
    pub(crate) users: &'a [DashboardGroup],
    /// The traces that cost most.
    pub(crate) traces: &'a [TraceRow],
    /// The names of spans that cost most in the dearest traces.
    pub(crate) names: &'a [NameCost],
    /// Where traces are sent to, such as `http://127.0.0.1:4318`.
    pub(crate) endpoint: &'a str,
    pub(crate) has_traces: bool,
}

/// What the calls of one name cost in the dearest traces.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NameCost {
    pub(crate) name: String,
    pub(crate) calls: u64,
    pub(crate) cost: Usd,
}

/// Traces in which the names of spans are added up: the dearest.
pub(crate) const DEAREST: usize = 100;

/// Where the page stands.
pub(crate) const PATH: &str = "/dashboard";

/// What calls can be told apart by.
const BYS: [DashboardBy; 4] =
    [DashboardBy::Model, DashboardBy::Provider, DashboardBy::Service, DashboardBy::User];

/// The filters that the dashboard knows; by user it has none.
const FILTERS: [&str; 3] = ["model", "provider", "service"];

/// What the address asks the store for.
pub(crate) fn asked(query: &Query, range: Range) -> DashboardQuery {
    let by = BYS.into_iter().find(|by| query.get("by") == Some(name(*by))).unwrap_or_default();
    let filter = |name: &str| query.get(name).map(str::to_owned).filter(|_| by != DashboardBy::User);
    DashboardQuery {
        since: range.since,
        until: range.until,
        by,
        model: filter("model"),
        provider: filter("provider"),
        service: filter("service"),
    }
}

/// The name of a choice, which is also the list's filter for it.
fn name(by: DashboardBy) -> &'static str {
    match by {
        DashboardBy::Model => "model",
        DashboardBy::Provider => "provider",
        DashboardBy::Service => "service",
        DashboardBy::User => "user",
    }
}

impl DashboardView<'_> {
    /// The whole page.
    pub(crate) fn page(&self) -> Markup {
        Page::new("Dashboard", Section::Dashboard).render(&self.body())
    }

    /// The part that is loaded again when there is something new.
    pub(crate) fn part(&self, name: &str) -> Option<Markup> {
        (name == "dashboard").then(|| self.body())
    }

    fn body(&self) -> Markup {
        if !self.has_traces {
            return html! { h1 { "Dashboard" } (first_trace(self.endpoint)) };
        }
        let coarse = coarse::coarse(self.dashboard);
        let drawn = DashboardView { dashboard: &coarse, ..*self };
        html! {
            div.dashboard data-part="dashboard" data-refresh[self.range.chosen != Chosen::Between] {
                (self.head())
                @if self.dashboard.total.calls == 0 {
                    (self.nothing())
                } @else {
                    (tiles::tiles(self))
                    (charts::charts(&drawn))
                    (groups::table(self))
                    (tops::tops(self))
                    (charts::small_multiples(&drawn))
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let by = BYS.map(|by| Choice {
            label: name(by).to_owned(),
            count: None,
            href: self.query.with("by", name(by)).href(PATH),
            chosen: by == self.by,
        });
        html! {
            div.row.dashboard-head {
                h1.grow { "Dashboard" }
                (presets(self.query, PATH, self.range.chosen))
                (segments("By", &by))
                a.button href=(scores::summary::PATH) { "Scores" }
            }
            @if self.by == DashboardBy::User && self.dashboard.total.calls > 0 {
                p.muted { "Counted are the calls that name a user, or whose trace names one." }
            }
            @let filters: Vec<_> = self.filters().collect();
            @if !filters.is_empty() {
                div.row {
                    @for (name, value) in filters {
                        (chip::filter(name, value, &self.query.without(&[name]).href(PATH)))
                    }
                }
            }
        }
    }

    fn nothing(&self) -> Markup {
        let words = self.range.words();
        if self.by == DashboardBy::User {
            return empty(
                "No call names a user",
                &html! {
                    p { "Nothing that was received in " (words) " says for which user a model was called: the attribute "
                        code { "user.id" } " of the call does, or " code { "user" } " of " code { "#[llm_trace]" } "." }
                    p { a.button href=(self.query.without(&["by"]).href(PATH)) { "By model" } }
                },
            );
        }
        empty(
            "No call in this time",
            &html! {
                p { "Nothing that was received called a model in " (words) "." }
                p { a.button href=(self.query.without(&super::range::NAMES).with("range", "all").href(PATH)) {
                    "Show all time"
                } }
            },
        )
    }

    /// The filters that are on.
    fn filters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let is_known = self.by != DashboardBy::User;
        FILTERS.into_iter().filter(move |_| is_known).filter_map(|name| Some((name, self.query.get(name)?)))
    }

    /// The filters of the list that let through what is summed here.
    fn list(&self) -> Query {
        self.filters().fold(self.range.filters(), |list, (name, value)| list.with(name, value))
    }
}

#[cfg(test)]
mod tests;
