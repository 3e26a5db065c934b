//! A prompt in named segments: the system prompt, each document, each tool result.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use llmtrace_lens::explain::{ExplainError, Parts};
use serde::Deserialize;

use crate::failure::{Failure, is_stdin, shown};

/// What stands between two segments.
const BETWEEN: &str = "\n\n";
/// The longest file that is read, in bytes: more than any model's context.
const LONGEST: u64 = 16 << 20;

/// A prompt, and the segments that it is made of.
#[derive(Debug)]
pub(super) struct Segments {
    text: String,
    /// Where each stands in the text.
    list: Vec<(Segment, Range<usize>)>,
}

/// One segment, as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    name: String,
    text: String,
    /// Whether it stays in every prompt.
    #[serde(default)]
    keep: bool,
}

impl Segments {
    /// Reads a file, or standard input for `-`: a JSON array of `{"name", "text"}`, with `"keep": true` where a segment is never
    /// masked.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |problem: String| Failure::Wrong(format!("{}: {problem}", shown(path)));
        let mut bytes = Vec::new();
        let read = if is_stdin(path) {
            io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
        } else {
            File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        };
        read.map_err(|error| Failure::unreadable(path, &error))?;
        if bytes.len() as u64 > LONGEST {
            return Err(wrong(format!("has more than {LONGEST} bytes")));
        }
        let segments: Vec<Segment> = serde_json::from_slice(&bytes).map_err(|error| {
            wrong(format!("{error}; expected [{{\"name\": \"system\", \"text\": \"..\"}}, ..]"))
        })?;
        if segments.iter().all(|segment| segment.keep) {
            return Err(wrong("has no segment that may be masked".to_owned()));
        }
        Ok(Self::joined(segments))
    }

    fn joined(segments: Vec<Segment>) -> Self {
        let (mut text, mut list) = (String::new(), Vec::new());
        for segment in segments {
            if !text.is_empty() {
                text.push_str(BETWEEN);
            }
            let start = text.len();
            text.push_str(&segment.text);
            list.push((segment, start..text.len()));
        }
        Self { text, list }
    }

    /// The whole prompt.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The segments that may be masked, as parts of the prompt.
    pub(super) fn parts(&self) -> Result<Parts, ExplainError> {
        let masked = self.list.iter().filter(|(segment, _)| !segment.keep);
        Parts::named(&self.text, masked.map(|(segment, range)| (segment.name.as_str(), range.clone())))
    }
}
