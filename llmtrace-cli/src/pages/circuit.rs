//! The page of the attribution graph that a span holds.

use llmtrace::semconv::LENS_GRAPH as GRAPH;
use llmtrace::{SpanId, SpanRecord, TraceId};
use llmtrace_lens::circuit::page::LEAD;
use llmtrace_lens::circuit::write::{GraphFile, GraphFileError};
use llmtrace_lens::report::{CircuitMap, visible};
use maud::{Markup, html};

use super::assets::{CIRCUIT_SCRIPT, CIRCUIT_STYLE};
use super::components::text::{cut, line};
use super::layout::{Page, Section};
use super::trace::{path, raw_path};

/// Characters of a name, and of what is wrong with a graph, that are shown.
const MAX_NAME: usize = 80;
const MAX_WRONG: usize = 300;

/// The graph that a span holds, as it was written; none where it holds none.
pub(crate) fn graph_of(span: &SpanRecord) -> Option<&str> {
    span.attributes.get_str(GRAPH)
}

/// Where the graph of a span is looked at.
pub(crate) fn circuit_path(trace: TraceId, span: SpanId) -> String {
    format!("{}/graph", raw_path(trace, span))
}

/// The page of a span's graph, or of why it is none.
pub(crate) fn page(span: &SpanRecord, graph: &Result<GraphFile, GraphFileError>) -> Markup {
    let back = format!("{}?span={}", path(span.trace_id), span.span_id);
    let here = circuit_path(span.trace_id, span.span_id);
    let answer = graph.as_ref().ok().and_then(GraphFile::answer).map(|answer| visible(&answer));
    let title = answer
        .map_or_else(|| "Circuit".to_owned(), |answer| format!("Why “{}”?", cut(&line(&answer), MAX_NAME)));
    let body = html! {
        p { a href=(back) { "Back to " (cut(&line(&span.name), MAX_NAME)) } }
        h1 dir="auto" { (title) }
        @match graph {
            Err(error) => div.notice.bad role="alert" {
                p { "The span's attribute " code { (GRAPH) } " cannot be shown. " (cut(&line(&error.to_string()), MAX_WRONG)) }
            },
            Ok(graph) => {
                p.muted { (LEAD) }
                div #circuit.circuit data-graph={ (here) ".json" } {}
                (plain(graph, &here))
            }
        }
    };
    Page::new(&title, Section::Traces).with(&CIRCUIT_STYLE, &CIRCUIT_SCRIPT).render(&body)
}

/// The graph without scripts: a drawing, and the strongest ways.
fn plain(graph: &GraphFile, here: &str) -> Markup {
    let picture = graph.picture().ok();
    let ways = picture.as_ref().map(CircuitMap::strongest_ways).unwrap_or_default();
    html! {
        div.plain {
            div.scroll { img src={ (here) ".svg" } loading="lazy" alt="The graph: tokens below, features above them, answers on top"; }
            h2 { "Strongest ways to the answer" }
            ol {
                @for way in ways {
                    li {
                        (format!("{:.1}% ", way.share * 100.0))
                        @for (at, step) in way.steps.iter().enumerate() {
                            @if at > 0 { " → " }
                            bdi { (cut(&line(&visible(step)), MAX_NAME)) }
                        }
                        span.muted { @if way.supports { " for" } @else { " against" } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::testing::assert_sound;
    use crate::pages::trace::testing::span;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\u{202e}";

    fn graph(tokens: &[&str]) -> String {
        serde_json::json!({
            "metadata": {"slug": HOSTILE, "scan": HOSTILE, "prompt_tokens": tokens, "prompt": HOSTILE},
            "nodes": [
                {"node_id": "E_1_0", "feature": 1, "layer": "E", "ctx_idx": 0, "feature_type": "embedding", "jsNodeId": "x", "clerp": HOSTILE},
                {"node_id": "2_1_0", "feature": 1, "layer": 2, "ctx_idx": 0, "feature_type": "logit", "jsNodeId": "y", "clerp": HOSTILE},
            ],
            "links": [{"source": "E_1_0", "target": "2_1_0", "weight": -1.0}],
        })
        .to_string()
    }

    fn check(text: &str, expected: &str) {
        let row = span(1, 0);
        let trace = TraceId::from_bytes([1; 16]).unwrap();
        let span = SpanRecord::new(trace, row.span_id, HOSTILE.to_owned(), row.kind, row.start, row.end);
        let page = page(&span, &GraphFile::read(text)).into_string();
        assert_sound(&page);
        assert!(!page.contains("<img src=x") && !page.contains('\u{202e}'), "{page}");
        assert!(page.contains(expected), "{page}");
    }

    #[test]
    fn names_are_text_and_what_is_no_graph_says_why() {
        check(&graph(&[HOSTILE]), "data-graph=\"/traces/");
        check(&graph(&[HOSTILE]), "against");
        check(&graph(&[]), "stands at position 0, but the prompt has 0 tokens");
        check("{\"metadata\": 1", "this is no graph's JSON");
        check("null", "cannot be shown");
    }
}
