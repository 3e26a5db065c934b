//! The tokenizer of a model folder.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tokenizers::Tokenizer;

use super::json_file;
use crate::error::LoadError;

/// The longest tokenizer.json that is read, in bytes: four times that of Gemma 3.
const LONGEST: u64 = 128 << 20;

/// `tokenizer.json`, where a folder has one.
pub(super) fn of_folder(folder: &Path) -> Result<Option<Tokenizer>, LoadError> {
    let path = folder.join("tokenizer.json");
    if std::fs::symlink_metadata(&path).is_err() {
        return Ok(None);
    }
    let bytes = json_file::bytes(&path, LONGEST)?;
    read(&bytes)
        .map(Some)
        .map_err(|problem| LoadError::Format { path, problem: format!("is no tokenizer: {problem}") })
}

fn read(bytes: &[u8]) -> Result<Tokenizer, String> {
    // The tokenizer library panics on some files that are no tokenizers; nothing of what it was building is kept.
    let read = catch_unwind(AssertUnwindSafe(|| Tokenizer::from_bytes(bytes)));
    let mut tokenizer = match read {
        Ok(read) => read.map_err(|error| error.to_string())?,
        Err(_) => return Err("the tokenizer library gave up on it".to_owned()),
    };
    // What the file keeps of somebody's batches would cut or pad every text, unsaid.
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
    Ok(tokenizer)
}
