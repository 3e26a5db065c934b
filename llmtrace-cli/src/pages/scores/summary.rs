//! What the judgements of each name come to.

use llmtrace::Timestamp;
use llmtrace_exporters::figures;
use maud::{Markup, html};

use crate::pages::chart::axis::Axis;
use crate::pages::chart::figure::{Chart, Form};
use crate::pages::chart::meter::meter;
use crate::pages::chart::series::{Point, Series, Tone};
use crate::pages::components::empty::empty;
use crate::pages::components::{text, time};
use crate::pages::layout::{Page, Section};
use crate::pages::query::Query;
use crate::pages::trace;
use crate::store::judged::{BINS, Judged, Judgement};
use crate::unit::Unit;

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScoresView<'a> {
    /// The names, the most frequent first.
    pub(crate) names: &'a [Judged],
    /// The name that is looked at, and its newest judgements.
    pub(crate) chosen: Option<(&'a Judged, &'a [Judgement])>,
    pub(crate) now: Timestamp,
}

/// Where the page stands.
pub(crate) const PATH: &str = "/scores";

/// Characters of a name and of a remark that are shown.
const MAX_NAME_CHARS: usize = 60;
const MAX_COMMENT_CHARS: usize = 300;

/// Characters of what a trace was asked that are shown.
const MAX_PREVIEW_CHARS: usize = 100;

/// The whole page.
pub(crate) fn page(view: &ScoresView<'_>) -> Markup {
    let body = html! {
        @match view.chosen {
            Some((judged, newest)) => (one(judged, newest, view.now)),
            None => {
                h1 { "Scores" }
                @if view.names.is_empty() { (none()) } @else { (list(view)) }
            },
        }
    };
    Page::new("Scores", Section::None).render(&body)
}

fn list(view: &ScoresView<'_>) -> Markup {
    let largest = view.names.iter().map(|judged| judged.count).max().unwrap_or(0) as f64;
    html! {
        div.scroll {
            table.judged {
                thead { tr {
                    th scope="col" { "name" }
                    @for title in ["scores", "traces", "mean", "lowest", "highest"] { th.figure scope="col" { (title) } }
                    th scope="col" { span.visually-hidden { "part of the largest count" } }
                    th scope="col" { "last" }
                } }
                tbody {
                    @for judged in view.names { tr data-row {
                        th scope="row" { a href=(href(&judged.name)) { bdi { (shown(&judged.name)) } } }
                        td.figure { (figures::count(judged.count)) }
                        td.figure { a href=(traces(&judged.name, "")) { (figures::count(judged.traces)) } }
                        @for value in [judged.mean, judged.min, judged.max] { td.figure { (Unit::Score.shown(value)) } }
                        td.meter-cell { (meter(Some(judged.count as f64), largest)) }
                        td.nowrap.muted { (time::ago(judged.last, view.now)) }
                    } }
                }
            }
        }
    }
}

fn one(judged: &Judged, newest: &[Judgement], now: Timestamp) -> Markup {
    html! {
        nav.muted aria-label="Where this is" { a href=(PATH) { "Scores" } }
        div.row {
            h1.grow { bdi { (shown(&judged.name)) } }
            a.button href=(traces(&judged.name, "")) { "As a list of traces" }
        }
        dl.tiles {
            div { dt { "Scores" } dd { (figures::count(judged.count)) } }
            div { dt { "Traces" } dd { (figures::count(judged.traces)) } }
            @for (title, value) in [("Mean", judged.mean), ("Lowest", judged.min), ("Highest", judged.max)] {
                div { dt { (title) } dd { (Unit::Score.shown(value)) } }
            }
        }
        (distribution(judged))
        h2 { "Newest" }
        div.scroll {
            table.judged {
                thead { tr {
                    th.figure scope="col" { "value" }
                    @for title in ["span", "input of the trace", "comment", "when"] { th scope="col" { (title) } }
                } }
                tbody { @for judgement in newest { tr data-row {
                    td.figure { (Unit::Score.shown(judgement.value)) }
                    td { a href=(span(judgement)) { bdi { (shown(&judgement.span)) } } }
                    td.preview { @if let Some(input) = &judgement.input { span dir="auto" { (text::cut(&text::line(input), MAX_PREVIEW_CHARS)) } } }
                    td dir="auto" { @if let Some(comment) = &judgement.comment { (text::cut(&text::line(comment), MAX_COMMENT_CHARS)) } }
                    td.nowrap.muted { (time::ago(judgement.time, now)) }
                } } }
            }
        }
    }
}

