//! A text file piece by piece.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::circuit::error::CircuitError;
use crate::error::LoadError;
use crate::model::json_file;

/// The most bytes that are read as one piece: a longer line is cut.
const PIECE_BYTES: u64 = 64 << 10;

/// The lines of a text file that are not empty; long ones in pieces.
#[derive(Debug)]
pub(super) struct Passages {
    path: PathBuf,
    file: BufReader<File>,
    /// Bytes at the end of a piece that are not yet a character.
    rest: Vec<u8>,
    line: u64,
    /// Whether the next piece goes on with the line.
    within: bool,
    pub(super) done: u64,
    pub(super) total: u64,
}

/// A line of a text, or a piece of a long one.
#[derive(Debug)]
pub(super) struct Passage {
    /// Its number, from 1.
    pub(super) line: u64,
    pub(super) text: String,
}

impl Passages {
    pub(super) fn open(path: &Path) -> Result<Self, CircuitError> {
        let (file, total) = json_file::open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file: BufReader::new(file),
            rest: Vec::new(),
            line: 0,
            within: false,
            done: 0,
            total,
        })
    }

    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Passage>, CircuitError> {
        loop {
            let mut bytes = std::mem::take(&mut self.rest);
            let read = (&mut self.file).take(PIECE_BYTES).read_until(b'\n', &mut bytes);
            let read = read.map_err(|source| LoadError::Read { path: self.path.clone(), source })?;
            self.done += read as u64;
            if bytes.is_empty() {
                return Ok(None);
            }
            self.line += u64::from(!self.within);
            self.within = read > 0 && !bytes.ends_with(b"\n");
            let text = self.text(bytes)?;
            let text = text.trim();
            if !text.is_empty() {
                return Ok(Some(Passage { line: self.line, text: text.to_owned() }));
            }
        }
    }

    /// The characters of these bytes; the beginning of one at the end is kept for the next piece of the line.
    fn text(&mut self, mut bytes: Vec<u8>) -> Result<String, CircuitError> {
        let error = match String::from_utf8(bytes) {
            Ok(text) => return Ok(text),
            Err(error) => error,
        };
        let (valid, is_cut) = (error.utf8_error().valid_up_to(), error.utf8_error().error_len().is_none());
        bytes = error.into_bytes();
        if is_cut && self.within {
            self.rest = bytes.split_off(valid);
            return Ok(String::from_utf8(bytes).unwrap_or_default());
        }
        Err(LoadError::Format {
            path: self.path.clone(),
            problem: format!("line {} is no UTF-8: give a text file", self.line),
        }
        .into())
    }
}
