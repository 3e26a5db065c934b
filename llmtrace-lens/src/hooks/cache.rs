//! The values a run kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{DType, Tensor};

use super::filter::points;
use super::point::HookPoint;
use crate::error::RunError;
use crate::model::Config;
use crate::tensor_file;

/// Values of hook points of one run. They are references to what the run computed, not copies.
#[derive(Clone, Debug)]
pub struct ActivationCache {
    config: Arc<Config>,
    values: BTreeMap<HookPoint, (usize, Tensor)>,
}

impl ActivationCache {
    pub(crate) fn new(config: Arc<Config>) -> Self {
        Self { config, values: BTreeMap::new() }
    }

    /// The value at a point, by its classic name, an alias or a short name; the shape is that of its [`Site`](super::Site).
    ///
    /// # Errors
    /// There is no such point, or the run did not keep it.
    pub fn get(&self, name: &str) -> Result<&Tensor, RunError> {
        let point = HookPoint::parse(name, &self.config)
            .ok_or_else(|| RunError::unknown_point(name, &self.config))?;
        self.at(point)
    }

    /// The value at a point.
    ///
    /// # Errors
    /// The model has no such point, or the run did not keep it.
    pub fn at(&self, point: HookPoint) -> Result<&Tensor, RunError> {
        self.values.get(&point).map(|(_, value)| value).ok_or_else(|| {
            if points(&self.config).any(|known| known == point) {
                RunError::NotKept { point }
            } else {
                RunError::unknown_point(&point.to_string(), &self.config)
            }
        })
    }

    /// Points and values, in the order of their names in the model.
    pub fn iter(&self) -> impl Iterator<Item = (HookPoint, &Tensor)> {
        self.values.iter().map(|(point, (_, value))| (*point, value))
    }

    /// The number of values kept.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The model's shape.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Writes every value to a safetensors file, as f32 under its classic name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), RunError> {
        let mut tensors = std::collections::HashMap::new();
        for (point, value) in self.iter() {
            tensors.insert(point.to_string(), value.to_dtype(DType::F32)?.contiguous()?);
        }
        let path = path.as_ref();
        let write = |source| RunError::Write { path: path.to_owned(), source };
        tensor_file::write(path, &tensors, None).map_err(write)
    }

    /// The position in the text of a kept value's first row: above 0 in a session's later steps, and where only the last position was read out.
    pub fn start(&self, point: HookPoint) -> Option<usize> {
        self.values.get(&point).map(|(start, _)| *start)
    }

    pub(crate) fn shared_config(&self) -> &Arc<Config> {
        &self.config
    }

    pub(crate) fn insert(&mut self, point: HookPoint, start: usize, value: Tensor) {
        self.values.insert(point, (start, value));
    }
}
