//! Beside other layers, in any order.

use std::io;
use std::sync::{Arc, Mutex};

use llmtrace::testing::InMemory;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing::{Dispatch, info_span};
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, fmt, registry};

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Text {
    fn get(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn program() {
    info_span!("request").in_scope(|| {
        info_span!("chat", gen_ai.request.model = "m", gen_ai.usage.input_tokens = 5_u64).in_scope(|| {
            tracing::info!("asked");
            tracing::trace!("noise");
        });
    });
}

/// Runs the program in a stack and checks that llmtrace saw all that it should.
fn check(dispatch: &Dispatch, memory: &InMemory, guard: &llmtrace::Guard) {
    tracing::dispatcher::with_default(dispatch, program);
    assert!(guard.flush(std::time::Duration::from_secs(30)).is_complete);
    let spans = memory.spans();
    assert_eq!(llmtrace::testing::tree(&spans), "request [span]\n  chat [generation] m 5 tokens\n");
    assert_eq!(spans[0].events.len(), 1);
}

macro_rules! stack {
    ($memory:ident, $guard:ident, |$llm:ident| $stack:expr) => {{
        let $memory = InMemory::default();
        let ($llm, $guard) = llmtrace::builder().exporter($memory.clone()).build();
        check(&Dispatch::new($stack), &$memory, &$guard);
    }};
}

#[test]
fn with_fmt_below_and_above() {
    for _ in 0..2 {
        let text = Text::default();
        let writer = || {
            let text = text.clone();
            move || text.clone()
        };
        stack!(memory, guard, |llm| registry().with(fmt::layer().with_writer(writer())).with(llm));
        stack!(memory, guard, |llm| registry().with(llm).with(fmt::layer().with_writer(writer())));
        // fmt still sees what llmtrace does not ask for.
        assert_eq!(text.get().matches("noise").count(), 2, "{}", text.get());
    }
}

#[test]
fn with_a_filter_that_belongs_to_another_layer() {
    let text = Text::default();
    macro_rules! quiet {
        () => {{
            let text = text.clone();
            fmt::layer().with_writer(move || text.clone()).with_filter(EnvFilter::new("error"))
        }};
    }
    stack!(memory, guard, |llm| registry().with(quiet!()).with(llm));
    stack!(memory, guard, |llm| registry().with(llm).with(quiet!()));
    assert_eq!(text.get(), "");
}

#[test]
fn with_a_global_filter_that_lets_the_spans_pass() {
    stack!(memory, guard, |llm| registry().with(EnvFilter::new("info")).with(llm));
    stack!(memory, guard, |llm| registry().with(llm).with(LevelFilter::INFO));
}

#[test]
fn with_a_filter_of_its_own() {
    stack!(memory, guard, |llm| registry().with(llm.with_filter(LevelFilter::INFO)));
}

#[test]
fn with_tracing_opentelemetry_below_and_above() {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let (below, above) = (provider.tracer("below"), provider.tracer("above"));
    stack!(memory, guard, |llm| registry().with(tracing_opentelemetry::layer().with_tracer(below)).with(llm));
    stack!(memory, guard, |llm| registry().with(llm).with(tracing_opentelemetry::layer().with_tracer(above)));
    assert_eq!(exporter.get_finished_spans().unwrap().len(), 4);
}

#[test]
fn a_decision_of_another_callsite_hides_no_span() {
    // tokio-rs/tracing#2519: `enabled!` leaves its answer behind in the thread.
    let memory = InMemory::default();
    let (llm, guard) = llmtrace::builder().exporter(memory.clone()).build();
    let dispatch = Dispatch::new(
        registry().with(llm).with(fmt::layer().with_writer(io::sink).with_filter(LevelFilter::TRACE)),
    );
    tracing::dispatcher::with_default(&dispatch, || {
        for _ in 0..100 {
            let _ = tracing::enabled!(tracing::Level::TRACE);
            info_span!("chat", gen_ai.request.model = "m").in_scope(|| {});
        }
    });
    assert!(guard.flush(std::time::Duration::from_secs(30)).is_complete);
    assert_eq!(memory.spans().len(), 100);
}
