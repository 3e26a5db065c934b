//! Graphs in the trace of the program that asks for them.

use std::path::PathBuf;

use llmtrace::{Message, SpanExt as _, semconv};
use tracing::Span;

use super::error::CircuitError;
use super::graph::AttributionGraph;
use super::intervene::Validation;
use super::prune::{Pruned, Thresholds};
use super::summary::GraphSummary;
use super::supernode::Supernode;
use super::transcoder::Transcoders;
use crate::explain::trace::evaluator;
use crate::model::Model;
use crate::trace::{Artifacts, names, stem};

/// The most bytes of a graph's JSON that become an attribute.
pub const GRAPH_BYTES: usize = 512 << 10;

/// How many of the strongest paths are told in words.
const PATHS: usize = 8;

/// The cosine of decoders from which features are put into one supernode.
const ALIKE: f32 = 0.7;

/// How graphs are told to the trace around them.
#[derive(Clone, Debug, Default)]
pub(super) struct Telling {
    pub(super) explained: Option<Span>,
    pub(super) artifacts: Option<Artifacts>,
    pub(super) thresholds: Thresholds,
}

impl Telling {
    /// The span of a graph: a child of what it explains, or of the current span; disabled where nobody listens.
    pub(super) fn open(&self, model: &Model, tokens: &[u32]) -> Span {
        let span = evaluator(self.explained.as_ref(), &format!("attribution graph {}", model.name()));
        if span.span_id().is_none() {
            return Span::none();
        }
        span.set_attribute(names::FAMILY, model.config().family.as_str());
        span.record_input(&[Message::user(model.text_of(tokens))]);
        span
    }

    /// What came of it.
    pub(super) fn end(
        &self,
        span: &Span,
        transcoders: &Transcoders,
        traced: Result<&AttributionGraph, &CircuitError>,
    ) {
        if span.is_disabled() && self.artifacts.is_none() {
            return;
        }
        let graph = match traced {
            Ok(graph) => graph,
            Err(error) => return span.record_error(error),
        };
        let pruned = graph.prune(self.thresholds);
        // Without supernodes the graph is still whole.
        let supernodes = graph.propose_supernodes(transcoders, &pruned, ALIKE).unwrap_or_default();
        if !span.is_disabled() {
            let summary = graph.summary(&pruned, &supernodes, PATHS);
            graph.tell(span, &summary, &pruned, &supernodes);
            let paths = summary.paths.iter();
            let paths =
                paths.map(|path| format!("{:.1} % {}: {}", path.share * 100.0, path.speaks(), path.told()));
            span.record_output(&[Message::assistant(paths.collect::<Vec<_>>().join("\n"))]);
        }
        if let Some(artifacts) = &self.artifacts {
            match graph.written(artifacts, span, &pruned, &supernodes) {
                Ok(files) => files.record_on(span),
                Err(problem) => span.set_attribute(names::ARTIFACT_ERROR, problem),
            }
        }
        span.set_attribute(semconv::OTEL_STATUS_CODE, "OK");
    }
}

/// The files of a graph beside its trace.
#[derive(Clone, Debug)]
struct GraphFiles {
    json: PathBuf,
    /// None where the tensors would be larger than they may.
    tensors: Option<PathBuf>,
}

impl GraphFiles {
    fn record_on(&self, span: &Span) {
        span.set_attribute(names::GRAPH_FILE, self.json.display().to_string());
        match &self.tensors {
            Some(path) => span.set_attribute(names::ARTIFACT_PATH, path.display().to_string()),
            None => span.set_attribute(names::ARTIFACT_OMITTED, 1_usize),
        }
    }
}

impl AttributionGraph {
    /// Puts the graph on an open span, such as that of the generation that it explains: attributes `llmtrace.lens.graph.*`, the
    /// strongest paths in words, and the kept part as Neuronpedia's JSON in `llmtrace.lens.graph` where it takes at most 512 KiB.
    /// What the span says already stays.
    ///
    /// Where the layer leaves content out, so are the JSON and the words. Nothing happens where no `LlmLayer` sees the span.
    pub fn record_on(&self, span: &Span, pruned: &Pruned, supernodes: &[Supernode]) {
        if span.span_id().is_none() {
            return;
        }
        self.tell(span, &self.summary(pruned, supernodes, PATHS), pruned, supernodes);
    }

    fn tell(&self, span: &Span, summary: &GraphSummary, pruned: &Pruned, supernodes: &[Supernode]) {
        span.set_attribute(names::GRAPH_ACTIVE_FEATURES, summary.active_features);
        span.set_attribute(names::GRAPH_NODES, summary.nodes.kept);
        span.set_attribute(names::GRAPH_EDGES, summary.edges.kept);
        span.set_attribute(names::GRAPH_REPLACEMENT, summary.replacement);
        span.set_attribute(names::GRAPH_COMPLETENESS, summary.completeness);
        if let Some(path) = summary.strongest_path() {
            span.set_attribute(names::GRAPH_PATH, path);
        }
        let file = self.graph_file(&self.model, pruned).with_supernodes(self, supernodes);
        let json = serde_json::to_string(&file).unwrap_or_default();
        span.set_attribute(names::GRAPH_SIZE, json.len());
        if json.len() <= GRAPH_BYTES {
            span.set_attribute(names::GRAPH, json);
        }
    }

    /// Writes the graph beside its trace.
    fn written(
        &self,
        artifacts: &Artifacts,
        span: &Span,
        pruned: &Pruned,
        supernodes: &[Supernode],
    ) -> Result<GraphFiles, String> {
        let stem = artifacts.folder.join(stem(span));
        let path = |ending: &str| PathBuf::from(format!("{}.graph.{ending}", stem.display()));
        let (json, tensors) = (path("json"), path("safetensors"));
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", json.display());
        std::fs::create_dir_all(&artifacts.folder).map_err(|error| wrong(&error))?;
        let file = self.graph_file(&self.model, pruned).with_supernodes(self, supernodes);
        let text = serde_json::to_vec(&file).map_err(|error| wrong(&error))?;
        std::fs::write(&json, text).map_err(|error| wrong(&error))?;
        // Edges as f32, and a byte for each that may be kept.
        let bytes = self.len().saturating_mul(self.len()).saturating_mul(size_of::<f32>() + 1);
        if bytes > artifacts.max_bytes {
            return Ok(GraphFiles { json, tensors: None });
        }
        self.save_tensors(&tensors, pruned).map_err(|error| error.to_string())?;
        Ok(GraphFiles { json, tensors: Some(tensors) })
    }
}

impl Validation {
    /// Puts the correlations of what was foretold and what was measured on an open span, such as that of the graph.
    pub fn record_on(&self, span: &Span) {
        for (name, agreement) in [
            (names::GRAPH_FORETOLD_HELD, &self.total),
            (names::GRAPH_FORETOLD_FREE, &self.free),
            (names::GRAPH_FORETOLD_WITH_NORMS, &self.with_norms),
        ] {
            if let Some(correlation) = agreement.correlation {
                span.set_attribute(name, correlation);
            }
        }
        span.set_attribute(names::GRAPH_ABLATED, self.nodes.len());
    }
}
