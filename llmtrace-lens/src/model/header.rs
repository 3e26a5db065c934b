//! The header of a safetensors file: which tensors it has, and where.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read as _;
use std::path::Path;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::json_file;
use crate::error::LoadError;

/// The longest header that is read, in bytes, as the format's own reader allows.
const LONGEST: u64 = 100_000_000;

/// Bytes before the header, which state its length.
const LENGTH: u64 = 8;

/// A tensor of a file.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
    /// Where its bytes begin in the file.
    pub(super) offset: u64,
    /// How many they are.
    pub(super) bytes: usize,
}

/// The tensors of a file, none of which claims more than the file has.
pub(super) fn read(path: &Path) -> Result<Vec<Place>, LoadError> {
    let failed = |source| LoadError::Read { path: path.to_owned(), source };
    let format = |problem: String| LoadError::Format { path: path.to_owned(), problem };
    let (mut file, size) = json_file::open(path)?;
    if size < LENGTH {
        return Err(format(format!("is {size} bytes long, too short for safetensors")));
    }
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(failed)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST || length > size - LENGTH {
        return Err(format(format!(
            "is {size} bytes long, but its header claims {length}: the file is cut off or no safetensors file"
        )));
    }
    let mut text = Vec::new();
    file.take(length).read_to_end(&mut text).map_err(failed)?;
    let header: Header =
        serde_json::from_slice(&text).map_err(|error| format(format!("is no safetensors file: {error}")))?;
    places(header, LENGTH + length, size).map_err(format)
}

/// The tensors of a header that ends at byte `start` of a file of `size` bytes.
fn places(Header(mut tensors): Header, start: u64, size: u64) -> Result<Vec<Place>, String> {
    let mut names = BTreeSet::new();
    if let Some((name, _)) = tensors.iter().find(|(name, _)| !names.insert(name.as_str())) {
        return Err(format!("has two tensors {name:?}"));
    }
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let mut places: Vec<Place> = Vec::new();
    let mut end = start;
    for (name, info) in tensors {
        let place = place(name, info, start, size)?;
        if place.offset < end {
            let before = places.last().map_or("", |before| before.name.as_str());
            return Err(format!("tensors {before:?} and {:?} lie on the same bytes", place.name));
        }
        if place.offset > end {
            return Err(format!("bytes {end} to {} belong to no tensor", place.offset));
        }
        end = place.offset + place.bytes as u64;
        places.push(place);
    }
    if end != size {
        return Err(format!("is {size} bytes long, but its tensors end at byte {end}"));
    }
    Ok(places)
}

/// The place of one tensor, of the size that its type and shape need.
fn place(name: String, info: Info, start: u64, size: u64) -> Result<Place, String> {
    let Info { dtype, shape, data_offsets: (first, last) } = info;
    let bits = shape.iter().try_fold(dtype.bitsize(), |bits, side| bits.checked_mul(*side));
    let Some(bytes) = bits.filter(|bits| bits.is_multiple_of(8)).map(|bits| bits / 8) else {
        return Err(format!("tensor {name:?} of {dtype:?} {shape:?} has no size in bytes"));
    };
    if last.checked_sub(first) != Some(bytes as u64) {
        return Err(format!(
            "tensor {name:?} of {dtype:?} {shape:?} has {bytes} bytes, but lies from {first} to {last}"
        ));
    }
    if last > size - start {
        return Err(format!(
            "tensor {name:?} ends at byte {}, but the file has {size}: it is cut off",
            start.saturating_add(last)
        ));
    }
    Ok(Place { name, dtype, shape, offset: start + first, bytes })
}

/// Every tensor that a header names, also those that it names twice.
struct Header(Vec<(String, Info)>);

#[derive(Deserialize)]
struct Info {
    dtype: Dtype,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Tensors)
    }
}

struct Tensors;

impl<'de> Visitor<'de> for Tensors {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut tensors = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let info =
                map.next_value().map_err(|error| A::Error::custom(format!("tensor {name:?}: {error}")))?;
            tensors.push((name, info));
        }
        Ok(Header(tensors))
    }
}
