//! Reading the files of a model folder, no larger than they may be.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::error::LoadError;

/// The longest JSON file that is read, in bytes: a hundred times the index of the largest dense models.
const LONGEST: u64 = 32 << 20;

/// A JSON file.
pub(crate) fn read(path: &Path) -> Result<Value, LoadError> {
    serde_json::from_slice(&bytes(path, LONGEST)?)
        .map_err(|error| LoadError::Format { path: path.to_owned(), problem: format!("is no JSON: {error}") })
}

/// A whole file of at most so many bytes.
pub(crate) fn bytes(path: &Path, longest: u64) -> Result<Vec<u8>, LoadError> {
    let (file, size) = open(path)?;
    if size > longest {
        let problem = format!("is {size} bytes long, expected at most {longest}");
        return Err(LoadError::Format { path: path.to_owned(), problem });
    }
    let mut bytes = Vec::new();
    file.take(longest)
        .read_to_end(&mut bytes)
        .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// A file and its size in bytes; what is no file, such as a folder or a pipe, is not opened.
pub(crate) fn open(path: &Path) -> Result<(File, u64), LoadError> {
    let read = |source| LoadError::Read { path: path.to_owned(), source };
    let about = fs::metadata(path).map_err(read)?;
    if !about.is_file() {
        return Err(LoadError::Format { path: path.to_owned(), problem: "is no file".to_owned() });
    }
    Ok((File::open(path).map_err(read)?, about.len()))
}
