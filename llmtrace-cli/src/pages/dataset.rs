//! The page on which spans are chosen for a dataset.

use llmtrace::{ObservationKind, Timestamp};
use llmtrace_exporters::figures;
use maud::{Markup, html};

use super::components::empty::empty;
use super::components::figure::{self, Exactness};
use super::components::icon::kind;
use super::components::menu::{Choice, choices};
use super::components::pager::pager;
use super::components::status::{Standing, sign};
use super::components::{chip, text, time};
use super::layout::{Page, Section};
use super::query::Query;
use super::trace::path;
use crate::store::row::{SpanRow, SpanStatus, TraceRow};

/// A trace that the filters let through, and its spans that can be chosen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Offer {
    pub(crate) trace: TraceRow,
    pub(crate) spans: Vec<SpanRow>,
    /// How many more spans of the trace could be chosen, for which there is no room.
    pub(crate) left_out: usize,
}

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DatasetView<'a> {
    /// The state in the address: the filters of the list, and `after`.
    pub(crate) query: &'a Query,
    pub(crate) offers: &'a [Offer],
    /// Where the next page starts.
    pub(crate) after: Option<&'a str>,
    pub(crate) now: Timestamp,
}

/// Where the page stands.
pub(crate) const PATH: &str = "/dataset";

/// Where the dataset comes from.
const DOWNLOAD: &str = "/api/dataset";

/// Spans that a page offers at most, so that all of them have room in one request.
pub(crate) const MAX_SPANS: usize = 80;

/// Spans of a dataset at most.
const MAX_LINES: &str = "10000";

/// Columns of the table.
const COLUMNS: usize = 7;

/// Characters of a name and of a preview that are shown.
const MAX_NAME_CHARS: usize = 50;
const MAX_PREVIEW_CHARS: usize = 100;

/// The parameters of the list that are no filters.
const NO_FILTERS: [&str; 4] = ["after", "sort", "limit", "part"];

/// What can be chosen by kind; nothing stands for calls of models.
const KINDS: [ObservationKind; 6] = [
    ObservationKind::Generation,
    ObservationKind::Agent,
    ObservationKind::Tool,
    ObservationKind::Retriever,
    ObservationKind::Workflow,
    ObservationKind::Span,
];

/// Whether a span is offered: it is of the kind that is asked for, else a call of a model.
pub(crate) fn is_offered(span: &SpanRow, kind: Option<ObservationKind>) -> bool {
    kind.map_or(span.kind.is_model_call(), |kind| span.kind == kind)
}

/// The whole page.
pub(crate) fn page(view: &DatasetView<'_>) -> Markup {
    let body = html! {
        div.row { h1.grow { "Dataset" } a.button href=(view.query.without(&NO_FILTERS).href("/traces")) { "Back to the traces" } }
        p.muted {
            "One line of JSON for each span: what went in, what came out, and how it was judged. By default spans are calls of models."
        }
        (filters(view))
        @if view.offers.iter().all(|offer| offer.spans.is_empty()) {
            (empty("No span to choose", &html! { p { "No trace that the filters let through has such a span." } }))
        } @else {
            (form(view))
        }
    };
    Page::new("Dataset", Section::Traces).render(&body)
}

fn filters(view: &DatasetView<'_>) -> Markup {
    let filters = view.query.without(&NO_FILTERS);
    let chosen = view.query.get("kind");
    let mut kinds = vec![Choice {
        label: "calls of models".to_owned(),
        count: None,
        href: filters.without(&["kind"]).href(PATH),
        chosen: chosen.is_none(),
    }];
    kinds.extend(KINDS.map(|kind| Choice {
        label: kind.as_str().to_owned(),
        count: None,
        href: filters.with("kind", kind.as_str()).href(PATH),
        chosen: chosen == Some(kind.as_str()),
    }));
    html! {
        div.row {
            (choices("Kind of spans", &kinds))
            @for (name, value) in filters.pairs() {
                (chip::filter(name, value, &filters.without_value(name, value).href(PATH)))
            }
            span.grow {}
            a.button href=(filters.with("limit", MAX_LINES).href(DOWNLOAD)) download="dataset.jsonl" {
                "Download all that match" span.muted { "10,000 at most" }
            }
        }
    }
}

fn form(view: &DatasetView<'_>) -> Markup {
    let next = view.after.map(|after| view.query.with("after", after).href(PATH));
    let first = view.query.get("after").map(|_| view.query.without(&["after"]).href(PATH));
    let count: usize = view.offers.iter().map(|offer| offer.spans.len()).sum();
    html! {
        form.stack action=(DOWNLOAD) method="get" {
            div.row { button.primary type="submit" { "Download the chosen" } }
            div.scroll {
                table.choose {
                    thead { tr {
                        th scope="col" { span.visually-hidden { "chosen" } }
                        @for title in ["span", "trace", "input of the trace", "started"] { th scope="col" { (title) } }
                        @for title in ["tokens", "cost"] { th.figure scope="col" { (title) } }
                    } }
                    tbody {
                        @for offer in view.offers {
                            @for span in &offer.spans { (row(view, &offer.trace, span)) }
                            @if offer.left_out > 0 { (left_out(offer)) }
                        }
                    }
                }
            }
        }
        (pager(&format!("{count} spans"), first.as_deref(), next.as_deref()))
    }
}

