//! The entries of a log, sorted by what they are.

use std::borrow::Cow;

use super::names::Names;
use crate::log::{Body, Entry, Log, Scalar};
use crate::{Attributes, Event, Link, Score, Timestamp, semconv};

/// Everything that a log says.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    pub(super) attributes: Attributes,
    /// Messages that went in, in the conventions' JSON.
    pub(super) input: Option<Scalar<'a>>,
    /// Messages that came out, in the conventions' JSON.
    pub(super) output: Option<Scalar<'a>>,
    pub(super) arguments: Vec<(&'a str, Body<'a>)>,
    pub(super) request: Option<Body<'a>>,
    pub(super) response: Option<Body<'a>>,
    /// Stream items with the monotonic time at which they came.
    pub(super) chunks: Vec<(u64, Body<'a>)>,
    pub(super) first_chunk: Option<u64>,
    /// Headers of the answer.
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) events: Vec<Event>,
    pub(super) links: Vec<Link>,
    pub(super) scores: Vec<Score>,
    pub(super) labels: Vec<String>,
    /// Type and message; the last error is the one the span ended with.
    pub(super) error: Option<(&'a str, &'a str)>,
    pub(super) name: Option<String>,
    pub(super) is_done: bool,
    pub(super) is_cancelled: bool,
    pub(super) truncated: u64,
    /// Attributes that yield to whatever else is said.
    pub(super) defaults: Attributes,
    /// The call over the network, where a middleware saw it; of several attempts the last.
    pub(super) wire: Option<Wire<'a>>,
}

/// A call over the network.
#[derive(Debug, Default)]
pub(super) struct Wire<'a> {
    pub(super) request: Option<Body<'a>>,
    /// Bytes of the answer with the monotonic time at which they came.
    pub(super) pieces: Vec<(u64, &'a [u8])>,
    /// Time, type and message.
    pub(super) error: Option<(u64, &'a str, &'a str)>,
    /// The answer was given up before its end.
    pub(super) is_cut: bool,
}

impl<'a> Gathered<'a> {
    pub(super) fn gather(
        log: &'a Log,
        names: &mut Names,
        attributes: Attributes,
        time: impl Fn(u64) -> Timestamp,
    ) -> Self {
        let mut all = Self { attributes, ..Self::default() };
        let mut event: Option<Event> = None;
        for entry in log.entries() {
            match entry {
                Entry::Attribute(key, value) => match &mut event {
                    Some(event) => event.attributes.set(names.name(key), value),
                    None => all.attribute(names.name(key), value),
                },
                Entry::Argument(name, body) => all.arguments.push((name, body)),
                Entry::Request(body) => all.request = Some(body),
                Entry::Response(body) => all.response = Some(body),
                Entry::Chunk(time, body) => all.chunks.push((time, body)),
                Entry::FirstChunk(time) => {
                    all.first_chunk.get_or_insert(time);
                }
                Entry::EventStart(at, name) => {
                    event = Some(Event::new(name.to_owned(), time(at), Attributes::default()));
                }
                Entry::EventEnd => all.events.extend(event.take()),
                Entry::Link(trace_id, span_id) => all.links.push(Link::new(trace_id, span_id)),
                Entry::Score(name, value, comment) => {
                    let mut score = Score::new(name, value);
                    score.comment = (!comment.is_empty()).then(|| comment.to_owned());
                    all.scores.push(score);
                }
                Entry::Error(kind, message) => all.error = Some((kind, message)),
                Entry::Name(name) => all.name = Some(name.to_owned()),
                Entry::Label(label) => all.label(label),
                Entry::Header(name, value) => all.headers.push((name, value)),
                Entry::Done => all.is_done = true,
                Entry::Cancelled => all.is_cancelled = true,
                Entry::Truncated => all.truncated += 1,
                Entry::Default(key, value) => all.defaults.set(names.name(key), value),
                Entry::Sent(request) => {
                    all.headers.clear();
                    let attempt = all.wire.replace(Wire { request, ..Wire::default() });
                    let failure = attempt.and_then(|attempt| attempt.error);
                    all.events.extend(failure.map(|(at, kind, message)| exception(time(at), kind, message)));
                }
                Entry::Received(at, body) => all.wire().pieces.push((at, body.bytes())),
                Entry::Failed(at, kind, message) => all.wire().error = Some((at, kind, message)),
                Entry::CutOff => all.wire().is_cut = true,
            }
        }
        all
    }

    fn wire(&mut self) -> &mut Wire<'a> {
        self.wire.get_or_insert_default()
    }

    fn attribute(&mut self, key: Cow<'static, str>, value: Scalar<'a>) {
        match &*key {
            semconv::INPUT_MESSAGES => self.input = Some(value),
            semconv::OUTPUT_MESSAGES => self.output = Some(value),
            _ => self.attributes.set(key, value),
        }
    }

    fn label(&mut self, label: &str) {
        if !self.labels.iter().any(|known| known == label) {
            self.labels.push(label.to_owned());
        }
    }
}

/// Something failed.
pub(super) fn exception(at: Timestamp, kind: &str, message: &str) -> Event {
    let attributes = [(semconv::EXCEPTION_TYPE, kind), (semconv::EXCEPTION_MESSAGE, message)];
    Event::new(semconv::EXCEPTION_EVENT, at, attributes.into_iter().collect())
}
