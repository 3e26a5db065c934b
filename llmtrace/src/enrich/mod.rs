//! From a draft to a record: what the caller's thread wrote down is read here, on the worker's thread.

mod cut;
#[cfg(feature = "tokenizer")]
mod estimate;
mod gather;
mod messages;
mod names;
mod place;
mod read;

use std::borrow::Cow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use crate::content::ContentPolicy;
use crate::layer::{Draft, Role};
use crate::price::{PriceChain, PriceQuery, PriceSource as _};
use crate::redact::Clean;
use crate::settings::Settings;
use crate::{
    Attributes, ObservationKind, Redactor, Resource, SpanRecord, Status, Timestamp, Usage, Value, semconv,
};
use gather::Gathered;
use names::Names;

/// Reads drafts.
pub(crate) struct Enricher {
    resource: Arc<Resource>,
    prices: PriceChain,
    settings: Settings,
    redactor: Redactor,
    /// What the redactor need not look at again.
    clean: Clean,
    wall_offset: u64,
    names: Names,
    /// Emptied attributes of spans that were exported, for the next ones.
    attributes: Vec<Attributes>,
}

/// The wall clock must have moved by this much against the monotonic one before it is followed, in nanoseconds.
const CLOCK_STEP: u64 = 1_000_000;

/// Room that is made for the attributes of a span at once.
const TYPICAL_ATTRIBUTES: usize = 24;

/// Most emptied attributes that are kept.
const MAX_RECYCLED: usize = 1024;

impl Enricher {
    pub(crate) fn new(
        resource: Resource,
        prices: PriceChain,
        settings: Settings,
        redactor: Redactor,
    ) -> Self {
        Self {
            resource: Arc::new(resource),
            prices,
            wall_offset: settings.clock.wall_offset(),
            settings,
            redactor,
            clean: Clean::default(),
            names: Names::default(),
            attributes: Vec::new(),
        }
    }

    /// Masks secrets in the resource, and loads the price table, so that the first call does not wait for it.
    pub(crate) fn warm(&mut self) {
        let mut resource = Resource::clone(&self.resource);
        self.redactor.redact_resource(&mut resource);
        self.resource = Arc::new(resource);
        let (usage, at) = (Usage::new(0, 0), Timestamp::now());
        let _ = panic::catch_unwind(AssertUnwindSafe(|| self.prices.price(&PriceQuery::new("", &usage, at))));
    }

    /// Takes spans that were exported, and keeps what the next ones can use.
    pub(crate) fn recycle(&mut self, spans: &mut Vec<SpanRecord>) {
        for mut span in spans.drain(..) {
            if self.attributes.len() < MAX_RECYCLED {
                let mut attributes = std::mem::take(&mut span.attributes);
                attributes.clear();
                self.attributes.push(attributes);
            }
        }
    }

    /// Gives what was kept for the next spans back to the allocator.
    pub(crate) fn trim(&mut self) {
        self.attributes = Vec::new();
    }

    /// Follows steps of the wall clock.
    pub(crate) fn tick(&mut self) {
        let offset = self.settings.clock.wall_offset();
        if offset.abs_diff(self.wall_offset) > CLOCK_STEP {
            self.wall_offset = offset;
        }
    }

    fn time(&self, monotonic: u64) -> Timestamp {
        Timestamp::from_unix_nanos(monotonic.saturating_add(self.wall_offset))
    }

    /// What is known of a draft without reading its log.
    pub(crate) fn bare(&self, draft: &Draft) -> SpanRecord {
        let (start, end) = (draft.start, draft.end.unwrap_or(draft.start).max(draft.start));
        let mut record = SpanRecord::new(
            draft.trace_id,
            draft.span_id,
            Cow::Borrowed(draft.plan.name),
            ObservationKind::Span,
            self.time(start),
            self.time(end),
        );
        record.parent_span_id = draft.parent;
        record.parent_is_remote = draft.parent_is_remote;
        record.resource = Arc::clone(&self.resource);
        record.scope = Cow::Borrowed(draft.plan.target);
        record
    }

