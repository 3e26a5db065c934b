//! The queue between the threads that end spans and the worker.
//!
//! Spans of one trace pass through one lane, so that the worker sees them in the order in which they ended. A
//! lane is a lock and a vector; a push is a few instructions under a lock that others rarely hold.

use std::time::Duration;

use super::Overflow;
use super::drop_reason::{DropReason, REASONS};
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Condvar, Mutex, deadline, lock, wait};

/// A bounded queue of items with a size in bytes.
#[derive(Debug)]
pub(super) struct Queue<T> {
    lanes: Box<[Lane<T>]>,
    /// Bytes pushed and not yet released.
    bytes: AtomicUsize,
    /// Threads that wait for room: while there are any, others wait behind them.
    waiting: AtomicUsize,
    /// Pushes so far: the worker puts what it drains from the lanes into their order.
    pushes: AtomicU64,
    /// Whether anything was dropped yet.
    has_dropped: AtomicBool,
    limit: usize,
    overflow: Overflow,
    /// The worker sleeps until the next push.
    is_idle: AtomicBool,
    signal: Mutex<Signal>,
    /// The worker waits here.
    wake: Condvar,
    /// Those who wait for room, or for the worker to reach a request, wait here.
    advance: Condvar,
}

#[derive(Debug)]
#[repr(align(64))]
struct Lane<T>(Mutex<LaneState<T>>);

#[derive(Debug)]
struct LaneState<T> {
    items: Vec<(u64, T)>,
    is_closed: bool,
    accepted: u64,
    dropped: [u64; REASONS],
}

/// What the worker is asked for and how far it is.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Signal {
    is_awake: bool,
    is_shutdown: bool,
    /// The worker has left, and reads nothing any more.
    is_gone: bool,
    /// Whether a flush of the exporters is asked for as well.
    wants_flush: bool,
    requested: u64,
    reached: u64,
    /// A wait for room was in vain; until room is made, nobody waits again.
    is_stalled: bool,
}

/// What the worker shall do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// Everything pushed before this request was made is to be drained.
    pub(super) request: u64,
    pub(super) wants_flush: bool,
    pub(super) is_shutdown: bool,
}

/// Room for items that a lane keeps while the program is idle.
const IDLE_ITEMS: usize = 256;

/// Longest pause of a thread that ends a span while the queue is full and the worker advances.
const PAUSE: Duration = Duration::from_millis(50);

/// Longest sleep of an idle worker; it is woken long before.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

impl<T> Queue<T> {
    pub(super) fn new(lanes: usize, limit: usize, overflow: Overflow) -> Self {
        let lane = || LaneState { items: Vec::new(), is_closed: false, accepted: 0, dropped: [0; REASONS] };
        Self {
            lanes: (0..lanes.max(1)).map(|_| Lane(Mutex::new(lane()))).collect(),
            bytes: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            pushes: AtomicU64::new(0),
            has_dropped: AtomicBool::new(false),
            limit,
            overflow,
            is_idle: AtomicBool::new(false),
            signal: Mutex::new(Signal::default()),
            wake: Condvar::new(),
            advance: Condvar::new(),
        }
    }

    #[inline]
    fn lane(&self, spread: usize) -> &Mutex<LaneState<T>> {
        &self.lanes[spread % self.lanes.len()].0
    }

    /// Queues an item of `bytes`, or counts it as dropped and returns it.
    #[inline]
    pub(super) fn push(&self, spread: usize, bytes: usize, item: T) -> Result<(), T> {
        let held = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let must_wait = held > self.limit || self.waiting.load(Ordering::Relaxed) > 0;
        if must_wait && !self.make_room(bytes) {
            lock(self.lane(spread)).dropped[DropReason::QueueFull as usize] += 1;
            self.has_dropped.store(true, Ordering::Relaxed);
            return Err(item);
        }
        {
            let mut lane = lock(self.lane(spread));
            if lane.is_closed {
                lane.dropped[DropReason::Shutdown as usize] += 1;
                drop(lane);
                self.has_dropped.store(true, Ordering::Relaxed);
                self.bytes.fetch_sub(bytes, Ordering::Relaxed);
                return Err(item);
            }
            lane.accepted += 1;
            lane.items.push((self.pushes.fetch_add(1, Ordering::Relaxed), item));
        }
        // An idle worker is woken by the first push, a waiting one when the queue passes an eighth.
        let passes = held >= self.limit / 8 && held - bytes < self.limit / 8;
        if passes || (self.is_idle.load(Ordering::Relaxed) && self.is_idle.swap(false, Ordering::AcqRel)) {
            self.rouse();
        }
        Ok(())
    }

