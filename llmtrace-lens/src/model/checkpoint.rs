//! The safetensors files of a model folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;

use super::weights::Linear;
use super::{header, json_file};
use crate::error::LoadError;

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const ADAPTER: &str = "adapter_config.json";

/// Whether a linear map has a bias.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bias {
    Present,
    Absent,
}

/// Where each tensor lies; their bytes are read when they are asked for.
pub(crate) struct Checkpoint {
    folder: PathBuf,
    device: Device,
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    path: PathBuf,
    shape: Vec<usize>,
    stored: Stored,
    /// Whether the model has asked for it.
    asked: AtomicBool,
}

enum Stored {
    OnDisk { offset: u64, bytes: usize, dtype: Dtype },
    InMemory(Tensor),
}

impl Checkpoint {
    /// Reads the headers of `model.safetensors`, or of the files that its index names.
    pub(crate) fn open(folder: &Path, device: &Device) -> Result<Self, LoadError> {
        let mut checkpoint =
            Self { folder: folder.to_owned(), device: device.clone(), entries: BTreeMap::new() };
        let (single, index, adapter) = (folder.join(SINGLE), folder.join(INDEX), folder.join(ADAPTER));
        if is_there(&adapter) {
            let problem =
                "says that weights are added to the model's, which is not computed: merge them first";
            return Err(LoadError::Format { path: adapter, problem: problem.to_owned() });
        }
        if is_there(&single) {
            checkpoint.add(&single)?;
        } else if is_there(&index) {
            checkpoint.add_shards(&index)?;
        } else {
            let problem = format!("has neither {SINGLE} nor {INDEX}; only safetensors files can be read");
            return Err(LoadError::Format { path: folder.to_owned(), problem });
        }
        Ok(checkpoint)
    }

    /// Tensors that are in memory already; `name` stands for their file in errors.
    pub(crate) fn of(name: &Path, tensors: &BTreeMap<String, Tensor>, device: &Device) -> Self {
        let entry = |tensor: &Tensor| Entry {
            path: name.to_owned(),
            shape: tensor.dims().to_vec(),
            stored: Stored::InMemory(tensor.clone()),
            asked: AtomicBool::new(false),
        };
        let entries = tensors.iter().map(|(name, tensor)| (name.clone(), entry(tensor))).collect();
        Self { folder: name.to_owned(), device: device.clone(), entries }
    }

    fn add(&mut self, path: &Path) -> Result<(), LoadError> {
        for place in header::read(path)? {
            if let Some(other) = self.entries.get(&place.name) {
                let problem = format!("has a tensor {:?}, as {} has", place.name, other.path.display());
                return Err(LoadError::Format { path: path.to_owned(), problem });
            }
            let stored = Stored::OnDisk { offset: place.offset, bytes: place.bytes, dtype: place.dtype };
            let asked = AtomicBool::new(false);
            let entry = Entry { path: path.to_owned(), shape: place.shape, stored, asked };
            self.entries.insert(place.name, entry);
        }
        Ok(())
    }

