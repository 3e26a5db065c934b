//! What a child process does.

use std::hint::black_box;
use std::io::{BufRead, Write as _};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use tracing::{trace, trace_span};

use crate::subject::{Counts, Delivery, Subject};
use crate::workload::{Call, SPANS};
use crate::{Result, cpu};

/// Calls between two pauses in which a subject delivers: no more than a steady state holds at once.
const ROUND: usize = 250;

/// Calls that warm a thread up; a flood and a pace begin with them.
pub const WARM_UP: usize = 50;

/// Calls, and the pause after them, of a caller that keeps the worker busy without flooding it.
const BUSY_CALLS: usize = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(2);

/// Pause of a caller that keeps a pace.
const TICK: Duration = Duration::from_millis(1);

/// Obeys `JOB COUNT` lines from the standard input, and answers each with CPU nanoseconds per item.
pub fn serve(subject: &Subject) -> Result<()> {
    let call = Call::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (job, count) = line.split_once(' ').ok_or("expected JOB COUNT")?;
        let count: usize = count.parse()?;
        let answer = match job {
            "call" => time(count, || (subject.call)(&call)),
            "poll" => poll(subject, count),
            "span" => time(count, || drop(black_box(trace_span!("detail", rows = 3)))),
            "event" => time(count, || trace!(rows = 3, "detail")),
            "one" => threads(subject, 1, count),
            "two" => threads(subject, 2, count),
            "busy" => busy(subject, count),
            _ => return Err(format!("unknown job {job:?}").into()),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// Traces calls in rounds, and lets the subject deliver after each. Instructions are counted in here.
#[inline(never)]
pub fn rounds(subject: &Subject, delivery: &dyn Delivery, calls: usize) {
    let call = Call::default();
    for n in 1..=calls {
        (subject.call)(&call);
        if n % ROUND == 0 {
            delivery.settle();
        }
    }
}

/// CPU nanoseconds of one more poll of an open span.
pub fn poll(subject: &Subject, polls: usize) -> f64 {
    let mut nanos = 0.0;
    (subject.hold)(&mut |poll| nanos = time(polls, poll));
    nanos
}

/// Traces calls at full speed on some threads and says what became of them, as `KEY=VALUE` words.
pub fn flood(subject: &Subject, delivery: &dyn Delivery, threads: usize, calls: usize) -> String {
    let before = warm_up(subject, delivery);
    let (wall, busy) = (Instant::now(), cpu::of_process());
    let share = calls / threads;
    let callers = std::thread::scope(|scope| {
        let run = || {
            let call = Call::default();
            let before = cpu::of_thread();
            (0..share).for_each(|_| (subject.call)(&call));
            cpu::of_thread().saturating_sub(before)
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).sum::<Duration>()
    });
    let called = wall.elapsed();
    delivery.settle();
    let (wall, busy) = (wall.elapsed(), cpu::of_process().saturating_sub(busy));
    report(&Since { delivery, before }, share * threads, &Times { callers, busy, called, wall })
}

/// Traces so many calls a second, evenly, and says what became of them, as `KEY=VALUE` words.
pub fn pace(subject: &Subject, delivery: &dyn Delivery, calls_a_second: usize, seconds: usize) -> String {
    let before = warm_up(subject, delivery);
    let call = Call::default();
    let (wall, busy, caller) = (Instant::now(), cpu::of_process(), cpu::of_thread());
    let (mut made, calls) = (0, calls_a_second * seconds);
    while made < calls {
        let micros = usize::try_from(wall.elapsed().as_micros()).unwrap_or(usize::MAX);
        let due = micros.saturating_mul(calls_a_second) / 1_000_000;
        while made < due.min(calls) {
            (subject.call)(&call);
            made += 1;
        }
        std::thread::sleep(TICK);
    }
    let (called, callers) = (wall.elapsed(), cpu::of_thread().saturating_sub(caller));
    delivery.settle();
    let times = Times { callers, called, busy: cpu::of_process().saturating_sub(busy), wall: wall.elapsed() };
    report(&Since { delivery, before }, calls, &times)
}

/// Makes a few calls and delivers them, so that what is done once is done. What has been counted so far.
fn warm_up(subject: &Subject, delivery: &dyn Delivery) -> Counts {
    let call = Call::default();
    (0..WARM_UP).for_each(|_| (subject.call)(&call));
    delivery.settle();
    delivery.counts().unwrap_or_default()
}

/// What a run took.
struct Times {
    /// CPU time of the calling threads.
    callers: Duration,
    /// CPU time of all threads.
    busy: Duration,
    /// Until the last call had returned.
    called: Duration,
    /// Until the last span was delivered.
    wall: Duration,
}

fn report(delivery: &dyn Delivery, calls: usize, times: &Times) -> String {
    let counts = delivery.counts().unwrap_or_default();
    let (ended, made) = (calls as u64 * SPANS, calls as f64);
    let dropped: Vec<_> = counts.dropped.iter().map(|(reason, count)| format!("{reason}:{count}")).collect();
    format!(
        "ended={ended} started={} exported={} dropped={} rss_kib={} caller_ns={:.0} cpu_ns={:.0} called_ms={} wall_ms={}",
        counts.started.map_or("?".to_owned(), |count| count.to_string()),
        counts.exported,
        if counts.started.is_some() { format!("[{}]", dropped.join(",")) } else { "?".to_owned() },
        cpu::peak_memory_kib().unwrap_or(0),
        times.callers.as_nanos() as f64 / made,
        times.busy.as_nanos() as f64 / made,
        times.called.as_millis(),
        times.wall.as_millis(),
    )
}

/// A delivery whose counts begin later.
struct Since<'a> {
    delivery: &'a dyn Delivery,
    before: Counts,
}

impl Delivery for Since<'_> {
    fn settle(&self) {
        self.delivery.settle();
    }

    fn counts(&self) -> Option<Counts> {
        let mut counts = self.delivery.counts()?;
        counts.exported -= self.before.exported;
        counts.started = counts.started.zip(self.before.started).map(|(now, before)| now - before);
        Some(counts)
    }
}

/// CPU nanoseconds of each of `count` runs, on this thread.
fn time(count: usize, mut run: impl FnMut()) -> f64 {
    let before = cpu::of_thread();
    for _ in 0..count {
        run();
    }
    cpu::of_thread().saturating_sub(before).as_nanos() as f64 / count as f64
}

/// CPU nanoseconds of a call on each of some threads that trace at the same time.
fn threads(subject: &Subject, threads: usize, calls: usize) -> f64 {
    let start = Barrier::new(threads);
    let run = || {
        let call = Call::default();
        time(WARM_UP, || (subject.call)(&call));
        start.wait();
        time(calls, || (subject.call)(&call))
    };
    let total: f64 = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).sum()
    });
    total / threads as f64
}

/// CPU nanoseconds of a call by a caller that never lets the worker rest.
fn busy(subject: &Subject, calls: usize) -> f64 {
    let call = Call::default();
    let mut nanos = 0.0;
    let bursts = calls.div_ceil(BUSY_CALLS);
    for _ in 0..bursts {
        nanos += time(BUSY_CALLS, || (subject.call)(&call));
        std::thread::sleep(BUSY_PAUSE);
    }
    nanos / bursts as f64
}
