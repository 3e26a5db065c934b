//! One response.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use llmtrace::provider::Exchange;
use llmtrace::{PriceSource, Timestamp};
use serde_json::Value;

use super::answer::Answer;
use super::call::Asked;
use crate::failure::{Failure, is_stdin, shown};
use crate::mistaken::Held;
use crate::terminal;

/// The largest body that is read whole, in bytes.
const MAX_BODY_BYTES: u64 = 64 << 20;

/// Bytes of a stream that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Reads one response and prints what it cost.
pub(super) fn run(
    file: &Path,
    is_stream: bool,
    asked: &Asked,
    prices: &impl PriceSource,
) -> Result<(), Failure> {
    let mut reader = open(file)?;
    let (read, hint) = if is_stream {
        (stream(file, &mut reader, asked)?, None)
    } else {
        let body = body(file, reader)?;
        let read = asked.read(&body);
        let hint = if read.is_none() { Held::of(&body).filter(|held| *held != Held::Response) } else { None };
        (read, hint)
    };
    let was_recognised = read.is_some();
    let mut exchange = read.unwrap_or_default();
    asked.complete(&mut exchange);
    let at = asked.at.unwrap_or_else(Timestamp::now);
    let answer = serde_json::to_string(&Answer::new(&exchange, at, prices));
    let answer = answer.map_err(|error| Failure::Wrong(error.to_string()))?;
    terminal::print(&(answer + "\n"))?;
    if was_recognised { Ok(()) } else { Err(unrecognised(file, asked, hint)) }
}

/// Reads a stream to its end.
fn stream(file: &Path, reader: &mut impl Read, asked: &Asked) -> Result<Option<Exchange>, Failure> {
    let mut stream = asked.assembler();
    let (mut chunk, mut is_empty) = (vec![0; CHUNK_BYTES], true);
    loop {
        match reader.read(&mut chunk) {
            Ok(0) if is_empty => return Err(Failure::unreadable(file, &"it is empty")),
            Ok(0) => return Ok(asked.finish(stream)),
            Ok(more) => {
                stream.push(chunk.get(..more).unwrap_or_default());
                is_empty = false;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::unreadable(file, &error)),
        }
    }
}

/// Opens a file or standard input.
pub(super) fn open(file: &Path) -> Result<Box<dyn Read>, Failure> {
    if is_stdin(file) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let opened = File::open(file).map_err(|error| Failure::unreadable(file, &error))?;
    Ok(Box::new(opened))
}

/// Reads a body that must be one JSON value.
fn body(file: &Path, reader: impl Read) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_BODY_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::unreadable(file, &error))?;
    if bytes.len() as u64 > MAX_BODY_BYTES {
        return Err(Failure::unreadable(file, &format!("longer than {} MiB", MAX_BODY_BYTES >> 20)));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(Failure::unreadable(file, &"it is empty"));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|error| {
        Failure::Wrong(format!("{} is not one JSON body: {error}{}", shown(file), hint(text)))
    })
}

/// What a text that is not one JSON body may be instead.
fn hint(text: &[u8]) -> String {
    let starts = |with: &[u8]| text.trim_ascii_start().starts_with(with);
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<serde::de::IgnoredAny>();
    if [&b"data:"[..], b"event:", b"id:", b":"].into_iter().any(starts) {
        "; it looks like server-sent events: add --stream".to_owned()
    } else if text.starts_with(&[0, 0]) {
        "; it looks like AWS event-stream frames: add --stream".to_owned()
    } else if values.next().is_some_and(|first| first.is_ok())
        && values.next().is_some_and(|next| next.is_ok())
    {
        let several = "it holds several JSON values: add --stream for a stream, --lines for many calls";
        match Held::first_of(text).filter(|held| *held != Held::Response) {
            Some(held) => format!("; {}", held.said()),
            None => format!("; {several}"),
        }
    } else {
        String::new()
    }
}

fn unrecognised(file: &Path, asked: &Asked, held: Option<Held>) -> Failure {
    let file = shown(file);
    Failure::Nothing(match (asked.api, held) {
        (_, Some(held)) => format!("{file} is no response: {}", held.said()),
        (Some(api), None) => format!("{file} states nothing that a response of {api} does"),
        (None, None) => format!("{file} is no response of a known API; if it is one, name it with --api"),
    })
}