    /// Reads a draft.
    pub(crate) fn read(&mut self, draft: &Draft) -> SpanRecord {
        let mut record = self.bare(draft);
        let identity =
            [(semconv::CONVERSATION_ID, &draft.identity.session), (semconv::USER_ID, &draft.identity.user)];
        if draft.role == Role::Recorded {
            let offset = self.wall_offset;
            let time = |time: u64| Timestamp::from_unix_nanos(time.saturating_add(offset));
            let room = || Attributes::with_capacity(TYPICAL_ATTRIBUTES);
            let attributes = self.attributes.pop().unwrap_or_else(room);
            let gathered = Gathered::gather(&draft.log, &mut self.names, attributes, time);
            self.fill(&mut record, gathered, draft);
        }
        for (key, value) in identity {
            if let Some(value) = value {
                record.attributes.set(key, &**value);
            }
        }
        // Before anything is cut, so that no half of a secret is left.
        self.redactor.redact_record(&mut record, &mut self.clean);
        if self.settings.content == ContentPolicy::Keep {
            cut::cut_texts(&mut record, self.settings.max_text_bytes);
        }
        record
    }

    fn fill(&self, record: &mut SpanRecord, mut gathered: Gathered<'_>, draft: &Draft) {
        record.attributes = std::mem::take(&mut gathered.attributes);
        record.events = std::mem::take(&mut gathered.events);
        record.links = std::mem::take(&mut gathered.links);
        record.scores = std::mem::take(&mut gathered.scores);
        take_bridge_attributes(record);
        read_lists(&mut record.attributes);
        if let Some(name) = gathered.name.take() {
            record.name = Cow::Owned(name);
        }
        record.kind = take_kind(&mut record.attributes);
        for (key, value) in gathered.defaults.iter() {
            record.attributes.set_default(key.to_owned(), value.clone());
        }

        let exchange = read::exchange(&gathered, record, &draft.identity, draft.start);
        place::place(record, exchange, &gathered);
        if !gathered.labels.is_empty() {
            record.attributes.set(semconv::TAGS, std::mem::take(&mut gathered.labels));
        }
        gathered.truncated += u64::from(draft.is_cut);
        if gathered.truncated > 0 {
            record.attributes.set(semconv::TRUNCATED, gathered.truncated);
        }
        if self.settings.content == ContentPolicy::Omit {
            place::omit_content(record);
        } else {
            #[cfg(feature = "tokenizer")]
            if self.settings.estimates_tokens {
                estimate::fill(record);
            }
        }
        record.reprice(&self.prices);
    }
}

/// Names and states that were meant for `OpenTelemetry` bridges.
fn take_bridge_attributes(record: &mut SpanRecord) {
    let mut take = |key| match record.attributes.remove(key) {
        Some(Value::Str(text)) => Some(text.into_owned()),
        _ => None,
    };
    let (name, code) = (take(semconv::OTEL_NAME), take(semconv::OTEL_STATUS_CODE));
    let description = take(semconv::OTEL_STATUS_DESCRIPTION);
    if let Some(name) = name {
        record.name = Cow::Owned(name);
    }
    match code.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("ERROR") => record.status = Status::error(description.unwrap_or_default()),
        Some("OK") => record.status = Status::Ok,
        _ => {}
    }
}

/// Lists that came as JSON, because a `tracing` field holds none.
fn read_lists(attributes: &mut Attributes) {
    for key in
        [semconv::RESPONSE_FINISH_REASONS, semconv::REQUEST_STOP_SEQUENCES, semconv::REQUEST_ENCODING_FORMATS]
    {
        let Some(text) = attributes.get_str(key).filter(|text| text.starts_with('[')) else { continue };
        if let Ok(list) = serde_json::from_str::<Vec<String>>(text) {
            attributes.set(key, list);
        }
    }
}

/// What the span says it stands for, else what its attributes tell.
fn take_kind(attributes: &mut Attributes) -> ObservationKind {
    let stated = attributes.remove(semconv::KIND);
    let has = |key| attributes.get(key).is_some();
    let kind = ObservationKind::told(
        stated.as_ref().and_then(Value::as_str),
        attributes.get_str(semconv::OPERATION_NAME),
        has(semconv::TOOL_NAME),
        has(semconv::REQUEST_MODEL) || has(semconv::RESPONSE_MODEL),
        has(semconv::AGENT_NAME),
    );
    kind.unwrap_or(ObservationKind::Span)
}
