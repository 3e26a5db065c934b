//! All schedules of an exporter's thread, as far as loom tells them apart. Run by `.ci/run`.

use loom::thread;

use super::*;
use crate::{ObservationKind, SpanId, SpanRecord, Timestamp, TraceId};

const HOUR: Duration = Duration::from_secs(3600);

/// Panics on the first batch.
struct Fragile(bool);

impl Exporter for Fragile {
    fn name(&self) -> &str {
        "fragile"
    }

    fn export(&mut self, _: &[SpanRecord]) -> Result<(), ExportError> {
        assert!(std::mem::replace(&mut self.0, true), "the first batch");
        Ok(())
    }
}

fn batch() -> Arc<Batch> {
    let at = Timestamp::from_unix_nanos(1);
    let (trace, span) = (TraceId::sequential(1), SpanId::sequential(1));
    let spans = vec![SpanRecord::new(trace, span, "chat", ObservationKind::Generation, at, at)];
    Arc::new(Batch { spans, bytes: 1 })
}

#[test]
fn every_batch_is_accounted_for_at_flush_and_at_the_end() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(|| {
        let outlet = Arc::new(Outlet::new("fragile", 1, Notices::Off));
        let exporter = {
            let outlet = Arc::clone(&outlet);
            thread::spawn(move || {
                outlet.run(Box::new(Fragile(false)), &Spent::default(), &Room::default(), || [0; REASONS])
            })
        };
        outlet.offer(&batch(), HOUR);
        // There is room for one batch only: this one waits for the first to be done.
        outlet.offer(&batch(), HOUR);
        outlet.request_flush(1);
        assert!(outlet.wait_until_flushed(1, HOUR));
        let stats = outlet.stats();
        assert_eq!((stats.exported, stats.dropped_total()), (1, 1));
        outlet.close();
        assert!(outlet.wait_until_stopped(HOUR));
        exporter.join().unwrap();
    });
}
