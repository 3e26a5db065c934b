//! One session: its traces as one conversation.

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::sums::{cost, cost_of};
use super::turn::{Said, Turn};
use super::{PATH, path};
use crate::pages::chart::axis::Axis;
use crate::pages::chart::figure::{Chart, Form};
use crate::pages::chart::series::{Point, Series, Tone};
use crate::pages::components::fenced::fenced;
use crate::pages::components::figure::{self, Exactness};
use crate::pages::components::pager::pager;
use crate::pages::components::status::sign;
use crate::pages::components::{chip, text, time};
use crate::pages::layout::{Page, Section};
use crate::pages::query::Query;
use crate::pages::trace;
use crate::store::row::TraceRow;
use crate::store::sessions::SessionRow;
use crate::unit::Unit;

/// What the page of a session shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionView<'a> {
    pub(crate) session: &'a SessionRow,
    /// The turns of this page, in the order of time.
    pub(crate) turns: &'a [Turn],
    /// How many turns came before those of this page.
    pub(crate) before: u64,
    /// Where the next page starts.
    pub(crate) after: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Pixels that the chart is high.
const CHART_HEIGHT: f64 = 84.0;

/// The whole page.
pub(crate) fn page(view: &SessionView<'_>) -> Markup {
    let title = text::cut(&text::line(&view.session.session), 60);
    Page::new(&title, Section::Sessions).render(&body(view))
}

/// The part that is loaded again when there is something new.
pub(crate) fn part(view: &SessionView<'_>, name: &str) -> Option<Markup> {
    (name == "session").then(|| whole(view))
}

fn body(view: &SessionView<'_>) -> Markup {
    html! {
        nav.muted aria-label="Where this is" { a href=(PATH) { "Sessions" } }
        div.row {
            h1.grow { bdi { (text::line(&view.session.session)) } (text::copy(&view.session.session, "id")) }
            a.button href=(Query::default().and("session", &view.session.session).href("/traces")) { "As a list of traces" }
        }
        (whole(view))
    }
}

fn whole(view: &SessionView<'_>) -> Markup {
    let own = path(&view.session.session);
    let next = view.after.map(|after| {
        Query::default()
            .and("after", after)
            .and("before", &(view.before + view.turns.len() as u64).to_string())
            .href(&own)
    });
    let first = (view.before > 0).then_some(own.as_str());
    let last = view.before + view.turns.len() as u64;
    let shown =
        format!("Turns {} to {} of {}", view.before + 1, last, figures::count(view.session.traces.max(last)));
    html! {
        div.stack data-part="session" data-refresh {
            (facts(view))
            @if view.turns.len() > 1 { (growth(view)) }
            ol.turns start=(view.before + 1) {
                @for (number, turn) in view.turns.iter().enumerate() {
                    (shown_turn(view, number, turn))
                }
            }
            @if first.is_some() || next.is_some() { (pager(&shown, first, next.as_deref())) }
        }
    }
}

fn facts(view: &SessionView<'_>) -> Markup {
    let session = view.session;
    html! {
        dl.tiles {
            div { dt { "Traces" } dd { (figures::count(session.traces)) } }
            div { dt { "Calls" } dd { (figures::count(session.calls)) } }
            div { dt { "Tokens in → out" } dd { (figure::tokens(session.tokens.input, session.tokens.output, Exactness::Exact)) } }
            div { dt { "Cache hits" } dd { (hits(session)) } }
            div { dt { "Cost" } dd { (cost_of(session)) } }
            div { dt { "Errors" } dd { @if session.errors > 0 { span.error-text { (figures::count(session.errors)) } } @else { "0" } } }
            div { dt { "First" } dd { (time::ago(session.first, view.now)) } }
            div { dt { "Last" } dd { (time::ago(session.last, view.now)) } }
            @if let Some(user) = &session.user {
                div { dt { "User" } dd { (chip::link(user, &Query::default().and("user", user).href("/traces"))) } }
            }
        }
    }
}

fn hits(session: &SessionRow) -> Markup {
    html! {
        @match (session.tokens.cache_read, session.tokens.input) {
            (Some(read), Some(input)) if input > 0 => { (figure::share(read, input)) " " small { "of input" } },
            _ => (figure::unknown()),
        }
    }
}

