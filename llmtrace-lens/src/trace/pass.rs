//! One pass through a model: where its time went, and the spans of its parts.

use std::time::{Duration, Instant};

use candle_core::Tensor;
use llmtrace::{SpanExt as _, llm_span, semconv};
use serde::{Serialize, Serializer};
use tracing::span::EnteredSpan;

use super::names;
use super::norms::ResidualNorms;
use crate::error::RunError;
use crate::hooks::{HookPoint, Site, Tap};

/// Where the time of one pass went, and what its residual stream was like.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PassReport {
    /// Time of the embedding.
    #[serde(rename = "embed_seconds", serialize_with = "seconds")]
    pub embed: Duration,
    /// The blocks, in their order.
    pub blocks: Vec<BlockReport>,
    /// Time of the final norm and the unembedding.
    #[serde(rename = "unembed_seconds", serialize_with = "seconds")]
    pub unembed: Duration,
}

/// One block of a pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BlockReport {
    /// Time of the block.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub time: Duration,
    /// Time of its attention, the norm before it and that after it, where there are any.
    #[serde(rename = "attention_seconds", serialize_with = "seconds")]
    pub attention: Duration,
    /// Time of its MLP, likewise.
    #[serde(rename = "mlp_seconds", serialize_with = "seconds")]
    pub mlp: Duration,
    /// The residual stream where it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residual: Option<ResidualNorms>,
}

impl PassReport {
    /// What is remarkable, a sentence each.
    pub fn findings(&self) -> impl Iterator<Item = String> {
        let blocks = self.blocks.iter().enumerate();
        blocks.flat_map(|(layer, block)| {
            let norms = block.residual.iter();
            norms.flat_map(move |norms| norms.findings().map(move |one| format!("block {layer}: {one}")))
        })
    }
}

pub(crate) fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// Whether the parts of a pass have spans of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    Spans,
    TimesOnly,
}

/// Takes the time of each part of a pass while hooks run as they would without it.
pub(super) struct PassTap<'t> {
    inner: &'t mut dyn Tap,
    layers: usize,
    /// The first position of the values.
    before: usize,
    parts: Parts,
    /// The open spans, the innermost last.
    open: Vec<EnteredSpan>,
    /// When the current part began, and the current block.
    part: Instant,
    block: Instant,
    report: PassReport,
}

impl<'t> PassTap<'t> {
    pub(super) fn new(inner: &'t mut dyn Tap, layers: usize, parts: Parts) -> Self {
        let now = Instant::now();
        let report = PassReport { blocks: vec![BlockReport::default(); layers], ..PassReport::default() };
        let mut tap =
            Self { inner, layers, before: 0, parts, open: Vec::new(), part: now, block: now, report };
        tap.open(|| llm_span!("embed"));
        tap
    }

    /// What was measured.
    pub(super) fn into_report(mut self) -> PassReport {
        std::mem::take(&mut self.report)
    }

    fn open(&mut self, span: impl FnOnce() -> tracing::Span) {
        if self.parts == Parts::Spans {
            self.open.push(span().entered());
        }
    }

    fn close(&mut self) {
        self.open.pop();
    }

    /// Ends a part: how long it took.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let time = now.duration_since(self.part);
        self.part = now;
        time
    }

    fn begin_block(&mut self, layer: usize) {
        if layer == 0 {
            self.report.embed = self.lap();
            self.close();
        }
        self.block = self.part;
        self.open(|| {
            let span = llm_span!("block");
            span.set_attribute(semconv::OTEL_NAME, format!("block {layer}"));
            span.set_attribute(names::LAYER, layer);
            span
        });
        self.open(|| llm_span!("attention"));
    }

    fn end_block(&mut self, layer: usize, stream: &Tensor) -> Result<(), RunError> {
        let residual =
            (self.parts == Parts::Spans).then(|| ResidualNorms::of(stream, self.before)).transpose()?;
        if let (Some(norms), Some(span)) = (&residual, self.open.last()) {
            span.set_attribute(names::RESIDUAL_NORM, norms.mean_norm);
            span.set_attribute(names::RESIDUAL_MAX_NORM, norms.max_norm);
            if !norms.long_positions.is_empty() {
                span.set_attribute(names::RESIDUAL_OUTLIERS, norms.long_positions.clone());
            }
            let findings: Vec<String> = norms.findings().collect();
            if !findings.is_empty() {
                span.set_attribute(names::FINDINGS, findings);
            }
        }
        self.close();
        self.lap();
        let time = self.part.duration_since(self.block);
        if let Some(block) = self.report.blocks.get_mut(layer) {
            block.time = time;
            block.residual = residual;
        }
        if layer + 1 == self.layers {
            self.open(|| llm_span!("unembed"));
        }
        Ok(())
    }

    /// Notes that a part has ended with this value.
    fn mark(&mut self, point: HookPoint, value: &Tensor) -> Result<(), RunError> {
        // A GPU computes behind the program: what it has not done yet is not counted as done.
        value.device().synchronize()?;
        let layer = point.layer().unwrap_or_default();
        match point.site() {
            Site::ResidPre => self.begin_block(layer),
            Site::AttnOut => {
                let time = self.lap();
                self.close();
                self.open(|| llm_span!("mlp"));
                if let Some(block) = self.report.blocks.get_mut(layer) {
                    block.attention = time;
                }
            }
            Site::MlpOut => {
                let time = self.lap();
                self.close();
                if let Some(block) = self.report.blocks.get_mut(layer) {
                    block.mlp = time;
                }
            }
            Site::ResidPost => self.end_block(layer, value)?,
            Site::Unembed => {
                self.report.unembed = self.lap();
                self.close();
            }
            _ => {}
        }
        Ok(())
    }
}

/// The points at which a part ends.
fn is_boundary(site: Site) -> bool {
    matches!(site, Site::ResidPre | Site::AttnOut | Site::MlpOut | Site::ResidPost | Site::Unembed)
}

impl Tap for PassTap<'_> {
    fn begin(&mut self, start: usize, end: Option<usize>) {
        self.before = start;
        self.inner.begin(start, end);
    }

    fn wants(&self, point: HookPoint) -> bool {
        is_boundary(point.site()) || self.inner.wants(point)
    }

    fn visit(&mut self, point: HookPoint, value: Tensor) -> Result<Tensor, RunError> {
        let value = self.inner.visit(point, value)?;
        if is_boundary(point.site()) {
            self.mark(point, &value)?;
        }
        Ok(value)
    }
}

impl Drop for PassTap<'_> {
    /// A pass that failed leaves spans open; the innermost is closed first.
    fn drop(&mut self) {
        while self.open.pop().is_some() {}
    }
}
