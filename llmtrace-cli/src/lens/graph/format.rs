//! The kinds of files that a graph is written to.

use std::path::Path;

use crate::failure::Failure;

/// How a graph is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Json,
    Page,
    Tensors,
    GraphMl,
    Dot,
}

impl Format {
    /// Whether it tells what features are beyond this prompt.
    pub(super) fn has_details(self) -> bool {
        matches!(self, Self::Json | Self::Page)
    }

    /// The format that a file's name ends in.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match ending.as_str() {
            "json" => Ok(Self::Json),
            "html" => Ok(Self::Page),
            "safetensors" => Ok(Self::Tensors),
            "graphml" => Ok(Self::GraphMl),
            "dot" | "gv" => Ok(Self::Dot),
            _ => Err(Failure::Wrong(format!(
                "{}: expected a name that ends in .html, .json, .safetensors, .graphml or .dot",
                path.display()
            ))),
        }
    }
}
