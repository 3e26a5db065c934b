//! Spans as a dataset: what went in, what came out, how it was judged.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use llmtrace::{ObservationKind, SpanId, SpanRecord, TraceId};
use llmtrace_exporters::write_line;
use rusqlite::Connection;
use serde_json::{Map, Value};

use crate::serve::app::App;
use crate::serve::filter::{FILTER, filter};
use crate::serve::params::Params;
use crate::serve::problem::Problem;
use crate::store::error::StoreError;
use crate::store::filter::{ScoreFilter, Sort, TraceFilter};
use crate::store::{list, trace};

/// Spans of a dataset, at most, and where it is not said.
const MAX_LIMIT: usize = 10_000;
const USUAL_LIMIT: usize = 1_000;

/// Longest dataset, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// Which spans are wanted.
enum Chosen {
    /// These, in this order.
    Spans(Vec<(TraceId, SpanId)>),
    /// Those of the traces that a filter lets through: of a kind, else calls of models.
    Filtered(Box<TraceFilter>),
}

/// The lines so far.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    count: usize,
    /// Whether there are more than were asked for.
    is_cut: bool,
}

/// `GET /api/dataset`
pub(crate) async fn dataset(State(app): State<Arc<App>>, params: Params) -> Result<Response, Problem> {
    let chosen = chosen(&params)?;
    let limit = params.limit(USUAL_LIMIT, MAX_LIMIT)?;
    let lines = app.read(move |connection| lines(connection, &chosen, limit)).await?;
    if lines.text.len() > MAX_BYTES {
        let detail = format!("the dataset is longer than {} MiB; choose fewer spans", MAX_BYTES >> 20);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"dataset.jsonl\""),
    ];
    let mut response = (headers, lines.text).into_response();
    let is_cut = HeaderValue::from_static(if lines.is_cut { "true" } else { "false" });
    response.headers_mut().insert("llmtrace-is-cut", is_cut);
    Ok(response)
}

/// Reads the parameters: `span` any number of times, or a filter.
fn chosen(params: &Params) -> Result<Chosen, Problem> {
    let spans: Vec<_> = params.0.all("span").collect();
    if spans.is_empty() {
        let params = params.clone().only(&[FILTER, &["limit"]])?;
        return Ok(Chosen::Filtered(Box::new(filter(&params)?)));
    }
    Params(params.0.without(&["span"])).only(&[&["limit", "span"]])?;
    let read = |text: &str| {
        let (trace, span) = text.split_once(['.', ':', '-'])?;
        Some((trace.parse().ok()?, span.parse().ok()?))
    };
    let expected = "the id of a trace, a full stop, and the id of a span of it";
    let spans =
        spans.into_iter().map(|text| read(text).ok_or_else(|| Problem::parameter("span", text, expected)));
    Ok(Chosen::Spans(spans.collect::<Result<_, _>>()?))
}

fn lines(connection: &Connection, chosen: &Chosen, limit: usize) -> Result<Lines, StoreError> {
    let mut lines = Lines::default();
    match chosen {
        Chosen::Spans(spans) => {
            for (trace_id, span_id) in spans {
                if let Some(span) = trace::record(connection, *trace_id, *span_id)? {
                    lines.add(&span, limit);
                }
            }
        }
        Chosen::Filtered(filter) => {
            let mut after = None;
            loop {
                let page = list::list(connection, filter, Sort::Newest, after, list::MAX_LIMIT)?;
                for row in &page.traces {
                    if lines.is_done() {
                        return Ok(lines);
                    }
                    trace::records(connection, row.trace_id, &mut |span| {
                        if is_wanted(&span, filter.kind, filter.score.as_ref()) {
                            lines.add(&span, limit);
                        }
                        Ok(())
                    })?;
                }
                after = page.after;
                if after.is_none() {
                    break;
                }
            }
        }
    }
    Ok(lines)
}

fn is_wanted(span: &SpanRecord, kind: Option<ObservationKind>, score: Option<&ScoreFilter>) -> bool {
    let is_of_kind = kind.map_or(span.kind.is_model_call(), |kind| span.kind == kind);
    let is_judged = score.is_none_or(|wanted| {
        span.scores.iter().any(|score| {
            score.name == wanted.name
                && wanted.min.is_none_or(|min| score.value >= min)
                && wanted.max.is_none_or(|max| score.value <= max)
        })
    });
    is_of_kind && is_judged
}

/// What a line of a dataset has of the span's own line.
const MEMBERS: [&str; 7] = ["trace_id", "span_id", "name", "kind", "input", "output", "scores"];

impl Lines {
    fn add(&mut self, span: &SpanRecord, limit: usize) {
        if self.count >= limit {
            self.is_cut = true;
        }
        if self.is_done() {
            return;
        }
        let mut line = Vec::new();
        write_line(span, &mut line);
        let mut members: Map<String, Value> = serde_json::from_slice(&line).unwrap_or_default();
        let mut chosen = Map::new();
        for name in MEMBERS {
            let value = members.remove(name).unwrap_or_else(|| Value::Array(Vec::new()));
            chosen.insert(name.to_owned(), value);
        }
        chosen.insert("model".to_owned(), span.model().into());
        self.text.extend_from_slice(Value::Object(chosen).to_string().as_bytes());
        self.text.push(b'\n');
        self.count += 1;
    }

    fn is_done(&self) -> bool {
        self.is_cut || self.text.len() > MAX_BYTES
    }
}
