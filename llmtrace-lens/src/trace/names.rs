//! Every attribute that a run of a local model has beside those of the `OpenTelemetry` GenAI conventions.

use llmtrace::semconv;

/// `gen_ai.provider.name` of a local model.
pub const PROVIDER: &str = "llmtrace.local";
/// `gen_ai.operation.name` of an answer to a plain text.
pub const OPERATION: &str = "text_completion";
/// `gen_ai.operation.name` of a pass without an answer.
pub const FORWARD: &str = "forward";

/// How much of the run is told: `summary`, `layers`, `full`.
pub const DETAIL: &str = "llmtrace.lens.detail";
/// The model's architecture: `model_type` of config.json.
pub const FAMILY: &str = "llmtrace.lens.family";
/// The block, counted from 0.
pub const LAYER: &str = "llmtrace.lens.layer";
/// The step, counted from 0: step `n` chooses token `n` of the answer.
pub const STEP: &str = "llmtrace.lens.step";
/// How many positions a pass read.
pub const POSITIONS: &str = "llmtrace.lens.positions";
/// The min-p of the sampling.
pub const REQUEST_MIN_P: &str = "llmtrace.lens.request.min_p";
/// The repetition penalty of the sampling.
pub const REQUEST_REPETITION_PENALTY: &str = "llmtrace.lens.request.repetition_penalty";

/// Probability of the chosen token in the model's distribution.
pub const PROBABILITY: &str = "llmtrace.lens.probability";
/// Natural logarithm of [`PROBABILITY`].
pub const LOG_PROBABILITY: &str = "llmtrace.lens.log_probability";
/// Rank of the chosen token in the model's distribution, 1 for the most probable.
pub const RANK: &str = "llmtrace.lens.rank";
/// Entropy of the model's distribution in bits.
pub const ENTROPY_BITS: &str = "llmtrace.lens.entropy_bits";
/// Probability of the chosen token in the distribution after all filters.
pub const FINAL_PROBABILITY: &str = "llmtrace.lens.final.probability";
/// Entropy of the distribution after all filters in bits.
pub const FINAL_ENTROPY_BITS: &str = "llmtrace.lens.final.entropy_bits";
/// What each filter removed (JSON).
pub const FILTERS: &str = "llmtrace.lens.filters";
/// Mean of [`LOG_PROBABILITY`] over the answer.
pub const MEAN_LOG_PROBABILITY: &str = "llmtrace.lens.mean_log_probability";
/// Mean of [`ENTROPY_BITS`] over the answer.
pub const MEAN_ENTROPY_BITS: &str = "llmtrace.lens.mean_entropy_bits";

/// Seconds that the passes took.
pub const FORWARD_SECONDS: &str = "llmtrace.lens.forward_seconds";
/// Seconds that each block took, summed over the passes.
pub const LAYER_SECONDS: &str = "llmtrace.lens.layer_seconds";
/// Estimated floating point operations.
pub const FLOPS: &str = "llmtrace.lens.flops";
/// Bytes of keys and values that were kept at the end.
pub const KV_CACHE_BYTES: &str = "llmtrace.lens.kv_cache_bytes";
/// Bytes of activations that hooks kept.
pub const KEPT_BYTES: &str = "llmtrace.lens.kept_bytes";

/// Mean length (L2 norm) of the residual stream over the positions, where a block ends.
pub const RESIDUAL_NORM: &str = "llmtrace.lens.residual.mean_norm";
/// The greatest length among the positions.
pub const RESIDUAL_MAX_NORM: &str = "llmtrace.lens.residual.max_norm";
/// Positions whose residual stream is an outlier.
pub const RESIDUAL_OUTLIERS: &str = "llmtrace.lens.residual.outliers";
/// What is remarkable, a sentence each.
pub const FINDINGS: &str = "llmtrace.lens.findings";

/// The file that holds the run's tensors.
pub const ARTIFACT_PATH: &str = "llmtrace.lens.artifact.path";
/// Its tensors (JSON): name, shape, dtype.
pub const ARTIFACT_TENSORS: &str = "llmtrace.lens.artifact.tensors";
/// How many tensors did not fit into it.
pub const ARTIFACT_OMITTED: &str = "llmtrace.lens.artifact.omitted";
/// Why it could not be written.
pub const ARTIFACT_ERROR: &str = "llmtrace.lens.artifact.error";

/// The kept part of an attribution graph, as Neuronpedia's JSON; it is content.
pub const GRAPH: &str = semconv::LENS_GRAPH;
/// How many bytes that JSON has; one of more than 512 KiB is no attribute.
pub const GRAPH_SIZE: &str = "llmtrace.lens.graph.bytes";
/// The file that holds that JSON.
pub const GRAPH_FILE: &str = "llmtrace.lens.graph.file";
/// How many features were active.
pub const GRAPH_ACTIVE_FEATURES: &str = "llmtrace.lens.graph.active_features";
/// How many nodes of the graph are kept.
pub const GRAPH_NODES: &str = "llmtrace.lens.graph.nodes";
/// How many of its edges are kept.
pub const GRAPH_EDGES: &str = "llmtrace.lens.graph.edges";
/// How much of the answer comes from the prompt through features alone, of 1.
pub const GRAPH_REPLACEMENT: &str = "llmtrace.lens.graph.replacement";
/// How much of what nodes read is no error's, of 1.
pub const GRAPH_COMPLETENESS: &str = "llmtrace.lens.graph.completeness";
/// How many features were ablated to hold the graph to the model.
pub const GRAPH_ABLATED: &str = "llmtrace.lens.graph.ablated";
/// Correlation of what the graph foretells with what the model does, attention patterns and norms' divisors held.
pub const GRAPH_FORETOLD_HELD: &str = "llmtrace.lens.graph.correlation.held";
/// The same with nothing held.
pub const GRAPH_FORETOLD_FREE: &str = "llmtrace.lens.graph.correlation.free";
/// The same with nothing held, where norms follow the graph's features in what is foretold.
pub const GRAPH_FORETOLD_WITH_NORMS: &str = "llmtrace.lens.graph.correlation.with_norms";

/// The strongest path of a graph, in words.
pub const GRAPH_PATH: &str = "llmtrace.lens.content.graph.path";
/// The chosen token as the vocabulary writes it. What begins with `llmtrace.lens.content.` is content.
pub const PIECE: &str = "llmtrace.lens.content.piece";
/// The tokens that might have been chosen, with their probabilities (JSON).
pub const ALTERNATIVES: &str = "llmtrace.lens.content.alternatives";
