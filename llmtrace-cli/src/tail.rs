//! Files that grow, and are rotated away.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use llmtrace::SpanRecord;
use llmtrace_exporters::Lines;

use crate::failure::{Failure, is_stdin, shown};
use crate::spans::{Content, Source, Tally};

/// How often the files are looked at.
pub(crate) const POLL: Duration = Duration::from_millis(200);

/// Files that are read as they grow.
#[derive(Debug)]
pub(crate) struct Tails(Vec<Tail>);

/// A file that is read as it grows.
#[derive(Debug)]
struct Tail {
    path: PathBuf,
    number: u32,
    lines: Lines<BufReader<File>>,
    /// Which file it is, whatever its name.
    identity: Identity,
}

/// What tells two files of one name apart, where the system says it: device and number.
type Identity = (u64, u64);

impl Tails {
    /// Opens the files, to be read from their start.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        if paths.iter().any(|path| is_stdin(path)) {
            return Err(Failure::Wrong(
                "--follow follows files; standard input is followed without it".to_owned(),
            ));
        }
        let mut tails = Vec::new();
        for (source, number) in Source::open_all(paths)?.into_iter().zip(0..) {
            match source.content {
                Content::Lines(file) => tails.push(Tail::new(&source.path, number, file)?),
                Content::Stdin | Content::Store(_) => {
                    let path = shown(&source.path);
                    return Err(Failure::Wrong(format!(
                        "--follow follows files of lines; {path} is a store"
                    )));
                }
            }
        }
        Ok(Self(tails))
    }

    /// Reads what was appended since the last time.
    pub(crate) fn read(
        &mut self,
        tally: &mut Tally,
        mut each: impl FnMut(SpanRecord) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.0.iter_mut().try_for_each(|tail| tail.read(tally, &mut each))
    }
}

impl Tail {
    fn new(path: &Path, number: u32, file: File) -> Result<Self, Failure> {
        let identity = file.metadata().map_err(|error| Failure::unreadable(path, &error))?;
        let identity = identity_of(&identity);
        Ok(Self { path: path.to_owned(), number, lines: Lines::new(BufReader::new(file)), identity })
    }

    /// Reads what was appended, here and in the file that took this one's place.
    fn read(
        &mut self,
        tally: &mut Tally,
        each: &mut impl FnMut(SpanRecord) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        // Looked at first: whoever renames a file has written all of it, and whoever cuts it has not yet gone on.
        let (present, read_before) = (fs::metadata(&self.path).ok(), self.lines.read());
        self.read_on(tally, each)?;
        // Where the name is free, a new file is about to be made.
        let Some(present) = present else { return Ok(()) };
        let is_another = identity_of(&present) != self.identity;
        if (is_another || present.len() < read_before)
            && let Ok(file) = File::open(&self.path)
        {
            if let Some(line) = self.lines.rest() {
                tally.take(&self.path, self.number, &line, &mut |_, span| each(span))?;
            }
            *self = Self::new(&self.path, self.number, file)?;
            self.read_on(tally, each)?;
        }
        Ok(())
    }

    fn read_on(
        &mut self,
        tally: &mut Tally,
        each: &mut impl FnMut(SpanRecord) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let unreadable = |error: io::Error| Failure::unreadable(&self.path, &error);
        while let Some(line) = self.lines.next().map_err(unreadable)? {
            tally.take(&self.path, self.number, &line, &mut |_, span| each(span))?;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn identity_of(data: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (data.dev(), data.ino())
}

#[cfg(not(unix))]
fn identity_of(_: &Metadata) -> Identity {
    (0, 0)
}
