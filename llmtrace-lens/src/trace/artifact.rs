//! The tensors of a run, in a file beside its trace.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use candle_core::{DType, Device, Tensor};
use llmtrace::SpanExt as _;
use serde::Serialize;
use tracing::Span;

use crate::generate::Generation;
use crate::hooks::ActivationCache;
use crate::tensor_file;

/// Where the tensors of a run go: one safetensors file a run, in a folder.
///
/// The file holds what the run's hooks keep ([`Hooks::keep`](crate::Hooks::keep)), as f32 under `step.N/` and the classic
/// name, where step 0 is that of the prompt; and `tokens` \[prompt and answer\], `log_probabilities` and `entropies`
/// \[answer\], in nats. It is named after the span, or after the time where nobody listens.
///
/// ```
/// use llmtrace_lens::trace::Artifacts;
///
/// let artifacts = Artifacts::in_folder("traces").max_bytes(64 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifacts {
    /// The folder; it is made where it is missing.
    pub folder: PathBuf,
    /// The most bytes of tensors that a run keeps in memory for its file; those beyond are left out, and counted.
    pub max_bytes: usize,
}

/// The file of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Artifact {
    /// The file.
    pub path: PathBuf,
    /// Its tensors, by name.
    pub tensors: Vec<ArtifactTensor>,
    /// How many tensors were left out because there were too many bytes.
    pub omitted: usize,
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ArtifactTensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// `F32`, `U32`: as safetensors writes it.
    pub dtype: &'static str,
}

impl Artifacts {
    /// Files in this folder, of at most 256 MiB a run.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), max_bytes: 256 << 20 }
    }

    /// Sets the most bytes of tensors that a run keeps.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}

/// Gathers the tensors of one run.
#[derive(Debug)]
pub(crate) struct ArtifactWriter {
    artifacts: Artifacts,
    tensors: BTreeMap<String, Tensor>,
    bytes: usize,
    omitted: usize,
}

impl ArtifactWriter {
    pub(crate) fn new(artifacts: Artifacts) -> Self {
        Self { artifacts, tensors: BTreeMap::new(), bytes: 0, omitted: 0 }
    }

    /// Keeps what the hooks of a step kept: references, not copies.
    pub(super) fn keep(&mut self, step: usize, kept: &ActivationCache) {
        for (point, value) in kept.iter() {
            let bytes = value.elem_count() * size_of::<f32>();
            if self.bytes.saturating_add(bytes) > self.artifacts.max_bytes {
                self.omitted += 1;
                continue;
            }
            self.bytes += bytes;
            self.tensors.insert(format!("step.{step}/{point}"), value.clone());
        }
    }

    /// Writes the file; the error says what went wrong, and with which file.
    pub(super) fn write(mut self, span: &Span, generation: &Generation) -> Result<Artifact, String> {
        let folder = &self.artifacts.folder;
        let path = folder.join(format!("{}.safetensors", stem(span)));
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        std::fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
        let facts = facts(generation).map_err(|error| wrong(&error))?;
        self.tensors.extend(facts);
        let mut written = HashMap::new();
        let mut tensors = Vec::new();
        for (name, tensor) in self.tensors {
            let dtype = if tensor.dtype() == DType::U32 { DType::U32 } else { DType::F32 };
            let tensor = tensor.to_dtype(dtype).and_then(|tensor| tensor.contiguous());
            let tensor = tensor.map_err(|error| wrong(&error))?;
            let named = if dtype == DType::U32 { "U32" } else { "F32" };
            tensors.push(ArtifactTensor { name: name.clone(), shape: tensor.dims().to_vec(), dtype: named });
            written.insert(name, tensor);
        }
        tensor_file::write(&path, &written, None).map_err(|error| wrong(&error))?;
        Ok(Artifact { tensors, omitted: self.omitted, path })
    }
}

/// What every file says of the run.
fn facts(generation: &Generation) -> candle_core::Result<[(String, Tensor); 3]> {
    let cpu = &Device::Cpu;
    let prompt = generation.prompt.iter().map(|token| token.id);
    let ids: Vec<u32> = prompt.chain(generation.tokens.iter().map(|token| token.token.id)).collect();
    let numbers = |of: fn(&crate::generate::Choice) -> f64| {
        #[expect(clippy::cast_possible_truncation, reason = "the file holds f32")]
        let values = generation.tokens.iter().map(|token| of(&token.choice) as f32).collect::<Vec<f32>>();
        Tensor::from_vec(values, generation.tokens.len(), cpu)
    };
    Ok([
        ("tokens".to_owned(), Tensor::from_vec(ids.clone(), ids.len(), cpu)?),
        ("log_probabilities".to_owned(), numbers(|choice| choice.model.log_probability)?),
        ("entropies".to_owned(), numbers(|choice| choice.model_entropy.nats())?),
    ])
}

/// A name that no other run has.
pub(crate) fn stem(span: &Span) -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    if let (Some(trace), Some(span)) = (span.trace_id(), span.span_id()) {
        return format!("{trace}-{span}");
    }
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("lens-{nanos}-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed))
}
