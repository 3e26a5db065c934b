//! Random traces, and a store to put them in.

use std::path::PathBuf;
use std::sync::Arc;

use fastrand::Rng;
use llmtrace::{
    Cost, CostSource, Message, ObservationKind, Resource, Score, SpanId, SpanRecord, Status, Timestamp,
    TraceId, Usage, Usd, Value, semconv,
};
use tempfile::TempDir;

use crate::store::check::check;
use crate::store::options::StoreOptions;
use crate::store::{Store, open_read_only};

/// A store in a folder of its own.
pub(crate) struct Scratch {
    pub(crate) folder: TempDir,
    pub(crate) store: Store,
}

/// The first moment of the random traces.
pub(crate) const EPOCH: u64 = 1_790_000_000_000_000_000;

const MODELS: [&str; 3] = ["gpt-4o-mini", "claude-sonnet-4-5", "llama"];

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::with(StoreOptions::default())
    }

    pub(crate) fn with(options: StoreOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.db"), options).unwrap();
        Self { folder, store }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Asserts that the file is whole and its sums are those of its spans.
    pub(crate) fn is_sound(&self) {
        let found = check(&open_read_only(&self.path()).unwrap()).unwrap();
        assert_eq!(found.problems, [""; 0]);
    }
}

/// An id that is not 0.
pub(crate) fn trace_id(number: u64) -> TraceId {
    let mut bytes = [7; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    TraceId::from_bytes(bytes).unwrap()
}

/// An id that is not 0.
pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId::from_bytes((number + 1).to_be_bytes()).unwrap()
}

/// A span of so many milliseconds that starts so many after the first moment.
pub(crate) fn span(
    trace: u64,
    id: u64,
    parent: Option<u64>,
    kind: ObservationKind,
    at: (u64, u64),
) -> SpanRecord {
    let (start, end) = (EPOCH + at.0 * 1_000_000, EPOCH + (at.0 + at.1) * 1_000_000);
    let [start, end] = [start, end].map(Timestamp::from_unix_nanos);
    let mut span = SpanRecord::new(trace_id(trace), span_id(id), format!("{kind:?}"), kind, start, end);
    span.parent_span_id = parent.map(span_id);
    let mut resource = Resource::default();
    resource.attributes.set(semconv::SERVICE_NAME, ["web", "worker"][usize::from(trace.is_multiple_of(3))]);
    span.resource = Arc::new(resource);
    span
}

/// The spans of a trace at random: calls in calls, failures, missing figures, tags, scores.
pub(crate) fn trace(rng: &mut Rng, number: u64) -> Vec<SpanRecord> {
    let begin = number * 7_000 + rng.u64(..3_000);
    let count = rng.u64(1..9);
    (0..count)
        .map(|id| {
            let parent = (id > 0).then(|| rng.u64(..id));
            let kinds = [
                ObservationKind::Generation,
                ObservationKind::Tool,
                ObservationKind::Agent,
                ObservationKind::Embedding,
            ];
            let kind = if id == 0 { ObservationKind::Agent } else { kinds[rng.usize(..4)] };
            let mut span = span(number, id, parent, kind, (begin + id * 10, rng.u64(1..5_000)));
            if kind.is_model_call() {
                span.attributes.set(semconv::RESPONSE_MODEL, MODELS[rng.usize(..3)].to_owned());
                span.attributes.set(semconv::PROVIDER_NAME, "openai");
                span.input =
                    vec![Message::user(format!("question number{number} of {} words", rng.u32(..9)))];
                span.output = vec![Message::assistant(format!("answer {}", rng.u32(..5)))];
                if rng.u32(..4) > 0 {
                    span.set_usage(
                        &Usage::new(rng.u64(..9_000), rng.u64(..900)).with_cache_read(rng.u64(..5)),
                    );
                }
                if rng.u32(..4) > 0 {
                    span.set_cost(&Cost::new(
                        Usd::from_pico(i128::from(rng.u64(..10_000_000_000))),
                        CostSource::Bundled,
                    ));
                }
                if rng.bool() {
                    span.attributes.set(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, rng.f64());
                }
            }
            if rng.u32(..6) == 0 {
                span.status = Status::error("it broke");
            }
            if !number.is_multiple_of(4) {
                span.attributes.set(semconv::CONVERSATION_ID, format!("session-{}", number % 5));
                span.attributes.set(semconv::USER_ID, format!("user-{}", number % 3));
            }
            if rng.u32(..5) == 0 {
                span.attributes.set(semconv::TAGS, Value::Array(vec!["v1".into(), "beta".into()]));
                span.scores = vec![Score::new("good", rng.f64())];
            }
            span
        })
        .collect()
}
