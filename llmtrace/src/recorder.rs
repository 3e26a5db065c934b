//! Writing what a call says of itself.

mod fields;
#[cfg(feature = "reqwest-middleware")]
mod wire;

use std::fmt::{self, Debug, Display, Write as _};
use std::sync::Arc;

use serde::Serialize;

use crate::attribute::{AttributeValue, Repr};
use crate::bounded::{Bounded, BoundedText, with_buffer};
use crate::content::{self, ContentPolicy};
use crate::identity::Identity;
use crate::keys;
use crate::log::{Body, Entry, Key, Log, Scalar};
use crate::provider::headers;
use crate::prune::{self, LinePruner, Pruner};
use crate::settings::Settings;
use crate::{Message, Usage, Usd, semconv};

/// Writes what one call says of itself: the argument of [`LlmResponse`](crate::LlmResponse) and
/// [`LlmChunk`](crate::LlmChunk).
///
/// Nothing here parses, waits or does I/O: texts are copied and read later, on the worker's thread. What is
/// written last wins.
///
/// ```
/// use llmtrace::{LlmResponse, Recorder, Usage};
///
/// struct Answer {
///     text: String,
///     tokens_in: u64,
///     tokens_out: u64,
/// }
///
/// impl LlmResponse for Answer {
///     fn record(&self, recorder: &mut Recorder<'_>) {
///         recorder.text(&self.text);
///         recorder.usage(&Usage::new(self.tokens_in, self.tokens_out));
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Recorder<'a> {
    log: &'a mut Log,
    identity: &'a mut Identity,
    settings: &'a Settings,
    /// Where a stream stands whose content is left out.
    pruner: Option<Box<LinePruner>>,
}

/// Where a text or a JSON body belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Slot<'n> {
    Argument(&'n str),
    Request,
    Response,
    Chunk(u64),
}

impl<'n> Slot<'n> {
    fn with<'b>(self, body: Body<'b>) -> Entry<'b>
    where
        'n: 'b,
    {
        match self {
            Self::Argument(name) => Entry::Argument(name, body),
            Self::Request => Entry::Request(body),
            Self::Response => Entry::Response(body),
            Self::Chunk(time) => Entry::Chunk(time, body),
        }
    }
}

impl<'a> Recorder<'a> {
    #[inline]
    pub(crate) fn new(log: &'a mut Log, identity: &'a mut Identity, settings: &'a Settings) -> Self {
        Self { log, identity, settings, pruner: None }
    }

    /// A recorder that goes on where another one left off in a stream.
    pub(crate) fn resume(
        log: &'a mut Log,
        identity: &'a mut Identity,
        settings: &'a Settings,
        pruner: Option<Box<LinePruner>>,
    ) -> Self {
        Self { log, identity, settings, pruner }
    }

    /// Where a stream stands.
    pub(crate) fn into_pruner(self) -> Option<Box<LinePruner>> {
        self.pruner
    }

    fn keeps_content(&self) -> bool {
        self.settings.content == ContentPolicy::Keep
    }

    /// Monotonic nanoseconds now.
    pub(crate) fn now(&self) -> u64 {
        self.settings.clock.now()
    }

    pub(crate) fn push(&mut self, entry: Entry<'_>) {
        self.log.push(entry);
    }

    pub(crate) fn append(&mut self, entries: &Log) {
        self.log.append(entries);
    }

    /// The text the call answered with.
    pub fn text(&mut self, text: &str) {
        if self.keeps_content() {
            let text = self.cut(text);
            self.log.push(Entry::Response(Body::Text(text)));
        }
    }

    /// The response as a value that serialises to the JSON of any known API; any other JSON is kept as it is.
    pub fn json<T: Serialize + ?Sized>(&mut self, response: &T) {
        self.serialized(response, Slot::Response);
    }

    /// The bytes of a response: the JSON of any known API, else text.
    pub fn body(&mut self, bytes: &[u8]) {
        self.raw(bytes, Slot::Response);
    }

    /// The request as a value that serialises to the JSON of any known API.
    pub fn request<T: Serialize + ?Sized>(&mut self, request: &T) {
        self.serialized(request, Slot::Request);
    }

    /// One item of a stream, as a value that serialises to the JSON of any known API.
    pub fn chunk<T: Serialize + ?Sized>(&mut self, item: &T) {
        let now = self.now();
        self.serialized(item, Slot::Chunk(now));
    }

