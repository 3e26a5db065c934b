//! How long a span takes to a healthy exporter: alone, and beside three that are broken. Rounds of both alternate in
//! one run; the medians are compared. `-- --quick` measures less.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use llmtrace::{ExportContext, ExportError, Exporter, SpanRecord};
use llmtrace_benches::Result;
use llmtrace_benches::child::median;
use llmtrace_exporters::Otlp;
use tracing::{Dispatch, info_span};
use tracing_subscriber::layer::SubscriberExt as _;

/// Spans of a round, and the time from one to the next.
const SPANS: usize = 400;
const PACE: Duration = Duration::from_millis(1);

/// Notes how long ago each span ended, in microseconds.
struct Healthy {
    begun: Instant,
    delays: Arc<Mutex<Vec<f64>>>,
}

impl Exporter for Healthy {
    fn name(&self) -> &'static str {
        "healthy"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> std::result::Result<(), ExportError> {
        let now = self.begun.elapsed().as_micros() as f64;
        let ended = batch.iter().filter_map(|span| span.attributes.get_str("ended")?.parse::<f64>().ok());
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner);
        delays.extend(ended.map(|ended| now - ended));
        Ok(())
    }
}

/// Hangs until the shutdown.
struct Hanging(ExportContext);

impl Exporter for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }

    fn start(&mut self, context: ExportContext) {
        self.0 = context;
    }

    fn export(&mut self, _: &[SpanRecord]) -> std::result::Result<(), ExportError> {
        self.0.sleep(Duration::from_hours(1));
        Err(ExportError::cut_short("it hung"))
    }
}

/// Fails at once.
struct Failing;

impl Exporter for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn export(&mut self, _: &[SpanRecord]) -> std::result::Result<(), ExportError> {
        Err(ExportError::permanent("it fails"))
    }
}

/// The median delay of a round, in microseconds, and how many spans were lost.
fn round(has_broken: bool, delay: Duration) -> Result<(f64, usize)> {
    let (begun, delays) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let mut builder = llmtrace::builder().quiet().batch(512, delay);
    if has_broken {
        let refused = Otlp::new("http://127.0.0.1:1")?;
        builder = builder.exporter(Hanging(ExportContext::detached())).exporter(Failing).exporter(refused);
    }
    let healthy = Healthy { begun, delays: Arc::clone(&delays) };
    let (layer, guard) = builder.exporter(healthy).build();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    tracing::dispatcher::with_default(&dispatch, || {
        for _ in 0..SPANS {
            let ended = begun.elapsed().as_micros().to_string();
            info_span!("chat", gen_ai.request.model = "m", ended);
            thread::sleep(PACE);
        }
    });
    // The broken ones are not done in time.
    drop(guard.flush(delay + Duration::from_millis(200)));
    drop(guard.shutdown(Duration::from_millis(100)));
    let delays = std::mem::take(&mut *delays.lock().unwrap_or_else(PoisonError::into_inner));
    let lost = SPANS - delays.len();
    Ok((median(delays), lost))
}

fn main() -> Result<()> {
    let rounds = if std::env::args().any(|argument| argument == "--quick") { 3 } else { 15 };
    let mut out = std::io::stdout();
    for delay in [Duration::from_millis(200), Duration::from_millis(5)] {
        let (mut alone, mut beside, mut lost) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            for (has_broken, figures) in [(false, &mut alone), (true, &mut beside)] {
                let (figure, missing) = round(has_broken, delay)?;
                figures.push(figure);
                lost += missing;
            }
        }
        let (alone, beside) = (median(alone), median(beside));
        writeln!(
            out,
            "batches of {delay:?}: {alone:.0} us alone, {beside:.0} us beside three broken exporters, ratio {:.3}, {lost} lost",
            beside / alone
        )?;
    }
    Ok(())
}
