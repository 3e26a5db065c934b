//! What stands out in the newest traces, looked for in the background.

use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use llmtrace::{SpanRecord, Timestamp, TraceId};

use super::app::App;
use super::load;
use crate::findings::{Analyst, Baseline, Finding, SpanSummary, sort};
use crate::store::error::StoreError;
use crate::store::filter::{Sort, TraceFilter};
use crate::store::list;

/// What the last look at the store found.
#[derive(Debug, Default)]
pub(crate) struct Analysis(RwLock<Arc<Known>>);

/// What stands out.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The worst first.
    pub(crate) findings: Vec<Finding>,
    /// Spans that were looked at.
    pub(crate) spans: u64,
    /// The start of the oldest trace that was looked at, where there are older ones.
    cut: Option<Timestamp>,
}

/// Spans that are looked at: those of the newest traces.
const MAX_SPANS: u64 = 50_000;

/// How long reading one trace may take.
const TRACE_TIME: Duration = Duration::from_secs(5);

/// Findings that are kept.
const MAX_FINDINGS: usize = 10_000;

/// Least time between two looks; also how often it is seen whether there is something to look at.
const PAUSE: Duration = Duration::from_secs(5);

/// A look is followed by a pause so many times as long: it takes a tenth of a core at most.
const PAUSE_FACTOR: u32 = 9;

/// How often it is seen whether the server ends.
const TICK: Duration = Duration::from_millis(100);

impl Analysis {
    /// What the last look found.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the store again and again on a thread of its own, until the server ends.
    pub(super) fn start(app: &Arc<App>) -> std::io::Result<JoinHandle<()>> {
        let app = Arc::clone(app);
        thread::Builder::new().name("llmtrace-findings".to_owned()).spawn(move || {
            let (live, mut seen) = (app.store.live(), None);
            while !app.is_ending() {
                let commit = *live.borrow();
                if seen == Some(commit) {
                    thread::sleep(TICK);
                    continue;
                }
                let begun = Instant::now();
                // What cannot be read now is tried again at the next commit.
                if let Ok(known) = look(&app) {
                    *app.analysis.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
                }
                seen = Some(commit);
                rest(&app, PAUSE.max(begun.elapsed() * PAUSE_FACTOR));
            }
        })
    }
}

impl Known {
    /// What happened in a stretch of time.
    pub(crate) fn between(&self, since: Timestamp, until: Timestamp) -> Vec<Finding> {
        let is_in = |finding: &&Finding| since <= finding.time && finding.time < until;
        self.findings.iter().filter(is_in).cloned().collect()
    }

    /// Whether there are traces from `since` on that were not looked at.
    pub(crate) fn is_cut_at(&self, since: Timestamp) -> bool {
        self.cut.is_some_and(|cut| since < cut)
    }
}

fn rest(app: &App, pause: Duration) {
    let end = Instant::now() + pause;
    while !app.is_ending() && Instant::now() < end {
        thread::sleep(TICK);
    }
}

/// Learns what is usual, then judges each trace by it.
fn look(app: &App) -> Result<Known, StoreError> {
    let (traces, cut) = newest(app)?;
    let (mut baseline, mut known) = (Baseline::default(), Known { cut, ..Known::default() });
    for id in &traces {
        let spans = spans(app, *id)?;
        known.spans += spans.len() as u64;
        baseline.learn(&spans.iter().map(SpanSummary::of).collect::<Vec<_>>());
    }
    let analyst = Analyst::new();
    known.findings = analyst.judge_window(&baseline);
    for id in &traces {
        known.findings.extend(analyst.judge(&spans(app, *id)?, &baseline));
    }
    sort(&mut known.findings);
    known.findings.truncate(MAX_FINDINGS);
    Ok(known)
}

/// The newest traces, and where they were cut off.
fn newest(app: &App) -> Result<(Vec<TraceId>, Option<Timestamp>), StoreError> {
    let (mut traces, mut count, mut after, mut oldest) = (Vec::new(), 0, None, None);
    loop {
        let page = app.store.read(|connection| {
            list::list(connection, &TraceFilter::default(), Sort::Newest, after, list::MAX_LIMIT)
        })?;
        for row in page.traces {
            if count >= MAX_SPANS || app.is_ending() {
                return Ok((traces, oldest));
            }
            count += row.spans;
            oldest = Some(row.start);
            traces.push(row.trace_id);
        }
        after = page.after;
        if after.is_none() {
            return Ok((traces, None));
        }
    }
}

fn spans(app: &App, id: TraceId) -> Result<Vec<SpanRecord>, StoreError> {
    if app.is_ending() {
        return Err(StoreError::Closed);
    }
    app.store
        .read(|connection| load::trace(connection, id, Instant::now() + TRACE_TIME))
        .map(|loaded| loaded.spans)
}
