//! A large set of traces, the same for everybody who asks for it.

use std::sync::Arc;

use fastrand::Rng;
use llmtrace::{
    Message, ObservationKind, Part, Resource, SpanId, SpanRecord, Status, Timestamp, TraceId, Usage, semconv,
};

/// Spans of a trace.
pub const SPANS: usize = 10;

/// Traces of agents over the last week: each has ten spans, four of them calls of models, and 2 kB of text.
#[derive(Debug)]
pub struct Archive {
    words: Vec<String>,
    services: Vec<Arc<Resource>>,
    /// When the first trace starts, and the time from one to the next, in nanoseconds.
    start: u64,
    step: u64,
}

const WEEK_NS: u64 = 7 * 24 * 3600 * 1_000_000_000;
const MS: u64 = 1_000_000;

const MODELS: [(&str, &str); 6] = [
    ("openai", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-4.1"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("gcp.gemini", "gemini-2.5-flash"),
    ("mistral_ai", "mistral-small-latest"),
];

/// What a span of each trace is: its kind, its name, the place of its parent, and bytes of text in and out.
const SHAPE: [(ObservationKind, &str, usize, usize, usize); SPANS] = [
    (ObservationKind::Agent, "answer", 0, 80, 120),
    (ObservationKind::Retriever, "search", 0, 60, 320),
    (ObservationKind::Embedding, "embed", 1, 60, 0),
    (ObservationKind::Reranker, "rerank", 1, 60, 0),
    (ObservationKind::Generation, "plan", 0, 200, 120),
    (ObservationKind::Tool, "lookup", 0, 40, 120),
    (ObservationKind::Generation, "draft", 0, 200, 200),
    (ObservationKind::Tool, "calculate", 0, 40, 40),
    (ObservationKind::Generation, "revise", 0, 160, 160),
    (ObservationKind::Span, "format", 0, 20, 20),
];

impl Archive {
    /// Traces that spread over the week before `now`, when there are `traces` of them.
    pub fn new(traces: usize, now: Timestamp) -> Self {
        let mut rng = Rng::with_seed(7);
        let syllables = ["ka", "lo", "mi", "ren", "tas", "vo", "dan", "el", "pri", "shu", "or", "bet"];
        let word = |rng: &mut Rng| (0..rng.usize(1..5)).filter_map(|_| rng.choice(syllables)).collect();
        let service = |name: &str| {
            let mut resource = Resource::default();
            resource.attributes.set(semconv::SERVICE_NAME, name.to_owned());
            Arc::new(resource)
        };
        Self {
            words: (0..20_000).map(|_| word(&mut rng)).collect(),
            services: ["support-bot", "search-api", "reports"].map(service).to_vec(),
            start: now.unix_nanos().saturating_sub(WEEK_NS),
            step: WEEK_NS / traces.max(1) as u64,
        }
    }

    /// The spans of the trace with this number, in the order in which they end.
    pub fn trace(&self, number: usize) -> Vec<SpanRecord> {
        let mut rng = Rng::with_seed(number as u64);
        let at = self.start + self.step * number as u64;
        let trace_id =
            TraceId::from_bytes((u128::from(rng.u64(1..)) << 64 | u128::from(rng.u64(1..))).to_be_bytes());
        let ids: Vec<_> = (0..SPANS).filter_map(|_| SpanId::from_bytes(rng.u64(1..).to_be_bytes())).collect();
        let (Some(trace_id), Some(&root)) = (trace_id, ids.first()) else { return Vec::new() };
        let service = self.services[rng.usize(..self.services.len())].clone();
        let (session, user) = (format!("session-{}", number / 5), format!("user-{}", rng.usize(..1_000)));
        let mut from = at;
        let mut spans = Vec::with_capacity(SPANS);
        for (place, &(kind, name, parent, input, output)) in SHAPE.iter().enumerate() {
            let took = if place == 0 { 0 } else { rng.u64(5..900) * MS };
            let (start, end) = (Timestamp::from_unix_nanos(from), Timestamp::from_unix_nanos(from + took));
            from += took;
            let mut span = SpanRecord::new(trace_id, ids[place], name, kind, start, end);
            span.parent_span_id = (place > 0).then(|| ids.get(parent).copied().unwrap_or(root));
            span.resource = service.clone();
            span.status =
                if rng.usize(..200) == 0 { Status::error("the server did not answer") } else { Status::Ok };
            span.input = vec![Message::user(self.text(&mut rng, input))];
            if output > 0 {
                span.output = vec![Message::assistant(self.text(&mut rng, output))];
            }
            if kind.is_model_call() {
                call(&mut span, &mut rng);
            }
            span.attributes.set(semconv::CONVERSATION_ID, session.clone());
            span.attributes.set(semconv::USER_ID, user.clone());
            spans.push(span);
        }
        spans[0].end = Timestamp::from_unix_nanos(from);
        spans.rotate_left(1);
        spans
    }

    /// Words whose frequency falls as their rank grows, in about so many bytes.
    fn text(&self, rng: &mut Rng, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 24);
        while text.len() < bytes {
            let rank = rng.f64().powi(3) * self.words.len() as f64;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the number of words
            text.push_str(&self.words[rank as usize % self.words.len()]);
            text.push(' ');
        }
        text
    }

    /// A word that about one span in `one_in` has.
    pub fn word(&self, place: usize) -> &str {
        &self.words[place % self.words.len()]
    }
}

/// The model, tokens and first chunk of a call.
fn call(span: &mut SpanRecord, rng: &mut Rng) {
    let (provider, model) = MODELS[rng.usize(..MODELS.len())];
    span.attributes.set(semconv::PROVIDER_NAME, provider);
    span.attributes.set(semconv::REQUEST_MODEL, model);
    span.attributes.set(semconv::RESPONSE_MODEL, model);
    span.attributes.set(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, f64::from(rng.u32(50..900)) / 1e3);
    let input = rng.u64(100..4_000);
    let usage = Usage::new(input, rng.u64(10..800)).with_cache_read(input / 2);
    span.set_usage(&usage);
    if let Some(message) = span.input.first_mut() {
        message.parts.insert(0, Part::text("Answer briefly."));
    }
}
