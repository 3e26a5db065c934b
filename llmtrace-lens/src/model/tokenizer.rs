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

/// What a tokenizer must survive: letters, digits, spaces, a line's end, a character of three bytes and one of four.
const PROBE: &str = "A b 12,\n\u{57ce}\u{1F600}";

/// The tokenizer library panics on some files that are no tokenizers, be it while it reads them or at the first text: a
/// panic ends there, as nothing of what it was at is kept. The panic hook still prints it.
fn read(bytes: &[u8]) -> Result<Tokenizer, String> {
    catch_unwind(AssertUnwindSafe(|| {
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(|error| error.to_string())?;
        // What the file keeps of somebody's batches would cut or pad every text, unsaid.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| error.to_string())?;
        // A text that it refuses is an error when it is given.
        if let Ok(encoding) = tokenizer.encode(PROBE, true) {
            drop(tokenizer.decode(encoding.get_ids(), false));
        }
        Ok(tokenizer)
    }))
    .unwrap_or_else(|_| Err("the tokenizer library gives up on it".to_owned()))
}
