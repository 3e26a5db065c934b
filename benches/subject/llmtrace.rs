//! llmtrace: as the only subscriber, as a layer among others, by fields and by `SpanExt`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Duration;

use llmtrace::{ExportError, Exporter, Guard, Sampler, SpanExt as _, SpanRecord, Usage, semconv};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Counts, Delivery, Sink, Subject, plain};
use crate::Result;
use crate::workload::Call;

/// Plain fields, `Builder::install`.
pub(super) const FIELDS_INSTALL: Subject =
    Subject { name: "llmtrace-install", start: install, call: plain::call, hold: plain::hold };

/// Plain fields, `Builder::build` composed with the registry.
pub(super) const FIELDS_BUILD: Subject =
    Subject { name: "llmtrace-build", start: build, call: plain::call, hold: plain::hold };

/// Written with `SpanExt`, `Builder::install`.
pub(super) const SPAN_EXT: Subject =
    Subject { name: "llmtrace-spanext", start: install, call: span_ext_call, hold: plain::hold };

/// Plain fields, `Builder::install`, of traces that nobody samples.
pub(super) const UNSAMPLED_INSTALL: Subject =
    Subject { name: "llmtrace-unsampled", start: install_unsampled, call: plain::call, hold: plain::hold };

/// Plain fields, `Builder::build` composed with the registry, of traces that nobody samples.
pub(super) const UNSAMPLED_BUILD: Subject = Subject {
    name: "llmtrace-build-unsampled",
    start: build_unsampled,
    call: plain::call,
    hold: plain::hold,
};

/// How long a flush may take.
const TIMEOUT: Duration = Duration::from_secs(100);

pub(super) fn install(sink: Sink) -> Result<Box<dyn Delivery>> {
    let guard = match sink {
        Sink::Noop | Sink::Port(_) => llmtrace::builder().exporter(Noop).install()?,
        Sink::Format => llmtrace::builder().exporter(Formatting(String::new())).install()?,
    };
    Ok(Box::new(guard))
}

fn build(sink: Sink) -> Result<Box<dyn Delivery>> {
    let builder = llmtrace::builder();
    let (layer, guard) = match sink {
        Sink::Noop | Sink::Port(_) => builder.exporter(Noop).build(),
        Sink::Format => builder.exporter(Formatting(String::new())).build(),
    };
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    Ok(Box::new(guard))
}

fn install_unsampled(_: Sink) -> Result<Box<dyn Delivery>> {
    let guard = llmtrace::builder().sampler(Sampler::never()).exporter(Noop).install()?;
    pass_trials();
    Ok(Box::new(guard))
}

fn build_unsampled(_: Sink) -> Result<Box<dyn Delivery>> {
    let (layer, guard) = llmtrace::builder().sampler(Sampler::never()).exporter(Noop).build();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    pass_trials();
    Ok(Box::new(guard))
}

/// The first spans of the first traces are written down, because they may turn out to follow another process.
fn pass_trials() {
    for _ in 0..256 {
        info_span!("trial");
    }
}

fn span_ext_call(call: &Call) {
    let root = info_span!("answer");
    let _in_root = root.enter();
    let span = info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = "openai",
        gen_ai.request.model = call.request_model.as_str(),
        gen_ai.request.temperature = 0.7,
        gen_ai.request.max_tokens = 1024,
    );
    span.set_attribute(semconv::INPUT_MESSAGES, &call.prompt);
    plain::poll(&span);
    span.set_attribute(semconv::OUTPUT_MESSAGES, &call.completion);
    span.set_attribute(semconv::RESPONSE_ID, &call.response_id);
    span.set_attribute(semconv::RESPONSE_MODEL, &call.response_model);
    span.set_attribute(semconv::RESPONSE_FINISH_REASONS, r#"["stop"]"#);
    span.set_attribute(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, 0.25);
    span.record_usage(
        Usage::new(call.input_tokens, call.output_tokens)
            .with_cache_read(call.cache_read_tokens)
            .with_reasoning(call.reasoning_tokens),
    );
}

impl Delivery for Guard {
    fn settle(&self) {
        self.flush(TIMEOUT);
    }

    fn counts(&self) -> Option<Counts> {
        let stats = self.stats().exporters.into_iter().next()?;
        let dropped = stats.dropped.iter().map(|(reason, count)| (reason.as_str().to_owned(), *count));
        Some(Counts { started: Some(stats.started), exported: stats.exported, dropped: dropped.collect() })
    }
}

struct Noop;

impl Exporter for Noop {
    fn name(&self) -> &'static str {
        "noop"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> std::result::Result<(), ExportError> {
        black_box(batch);
        Ok(())
    }
}

/// Formats every span into a buffer.
struct Formatting(String);

impl Exporter for Formatting {
    fn name(&self) -> &'static str {
        "format"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> std::result::Result<(), ExportError> {
        for span in batch {
            self.0.clear();
            let _ = write!(self.0, "{span:?}");
            black_box(&self.0);
        }
        Ok(())
    }
}
