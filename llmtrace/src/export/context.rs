//! What an exporter knows of the pipeline, and what it tells it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::ExportError;
use super::notice::{Notice, Notices, say};
use crate::sync::{Condvar, Mutex, deadline, lock, wait};

/// What an exporter knows of the pipeline, and what it tells it; see [`Exporter::start`](crate::Exporter::start).
///
/// Clones are the same context.
///
/// ```
/// use std::time::{Duration, Instant};
/// use llmtrace::ExportContext;
///
/// let context = ExportContext::detached();
/// assert_eq!(context.deadline(), None);
/// assert!(context.sleep(Duration::from_millis(1)), "nobody shuts down: it sleeps to the end");
///
/// context.shut_down_by(Instant::now());
/// assert!(!context.sleep(Duration::from_secs(3600)), "there is no time left");
/// ```
#[derive(Clone)]
pub struct ExportContext(Arc<Shared>);

struct Shared {
    exporter: String,
    state: Mutex<State>,
    /// Those who sleep wait here.
    wake: Condvar,
}

struct State {
    deadline: Option<Instant>,
    wakers: Vec<Waker>,
    ledger: Ledger,
    notice: Notice,
}

/// What an exporter said of spans beyond the results of its exports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Spans of the batch that is being exported that are on disk.
    pending: u64,
    /// Spans of earlier batches that are on disk.
    pub(crate) spooled: u64,
    /// Spans that were on disk and are delivered.
    pub(crate) delivered: u64,
    /// Spans that were on disk and are lost.
    pub(crate) given_up: u64,
    /// Spans of an earlier process that are delivered.
    pub(crate) replayed: u64,
    pub(crate) last_error: Option<String>,
}

impl ExportContext {
    /// A context without a pipeline: for an exporter's own tests, and for programs that call an exporter themselves.
    /// It says nothing on standard error.
    pub fn detached() -> Self {
        Self::new("", Notices::Off)
    }

    /// A context without a pipeline that says on standard error what goes wrong, as a pipeline does: the first failure at
    /// once, then at most one a minute. `exporter` is the name that stands there.
    pub fn on_stderr(exporter: &str) -> Self {
        Self::new(exporter, Notices::Stderr)
    }

    pub(crate) fn new(exporter: &str, notices: Notices) -> Self {
        let state = State {
            deadline: None,
            wakers: Vec::new(),
            ledger: Ledger::default(),
            notice: Notice::new(notices),
        };
        let exporter = exporter.to_owned();
        Self(Arc::new(Shared { exporter, state: Mutex::new(state), wake: Condvar::new() }))
    }

    /// When the exporter has to be done; `None` until a shutdown has begun.
    ///
    /// From then on, an export that would wait for something beyond this moment puts its spans on disk, or fails
    /// with [`ExportError::cut_short`].
    pub fn deadline(&self) -> Option<Instant> {
        lock(&self.0.state).deadline
    }

    /// Waits for `time`. Ends early, with `false`, when a shutdown begins and when its deadline is reached.
    pub fn sleep(&self, time: Duration) -> bool {
        let end = deadline(time);
        let mut state = lock(&self.0.state);
        let at_start = state.deadline;
        loop {
            let stop = state.deadline.map_or(end, |deadline| deadline.min(end));
            let left = stop.saturating_duration_since(Instant::now());
            if left.is_zero() || state.deadline != at_start {
                return stop == end && left.is_zero();
            }
            state = wait(&self.0.wake, state, left);
        }
    }

    /// Waits, as a future, until a shutdown has begun, and says when the exporter has to be done.
    pub fn shutdown_began(&self) -> ShutdownBegan {
        ShutdownBegan(self.clone())
    }

