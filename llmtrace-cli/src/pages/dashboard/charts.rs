//! The charts of the dashboard.

use std::time::Duration;

use maud::{Markup, html};

use super::groups::{href, label};
use super::points::{self, KINDS, Kind};
use super::{DashboardView, name};
use crate::pages::chart::axis::{Axis, Stretches};
use crate::pages::chart::figure::{Chart, Form};
use crate::pages::chart::series::{Point, Series, Tone};
use crate::pages::components::figure;
use crate::pages::range::between;
use crate::store::dashboard::{DashboardGroup, GroupKey};
use crate::store::histogram::{Histogram, Percentiles};
use crate::store::sums::Sums;
use crate::unit::{Unit, compact};

/// A percentile: its name and how it is read.
type Rank = (&'static str, fn(&Percentiles) -> Duration);

const RANKS: [Rank; 3] = [("p50", |found| found.p50), ("p95", |found| found.p95), ("p99", |found| found.p99)];

/// Groups that have a small chart each.
const SMALL: usize = 6;

/// Pixels that a small chart is high.
const SMALL_HEIGHT: f64 = 76.0;

/// Everything over time.
pub(super) fn charts(view: &DashboardView<'_>) -> Markup {
    let (dashboard, axis) = (view.dashboard, axis(view));
    let (total, by) = (&dashboard.total, name(view.by));
    let chart = |title: &str, unit: Unit, form: Form, series: Vec<Series>, total: Markup| {
        Chart::new(title, unit, form, &axis, series)
            .total(total)
            .hrefs(|place| Some(at(view, &axis, place)))
            .render()
    };
    let cost = by_group(view, points::cost, |sums| sums.cost().map(|_| mark_cost(sums)));
    let calls = by_group(view, points::calls, |sums| Some(Unit::Count.shown(sums.calls as f64)));
    let errors = by_group(view, points::errors, |sums| Some(Unit::Count.shown(sums.errors as f64)));
    let failed: Vec<_> = errors.into_iter().filter(|series| series.total.as_deref() != Some("0")).collect();
    html! {
        div.charts {
            (chart(&format!("Cost by {by}"), Unit::Usd, Form::Stacked, cost,
                figure::cost(total.cost(), points::cost_exactness(total))))
            (chart(&format!("Calls by {by}"), Unit::Count, Form::Stacked, calls,
                figure::count(Some(total.calls), figure::Exactness::Exact)))
            (chart("Tokens by kind", Unit::Tokens, Form::Stacked, kinds(&dashboard.points, total),
                points::short_tokens(total)))
            (chart(&format!("Errors by {by}"), Unit::Count, Form::Stacked, failed,
                html! { (Unit::Count.shown(total.errors as f64)) " · " (figure::share(total.errors, total.calls)) }))
            (chart("Latency of calls", Unit::Ms, Form::Percentiles,
                percentiles(&dashboard.points, total, |sums| &sums.latency), html! {}))
            (chart("Time to first chunk", Unit::Ms, Form::Percentiles,
                percentiles(&dashboard.points, total, |sums| &sums.first_chunk), html! {}))
            (Chart::new("Cache hits, as part of the input", Unit::Share, Form::Lines, &axis, hits(view))
                .total(html! { @if let Some(share) = total.cache_hit_share() { (Unit::Share.shown(share)) } })
                .hrefs(|place| Some(at(view, &axis, place))).reaching(1.0).render())
            (chart("Failed calls, as part of all", Unit::Share, Form::Lines, failures(view),
                html! { (figure::share(total.errors, total.calls)) }))
        }
    }
}

/// The latency of each of the first groups, on one scale.
pub(super) fn small_multiples(view: &DashboardView<'_>) -> Markup {
    let axis = axis(view);
    let groups: Vec<_> =
        view.dashboard.groups.iter().filter(|group| group.key != GroupKey::Others).take(SMALL).collect();
    let series: Vec<_> =
        groups.iter().map(|group| percentiles(&group.points, &group.total, |sums| &sums.latency)).collect();
    let values = series.iter().flatten().flat_map(|series| &series.points).filter_map(|point| point.value);
    let largest = values.fold(0.0, f64::max);
    html! {
        @if groups.len() > 1 {
            section.stack {
                h2 { "Latency by " (name(view.by)) span.muted { " on one scale" } }
                div.charts.three {
                    @for (group, series) in groups.into_iter().zip(series) {
                        (Chart::new(&label(&group.key, view.by), Unit::Ms, Form::Percentiles, &axis, series)
                            .height(SMALL_HEIGHT).reaching(largest).without_table().render())
                    }
                }
            }
        }
    }
}

/// The points of the dashboard as an axis.
fn axis(view: &DashboardView<'_>) -> Axis {
    let dashboard = view.dashboard;
    Axis::Time(Stretches {
        start: dashboard.first,
        seconds: dashboard.step.as_secs().max(1),
        count: dashboard.points.len(),
    })
}

/// The list of what started in a stretch of the axis.
fn at(view: &DashboardView<'_>, axis: &Axis, place: usize) -> String {
    let Axis::Time(stretches) = axis else { return view.list().href("/traces") };
    let stretch = between(stretches.begin(place), stretches.begin(place + 1));
    view.filters().fold(stretch, |list, (name, value)| list.with(name, value)).href("/traces")
}

/// One series for each group, in the order of the groups.
fn by_group(
    view: &DashboardView<'_>,
    point: fn(&Sums) -> Point,
    total: impl Fn(&Sums) -> Option<String>,
) -> Vec<Series> {
    let series = |(number, group): (usize, &DashboardGroup)| {
        let tone = if group.key == GroupKey::Others { Tone::Rest } else { Tone::nth(number) };
        let mut series =
            Series::new(label(&group.key, view.by), tone, group.points.iter().map(point).collect());
        series.total = total(&group.total);
        series.href = href(view, &group.key);
        series
    };
    view.dashboard.groups.iter().enumerate().map(series).collect()
}

/// One series for each kind of token that occurs.
fn kinds(sums: &[Sums], total: &Sums) -> Vec<Series> {
    let series = |(number, (name, count)): (usize, &Kind)| {
        let sum = count(total)?;
        let points = sums.iter().map(|sums| points::tokens(sums, count(sums))).collect();
        let shown = format!("{}{}", points::token_exactness(total).mark(), compact(sum));
        Some(Series::new(*name, Tone::nth(number), points).total(shown))
    };
    KINDS.iter().enumerate().filter_map(series).collect()
}

fn percentiles(sums: &[Sums], total: &Sums, of: fn(&Sums) -> &Histogram) -> Vec<Series> {
    let all = of(total).percentiles();
    let found: Vec<_> = sums.iter().map(|sums| of(sums).percentiles()).collect();
    let series = |(number, (name, which)): (usize, &Rank)| {
        let points = found.iter().map(|found| points::millis(*found, *which)).collect();
        let mut series = Series::new(*name, Tone::nth(number), points);
        series.total = all.map(|all| Unit::Ms.shown(which(&all).as_secs_f64() * 1e3));
        series
    };
    RANKS.iter().enumerate().map(series).collect()
}

fn hits(view: &DashboardView<'_>) -> Vec<Series> {
    let points = view.dashboard.points.iter().map(|sums| Point::known(sums.cache_hit_share())).collect();
    vec![Series::new("read from a cache", Tone::Nth(0), points)]
}

fn failures(view: &DashboardView<'_>) -> Vec<Series> {
    let share = |sums: &Sums| (sums.calls > 0).then(|| sums.errors as f64 / sums.calls as f64);
    let points = view.dashboard.points.iter().map(|sums| Point::known(share(sums))).collect();
    vec![Series::new("failed", Tone::Bad, points)]
}

fn mark_cost(sums: &Sums) -> String {
    let cost = sums.cost().map_or(0.0, llmtrace::Usd::to_f64);
    format!("{}{}", points::cost_exactness(sums).mark(), Unit::Usd.shown(cost))
}