/// How the input grows from turn to turn, and what of it came from a cache.
fn growth(view: &SessionView<'_>) -> Markup {
    let number = |place: usize| view.before + place as u64 + 1;
    let axis = Axis::Named((0..view.turns.len()).map(|place| format!("turn {}", number(place))).collect());
    let points = |count: fn(&TraceRow) -> Option<u64>| -> Vec<Point> {
        let point = |turn: &Turn| Point {
            value: count(&turn.trace).map(|count| count as f64),
            exactness: exactness(&turn.trace),
        };
        view.turns.iter().map(point).collect()
    };
    let cached = points(|trace| trace.tokens.cache_read);
    let fresh =
        points(|trace| Some(trace.tokens.input?.saturating_sub(trace.tokens.cache_read.unwrap_or(0))));
    let mut series = Vec::new();
    let has_cached = cached.iter().any(|point| point.value.is_some_and(|value| value > 0.0));
    if has_cached {
        series.push(Series::new("read from a cache", Tone::Nth(1), cached));
    }
    series.push(Series::new(if has_cached { "other input" } else { "input" }, Tone::Nth(0), fresh));
    series.push(Series::new("output", Tone::Nth(3), points(|trace| trace.tokens.output)));
    Chart::new("Tokens per turn", Unit::Tokens, Form::Stacked, &axis, series)
        .height(CHART_HEIGHT)
        .hrefs(|place| Some(format!("#turn-{}", number(place))))
        .render()
}

fn exactness(trace: &TraceRow) -> Exactness {
    match (trace.uncounted, trace.estimated) {
        (1.., _) => Exactness::AtLeast,
        (0, 1..) => Exactness::Estimated,
        (0, 0) => Exactness::Exact,
    }
}

fn shown_turn(view: &SessionView<'_>, place: usize, turn: &Turn) -> Markup {
    let (trace, number) = (&turn.trace, view.before + place as u64 + 1);
    let href = format!("/traces/{}", trace.trace_id);
    let before = place.checked_sub(1).and_then(|place| view.turns.get(place));
    html! {
        li.turn id={ "turn-" (number) } data-row data-error[trace.errors > 0] {
            div.turn-head {
                a.turn-name href=(href) {
                    span.turn-number { (number) } (sign(trace::standing(trace))) bdi { (text::cut(&text::line(&trace.name), 80)) }
                }
                span.muted { (time::ago(trace.start, view.now)) }
                span.muted { (pause(before.map(|turn| &turn.trace), trace)) }
                span.grow {}
                @if trace.errors > 0 { span.badge.bad { (figures::count(trace.errors)) (if trace.errors == 1 { " error" } else { " errors" }) } }
                span { (figure::duration(Some(trace.duration()))) }
                span { (figure::tokens(trace.tokens.input, trace.tokens.output, exactness(trace))) }
                span { (cost(trace.cost, trace.is_cost_lower_bound)) }
                @if let Some(before) = before {
                    a.muted href={ "/compare?a=" (before.trace.trace_id) "&b=" (trace.trace_id) }
                        title="Compare with the turn before" { "compare" }
                }
            }
            (bubble("said", "input", turn.input.as_ref(), &href))
            (bubble("answered", "output", turn.output.as_ref(), &href))
        }
    }
}

/// How long after the end of the turn before this one began, where that is worth a word.
fn pause(before: Option<&TraceRow>, trace: &TraceRow) -> Markup {
    let pause = before.map(|before| trace.start.since(before.end)).filter(|pause| pause.as_secs() > 0);
    html! { @if let Some(pause) = pause { "after " (figures::duration(pause)) } }
}

fn bubble(class: &str, what: &str, said: Option<&Said>, href: &str) -> Markup {
    html! {
        div class={ "bubble " (class) } {
            span.bubble-who { (what) }
            @match said {
                Some(said) => {
                    div.bubble-text { (fenced(&said.text)) }
                    @if said.is_cut { a href=(href) { "… the rest is in the trace" } }
                },
                None => span.none { "not captured" },
            }
        }
    }
}
