//! Files that are read into the store.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use llmtrace::SpanRecord;
use llmtrace_exporters::figures;

use super::app::App;
use crate::failure::Failure;
use crate::spans::{self, Source, Tally};
use crate::store::error::StoreError;
use crate::tail::{POLL, Tails};
use crate::terminal;

/// The files, opened: what cannot be opened is said before anything starts.
#[derive(Debug)]
pub(super) enum Import {
    /// Read once.
    Once(Vec<Source>),
    /// Read on as they grow.
    Following(Tails),
}

/// Spans on their way into the store.
struct Batch<'a> {
    app: &'a App,
    spans: Vec<SpanRecord>,
    new: u64,
    known: u64,
}

/// Spans that are stored at once.
const BATCH_SPANS: usize = 1_024;

/// How long to wait where the store is busy.
const PAUSE: Duration = Duration::from_millis(50);

impl Import {
    /// Opens the files.
    pub(super) fn open(files: &[PathBuf], is_followed: bool) -> Result<Self, Failure> {
        if is_followed {
            Tails::open(files).map(Self::Following)
        } else {
            Source::open_all(files).map(Self::Once)
        }
    }

    /// Reads the files on a thread of its own, until they end or the server does.
    pub(super) fn start(self, app: &Arc<App>) -> std::io::Result<JoinHandle<()>> {
        let app = Arc::clone(app);
        thread::Builder::new().name("llmtrace-import".to_owned()).spawn(move || {
            let done = match self {
                Self::Once(sources) => once(&app, &sources),
                Self::Following(tails) => follow(&app, tails),
            };
            if let Err(failure) = done {
                failure.report();
            }
        })
    }
}

fn once(app: &App, sources: &[Source]) -> Result<(), Failure> {
    let mut batch = Batch::new(app);
    let tally = spans::read(sources, |_, span| batch.add(span))?;
    batch.store()?;
    tally.report();
    if tally.spans > 0 {
        let files = match sources {
            [only] => crate::failure::shown(&only.path),
            many => format!("{} files", many.len()),
        };
        terminal::note(&format!("read {files}: {}", batch.said()));
    } else if !sources.is_empty() {
        tally.nothing(sources, |_| String::new()).report();
    }
    Ok(())
}

fn follow(app: &App, mut tails: Tails) -> Result<(), Failure> {
    let (mut batch, mut tally) = (Batch::new(app), Tally::default());
    let (mut is_first, mut has_warned) = (true, false);
    while !app.is_ending() {
        tails.read(&mut tally, |span| batch.add(span))?;
        batch.store()?;
        if is_first {
            is_first = false;
            terminal::note(&format!("read what was there: {}; following", batch.said()));
        }
        if !has_warned && tally.skipped > 0 {
            has_warned = true;
            tally.report();
        }
        thread::sleep(POLL);
    }
    Ok(())
}

impl<'a> Batch<'a> {
    fn new(app: &'a App) -> Self {
        Self { app, spans: Vec::new(), new: 0, known: 0 }
    }

    fn add(&mut self, mut span: SpanRecord) -> Result<(), Failure> {
        if self.app.is_ending() {
            return Err(Failure::Closed);
        }
        span.reprice(&self.app.prices);
        self.spans.push(span);
        if self.spans.len() >= BATCH_SPANS { self.store() } else { Ok(()) }
    }

    fn store(&mut self) -> Result<(), Failure> {
        if self.spans.is_empty() {
            return Ok(());
        }
        let spans = std::mem::take(&mut self.spans);
        loop {
            match self.app.store.write(spans.clone()) {
                Ok(receipt) => {
                    self.new += receipt.new;
                    self.known += receipt.merged + receipt.repeated;
                    return Ok(());
                }
                Err(StoreError::Busy) if !self.app.is_ending() => thread::sleep(PAUSE),
                Err(StoreError::Busy | StoreError::Closed) => return Err(Failure::Closed),
                Err(error) => return Err(Failure::Wrong(format!("stopped reading files: {error}"))),
            }
        }
    }

    fn said(&self) -> String {
        let (new, known) = (figures::count(self.new), figures::count(self.known));
        format!("{new} new spans, {known} known ones")
    }
}
