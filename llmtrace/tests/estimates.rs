//! Estimated token counts, from the builder to the exporter.
#![cfg(feature = "tokenizer")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use llmtrace::{
    Builder, ContentPolicy, ExportError, Exporter, SpanExt as _, SpanRecord, UsageSource, UsageStatus,
    UsageTotals,
};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<SpanRecord>>>);

impl Exporter for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        self.0.lock().unwrap().extend_from_slice(batch);
        Ok(())
    }
}

/// One call that is answered by `response`, as it is exported.
fn trace(builder: Builder, response: &Value) -> (SpanRecord, UsageTotals) {
    let memory = Memory::default();
    let (layer, guard) = builder.exporter(memory.clone()).build();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = llmtrace::generation!("call");
        span.record_request(&json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Why?"}]}));
        span.record_response(response);
    });
    let usage = guard.usage();
    guard.shutdown(Duration::from_secs(5)).unwrap();
    let record = memory.0.lock().unwrap().pop().unwrap();
    (record, usage)
}

fn answer(usage: &Value) -> Value {
    json!({"id": "c", "object": "chat.completion", "model": "gpt-4o", "usage": usage,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Because."}}]})
}

#[test]
fn tokens_are_estimated_only_where_it_is_asked_for_and_nobody_states_them() {
    let check =
        |builder: Builder, usage: Value, expected: (Option<u64>, Option<u64>), source: UsageSource| {
            let (record, totals) = trace(builder, &answer(&usage));
            let found = record.usage();
            assert_eq!((found.input_tokens, found.output_tokens), expected, "{usage}");
            assert_eq!(found.source, source);
            let is_stated = source == UsageSource::Provider && expected.0.is_some();
            assert_eq!(found.status, if is_stated { UsageStatus::Complete } else { UsageStatus::Missing });
            assert_eq!(record.cost().is_some(), is_stated && cfg!(feature = "prices"));
            assert_eq!(totals.total().input_tokens, expected.0.filter(|_| is_stated).unwrap_or(0));
        };
    let builder = llmtrace::builder;
    let stated = json!({"prompt_tokens": 3, "completion_tokens": 1});
    check(builder(), Value::Null, (None, None), UsageSource::Provider);
    check(builder().estimate_tokens(), Value::Null, (Some(9), Some(2)), UsageSource::Estimated);
    check(builder().estimate_tokens(), stated, (Some(3), Some(1)), UsageSource::Provider);
    let omit = builder().estimate_tokens().content(ContentPolicy::Omit);
    check(omit, Value::Null, (None, None), UsageSource::Provider);
}
