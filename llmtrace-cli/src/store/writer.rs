//! The one thread that writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use llmtrace::Timestamp;
use rusqlite::Connection;
use tokio::sync::watch;

use super::Receipt;
use super::error::StoreError;
use super::fact::nanos;
use super::options::Retention;
use super::queue::{Job, Next, Queue, Work};
use super::retention::Sweep;
use super::write::commit::{Commit, State};

/// Writes what waits, many submissions in one transaction, and removes what is too old.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) state: State,
    pub(super) queue: Arc<Queue>,
    pub(super) live: watch::Sender<u64>,
    pub(super) sweep: Sweep,
}

/// How long the writer waits for work before it looks for what is too old.
const PATIENCE: Duration = Duration::from_millis(500);

impl Writer {
    pub(super) fn new(
        conn: Connection,
        queue: Arc<Queue>,
        live: watch::Sender<u64>,
        retention: Retention,
    ) -> Result<Self, StoreError> {
        let state = State::load(&conn)?;
        live.send_replace(state.commit.unsigned_abs());
        Ok(Self { conn, state, queue, live, sweep: Sweep::new(retention) })
    }

    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self) {
        loop {
            let patience = if self.sweep.is_behind() { Duration::ZERO } else { PATIENCE };
            match self.queue.next(patience) {
                Next::Jobs(jobs) => self.write(jobs),
                Next::Idle => {}
                Next::Closed => break,
            }
            let removed = self.sweep.step(&self.conn, &mut self.state, Instant::now());
            if removed > 0 {
                self.announce();
            }
        }
        // What is in the log is found there by whoever opens the file next.
        drop(self.conn.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)"));
    }

    /// Does all of it in one transaction, and then answers each.
    fn write(&mut self, jobs: Vec<Job>) {
        let (mut answers, mut bytes) = (Vec::with_capacity(jobs.len()), 0);
        let mut works = Vec::with_capacity(jobs.len());
        for job in jobs {
            bytes += job.bytes;
            answers.push(job.done);
            works.push(job.work);
        }
        let now = nanos(Timestamp::now());
        let done = self.state.commit(&self.conn, now, |commit| {
            works.into_iter().map(|work| done_with(commit, work)).collect::<Result<Vec<_>, _>>()
        });
        self.queue.release(bytes);
        match done {
            Ok(receipts) => {
                self.announce();
                for (answer, receipt) in answers.into_iter().zip(receipts) {
                    // Whoever asked may be gone.
                    drop(answer.send(receipt));
                }
            }
            Err(error) => {
                for answer in answers {
                    drop(answer.send(Err(error.clone())));
                }
            }
        }
    }

    fn announce(&self) {
        self.live.send_replace(self.state.commit.unsigned_abs());
    }
}

impl Drop for Writer {
    /// Also after a panic nobody waits in vain.
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

/// What became of work; an error outside ends the transaction, one inside is for whoever asked.
fn done_with(commit: &mut Commit<'_>, work: Work) -> Result<Result<Receipt, StoreError>, StoreError> {
    let mut receipt = Receipt { new: 0, merged: 0, repeated: 0, commit: commit.number() };
    match work {
        Work::Spans(traces) => {
            for trace in traces {
                let written = commit.write(trace)?;
                receipt.new += written.new;
                receipt.merged += written.merged;
                receipt.repeated += written.repeated;
            }
        }
        Work::Score(trace, span, score) => match commit.add_score(trace, span, &score) {
            Ok(()) => {}
            Err(unknown @ StoreError::Unknown(_)) => return Ok(Err(unknown)),
            Err(error) => return Err(error),
        },
    }
    Ok(Ok(receipt))
}