    /// The files that an index names, with the tensors that it says they have.
    fn add_shards(&mut self, index: &Path) -> Result<(), LoadError> {
        let format = |problem: String| LoadError::Format { path: index.to_owned(), problem };
        let tensors = shards(index)?;
        let files: BTreeSet<&String> = tensors.values().collect();
        for file in files {
            let path = self.folder.join(file);
            if !is_there(&path) {
                return Err(format(format!("\"weight_map\" names {file:?}, which is not in the folder")));
            }
            self.add(&path)?;
        }
        for (tensor, file) in &tensors {
            let path = self.folder.join(file);
            if self.entries.get(tensor).is_none_or(|entry| entry.path != path) {
                return Err(format(format!(
                    "\"weight_map\" has tensor {tensor:?} in {file:?}, which has none"
                )));
            }
        }
        Ok(())
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Whether there is a tensor whose name begins so.
    pub(crate) fn has_any(&self, prefix: &str) -> bool {
        self.entries.keys().any(|name| name.starts_with(prefix))
    }

    /// A tensor as f32, of the shape that config.json makes it.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let missing = || LoadError::MissingTensor {
            path: self.folder.clone(),
            tensor: name.to_owned(),
            expected: shape.to_vec(),
        };
        let entry = self.entries.get(name).ok_or_else(missing)?;
        entry.asked.store(true, Ordering::Relaxed);
        if entry.shape != shape {
            return Err(LoadError::Shape {
                path: entry.path.clone(),
                tensor: name.to_owned(),
                expected: shape.to_vec(),
                found: entry.shape.clone(),
            });
        }
        let (offset, bytes, dtype) = match &entry.stored {
            Stored::InMemory(tensor) => return Ok(tensor.to_dtype(DType::F32)?.to_device(&self.device)?),
            Stored::OnDisk { offset, bytes, dtype } => (*offset, *bytes, *dtype),
        };
        let dtype = match dtype {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                let problem = format!("tensor {name:?} is {other:?}; F32, F16 and BF16 can be read");
                return Err(LoadError::Format { path: entry.path.clone(), problem });
            }
        };
        if dtype == DType::F32 {
            let numbers = entry.numbers(offset, bytes)?;
            return Ok(Tensor::from_vec(numbers, shape, &Device::Cpu)?.to_device(&self.device)?);
        }
        let mut raw = vec![0; bytes];
        entry.read(offset, &mut raw)?;
        Ok(Tensor::from_raw_buffer(&raw, dtype, shape, &Device::Cpu)?
            .to_dtype(DType::F32)?
            .to_device(&self.device)?)
    }

    /// `prefix.weight` `[out, in]` as PyTorch's Linear has it, and `prefix.bias`.
    pub(crate) fn linear(
        &self,
        prefix: &str,
        input: usize,
        output: usize,
        bias: Bias,
    ) -> Result<Linear, LoadError> {
        let weight = self.tensor(&format!("{prefix}.weight"), &[output, input])?.t()?;
        let bias = match bias {
            Bias::Present => Some(self.tensor(&format!("{prefix}.bias"), &[output])?),
            Bias::Absent => None,
        };
        Ok(Linear { weight, bias })
    }

    /// Fails where there is a tensor that no one asked for: without it the model would be another.
    pub(crate) fn all_asked(&self, unused: &[&str]) -> Result<(), LoadError> {
        let known = |name: &str| unused.iter().any(|part| name.contains(part));
        let left =
            self.entries.iter().find(|(name, entry)| !entry.asked.load(Ordering::Relaxed) && !known(name));
        match left {
            None => Ok(()),
            Some((name, entry)) => Err(LoadError::UnknownTensor {
                path: entry.path.clone(),
                tensor: name.clone(),
                found: entry.shape.clone(),
            }),
        }
    }

    /// The error that this tensor, or the lack of it, contradicts config.json.
    pub(crate) fn invalid(&self, problem: String) -> LoadError {
        LoadError::Format { path: self.folder.clone(), problem }
    }
}

impl Entry {
    /// Stored f32, read to where they stay.
    fn numbers(&self, offset: u64, bytes: usize) -> Result<Vec<f32>, LoadError> {
        let mut numbers = vec![0.0_f32; bytes / size_of::<f32>()];
        self.read(offset, bytemuck::cast_slice_mut(&mut numbers))?;
        for number in &mut numbers {
            *number = f32::from_bits(u32::from_le(number.to_bits()));
        }
        Ok(numbers)
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), LoadError> {
        let read = |source| LoadError::Read { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(read)?;
        file.seek(SeekFrom::Start(offset)).map_err(read)?;
        file.read_exact(bytes).map_err(read)
    }
}

/// The file of each tensor, as an index says.
pub(crate) fn shards(index: &Path) -> Result<BTreeMap<String, String>, LoadError> {
    let format = |problem: String| LoadError::Format { path: index.to_owned(), problem };
    let value = json_file::read(index)?;
    let map = value
        .get("weight_map")
        .and_then(serde_json::Value::as_object)
        .ok_or_else(|| format("has no object \"weight_map\"".to_owned()))?;
    let in_folder = |file: &&str| !file.is_empty() && !file.contains(['/', '\\', ':']);
    let files = map.iter().map(|(tensor, file)| match file.as_str().filter(in_folder) {
        Some(file) => Ok((tensor.clone(), file.to_owned())),
        None => Err(format(format!("\"weight_map\" gives no file name for {tensor:?}, but {file}"))),
    });
    files.collect()
}

/// Whether a folder has an entry of this name, be it a link to nowhere.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}
