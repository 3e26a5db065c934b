//! One safetensors file of which parts are read when they are needed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;

use crate::error::LoadError;
use crate::model::header::{self, Place};

/// The header of a safetensors file; its tensors stay on the disk.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    places: BTreeMap<String, Place>,
}

impl Archive {
    pub(super) fn open(path: PathBuf) -> Result<Self, LoadError> {
        let places = header::read(&path)?.into_iter().map(|place| (place.name.clone(), place)).collect();
        Ok(Self { path, places })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The size of a tensor's first dimension.
    pub(super) fn rows(&self, name: &str, expected: &[usize]) -> Result<usize, LoadError> {
        let place = self.place(name, expected)?;
        place.shape.first().copied().ok_or_else(|| self.shape_error(place, expected))
    }

    /// A tensor of this shape, as f32.
    pub(super) fn tensor(&self, name: &str, expected: &[usize]) -> Result<Tensor, LoadError> {
        let place = self.shaped(name, expected)?;
        let bytes = self.read(place.offset, place.bytes)?;
        self.decode(place, &bytes, expected)
    }

    /// Pieces `[n, width]` of a tensor of this shape: `width` numbers in a row from each of the given ones on.
    pub(super) fn pieces(
        &self,
        name: &str,
        expected: &[usize],
        width: usize,
        starts: &[usize],
    ) -> Result<Tensor, LoadError> {
        let place = self.shaped(name, expected)?;
        let size = self.dtype(place)?.size_in_bytes();
        let mut bytes = Vec::with_capacity(starts.len() * width * size);
        let mut file = self.open_file()?;
        let mut rest = starts;
        while let Some(first) = rest.first() {
            // Neighbours are read at once.
            let together = rest.iter().enumerate().take_while(|(at, start)| **start == first + at * width);
            let count = together.count();
            if (first + count * width) * size > place.bytes {
                return Err(
                    self.format(format!("tensor {name:?} has no number {}", first + count * width - 1))
                );
            }
            let from = bytes.len();
            bytes.resize(from + count * width * size, 0);
            let read = |source| LoadError::Read { path: self.path.clone(), source };
            file.seek(SeekFrom::Start(place.offset + (first * size) as u64)).map_err(read)?;
            file.read_exact(&mut bytes[from..]).map_err(read)?;
            rest = &rest[count..];
        }
        self.decode(place, &bytes, &[starts.len(), width])
    }

    /// A whole number, of whatever type.
    pub(super) fn count(&self, name: &str) -> Result<usize, LoadError> {
        let place = self.place(name, &[])?;
        let bytes = self.read(place.offset, place.bytes)?;
        let whole = |value: f32| value.fract() == 0.0 && (0.0..1e9).contains(&value);
        let value = match (place.dtype, bytes.len()) {
            (Dtype::I64 | Dtype::U64, 8) => bytes.try_into().ok().map(i64::from_le_bytes),
            (Dtype::I32 | Dtype::U32, 4) => bytes.try_into().ok().map(i32::from_le_bytes).map(i64::from),
            #[expect(clippy::cast_possible_truncation, reason = "a checked whole number")]
            (Dtype::F32, 4) => bytes
                .try_into()
                .ok()
                .map(f32::from_le_bytes)
                .filter(|value| whole(*value))
                .map(|value| value as i64),
            _ => None,
        };
        let value = value.and_then(|value| usize::try_from(value).ok());
        value.ok_or_else(|| {
            self.format(format!("tensor {name:?} of {:?} {:?} is no whole number", place.dtype, place.shape))
        })
    }

    pub(super) fn format(&self, problem: String) -> LoadError {
        LoadError::Format { path: self.path.clone(), problem }
    }

    fn place(&self, name: &str, expected: &[usize]) -> Result<&Place, LoadError> {
        self.places.get(name).ok_or_else(|| LoadError::MissingTensor {
            path: self.path.clone(),
            tensor: name.to_owned(),
            expected: expected.to_vec(),
        })
    }

    fn shaped(&self, name: &str, expected: &[usize]) -> Result<&Place, LoadError> {
        let place = self.place(name, expected)?;
        if place.shape == expected { Ok(place) } else { Err(self.shape_error(place, expected)) }
    }

    fn shape_error(&self, place: &Place, expected: &[usize]) -> LoadError {
        LoadError::Shape {
            path: self.path.clone(),
            tensor: place.name.clone(),
            expected: expected.to_vec(),
            found: place.shape.clone(),
        }
    }

    fn dtype(&self, place: &Place) -> Result<DType, LoadError> {
        match place.dtype {
            Dtype::F32 => Ok(DType::F32),
            Dtype::F16 => Ok(DType::F16),
            Dtype::BF16 => Ok(DType::BF16),
            other => {
                Err(self
                    .format(format!("tensor {:?} is {other:?}; F32, F16 and BF16 can be read", place.name)))
            }
        }
    }

    fn decode(&self, place: &Place, bytes: &[u8], shape: &[usize]) -> Result<Tensor, LoadError> {
        Ok(Tensor::from_raw_buffer(bytes, self.dtype(place)?, shape, &Device::Cpu)?.to_dtype(DType::F32)?)
    }

    fn open_file(&self) -> Result<File, LoadError> {
        File::open(&self.path).map_err(|source| LoadError::Read { path: self.path.clone(), source })
    }

    fn read(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, LoadError> {
        let read = |source| LoadError::Read { path: self.path.clone(), source };
        let mut file = self.open_file()?;
        file.seek(SeekFrom::Start(offset)).map_err(read)?;
        let mut buffer = vec![0; bytes];
        file.read_exact(&mut buffer).map_err(read)?;
        Ok(buffer)
    }
}
