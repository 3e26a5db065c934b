//! The exporter with a spool: what cannot be delivered is put aside, and delivered oldest first.

use std::time::{Duration, Instant};

use llmtrace::{ExportError, SpanRecord};

use super::exporter::{HttpExporter, Progress, Stop, finished};
use super::service::Service;
use super::shelf::Shelf;

/// How many old batches are sent for each new one, so that a backlog shrinks while spans keep coming.
const REPLAYS: usize = 4;

/// How long after the last look an idle exporter looks for what another process left behind.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// How the oldest spans fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replay {
    /// They are dealt with; there may be more.
    Settled,
    /// There are none.
    Empty,
    /// Not now.
    Later,
}

impl<S: Service> HttpExporter<S> {
    /// Sends a batch, or puts it aside: while the server does not answer, and while older spans wait.
    pub(super) fn send_or_put(
        &mut self,
        shelf: &mut dyn Shelf,
        batch: &[SpanRecord],
    ) -> Result<(), ExportError> {
        for _ in 0..REPLAYS {
            if !self.has_backlog || self.is_closed() || self.replay(shelf) != Replay::Settled {
                break;
            }
        }
        if self.has_backlog || self.is_closed() {
            return self.put(shelf, batch, 0, None);
        }
        let mut is_split = false;
        let progress = self.send(batch, &mut is_split);
        let Progress { mut settled, mut lost, mut cause, stop } = progress;
        let Some(stop) = stop else { return finished(lost, cause) };
        let mut last = stop;
        if matches!(last, Stop::Later { after: None, .. }) {
            // One quick try more: a connection that was closed meanwhile is no outage.
            let again = self.send(batch.get(settled..).unwrap_or_default(), &mut is_split);
            settled += again.settled;
            lost += again.lost;
            cause = again.cause.or(cause);
            match again.stop {
                None => return finished(lost, cause),
                Some(stop) => last = stop,
            }
        }
        if let Stop::Later { why, after } = last {
            self.close(&why, after);
        }
        self.put(shelf, batch.get(settled..).unwrap_or_default(), lost, cause)
    }

    /// Puts spans aside; `lost` others of their batch are lost already.
    fn put(
        &mut self,
        shelf: &mut dyn Shelf,
        spans: &[SpanRecord],
        lost: u64,
        cause: Option<String>,
    ) -> Result<(), ExportError> {
        let put = shelf.put(spans);
        self.has_backlog |= put.stored > 0;
        self.context.spooled(put.stored as u64);
        self.count_unreadable(shelf);
        let refused = spans.len().saturating_sub(put.stored) as u64;
        finished(lost + refused, put.refused.or(cause))
    }

    /// Sends the oldest spans if the time for that has come; says when to come again.
    pub(super) fn replay_when_due(&mut self, shelf: &mut dyn Shelf) -> Duration {
        if let Some(left) = self.closed_for() {
            return left;
        }
        match self.replay(shelf) {
            Replay::Settled => Duration::ZERO,
            Replay::Empty => LOOK_AGAIN,
            Replay::Later => self.closed_for().unwrap_or_default(),
        }
    }

    /// Sends the oldest spans.
    fn replay(&mut self, shelf: &mut dyn Shelf) -> Replay {
        let oldest = shelf.oldest();
        if oldest.is_empty() {
            self.has_backlog = false;
            self.count_unreadable(shelf);
            return Replay::Empty;
        }
        let rest = oldest.get(self.oldest.settled..).unwrap_or_default();
        let progress = self.send(rest, &mut false);
        self.oldest.settled += progress.settled;
        self.oldest.lost += progress.lost;
        match progress.stop {
            Some(Stop::CutShort) => return Replay::Later,
            Some(Stop::Later { why, after }) => {
                self.close(&why, after);
                return Replay::Later;
            }
            None => {}
        }
        self.backoff.reset();
        self.closed_until = None;
        let lost = std::mem::take(&mut self.oldest).lost;
        let share = shelf.settle();
        // Which of them were refused the server does not say.
        let lost_own = lost.min(share.own);
        self.context.delivered(share.own - lost_own);
        self.context.replayed(share.others.saturating_sub(lost - lost_own));
        if lost > 0 {
            let cause =
                progress.cause.unwrap_or_else(|| "the server refused spans that were on disk".to_owned());
            self.context.given_up(lost_own, &ExportError::permanent(cause));
        }
        self.count_unreadable(shelf);
        Replay::Settled
    }

    fn count_unreadable(&self, shelf: &mut dyn Shelf) {
        let unreadable = shelf.take_lost();
        if unreadable > 0 {
            let error = ExportError::permanent("spans on disk can no longer be read");
            self.context.given_up(unreadable, &error);
        }
    }

    /// Sends nothing for a while.
    fn close(&mut self, why: &str, after: Option<Duration>) {
        let wait = self.backoff.next(after, fastrand::f64());
        self.closed_until = Some(Instant::now() + wait);
        let error = ExportError::retryable(why);
        self.context.troubled(&error, "spans are kept on disk until it works again");
    }

    fn is_closed(&self) -> bool {
        self.closed_for().is_some() || self.is_late()
    }

    /// How long nothing is sent from now on.
    fn closed_for(&self) -> Option<Duration> {
        let left = self.closed_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}