/// How many spans of a trace are not offered, and where they are.
fn left_out(offer: &Offer) -> Markup {
    let count = |count: usize| figures::count(u64::try_from(count).unwrap_or(u64::MAX));
    let (shown, all) = (offer.spans.len(), offer.spans.len() + offer.left_out);
    html! {
        tr.left-out {
            td {}
            td colspan=(COLUMNS - 1) {
                span.muted { "These are the first " (count(shown)) " of " (count(all)) " such spans of " }
                a href=(path(offer.trace.trace_id)) { bdi { (text::cut(&text::line(&offer.trace.name), MAX_NAME_CHARS)) } }
                span.muted { ". “Download all that match” has the other " (count(offer.left_out)) " too." }
            }
        }
    }
}

fn row(view: &DatasetView<'_>, trace: &TraceRow, span: &SpanRow) -> Markup {
    let (name, of) = (text::line(&span.name), text::line(&trace.name));
    let at = path(trace.trace_id);
    let exactness = if span.is_estimated { Exactness::Estimated } else { Exactness::Exact };
    html! {
        tr data-row {
            td { input type="checkbox" name="span" value={ (trace.trace_id) "." (span.span_id) } aria-label={ "Choose " (name) }; }
            td {
                (kind(span.kind)) " "
                a href=(Query::default().and("span", &span.span_id.to_string()).href(&at)) title=(name) {
                    bdi { (text::cut(&name, MAX_NAME_CHARS)) }
                }
                @if span.status == SpanStatus::Error { " " (sign(Standing::Error)) }
                @if let Some(model) = span.model.as_ref().filter(|model| !span.name.contains(model.as_str())) { div.muted { (text::cut(&text::line(model), MAX_NAME_CHARS)) } }
            }
            td { a href=(at) title=(of) { bdi { (text::cut(&of, MAX_NAME_CHARS)) } } }
            td.preview { @if let Some(input) = &trace.input { span dir="auto" { (text::cut(&text::line(input), MAX_PREVIEW_CHARS)) } } }
            td.nowrap.muted { (time::ago(span.start, view.now)) }
            td.figure { (figure::tokens(span.tokens.input, span.tokens.output, exactness)) }
            td.figure { (figure::cost(span.cost, Exactness::Exact)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::sample;
    use crate::pages::testing::assert_sound;
    use crate::pages::trace::testing::span;

    fn page_of(query: &str, spans: Vec<SpanRow>) -> String {
        let offers = [Offer { trace: sample::trace(1), spans, left_out: 1_234 }];
        let query = Query::parse(query);
        let now = sample::trace(1).end;
        let page =
            page(&DatasetView { query: &query, offers: &offers, after: Some("1.2"), now }).into_string();
        assert_sound(&page);
        page
    }

    #[test]
    fn spans_are_chosen_by_boxes_or_by_the_filters() {
        let mut span = span(7, 0);
        span.name = sample::HOSTILE.to_owned();
        let page = page_of("model=gpt%26x&tag=a&after=9.9&sort=newest", vec![span]);
        assert!(!page.contains("<script>alert"), "{page}");
        let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
        has("type=\"checkbox\" name=\"span\" value=\"01010101010101010101010101010101.0000000000000007\"");
        has("href=\"/api/dataset?model=gpt%26x&amp;tag=a&amp;limit=10000\"");
        has("href=\"/dataset?model=gpt%26x&amp;tag=a&amp;sort=newest&amp;after=1.2\"");
        has("action=\"/api/dataset\" method=\"get\"");
        has("href=\"/traces?model=gpt%26x&amp;tag=a\"");
        has("href=\"/dataset?model=gpt%26x\" title=\"Remove this filter\"");
    }

    #[test]
    fn what_is_left_out_of_a_trace_is_said() {
        let page = page_of("", vec![span(7, 0), span(8, 7)]);
        let has = |text: &str| assert!(page.contains(text), "{text} in {page}");
        has("These are the first 2 of 1,236 such spans of ");
        has("<a href=\"/traces/01010101010101010101010101010101\"><bdi>&quot;&gt;&lt;script&gt;");
        has("has the other 1,234 too");
    }

    #[test]
    fn no_span_is_said() {
        assert!(page_of("", Vec::new()).contains("No span to choose"));
    }

    #[test]
    fn calls_of_models_are_offered_where_no_kind_is_asked_for() {
        let of = |kind| SpanRow { kind, ..span(1, 0) };
        assert!(is_offered(&of(ObservationKind::Generation), None));
        assert!(!is_offered(&of(ObservationKind::Tool), None));
        assert!(is_offered(&of(ObservationKind::Tool), Some(ObservationKind::Tool)));
        assert!(!is_offered(&of(ObservationKind::Generation), Some(ObservationKind::Tool)));
    }
}
