//! Traces of files that grow.

use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use llmtrace_exporters::ColorChoice;

use super::arrival::Arrival;
use crate::failure::Failure;
use crate::filter::Filter;
use crate::spans::Tally;
use crate::tail::{POLL, Tails};

/// Draws traces as they come, without end.
pub(super) fn run(paths: &[PathBuf], filter: Filter, color: ColorChoice) -> Result<(), Failure> {
    let mut tails = Tails::open(paths)?;
    let (mut arrival, mut tally, mut warned) = (Arrival::new(filter, color), Tally::default(), false);
    loop {
        tails.read(&mut tally, |span| arrival.add(&span))?;
        if !warned && tally.skipped > 0 {
            warned = true;
            tally.report();
        }
        arrival.settle(Instant::now())?;
        thread::sleep(POLL);
    }
}
