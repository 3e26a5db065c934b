//! What can be made of spans before the writer has its turn: on the thread that hands them over.

use std::collections::{HashMap, HashSet};

use llmtrace::{Message, Score, SpanId, SpanRecord, Status, TraceId, semconv};
use llmtrace_exporters::write_line;

use super::merge::{merge, tags};
use super::texts::Texts;
use crate::stats::By;
use crate::stats::call::{Call, Counted};
use crate::store::chunk::Packer;
use crate::store::fact::{Fact, Labels, TokensKnown, nanos, pico};
use crate::store::row::{SpanStatus, Tokens};

/// Spans of one trace, ready to be written.
#[derive(Debug)]
pub(in crate::store) struct Prepared {
    pub(super) trace_id: TraceId,
    pub(super) spans: Vec<PreparedSpan>,
    /// Their lines, compressed; a span's `chunk` is a place in this list.
    pub(super) chunks: Vec<Vec<u8>>,
    /// Texts to be searched, with their hashes.
    pub(super) texts: Vec<(u64, String)>,
}

/// A span, ready to be written.
#[derive(Debug)]
pub(in crate::store) struct PreparedSpan {
    /// Its labels are not numbered yet.
    pub(in crate::store) fact: Fact,
    pub(in crate::store) labels: Labels<Option<Box<str>>>,
    pub(in crate::store) tags: Vec<Box<str>>,
    pub(super) scores: Vec<Score>,
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
}

/// Characters of a preview.
pub(super) const PREVIEW: usize = 200;

/// Characters of a name that are kept apart from the span.
const MAX_LABEL: usize = 1_000;

/// Tags of one span that are kept apart from it.
const MAX_TAGS: usize = 64;

/// Bytes of a chunk before it is compressed, save for the last line.
const CHUNK_BYTES: usize = 1 << 20;

impl Prepared {
    /// Prepares spans; those of one trace are put together, and those of one id made one.
    pub(in crate::store) fn all(spans: Vec<SpanRecord>) -> Vec<Self> {
        let mut traces: Vec<Vec<SpanRecord>> = Vec::new();
        let mut places = HashMap::new();
        for span in spans {
            let place = *places.entry(span.trace_id).or_insert(traces.len());
            match traces.get_mut(place) {
                Some(trace) => trace.push(span),
                None => traces.push(vec![span]),
            }
        }
        let mut packer = Packer::default();
        traces.into_iter().filter_map(|spans| Self::trace(&united(spans), &mut packer)).collect()
    }

    /// Roughly the memory that they take, in bytes.
    pub(in crate::store) fn bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Vec::len).sum();
        let texts: usize = self.texts.iter().map(|(_, text)| text.len() + 32).sum();
        chunks + texts + self.spans.len() * (size_of::<PreparedSpan>() + 2 * PREVIEW)
    }

    /// Prepares the spans of one trace, no two of them of one id.
    pub(super) fn trace(spans: &[SpanRecord], packer: &mut Packer) -> Option<Self> {
        let trace_id = spans.first()?.trace_id;
        let mut texts = Texts::default();
        let (mut lines, mut chunks) = (Vec::with_capacity(1 << 12), Vec::new());
        let mut prepared = Vec::with_capacity(spans.len());
        for span in spans {
            if lines.len() >= CHUNK_BYTES {
                chunks.push(packer.pack(&lines));
                lines.clear();
            }
            prepared.push(PreparedSpan::new(span, chunks.len(), lines.len()));
            write_line(span, &mut lines);
            texts.add(span);
        }
        chunks.push(packer.pack(&lines));
        Some(Self { trace_id, spans: prepared, chunks, texts: texts.pieces })
    }
}

impl PreparedSpan {
    pub(in crate::store) fn new(span: &SpanRecord, chunk: usize, position: usize) -> Self {
        let label = |text: Option<&str>| {
            text.filter(|text| !text.is_empty()).map(|text| start(text, MAX_LABEL).into())
        };
        let labels = Labels {
            name: label(Some(&span.name)),
            service: label(span.resource.service_name()),
            environment: label(environment(span)),
            model: label(span.model()),
            provider: label(span.provider()),
            session: label(span.session()),
            user: label(span.user()),
        };
        let place = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        Self {
            fact: fact(span, place(chunk), place(position)),
            labels,
            tags: tags(span).take(MAX_TAGS).filter_map(|tag| label(Some(tag))).collect(),
            scores: span.scores.clone(),
            input: input(span),
            output: output(span),
        }
    }
}