    /// Takes the reservation back and waits for room as the policy says. `true`: `bytes` are reserved.
    #[cold]
    fn make_room(&self, bytes: usize) -> bool {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let (patience, waits_when_stalled) = match self.overflow {
            Overflow::DropNewest => (PAUSE, false),
            Overflow::Block(timeout) => (timeout, true),
        };
        let mut signal = lock(&self.signal);
        let deadline = deadline(patience);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let has_room = loop {
            if self.reserve(bytes) {
                break true;
            }
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if signal.is_shutdown || left.is_zero() || (signal.is_stalled && !waits_when_stalled) {
                signal.is_stalled |= !signal.is_shutdown;
                break false;
            }
            signal.is_awake = true;
            self.wake.notify_one();
            signal = wait(&self.advance, signal, left);
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        has_room
    }

    /// Reserves room once a quarter of the queue is free, so that those who waited go on for a while.
    fn reserve(&self, bytes: usize) -> bool {
        let low_water = self.limit - self.limit / 4;
        let fits = |held: usize| (held + bytes <= low_water || held == 0).then_some(held + bytes);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    /// Gives the room of items back that have left.
    pub(super) fn release(&self, bytes: usize) {
        if bytes > 0 {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            let mut signal = lock(&self.signal);
            signal.is_stalled = false;
            drop(signal);
            self.advance.notify_all();
        }
    }

    /// Bytes held now.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn rouse(&self) {
        lock(&self.signal).is_awake = true;
        self.wake.notify_one();
    }

    /// Worker: waits for work, at most `timeout`.
    pub(super) fn wait_for_work(&self, timeout: Duration) -> Order {
        let mut signal = lock(&self.signal);
        if !signal.is_awake && !signal.is_shutdown && signal.reached == signal.requested {
            signal = wait(&self.wake, signal, timeout);
        }
        signal.is_awake = false;
        let wants_flush = std::mem::take(&mut signal.wants_flush);
        Order { request: signal.requested, wants_flush, is_shutdown: signal.is_shutdown }
    }

    /// Worker: sleeps until something is pushed or asked for. What is pushed from here on wakes it.
    pub(super) fn sleep_until_needed(&self) {
        self.is_idle.store(true, Ordering::SeqCst);
        let is_empty = self.lanes.iter().all(|Lane(lane)| lock(lane).items.is_empty());
        if is_empty {
            let mut signal = lock(&self.signal);
            while !signal.is_awake && !signal.is_shutdown && signal.reached == signal.requested {
                signal = wait(&self.wake, signal, LONGEST_SLEEP);
            }
            signal.is_awake = false;
        }
        self.is_idle.store(false, Ordering::SeqCst);
    }

    /// Worker: moves everything queued to `out`, in the order of the pushes.
    pub(super) fn drain(&self, out: &mut Vec<(u64, T)>) {
        for Lane(lane) in &self.lanes {
            out.append(&mut lock(lane).items);
        }
        out.sort_unstable_by_key(|(push, _)| *push);
    }

    /// Worker: says that everything before a request is done.
    pub(super) fn reach(&self, request: u64) {
        lock(&self.signal).reached = request;
        self.advance.notify_all();
    }

    /// Worker: gives room that an idle program does not need back to the allocator.
    pub(super) fn trim(&self) {
        for Lane(lane) in &self.lanes {
            lock(lane).items.shrink_to(IDLE_ITEMS);
        }
    }

    /// Asks the worker to drain what has been pushed so far.
    pub(super) fn request(&self, wants_flush: bool) -> u64 {
        let mut signal = lock(&self.signal);
        signal.requested += 1;
        signal.wants_flush |= wants_flush;
        let request = signal.requested;
        drop(signal);
        self.wake.notify_one();
        request
    }

    /// Waits until the worker has reached a request; `false` if it did not in time.
    pub(super) fn wait_until_reached(&self, request: u64, timeout: Duration) -> bool {
        let deadline = deadline(timeout);
        let mut signal = lock(&self.signal);
        while signal.reached < request {
            if signal.is_gone {
                return false;
            }
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return false;
            }
            signal = wait(&self.advance, signal, left);
        }
        true
    }

    /// Worker: says that it leaves. Nobody waits for it any more.
    pub(super) fn leave(&self) {
        lock(&self.signal).is_gone = true;
        self.advance.notify_all();
    }

    /// Waits until the worker has left; `false` if it did not in time.
    pub(super) fn wait_until_left(&self, timeout: Duration) -> bool {
        let deadline = deadline(timeout);
        let mut signal = lock(&self.signal);
        while !signal.is_gone {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return false;
            }
            signal = wait(&self.advance, signal, left);
        }
        true
    }

    /// Refuses everything from now on, and tells the worker.
    pub(super) fn close(&self) {
        for Lane(lane) in &self.lanes {
            lock(lane).is_closed = true;
        }
        lock(&self.signal).is_shutdown = true;
        self.wake.notify_one();
        self.advance.notify_all();
    }

    /// Items that were dropped so far, by reason; takes no lock while there are none.
    pub(super) fn losses(&self) -> [u64; REASONS] {
        if self.has_dropped.load(Ordering::Relaxed) { self.counts().1 } else { [0; REASONS] }
    }

    /// Items that were offered, and those of them that were dropped, by reason.
    pub(super) fn counts(&self) -> (u64, [u64; REASONS]) {
        let mut started = 0;
        let mut dropped = [0; REASONS];
        for Lane(lane) in &self.lanes {
            let lane = lock(lane);
            started += lane.accepted + lane.dropped.iter().sum::<u64>();
            for (sum, count) in dropped.iter_mut().zip(lane.dropped) {
                *sum += count;
            }
        }
        (started, dropped)
    }
}

#[cfg(all(test, llmtrace_loom))]
mod loom_tests;
