//! Spans as a dataset: what went in, what came out, how it was judged.

use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// How long reading may take; what was not read then is left out.
const TIME: Duration = Duration::from_secs(6);

/// Which spans are wanted.
enum Chosen {
    /// These, in this order.
    Spans(Vec<(TraceId, SpanId)>),
    /// Those of the traces that a filter lets through: of a kind, else calls of models.
    Filtered(Box<TraceFilter>),
}

/// The lines so far.
struct Lines {
    text: Vec<u8>,
    count: usize,
    limit: usize,
    /// When to stop.
    end: Instant,
    /// Whether there are more.
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
    let end = Instant::now() + TIME;
    let mut lines = Lines { text: Vec::new(), count: 0, limit, end, is_cut: false };
    match chosen {
        Chosen::Spans(spans) => {
            for (trace_id, span_id) in spans {
                if let Some(span) = trace::record(connection, *trace_id, *span_id)? {
                    lines.add(&span);
                }
            }
        }
        Chosen::Filtered(filter) => {
            let mut after = None;
            loop {
                let page = list::list(connection, filter, Sort::Newest, after, list::MAX_LIMIT)?;
                for row in &page.traces {
                    lines.add_trace(connection, row.trace_id, filter)?;
                    if lines.is_done() {
                        return Ok(lines);
                    }
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

fn is_of_kind(kind: ObservationKind, wanted: Option<ObservationKind>) -> bool {
    wanted.map_or(kind.is_model_call(), |wanted| kind == wanted)
}

fn is_judged(span: &SpanRecord, wanted: Option<&ScoreFilter>) -> bool {
    wanted.is_none_or(|wanted| {
        span.scores.iter().any(|score| {
            score.name == wanted.name
                && wanted.min.is_none_or(|min| score.value >= min)
                && wanted.max.is_none_or(|max| score.value <= max)
        })
    })
}
/// What a line of a dataset has of the span's own line.
const MEMBERS: [&str; 7] = ["trace_id", "span_id", "name", "kind", "input", "output", "scores"];

impl Lines {
    /// Adds the spans of a trace that a filter asks for.
    fn add_trace(
        &mut self,
        connection: &Connection,
        trace_id: TraceId,
        filter: &TraceFilter,
    ) -> Result<(), StoreError> {
        // Large traces often have none.
        let rows = trace::load(connection, trace_id)?.map_or_else(Vec::new, |stored| stored.spans);
        if !rows.iter().any(|row| is_of_kind(row.kind, filter.kind)) {
            return Ok(());
        }
        let read = trace::records(connection, trace_id, &mut |span| {
            if is_of_kind(span.kind, filter.kind) && is_judged(&span, filter.score.as_ref()) {
                self.add(&span);
            }
            self.is_cut |= Instant::now() >= self.end;
            // The rest need not be read.
            if self.is_done() { Err(StoreError::Closed) } else { Ok(()) }
        });
        match read {
            Err(StoreError::Closed) if self.is_done() => Ok(()),
            read => read,
        }
    }

    fn add(&mut self, span: &SpanRecord) {
        if self.count >= self.limit {
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
