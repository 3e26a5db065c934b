//! `tracing-opentelemetry` with the SDK's batch processor, both with their defaults.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Counts, Delivery, Sink, Subject, plain};
use crate::Result;

/// Plain fields.
pub(super) const SUBJECT: Subject =
    Subject { name: "tracing-opentelemetry", start, call: plain::call, hold: plain::hold };

/// Plain fields, `opentelemetry-otlp` with HTTP, protobuf, its blocking client and its defaults.
pub(super) const OTLP: Subject =
    Subject { name: "tracing-otel-otlp", start: start_otlp, call: plain::call, hold: plain::hold };

/// The same with a queue of [`LONG_QUEUE`] spans.
pub(super) const OTLP_LONG: Subject =
    Subject { name: "tracing-otel-otlp-long", start: start_otlp_long, call: plain::call, hold: plain::hold };

/// Spans; the default is 2,048.
const LONG_QUEUE: usize = 131_072;

fn start(_: Sink) -> Result<Box<dyn Delivery>> {
    let exported = Arc::new(AtomicU64::new(0));
    let provider = SdkTracerProvider::builder().with_batch_exporter(Counting(Arc::clone(&exported))).build();
    install(provider, exported)
}

fn start_otlp(sink: Sink) -> Result<Box<dyn Delivery>> {
    let exported = Arc::new(AtomicU64::new(0));
    let exporter = Sending { inner: otlp(sink)?, exported: Arc::clone(&exported) };
    install(SdkTracerProvider::builder().with_batch_exporter(exporter).build(), exported)
}

fn start_otlp_long(sink: Sink) -> Result<Box<dyn Delivery>> {
    let exported = Arc::new(AtomicU64::new(0));
    let exporter = Sending { inner: otlp(sink)?, exported: Arc::clone(&exported) };
    let config = BatchConfigBuilder::default().with_max_queue_size(LONG_QUEUE).build();
    let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
    install(SdkTracerProvider::builder().with_span_processor(processor).build(), exported)
}

fn otlp(sink: Sink) -> Result<opentelemetry_otlp::SpanExporter> {
    let builder = opentelemetry_otlp::SpanExporter::builder().with_http();
    Ok(builder.with_endpoint(sink.url()?).with_protocol(Protocol::HttpBinary).build()?)
}

fn install(provider: SdkTracerProvider, exported: Arc<AtomicU64>) -> Result<Box<dyn Delivery>> {
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

/// Counts the spans that were sent.
#[derive(Debug)]
struct Sending {
    inner: opentelemetry_otlp::SpanExporter,
    exported: Arc<AtomicU64>,
}

impl SpanExporter for Sending {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.inner.export(batch).await;
        if result.is_ok() {
            self.exported.fetch_add(spans, Ordering::Relaxed);
        }
        result
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.inner.set_resource(resource);
    }
}