/// How many judgements lie in each stretch of values.
fn distribution(judged: &Judged) -> Markup {
    let width = (judged.max - judged.min) / BINS as f64;
    let low = |bin: usize| judged.min + width * bin as f64;
    let (names, points): (Vec<_>, Vec<_>) = if width > 0.0 {
        let name = |bin| format!("{} to {}", Unit::Score.shown(low(bin)), Unit::Score.shown(low(bin + 1)));
        judged.bins.iter().enumerate().map(|(bin, count)| (name(bin), Point::exact(*count as f64))).unzip()
    } else {
        (vec![Unit::Score.shown(judged.min)], vec![Point::exact(judged.count as f64)])
    };
    let axis = Axis::Named(names);
    Chart::new(
        "Distribution",
        Unit::Count,
        Form::Stacked,
        &axis,
        vec![Series::new("scores", Tone::Nth(0), points)],
    )
    .height(90.0)
    .hrefs(|bin| Some(traces(&judged.name, &format!(">={}", low(bin)))))
    .render()
}

fn none() -> Markup {
    let line = "span.score(\"helpfulness\", 0.8)";
    empty(
        "No score yet",
        &html! {
            p { "Give one on the page of a span, in its scores, or from the program:" }
            div.snippet { pre { code { (line) } } (text::copy(line, "line")) }
        },
    )
}

fn shown(name: &str) -> String {
    text::cut(&text::line(name), MAX_NAME_CHARS)
}

fn href(name: &str) -> String {
    Query::default().and("name", name).href(PATH)
}

/// The list of traces with such a score.
fn traces(name: &str, bound: &str) -> String {
    Query::default().and("score", &format!("{name}{bound}")).href("/traces")
}

fn span(judgement: &Judgement) -> String {
    let query = Query::default().and("span", &judgement.span_id.to_string()).and("tab", "scores");
    query.href(&trace::path(judgement.trace_id))
}

#[cfg(test)]
mod tests {
    use llmtrace::{SpanId, TraceId};

    use super::*;
    use crate::pages::sample::HOSTILE;
    use crate::pages::testing::assert_sound;

    fn judged(min: f64, max: f64) -> Judged {
        let last = Timestamp::from_unix_nanos(0);
        let mut bins = [0; BINS];
        (bins[0], bins[9]) = (3, 1);
        Judged { name: HOSTILE.to_owned(), count: 4, traces: 2, mean: 0.25, min, max, last, bins }
    }

    fn page_of(names: &[Judged], chosen: Option<(&Judged, &[Judgement])>) -> String {
        let page = page(&ScoresView { names, chosen, now: Timestamp::from_unix_nanos(9) }).into_string();
        assert_sound(&page);
        assert!(!page.contains("<script>alert") && !page.contains('\u{202e}'), "{page}");
        page
    }

    #[test]
    fn each_name_has_its_figures_and_its_traces() {
        let page = page_of(&[judged(0.0, 1.0)], None);
        for text in
            [">0.25</td>", "href=\"/traces?score=%22%3E%3Cscript", "href=\"/scores?name=%22%3E%3Cscript"]
        {
            assert!(page.contains(text), "{text} in {page}");
        }
        assert!(page_of(&[], None).contains("No score yet"));
    }

    #[test]
    fn a_name_has_its_distribution_and_its_newest() {
        let judgement = Judgement {
            trace_id: TraceId::from_bytes([1; 16]).unwrap(),
            span_id: SpanId::from_bytes([2; 8]).unwrap(),
            value: -0.5,
            comment: Some(HOSTILE.to_owned()),
            time: Timestamp::from_unix_nanos(0),
            span: HOSTILE.to_owned(),
            input: None,
        };
        let page = page_of(&[], Some((&judged(0.0, 1.0), &[judgement])));
        for text in [
            "href=\"/traces/01010101010101010101010101010101?span=0202020202020202&amp;tab=scores\"",
            ">-0.5</td>",
            "<title>0.9 to 1\nscores: 1</title>",
            "%3E%3D0.9\"",
        ] {
            assert!(page.contains(text), "{text} in {page}");
        }
        // Where all are alike there is one bar.
        assert!(page_of(&[], Some((&judged(1.0, 1.0), &[]))).contains("<title>1\nscores: 4</title>"));
    }
}