    /// Bytes of a stream as they came from the network: SSE or NDJSON, cut anywhere; else text.
    pub fn chunk_body(&mut self, bytes: &[u8]) {
        let now = self.now();
        if !self.keeps_content() {
            // Whatever its length, so that the next piece is read from where this one ends.
            let pruner = self.pruner.get_or_insert_default();
            self.log.push(Entry::Chunk(now, Body::Json(pruner.push(bytes))));
        } else if bytes.len() > self.settings.max_body_bytes() {
            self.log.push(Entry::Truncated);
        } else {
            // Bytes that end inside a character are joined with the next ones on the worker.
            let body = std::str::from_utf8(bytes).map_or(Body::Json(bytes), Body::Text);
            self.log.push(Entry::Chunk(now, body));
        }
    }

    /// A piece of the text that a stream answers with.
    pub fn chunk_text(&mut self, text: &str) {
        self.chunk_body(text.as_bytes());
    }

    /// The headers of the answer. Those that [`Exchange::read_headers`](crate::provider::Exchange::read_headers)
    /// reads are kept; all others are passed over unseen.
    pub fn response_headers<N, V>(&mut self, headers: impl IntoIterator<Item = (N, V)>)
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        for (name, value) in headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            if value.len() <= headers::MAX_VALUE_BYTES
                && headers::is_read(name)
                && let Ok(value) = std::str::from_utf8(value)
            {
                self.log.push(Entry::Header(name, value));
            }
        }
    }

    /// The HTTP status of the answer. From 400 on, the call has failed, whatever the body says.
    pub fn http_status(&mut self, status: u16) {
        self.attribute(semconv::HTTP_RESPONSE_STATUS_CODE, status);
    }

    /// The provider, under its `OpenTelemetry` name, such as `openai`.
    pub fn provider(&mut self, provider: &str) {
        self.attribute(semconv::PROVIDER_NAME, provider);
    }

    /// The model that was asked for.
    pub fn request_model(&mut self, model: &str) {
        self.attribute(semconv::REQUEST_MODEL, model);
    }

    /// The model that answered.
    pub fn response_model(&mut self, model: &str) {
        self.attribute(semconv::RESPONSE_MODEL, model);
    }

    /// The provider's id of the response.
    pub fn response_id(&mut self, id: &str) {
        self.attribute(semconv::RESPONSE_ID, id);
    }

    /// Why generation stopped, one entry per choice.
    pub fn finish_reasons<S: AsRef<str>>(&mut self, reasons: &[S]) {
        let reasons: Vec<&str> = reasons.iter().map(AsRef::as_ref).collect();
        self.json_attribute(semconv::RESPONSE_FINISH_REASONS, &reasons);
    }

    /// Messages that went in.
    pub fn input(&mut self, messages: &[Message]) {
        self.json_attribute(semconv::INPUT_MESSAGES, messages);
    }

    /// Messages that came out.
    pub fn output(&mut self, messages: &[Message]) {
        self.json_attribute(semconv::OUTPUT_MESSAGES, messages);
    }

    /// Token counts; those that are `None` are left as they are.
    pub fn usage(&mut self, usage: &Usage) {
        usage.for_each_count(|key, count| {
            self.attribute(key, count);
        });
        self.attribute(semconv::USAGE_STATUS, usage.status.as_str());
        self.attribute(semconv::USAGE_SOURCE, usage.source.as_str());
    }

    /// A cost that the provider stated.
    pub fn cost(&mut self, cost: Usd) {
        self.attribute(semconv::COST_PICO_USD, cost.pico());
    }

    /// An error: its type, such as `rate_limit_error`, and its message.
    pub fn error(&mut self, kind: &str, message: &str) {
        let message = self.cut(message);
        self.log.push(Entry::Error(kind, message));
    }

    /// Any attribute. The last value written to a key wins.
    pub fn attribute<'v>(&mut self, key: &str, value: impl Into<AttributeValue<'v>>) {
        if !self.keeps_content() && keys::is_content(key) {
            return;
        }
        let value = value.into();
        match key {
            semconv::CONVERSATION_ID => return self.identity.session = Some(self.id(&value.to_text())),
            semconv::USER_ID => return self.identity.user = Some(self.id(&value.to_text())),
            _ => {}
        }
        self.with_scalar(&value, |log, scalar| log.attribute(Key::Name(key), scalar));
    }

    /// Hands a value on as it is written down, unless it is too long.
    fn with_scalar(&mut self, value: &AttributeValue<'_>, write: impl FnOnce(&mut Log, Scalar<'_>)) {
        let scalar = match &value.0 {
            Repr::Str(text) => Scalar::Str(self.cut(text)),
            Repr::Int(int) => i64::try_from(*int).map_or(Scalar::Wide(*int), Scalar::Int),
            Repr::Float(float) => Scalar::Float(*float),
            Repr::Bool(bool) => Scalar::Bool(*bool),
            Repr::Json(json) if json.len() <= self.settings.max_body_bytes() => Scalar::Json(json),
            Repr::Json(_) => return self.log.push(Entry::Truncated),
        };
        write(self.log, scalar);
    }

    fn id(&mut self, text: &Arc<str>) -> Arc<str> {
        let cut = self.cut(text);
        if cut.len() == text.len() { Arc::clone(text) } else { Arc::from(cut) }
    }

    /// A label.
    pub(crate) fn label(&mut self, label: &str) {
        let label = self.cut(label);
        self.log.push(Entry::Label(label));
    }

    /// A judgement.
    pub(crate) fn score(&mut self, name: &str, value: f64) {
        let name = self.cut(name);
        self.log.push(Entry::Score(name, value, ""));
    }

    /// The content arrived that a reader sees first.
    pub(crate) fn first_chunk(&mut self) {
        let now = self.now();
        self.log.push(Entry::FirstChunk(now));
    }

    /// A function's argument that is a text.
    pub(crate) fn argument_text(&mut self, name: &str, text: &str) {
        if self.keeps_content() {
            let text = self.cut(text);
            self.log.push(Entry::Argument(name, Body::Text(text)));
        } else {
            self.raw(text.as_bytes(), Slot::Argument(name));
        }
    }

    /// What goes in, as a text.
    pub(crate) fn request_text(&mut self, text: &str) {
        if self.keeps_content() {
            let text = self.cut(text);
            self.log.push(Entry::Request(Body::Text(text)));
        } else if text.trim_start().starts_with('{') {
            self.raw(text.as_bytes(), Slot::Request);
        }
    }

    /// A function's argument that serialises.
    pub(crate) fn argument_json<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.serialized(value, Slot::Argument(name));
    }

    /// A value that only has `Debug`.
    pub(crate) fn debug(&mut self, value: &dyn Debug, slot: Slot<'_>) {
        if self.keeps_content() {
            let text = self.bounded(format_args!("{value:?}"));
            self.log.push(slot.with(Body::Text(&text)));
        }
    }

    /// An error value of the user's.
    pub(crate) fn failure(&mut self, kind: &str, message: &dyn Display) {
        let message = self.bounded(format_args!("{message}"));
        self.log.push(Entry::Error(kind, &message));
    }

    fn json_attribute<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if self.keeps_content() || !keys::is_content(key) {
            with_buffer(|buffer| {
                let mut out = Bounded { out: buffer, left: self.settings.max_body_bytes() };
                match serde_json::to_writer(&mut out, value) {
                    Ok(()) => self.log.attribute(Key::Name(key), Scalar::Json(out.out)),
                    Err(_) => self.log.push(Entry::Truncated),
                }
            });
        }
    }

    fn serialized<T: Serialize + ?Sized>(&mut self, value: &T, slot: Slot<'_>) {
        with_buffer(|buffer| {
            let mut out = Bounded { out: buffer, left: self.settings.max_body_bytes() };
            let written = if self.keeps_content() {
                serde_json::to_writer(&mut out, value)
            } else {
                serde_json::to_writer(Pruner::new(&mut out), value)
            };
            match written {
                Ok(()) => self.log.push(slot.with(Body::Json(out.out))),
                Err(_) => self.log.push(Entry::Truncated),
            }
        });
    }

    fn raw(&mut self, bytes: &[u8], slot: Slot<'_>) {
        if bytes.len() > self.settings.max_body_bytes() {
            self.log.push(Entry::Truncated);
        } else if self.keeps_content() {
            self.log.push(slot.with(Body::Json(bytes)));
        } else {
            with_buffer(|buffer| {
                if prune::prune_json(bytes, buffer) {
                    self.log.push(slot.with(Body::Json(buffer)));
                }
            });
        }
    }

    /// The text, cut to the longest that is kept.
    #[inline]
    fn cut<'t>(&mut self, text: &'t str) -> &'t str {
        if text.len() <= self.settings.max_text_bytes {
            return text;
        }
        self.log.push(Entry::Truncated);
        content::cut(text, self.settings.max_text_bytes)
    }

    fn bounded(&mut self, text: fmt::Arguments<'_>) -> String {
        let mut out = BoundedText { out: String::new(), left: self.settings.max_text_bytes };
        if out.write_fmt(text).is_err() && out.left == 0 {
            self.log.push(Entry::Truncated);
        }
        out.out
    }
}
