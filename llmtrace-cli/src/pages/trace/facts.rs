//! Attributes, events, links and scores of a span.

use llmtrace::{Attributes, SpanRecord, Value, semconv};
use llmtrace_exporters::write_line;
use maud::{Markup, html};

use super::head::offset;
use super::messages::as_json;
use super::{TraceView, json, path};
use crate::pages::components::icon::{Icon, icon};
use crate::pages::components::text::{copy, copy_of, cut, line, lines};
use crate::pages::components::time::moment;
use crate::store::scores::{ScoreRow, ScoreSource};

/// Attributes, events, links and scores that are shown.
const MAX_SHOWN: usize = 500;

/// Characters of a value that a copy button holds; longer ones are copied from the page.
const MAX_COPIED: usize = 2_000;

/// Bytes of JSON that are shown of a span.
const MAX_RAW_BYTES: usize = 200_000;

/// The tab of attributes: of the span, and of its process.
pub(super) fn attributes(span: &SpanRecord, whole: &str) -> Markup {
    html! {
        section.block { h3 { "Span" } (list(&span.attributes, whole)) }
        section.block {
            h3 { "Process" }
            (list(&span.resource.attributes, whole))
            @if !span.scope.is_empty() { dl.facts.attributes { dt { "scope" } dd { (line(&span.scope)) } } }
        }
        @if !span.links.is_empty() { (links(span)) }
    }
}

fn list(attributes: &Attributes, whole: &str) -> Markup {
    html! {
        @if attributes.is_empty() { p.muted { "None" } }
        dl.facts.attributes {
            @for (key, value) in attributes.iter().take(MAX_SHOWN) {
                dt { code { (breakable(&line(key))) } }
                dd { (self::value(value, whole)) }
            }
        }
        @if attributes.len() > MAX_SHOWN { p.more { (attributes.len() - MAX_SHOWN) " more. " a href=(whole) download { "Download all of the span" } } }
    }
}

/// A key that may be broken after its dots and underscores.
fn breakable(key: &str) -> Markup {
    html! { @for part in key.split_inclusive(['.', '_']) { (part) wbr; } }
}

fn value(value: &Value, whole: &str) -> Markup {
    let text = shown(value);
    html! {
        @if matches!(as_json(value), serde_json::Value::Object(_) | serde_json::Value::Array(_)) {
            (json::value(&as_json(value), whole))
        } @else {
            @let (start, rest) = json::bounded(&text, whole);
            span.value dir="auto" { (lines(start)) } (rest)
            @if text.len() <= MAX_COPIED { (copy(&text, "value")) }
        }
    }
}

/// A value as text.
pub(super) fn shown(value: &Value) -> String {
    match as_json(value) {
        serde_json::Value::String(text) => text,
        serde_json::Value::Array(items) => {
            let items =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            items.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn links(span: &SpanRecord) -> Markup {
    html! {
        section.block {
            h3 { "Links" }
            ul.links {
                @for link in span.links.iter().take(MAX_SHOWN) {
                    li {
                        (icon(Icon::Link)) " "
                        a href={ (path(link.trace_id)) "?span=" (link.span_id) } { code { (link.trace_id) " / " (link.span_id) } }
                    }
                }
            }
        }
    }
}

/// The tab of events, in the order of time.
pub(super) fn events(span: &SpanRecord, whole: &str) -> Markup {
    let mut events: Vec<_> = span.events.iter().collect();
    events.sort_by_key(|event| event.time);
    html! {
        @if events.is_empty() { p.muted { "No events." } }
        ol.events {
            @for event in events.iter().take(MAX_SHOWN) {
                @let failed = event.name == semconv::EXCEPTION_EVENT;
                li.failed[failed] {
                    div.row {
                        @if failed { (icon(Icon::Error)) }
                        strong { (cut(&line(&event.name), 200)) }
                        span.muted title=(crate::pages::components::time::exact(event.time)) { (offset(event.time.since(span.start))) }
                    }
                    @if !event.attributes.is_empty() { (list(&event.attributes, whole)) }
                }
            }
        }
        @if events.len() > MAX_SHOWN { p.more { (events.len() - MAX_SHOWN) " more. " a href=(whole) download { "Download all of the span" } } }
    }
}

/// The tab of scores: those that there are, and the form for another.
pub(super) fn scores(view: &TraceView<'_>, span: &SpanRecord) -> Markup {
    let of_span: Vec<_> = view.scores.iter().filter(|score| score.span_id == span.span_id).collect();
    html! {
        @if of_span.is_empty() { p.muted { "No scores." } }
        ul.scores {
            @for score in of_span.iter().take(MAX_SHOWN) { li { (self::score(score)) } }
        }
        (view.score_form)
    }
}

fn score(score: &ScoreRow) -> Markup {
    let source = match score.source {
        ScoreSource::Span => "came with the span",
        ScoreSource::Added => "added here",
    };
    html! {
        div.row {
            strong { (cut(&line(&score.name), 100)) }
            span.num { (score.value) }
            span.muted { (source) " · " (moment(score.time)) }
        }
        @if let Some(comment) = &score.comment { div.text dir="auto" { (lines(json::bounded(comment, "").0)) } }
    }
}

/// The tab of the span as JSON.
pub(super) fn raw(span: &SpanRecord, whole: &str) -> Markup {
    let mut written = Vec::new();
    write_line(span, &mut written);
    let text = serde_json::from_slice(&written).map(|value| json::pretty(&value)).unwrap_or_default();
    let end = (0..=MAX_RAW_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    html! {
        div.row {
            span.muted.grow { (json::size(written.len())) " as one JSON line" }
            a.button href=(whole) download { (icon(Icon::Download)) "Download" }
            (copy_of("raw-json", "JSON"))
        }
        @if end < text.len() { p.more { "Shown are the first 200 kB. Download the span to see all of it." } }
        pre.json id="raw-json" { code { (text.get(..end).unwrap_or_default()) } }
    }
}
