//! Spans on their way, a batch at a time.

use std::collections::HashSet;
use std::time::Instant;

use llmtrace::{ExportContext, ExportError, SpanRecord, TraceId};
use llmtrace_exporters::figures;

use super::target::Target;
use crate::failure::Failure;
use crate::terminal;

/// Sends spans and counts what became of them.
pub(super) struct Sender {
    target: Target,
    /// Nothing is sent.
    is_dry: bool,
    batch: Vec<SpanRecord>,
    /// Bytes of the batch's lines.
    bytes: usize,
    began: Instant,
    /// Spans that were given.
    taken: u64,
    sent: u64,
    refused: u64,
    /// Why spans were refused, the last time.
    reason: Option<String>,
    /// Batches of which nothing was taken, since one of which something was.
    in_vain: u32,
    /// The traces of which something was sent.
    traces: HashSet<TraceId>,
}

/// Spans and bytes that end a batch.
const BATCH_SPANS: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

/// Batches that may be refused whole, one after the other, before the rest is not tried: a wrong key refuses all.
const MAX_IN_VAIN: u32 = 3;

impl Sender {
    pub(super) fn new(mut target: Target, is_dry: bool) -> Self {
        let exporter = target.exporter();
        let context = ExportContext::on_stderr(exporter.name());
        exporter.start(context);
        Self {
            target,
            is_dry,
            batch: Vec::new(),
            bytes: 0,
            began: Instant::now(),
            taken: 0,
            sent: 0,
            refused: 0,
            reason: None,
            in_vain: 0,
            traces: HashSet::new(),
        }
    }

    /// Takes a span whose line is `length` bytes long.
    pub(super) fn add(&mut self, span: SpanRecord, length: u32) -> Result<(), Failure> {
        self.taken += 1;
        self.bytes += length as usize;
        self.batch.push(span);
        if self.batch.len() >= BATCH_SPANS || self.bytes >= BATCH_BYTES { self.send() } else { Ok(()) }
    }

    /// Sends what was taken so far.
    pub(super) fn send(&mut self) -> Result<(), Failure> {
        let spans = self.batch.len() as u64;
        if spans == 0 {
            return Ok(());
        }
        let result = if self.is_dry { Ok(()) } else { self.target.exporter().export(&self.batch) };
        let lost = result.as_ref().err().map_or(0, |error| error.lost().unwrap_or(spans).min(spans));
        if lost < spans {
            self.traces.extend(self.batch.iter().map(|span| span.trace_id));
        }
        self.batch.clear();
        self.bytes = 0;
        self.sent += spans - lost;
        let Err(error) = result else {
            self.in_vain = 0;
            return Ok(());
        };
        if error.is_retryable() {
            return Err(self.stopped(&error));
        }
        self.refused += lost;
        self.reason = Some(error.to_string());
        self.in_vain = if lost == spans { self.in_vain + 1 } else { 0 };
        if self.in_vain >= MAX_IN_VAIN { Err(self.stopped(&error)) } else { Ok(()) }
    }

    /// Whether there was no span.
    pub(super) fn is_unused(&self) -> bool {
        self.taken == 0
    }

    /// Says what became of the spans.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let scores = self.target.refused_scores();
        let refused = match &self.reason {
            None => "; 0 refused".to_owned(),
            Some(why) => format!("; {} refused: {why}", figures::count(self.refused)),
        };
        let scores_refused = match scores {
            0 => String::new(),
            1 => "; 1 score refused".to_owned(),
            many => format!("; {} scores refused", figures::count(many)),
        };
        let time = figures::duration(self.began.elapsed());
        let said = if self.is_dry {
            format!("would send {}", self.sent())
        } else {
            format!("sent {} in {time}{refused}{scores_refused}", self.sent())
        };
        if self.refused > 0 || scores > 0 {
            return Err(Failure::Incomplete(said));
        }
        terminal::note(&said);
        Ok(())
    }

    /// The spans that follow are not tried.
    fn stopped(&self, error: &ExportError) -> Failure {
        let refused = match self.refused {
            0 => String::new(),
            refused => format!("; {} refused", figures::count(refused)),
        };
        let stopped = "stopped before the end of the input";
        Failure::Incomplete(format!("sent {}{refused}; {stopped}: {error}", self.sent()))
    }

    fn sent(&self) -> String {
        let endpoint = self.target.endpoint();
        let (spans, traces) = (figures::count(self.sent), figures::count(self.traces.len() as u64));
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let (many_spans, many_traces) = (plural(self.sent), plural(self.traces.len() as u64));
        format!("{spans} span{many_spans} of {traces} trace{many_traces} to {endpoint}")
    }
}
