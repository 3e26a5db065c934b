//! Models put together in memory.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{fs, io};

use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use tokenizers::Tokenizer;

use super::checkpoint::Checkpoint;
use super::model::Model;
use crate::error::LoadError;
use crate::tensor_file;

/// A model made of tensors instead of files: what stands in its folder, in memory.
#[derive(Clone, Debug)]
pub struct ModelBuilder {
    name: String,
    config: Value,
    tensors: BTreeMap<String, Tensor>,
    tokenizer: Option<Tokenizer>,
}

impl ModelBuilder {
    /// A model of this name and `config.json`.
    pub fn new(name: impl Into<String>, config: Value) -> Self {
        Self { name: name.into(), config, tensors: BTreeMap::new(), tokenizer: None }
    }

    /// Adds a tensor by the name that its family's files have for it.
    pub fn tensor(mut self, name: impl Into<String>, tensor: Tensor) -> Self {
        self.tensors.insert(name.into(), tensor);
        self
    }

    /// Adds the tokenizer.
    pub fn tokenizer(mut self, tokenizer: Tokenizer) -> Self {
        self.tokenizer = Some(tokenizer);
        self
    }

    /// Puts it together on the CPU.
    ///
    /// # Errors
    /// The configuration cannot be read, or a tensor is missing or of another shape than it says.
    pub fn build(&self) -> Result<Model, LoadError> {
        self.build_on(&Device::Cpu)
    }

    /// The same on another device.
    ///
    /// # Errors
    /// As for [`build`](Self::build), or the device refuses.
    pub fn build_on(&self, device: &Device) -> Result<Model, LoadError> {
        let place = PathBuf::from(format!("{} (in memory)", self.name));
        let files = Checkpoint::of(&place, &self.tensors, device);
        let config = (place.as_path(), &self.config);
        Model::assemble(self.name.clone(), config, &files, self.tokenizer.clone(), device)
    }

    /// Writes `config.json`, `model.safetensors` (f32) and `tokenizer.json` where there is one into a folder, as Hugging Face does.
    ///
    /// # Errors
    /// The folder cannot be made or a file cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> io::Result<()> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)?;
        fs::write(folder.join("config.json"), serde_json::to_string_pretty(&self.config)?)?;
        let mut tensors = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            let tensor = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.contiguous());
            tensors.push((name, tensor.map_err(io::Error::other)?));
        }
        // transformers reads no file that does not say whose tensors it holds.
        let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let tensors = tensors.iter().map(|(name, tensor)| (*name, tensor));
        tensor_file::write(&folder.join("model.safetensors"), tensors, Some(format))?;
        match &self.tokenizer {
            Some(tokenizer) => tokenizer.save(folder.join("tokenizer.json"), true).map_err(io::Error::other),
            None => Ok(()),
        }
    }
}
