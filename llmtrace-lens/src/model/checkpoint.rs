//! The safetensors files of a model folder.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::weights::Linear;
use crate::error::LoadError;

/// The longest header that is read, as the format's own reader allows.
const HEADER_LIMIT: u64 = 100_000_000;
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

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
        let index = folder.join(INDEX);
        if folder.join(SINGLE).exists() || !index.exists() {
            checkpoint.add(&folder.join(SINGLE))?;
            return Ok(checkpoint);
        }
        for shard in shards(&index)? {
            checkpoint.add(&folder.join(shard))?;
        }
        Ok(checkpoint)
    }

    /// Tensors that are in memory already; `name` stands for their file in errors.
    pub(crate) fn of(name: &Path, tensors: &BTreeMap<String, Tensor>, device: &Device) -> Self {
        let entry = |tensor: &Tensor| Entry {
            path: name.to_owned(),
            shape: tensor.dims().to_vec(),
            stored: Stored::InMemory(tensor.clone()),
        };
        let entries = tensors.iter().map(|(name, tensor)| (name.clone(), entry(tensor))).collect();
        Self { folder: name.to_owned(), device: device.clone(), entries }
    }

    fn add(&mut self, path: &Path) -> Result<(), LoadError> {
        let read = |source| LoadError::Read { path: path.to_owned(), source };
        let format = |problem: String| LoadError::Format { path: path.to_owned(), problem };
        let mut file = File::open(path).map_err(read)?;
        let size = file.metadata().map_err(read)?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length)
            .map_err(|_| format(format!("is {size} bytes long, too short for safetensors")))?;
        let header = u64::from_le_bytes(length);
        if header > HEADER_LIMIT || header > size - 8 {
            return Err(format(format!(
                "is {size} bytes long, but its header claims {header}: the file is cut off or no safetensors file"
            )));
        }
        let mut text = Vec::new();
        file.take(header).read_to_end(&mut text).map_err(read)?;
        let metadata: Metadata = serde_json::from_slice(&text)
            .map_err(|error| format(format!("is no safetensors file: {error}")))?;
        for (name, info) in metadata.tensors() {
            let (begin, end) = info.data_offsets;
            if (8 + header).saturating_add(end as u64) > size {
                return Err(format(format!(
                    "tensor {name:?} ends at byte {}, but the file has {size}: it is cut off",
                    8 + header + end as u64
                )));
            }
            let entry = Entry {
                path: path.to_owned(),
                shape: info.shape.clone(),
                stored: Stored::OnDisk {
                    offset: 8 + header + begin as u64,
                    bytes: end - begin,
                    dtype: info.dtype,
                },
            };
            self.entries.insert(name, entry);
        }
        Ok(())
    }

    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// A tensor as f32, of the shape that config.json makes it.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, LoadError> {
        let missing = || LoadError::MissingTensor { path: self.folder.clone(), tensor: name.to_owned() };
        let entry = self.entries.get(name).ok_or_else(missing)?;
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

    /// A tensor where it is there.
    pub(crate) fn optional(&self, name: &str, shape: &[usize]) -> Result<Option<Tensor>, LoadError> {
        self.has(name).then(|| self.tensor(name, shape)).transpose()
    }

    /// `prefix.weight` `[out, in]` as PyTorch's Linear has it, and `prefix.bias` where it is there.
    pub(crate) fn linear(&self, prefix: &str, input: usize, output: usize) -> Result<Linear, LoadError> {
        let weight = self.tensor(&format!("{prefix}.weight"), &[output, input])?.t()?;
        Ok(Linear { weight, bias: self.optional(&format!("{prefix}.bias"), &[output])? })
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

/// The files that an index names, each once.
fn shards(index: &Path) -> Result<Vec<String>, LoadError> {
    let text = std::fs::read_to_string(index)
        .map_err(|source| LoadError::Read { path: index.to_owned(), source })?;
    let format = |problem: String| LoadError::Format { path: index.to_owned(), problem };
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format(format!("is no JSON: {error}")))?;
    let map = value
        .get("weight_map")
        .and_then(serde_json::Value::as_object)
        .ok_or_else(|| format("has no object \"weight_map\"".to_owned()))?;
    let mut names: Vec<String> = Vec::new();
    for (tensor, file) in map {
        let file = file
            .as_str()
            .filter(|file| !file.contains(['/', '\\']))
            .ok_or_else(|| format(format!("\"weight_map\" gives no file name for {tensor:?}, but {file}")))?;
        names.push(file.to_owned());
    }
    names.sort();
    names.dedup();
    Ok(names)
}