fn fact(span: &SpanRecord, chunk: i64, position: i64) -> Fact {
    let usage = span.usage();
    let call = Call::read(span, By::Day);
    let is_running = span.end.unix_nanos() == 0;
    let first_chunk = span.time_to_first_chunk().filter(|seconds| (0.0..1e9).contains(seconds));
    let incomplete = span.attributes.get(semconv::COST_INCOMPLETE).and_then(llmtrace::Value::as_bool);
    Fact {
        span_id: span.span_id,
        parent: span.parent_span_id,
        parent_is_remote: span.parent_is_remote,
        start: nanos(span.start),
        end: nanos(span.end),
        kind: span.kind,
        status: match &span.status {
            _ if is_running => SpanStatus::Running,
            Status::Ok => SpanStatus::Ok,
            Status::Error { .. } => SpanStatus::Error,
            Status::Cancelled => SpanStatus::Cancelled,
            _ => SpanStatus::Unset,
        },
        labels: Labels::default(),
        tokens: Tokens {
            input: usage.input_tokens,
            output: usage.output_tokens,
            cache_read: usage.cache_read_tokens,
            cache_write: usage.cache_write_tokens,
            reasoning: usage.reasoning_tokens,
        },
        counted: match call.map(|call| call.counted) {
            Some(Counted::Estimated) => TokensKnown::Estimated,
            Some(Counted::InPart) => TokensKnown::InPart,
            Some(Counted::InFull) | None => TokensKnown::InFull,
        },
        cost: span.cost().map(pico),
        is_cost_incomplete: incomplete == Some(true),
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        first_chunk: first_chunk.map(|seconds| (seconds * 1e9).round() as i64),
        error: error(span),
        chunk,
        position,
    }
}

/// What went wrong: what the status says, else the exception, else the type of the error.
fn error(span: &SpanRecord) -> Option<String> {
    let Status::Error { message } = &span.status else { return None };
    let exception = span.events.iter().rev().find(|event| event.name == semconv::EXCEPTION_EVENT);
    let of_exception = |key| exception.and_then(|event| event.attributes.get_str(key));
    let said = [
        Some(message.as_str()),
        of_exception(semconv::EXCEPTION_MESSAGE),
        span.attributes.get_str(semconv::ERROR_TYPE),
        of_exception(semconv::EXCEPTION_TYPE),
    ];
    said.into_iter().flatten().map(squeezed).find(|text| !text.is_empty())
}

/// The environment under its present name, else under the one before it.
fn environment(span: &SpanRecord) -> Option<&str> {
    let text = |key| span.resource.attributes.get_str(key).or_else(|| span.attributes.get_str(key));
    text(semconv::DEPLOYMENT_ENVIRONMENT_NAME).or_else(|| text("deployment.environment"))
}

/// What went in: the last thing that the user said, else anything that was said, else arguments.
fn input(span: &SpanRecord) -> Option<String> {
    let said =
        |message: &&Message| message.parts.iter().any(|part| matches!(part, llmtrace::Part::Text { .. }));
    let is_user = |message: &&Message| message.role == llmtrace::Role::User && said(message);
    let found = span.input.iter().rev().find(is_user).or_else(|| span.input.iter().rev().find(said));
    preview(found).or_else(|| attribute(span, &[semconv::TOOL_CALL_ARGUMENTS, semconv::ARGUMENTS]))
}

/// What came out: the first text, else a result.
fn output(span: &SpanRecord) -> Option<String> {
    let texts = span.output.iter().find(|message| !message.text().is_empty());
    preview(texts).or_else(|| attribute(span, &[semconv::TOOL_CALL_RESULT]))
}

fn preview(message: Option<&Message>) -> Option<String> {
    let texts = message?.parts.iter().filter_map(|part| match part {
        llmtrace::Part::Text { content } => Some(start(content, 4 * PREVIEW)),
        _ => None,
    });
    Some(squeezed(&texts.take(PREVIEW).collect::<Vec<_>>().join(" "))).filter(|text| !text.is_empty())
}

fn attribute(span: &SpanRecord, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match span.attributes.get(key)? {
        llmtrace::Value::Json(json) => Some(squeezed(start(&json.to_string(), 4 * PREVIEW))),
        value => value.as_str().map(squeezed),
    })
}

/// The start of a text on one line.
fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(64);
    let mut room = PREVIEW;
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
            room = room.saturating_sub(1);
        }
        let word = start(word, room);
        out.push_str(word);
        room = room.saturating_sub(word.chars().count());
        if room == 0 {
            break;
        }
    }
    out
}

/// The first so many characters.
fn start(text: &str, characters: usize) -> &str {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// The spans, those of one id made one.
fn united(spans: Vec<SpanRecord>) -> Vec<SpanRecord> {
    let mut ids = HashSet::with_capacity(spans.len());
    if spans.iter().all(|span| ids.insert(span.span_id)) {
        return spans;
    }
    let mut places: HashMap<SpanId, usize> = HashMap::new();
    let mut united: Vec<SpanRecord> = Vec::with_capacity(spans.len());
    for span in spans {
        if let Some(known) = places.get(&span.span_id).and_then(|place| united.get_mut(*place)) {
            *known = merge(known.clone(), span);
        } else {
            places.insert(span.span_id, united.len());
            united.push(span);
        }
    }
    united
}