    /// Says that a shutdown has begun and when the exporter has to be done. The pipeline does; an exporter's own
    /// tests may.
    pub fn shut_down_by(&self, deadline: Instant) {
        let mut state = lock(&self.0.state);
        state.deadline = Some(deadline);
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.0.wake.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Says that `spans` spans of the batch that is being exported are safe on disk, to be delivered later. They
    /// count as queued until [`delivered`](Self::delivered) or [`given_up`](Self::given_up).
    pub fn spooled(&self, spans: u64) {
        lock(&self.0.state).ledger.pending += spans;
    }

    /// Says that `spans` spans that were on disk, and were put there by this process, are delivered.
    pub fn delivered(&self, spans: u64) {
        let ledger = &mut lock(&self.0.state).ledger;
        let spans = spans.min(ledger.spooled);
        ledger.spooled -= spans;
        ledger.delivered += spans;
    }

    /// Says that `spans` spans that were on disk, and were put there by this process, are lost. They count as dropped.
    pub fn given_up(&self, spans: u64, error: &ExportError) {
        {
            let ledger = &mut lock(&self.0.state).ledger;
            let spans = spans.min(ledger.spooled);
            ledger.spooled -= spans;
            ledger.given_up += spans;
        }
        self.failed(&error.to_string(), &format!("{spans} spans that were on disk are dropped"));
    }

    /// Says that `spans` spans that an earlier process had put on disk are delivered.
    pub fn replayed(&self, spans: u64) {
        lock(&self.0.state).ledger.replayed += spans;
    }

    /// Says what is wrong while nothing is lost yet, and what the exporter does about it, such as "it is tried
    /// again".
    pub fn troubled(&self, error: &ExportError, remedy: &str) {
        self.failed(&error.to_string(), remedy);
    }

    /// Notes a failure, and says it on standard error if that is due.
    pub(crate) fn failed(&self, cause: &str, remedy: &str) {
        let mut state = lock(&self.0.state);
        state.ledger.last_error = Some(cause.to_owned());
        let line = state.notice.line(&self.0.exporter, cause, remedy, Instant::now());
        drop(state);
        if let Some(line) = line {
            say(&line);
        }
    }

    pub(crate) fn ledger(&self) -> Ledger {
        lock(&self.0.state).ledger.clone()
    }

    /// Spans of the batch that was just exported that are on disk, of at most `spans`.
    pub(crate) fn settle_spooled(&self, spans: u64) -> u64 {
        let ledger = &mut lock(&self.0.state).ledger;
        let spooled = std::mem::take(&mut ledger.pending).min(spans);
        ledger.spooled += spooled;
        spooled
    }
}

impl fmt::Debug for ExportContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportContext").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}

/// Ends when a shutdown has begun; see [`ExportContext::shutdown_began`].
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct ShutdownBegan(ExportContext);

impl Future for ShutdownBegan {
    type Output = Instant;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        let mut state = lock(&self.0.0.state);
        if let Some(deadline) = state.deadline {
            return Poll::Ready(deadline);
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(all(test, not(llmtrace_loom)))]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_sleep_ends_when_the_shutdown_begins_and_at_its_deadline() {
        let context = ExportContext::detached();
        assert!(context.sleep(Duration::ZERO));
        let sleeper = {
            let context = context.clone();
            std::thread::spawn(move || context.sleep(HOUR))
        };
        context.shut_down_by(Instant::now() + Duration::from_millis(20));
        assert!(!sleeper.join().unwrap());
        assert!(!context.sleep(HOUR));
        context.shut_down_by(Instant::now() + HOUR);
        assert!(context.sleep(Duration::from_millis(1)), "there is time left for this");
    }

    #[test]
    fn a_future_learns_of_the_shutdown() {
        let context = ExportContext::detached();
        let mut began = Box::pin(context.shutdown_began());
        let mut poll = || began.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll(), Poll::Pending);
        let deadline = Instant::now();
        context.shut_down_by(deadline);
        assert_eq!(poll(), Poll::Ready(deadline));
    }

    #[test]
    fn more_than_is_on_disk_is_never_settled() {
        let context = ExportContext::detached();
        context.spooled(3);
        assert_eq!(context.settle_spooled(2), 2);
        context.delivered(1);
        context.given_up(5, &ExportError::permanent("torn"));
        let ledger = context.ledger();
        assert_eq!((ledger.spooled, ledger.delivered, ledger.given_up), (0, 1, 1));
        assert_eq!(ledger.last_error.as_deref(), Some("torn"));
    }
}
