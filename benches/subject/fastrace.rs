//! `fastrace`, in the form that is cheapest for it: the late properties are added all at once.

use std::borrow::Cow;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ::fastrace::Span;
use ::fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};

use super::{Counts, Delivery, Sink, Subject, Work};
use crate::Result;
use crate::workload::{Call, POLLS};

/// `fastrace` spans.
pub(super) const SUBJECT: Subject = Subject { name: "fastrace", start, call, hold };

#[expect(clippy::unnecessary_wraps, reason = "it stands in a table")]
fn start(_: Sink) -> Result<Box<dyn Delivery>> {
    let exported = Arc::new(AtomicU64::new(0));
    ::fastrace::set_reporter(Counting(Arc::clone(&exported)), Config::default());
    Ok(Box::new(Running(exported)))
}

fn call(call: &Call) {
    let root = Span::root("answer", SpanContext::random());
    let span = Span::enter_with_parent("chat", &root).with_properties(|| {
        [
            ("gen_ai.operation.name", Cow::from("chat")),
            ("gen_ai.provider.name", "openai".into()),
            ("gen_ai.request.model", call.request_model.clone().into()),
            ("gen_ai.request.temperature", 0.7.to_string().into()),
            ("gen_ai.request.max_tokens", 1024.to_string().into()),
        ]
    });
    for _ in 0..POLLS {
        let _guard = span.set_local_parent();
        black_box(());
    }
    span.add_properties(|| {
        [
            ("gen_ai.input.messages", Cow::from(call.prompt.clone())),
            ("gen_ai.output.messages", call.completion.clone().into()),
            ("gen_ai.response.id", call.response_id.clone().into()),
            ("gen_ai.response.model", call.response_model.clone().into()),
            ("gen_ai.response.finish_reasons", r#"["stop"]"#.into()),
            ("gen_ai.response.time_to_first_chunk", 0.25.to_string().into()),
            ("gen_ai.usage.input_tokens", call.input_tokens.to_string().into()),
            ("gen_ai.usage.output_tokens", call.output_tokens.to_string().into()),
            ("gen_ai.usage.cache_read.input_tokens", call.cache_read_tokens.to_string().into()),
            ("gen_ai.usage.reasoning.output_tokens", call.reasoning_tokens.to_string().into()),
        ]
    });
}

fn hold(work: &mut Work<'_>) {
    let span = Span::root("chat", SpanContext::random());
    work(&|| {
        let _guard = span.set_local_parent();
        black_box(());
    });
}

struct Running(Arc<AtomicU64>);

impl Delivery for Running {
    fn settle(&self) {
        ::fastrace::flush();
    }

    fn counts(&self) -> Option<Counts> {
        Some(Counts { exported: self.0.load(Ordering::Relaxed), ..Counts::default() })
    }
}

/// Counts spans and forgets them.
struct Counting(Arc<AtomicU64>);

impl Reporter for Counting {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.fetch_add(spans.len() as u64, Ordering::Relaxed);
        black_box(spans);
    }
}
