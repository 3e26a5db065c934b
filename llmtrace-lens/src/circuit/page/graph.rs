//! Pages of graphs that were just traced.

use std::path::Path;

use crate::circuit::error::CircuitError;
use crate::circuit::graph::AttributionGraph;
use crate::circuit::prune::Pruned;

impl AttributionGraph {
    /// The part of it that is kept as one HTML file: see [`page`](crate::circuit::page).
    pub fn page(&self, slug: &str, pruned: &Pruned) -> String {
        self.graph_file(slug, pruned).page()
    }

    /// Writes that page.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save_page(&self, path: impl AsRef<Path>, slug: &str, pruned: &Pruned) -> Result<(), CircuitError> {
        let path = path.as_ref();
        let failed = |source| CircuitError::Write { path: path.to_owned(), source };
        std::fs::write(path, self.page(slug, pruned)).map_err(failed)
    }
}
