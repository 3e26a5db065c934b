//! Scores many masked prompts on a bounded number of threads.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tracing::{Span, dispatcher};

use super::cost::Ledger;
use super::{Coalition, ExplainError, Game, Masked, Progress, Scored};

/// A score function, whatever it returned.
pub(super) type Scorer<'a> = dyn Fn(&[Masked<'_>]) -> Vec<Result<Scored, String>> + Send + Sync + 'a;

/// What was scored so far, and what that took.
#[derive(Debug, Default)]
pub(super) struct Memo {
    values: HashMap<Coalition, f64>,
    pub(super) ledger: Ledger,
}

impl Memo {
    pub(super) fn value(&self, kept: &Coalition) -> Option<f64> {
        self.values.get(kept).copied()
    }
}

/// One run over a list of prompts, shared by its threads.
struct Round<'a> {
    game: &'a Game<'a>,
    kept: &'a [Coalition],
    next: AtomicUsize,
    done: AtomicUsize,
    has_failed: AtomicBool,
    failure: Mutex<Option<(usize, ExplainError)>>,
}

/// Scores each of these prompts and remembers the scores. After a failure no further call begins; of several the first
/// in the list is told.
pub(super) fn score(game: &Game<'_>, kept: &[Coalition]) -> Result<(), ExplainError> {
    let round = Round {
        game,
        kept,
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        has_failed: AtomicBool::new(false),
        failure: Mutex::default(),
    };
    let threads = game.thread_count().min(kept.len().div_ceil(game.batch_size()));
    if threads <= 1 {
        round.work();
    } else {
        round.work_on(threads);
    }
    let failure = round.failure.into_inner().unwrap_or_else(PoisonError::into_inner);
    failure.map_or(Ok(()), |(_, error)| Err(error))
}

impl Round<'_> {
    /// The threads trace where the caller does: under its subscriber, within its span.
    fn work_on(&self, threads: usize) {
        let (dispatch, span) = (dispatcher::get_default(Clone::clone), Span::current());
        let work = || dispatcher::with_default(&dispatch, || span.in_scope(|| self.work()));
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                if let Err(panic) = worker.join() {
                    resume_unwind(panic);
                }
            }
        });
    }

    fn work(&self) {
        while !self.has_failed.load(Ordering::Relaxed) {
            let at = self.next.fetch_add(self.game.batch_size(), Ordering::Relaxed);
            let Some(rest) = self.kept.get(at..).filter(|rest| !rest.is_empty()) else { return };
            self.score(at, rest.get(..self.game.batch_size()).unwrap_or(rest));
        }
    }

    /// Scores those from `at` on as one batch.
    fn score(&self, at: usize, batch: &[Coalition]) {
        let parts = self.game.parts();
        let prompts: Vec<Masked<'_>> = batch.iter().map(|kept| parts.mask(kept)).collect();
        let mut scores = (self.game.scorer())(&prompts).into_iter();
        for (at, kept) in (at..).zip(batch) {
            let scored = scores.next().unwrap_or_else(|| Err("fewer scores than prompts".to_owned()));
            if let Err(error) = self.take(kept, scored) {
                self.fail(at, error);
            }
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            self.game.report(Progress { done, calls: self.kept.len() });
        }
    }

    fn take(&self, kept: &Coalition, scored: Result<Scored, String>) -> Result<(), ExplainError> {
        let parts = self.game.parts();
        let usage = scored.as_ref().ok().and_then(|scored| scored.usage.as_ref());
        let mut memo = self.game.memo();
        memo.ledger.add(usage, self.game.tariff());
        let labels = || kept.iter().filter_map(|part| parts.labels().nth(part)).map(str::to_owned).collect();
        match scored {
            Ok(scored) if scored.value.is_finite() => {
                memo.values.insert(kept.clone(), scored.value);
                Ok(())
            }
            Ok(scored) => Err(ExplainError::NotFinite { kept: labels(), value: scored.value }),
            Err(message) => Err(ExplainError::Score { kept: labels(), message }),
        }
    }

    fn fail(&self, at: usize, error: ExplainError) {
        self.has_failed.store(true, Ordering::Relaxed);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_ref().is_none_or(|(first, _)| at < *first) {
            *failure = Some((at, error));
        }
    }
}
