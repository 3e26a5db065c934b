//! The spans of a set of files and stores.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use llmtrace::SpanRecord;
use llmtrace_exporters::{Line, Lines, MAX_LINE_BYTES, read_line, write_line};
use rusqlite::Connection;

use crate::failure::{Failure, is_stdin, shown};
use crate::mistaken::Held;
use crate::progress::Progress;
use crate::store::error::StoreError;
use crate::{store, terminal};

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Which of the files, from 0.
    pub(crate) file: u32,
    /// Bytes of the line; of a span of a store, those that it would have.
    pub(crate) length: u32,
    /// Where the line starts, in bytes; 0 of a span of a store.
    pub(crate) start: u64,
}

/// What was read of a set of files.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Lines that are spans.
    pub(crate) spans: u64,
    /// Lines that are none: torn, foreign or too long.
    pub(crate) skipped: u64,
    /// Why the last of them is none.
    last_reason: String,
}

/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

/// A set of spans, opened.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
}

/// Where the spans of a source stand.
#[derive(Debug)]
pub(crate) enum Content {
    /// On the lines of a file.
    Lines(File),
    /// On the lines of standard input.
    Stdin,
    /// In a store.
    Store(Connection),
}

/// What a file begins with that `SQLite` wrote (<https://www.sqlite.org/fileformat.html#magic_header_string>).
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

impl Source {
    /// Opens the files, all before any is read.
    pub(crate) fn open_all(paths: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        paths.iter().map(|path| Self::open(path)).collect()
    }

    fn open(path: &Path) -> Result<Self, Failure> {
        let path = path.to_owned();
        if is_stdin(&path) {
            return Ok(Self { path, content: Content::Stdin });
        }
        let unreadable = |error: io::Error| Failure::unreadable(&path, &error);
        let file = File::open(&path).map_err(unreadable)?;
        let data = file.metadata().map_err(unreadable)?;
        if data.is_dir() {
            return Err(Failure::unreadable(&path, &"it is a folder"));
        }
        if data.is_file() && is_store(&file).map_err(unreadable)? {
            let store = store::open_read_only(&path).map_err(|error| Failure::Wrong(error.to_string()))?;
            return Ok(Self { path, content: Content::Store(store) });
        }
        Ok(Self { path, content: Content::Lines(file) })
    }

    /// The file, where it is one of lines.
    pub(crate) fn lines(&self) -> Option<&File> {
        match &self.content {
            Content::Lines(file) => Some(file),
            Content::Stdin | Content::Store(_) => None,
        }
    }

    /// Whether a line of it can be read again: not that of a pipe.
    pub(crate) fn can_seek(&self) -> bool {
        match &self.content {
            Content::Lines(file) => file.metadata().is_ok_and(|data| data.is_file()),
            Content::Stdin => false,
            Content::Store(_) => true,
        }
    }

    /// Bytes of the file, as far as it is one of lines.
    fn len(&self) -> u64 {
        self.lines().and_then(|file| file.metadata().ok()).map_or(0, |data| data.len())
    }
}

fn is_store(mut file: &File) -> io::Result<bool> {
    let mut start = Vec::with_capacity(SQLITE_MAGIC.len());
    file.take(SQLITE_MAGIC.len() as u64).read_to_end(&mut start)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(start == SQLITE_MAGIC)
}

/// The files as messages name them.
fn named(sources: &[Source]) -> String {
    match sources {
        [only] => shown(&only.path),
        many => format!("{} files", many.len()),
    }
}

/// Reads every span of the files; `each` is given where its line stands.
pub(crate) fn read(
    sources: &[Source],
    mut each: impl FnMut(Place, SpanRecord) -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let progress = Progress::new(sources.iter().map(Source::len).sum());
    let (mut tally, mut before) = (Tally::default(), 0);
    for (source, number) in sources.iter().zip(0..) {
        let reader: Box<dyn Read + '_> = match &source.content {
            Content::Lines(file) => Box::new(file),
            Content::Stdin => Box::new(io::stdin().lock()),
            Content::Store(store) => {
                read_store(store, number, &mut tally, &mut each)?;
                continue;
            }
        };
        let mut lines = Lines::new(BufReader::with_capacity(READ_BYTES, reader));
        let unreadable = |error: io::Error| Failure::unreadable(&source.path, &error);
        while let Some(line) = lines.next().map_err(unreadable)? {
            tally.take(&source.path, number, &line, &mut each)?;
            progress.set(before + lines.read());
        }
        if let Some(line) = lines.rest() {
            tally.take(&source.path, number, &line, &mut each)?;
        }
        before += lines.read();
    }
    Ok(tally)
}

fn read_store(
    store: &Connection,
    file: u32,
    tally: &mut Tally,
    each: &mut impl FnMut(Place, SpanRecord) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (mut failure, mut line) = (None, Vec::new());
    let read = store::trace::all_records(store, &mut |span| {
        tally.spans += 1;
        line.clear();
        write_line(&span, &mut line);
        let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
        each(Place { file, length, start: 0 }, span).map_err(|why| {
            failure = Some(why);
            StoreError::Closed
        })
    });
    match failure {
        Some(failure) => Err(failure),
        None => read.map_err(|error| Failure::Wrong(error.to_string())),
    }
}

impl Tally {
    /// Reads a line and hands it on if it is a span.
    pub(crate) fn take(
        &mut self,
        path: &Path,
        file: u32,
        line: &Line<'_>,
        each: &mut impl FnMut(Place, SpanRecord) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let reason = match *line {
            Line::Whole { start, bytes } => match read_line(bytes) {
                Ok(span) => {
                    self.spans += 1;
                    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                    return each(Place { file, length, start }, span);
                }
                Err(error) => error.to_string(),
            },
            Line::TooLong => format!("longer than {} MiB", MAX_LINE_BYTES >> 20),
        };
        self.skipped += 1;
        self.last_reason = format!("{}: {reason}", shown(path));
        Ok(())
    }

    /// Says on standard error what was skipped, if anything.
    pub(crate) fn report(&self) {
        if let Some(skipped) = self.skipped() {
            terminal::note(&skipped);
        }
    }

    /// Nothing is shown of the files, because of what `why` says of their spans; where they have none, because of that.
    pub(crate) fn nothing(&self, sources: &[Source], why: impl FnOnce(u64) -> String) -> Failure {
        let mut said =
            if self.spans > 0 { why(self.spans) } else { format!("no spans found in {}", named(sources)) };
        if let Some(skipped) = self.skipped() {
            said = format!("{said}; {skipped}");
        }
        if self.spans == 0
            && let Some(hint) = sources.iter().find_map(|source| Held::in_file(&source.path))
        {
            said = format!("{said}; {}", hint.said());
        }
        Failure::Nothing(said)
    }

    fn skipped(&self) -> Option<String> {
        match self.skipped {
            0 => None,
            1 => Some(format!("skipped a line that is no span ({})", self.last_reason)),
            many => Some(format!("skipped {many} lines that are no spans (the last: {})", self.last_reason)),
        }
    }
}
