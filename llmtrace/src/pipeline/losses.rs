//! Losses, told in-band: the record that an exporter gets once it works again.

use std::sync::Arc;

use super::drop_reason::{DropReason, REASONS};
use crate::{ObservationKind, Resource, SpanId, SpanRecord, Timestamp, TraceId, semconv};

/// What an exporter was told of its losses so far.
#[derive(Debug, Default)]
pub(super) struct Losses {
    told: [u64; REASONS],
}

/// When spans were lost that nobody was told of yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct LossTime {
    first: Timestamp,
    last: Timestamp,
}

/// The name of the record.
const NAME: &str = "llmtrace.dropped";

impl Losses {
    /// The record for what was lost since the last one that was [told](Self::told).
    pub(super) fn record(
        &self,
        dropped: [u64; REASONS],
        time: Option<LossTime>,
        resource: Option<&Arc<Resource>>,
    ) -> Option<SpanRecord> {
        let mut new = dropped;
        for (new, told) in new.iter_mut().zip(self.told) {
            *new = new.saturating_sub(told);
        }
        let total: u64 = new.iter().sum();
        if total == 0 {
            return None;
        }
        let LossTime { first, last } = time.unwrap_or_else(LossTime::now);
        let trace_id = TraceId::generate(last.unix_nanos() / 1_000_000, fastrand::u64(..));
        let mut record =
            SpanRecord::new(trace_id, SpanId::generate(), NAME, ObservationKind::Span, first, last);
        record.scope = "llmtrace".into();
        record.resource = resource.map(Arc::clone).unwrap_or_default();
        record.attributes.set(semconv::DROPPED_SPANS, total);
        for (reason, count) in DropReason::ALL.iter().copied().zip(new).filter(|(_, count)| *count > 0) {
            record.attributes.set(key(reason), count);
        }
        Some(record)
    }

    /// Says that the exporter took the record for these losses.
    pub(super) fn told(&mut self, dropped: [u64; REASONS]) {
        self.told = dropped;
    }
}

impl LossTime {
    fn now() -> Self {
        let now = Timestamp::now();
        Self { first: now, last: now }
    }

    /// Notes a loss.
    pub(super) fn note(time: &mut Option<Self>) {
        let now = Self::now();
        let first = time.map_or(now.first, |time| time.first);
        *time = Some(Self { first, ..now });
    }
}

/// The attribute that counts the losses for a reason.
fn key(reason: DropReason) -> &'static str {
    match reason {
        DropReason::QueueFull => semconv::DROPPED_QUEUE_FULL,
        DropReason::Shutdown => semconv::DROPPED_SHUTDOWN,
        DropReason::ShutdownTimeout => semconv::DROPPED_SHUTDOWN_TIMEOUT,
        DropReason::ExportFailed => semconv::DROPPED_EXPORT_FAILED,
        DropReason::ExporterPanicked => semconv::DROPPED_EXPORTER_PANICKED,
        DropReason::SampledOut => semconv::SAMPLED_OUT,
    }
}
