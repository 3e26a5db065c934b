//! What can go wrong with a local model.

use std::io;
use std::path::PathBuf;

use crate::hooks::{HookPoint, points};
use crate::model::Config;

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file is missing or cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what its name says.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// config.json names an architecture that is not known.
    #[error("{}: model_type {found:?} is not known; known: {}", path.display(), known.join(", "))]
    Architecture {
        /// config.json.
        path: PathBuf,
        /// Its `model_type`.
        found: String,
        /// Those that can be loaded.
        known: Vec<&'static str>,
    },
    /// A tensor that the architecture needs is in none of the files.
    #[error("{}: no tensor {tensor:?}, expected one of shape {expected:?}", path.display())]
    MissingTensor {
        /// The folder of the files.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// What config.json makes its shape.
        expected: Vec<usize>,
    },
    /// A file has a tensor that the model of config.json has not: computed without it, its numbers would be wrong.
    #[error("{}: tensor {tensor:?} of shape {found:?} is not in the model that config.json describes", path.display())]
    UnknownTensor {
        /// The file.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A tensor has another shape than config.json says.
    #[error("{}: tensor {tensor:?} has shape {found:?}, expected {expected:?}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Its name.
        tensor: String,
        /// What config.json makes it.
        expected: Vec<usize>,
        /// What the file has.
        found: Vec<usize>,
    },
    /// The tensor library refused.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

/// Why a run of a model failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No hook point of this model has this name, or none fits this pattern.
    #[error("no hook point {name:?} in this model{}", closest.as_ref().map(|name| format!("; did you mean {name:?}?")).unwrap_or_default())]
    UnknownPoint {
        /// What was asked for.
        name: String,
        /// The name of a point, or another name of one, that is most like it.
        closest: Option<String>,
    },
    /// The value was not kept by the run.
    #[error("{point} was not kept: name it in the filter of the run")]
    NotKept {
        /// The point.
        point: HookPoint,
    },
    /// A hook answered with a value of another shape.
    #[error("the hook at {point} gave shape {found:?}, expected {expected:?}")]
    HookShape {
        /// The point.
        point: HookPoint,
        /// The shape it was given.
        expected: Vec<usize>,
        /// The shape it gave back.
        found: Vec<usize>,
    },
    /// An intervention cannot be made.
    #[error("at {point}: {problem}")]
    Intervention {
        /// The point.
        point: HookPoint,
        /// Why not.
        problem: String,
    },
    /// The input cannot be run.
    #[error("{0}")]
    Input(String),
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A hook failed.
    #[error("{0}")]
    Hook(Box<dyn std::error::Error + Send + Sync>),
    /// The tensor library refused.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl RunError {
    pub(crate) fn unknown_point(name: &str, config: &Config) -> Self {
        let names = points(config).flat_map(|point| point.names(config));
        let closest = names
            .min_by_key(|known| distance(known, name))
            .filter(|known| distance(known, name) <= name.len() / 2);
        Self::UnknownPoint { name: name.to_owned(), closest }
    }
}

/// Edit distance of two names (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
