//! `tracing-opentelemetry` with the SDK's batch processor, both with their defaults.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Counts, Delivery, Sink, Subject, plain};
use crate::Result;

/// Plain fields.
pub(super) const SUBJECT: Subject =
    Subject { name: "tracing-opentelemetry", start, call: plain::call, hold: plain::hold };

fn start(_: Sink) -> Result<Box<dyn Delivery>> {
    let exported = Arc::new(AtomicU64::new(0));
    let provider = SdkTracerProvider::builder().with_batch_exporter(Counting(Arc::clone(&exported))).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("benches"));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    Ok(Box::new(Running { provider, exported }))
}

struct Running {
    provider: SdkTracerProvider,
    exported: Arc<AtomicU64>,
}

impl Delivery for Running {
    fn settle(&self) {
        let _ = self.provider.force_flush();
    }

    fn counts(&self) -> Option<Counts> {
        Some(Counts { exported: self.exported.load(Ordering::Relaxed), ..Counts::default() })
    }
}

/// Counts spans and forgets them.
#[derive(Debug)]
struct Counting(Arc<AtomicU64>);

impl SpanExporter for Counting {
    fn export(&self, batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        black_box(batch);
        std::future::ready(Ok(()))
    }
}
