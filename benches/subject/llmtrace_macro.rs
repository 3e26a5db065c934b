//! `#[llm_trace]` on the functions themselves.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use llmtrace::{LlmResponse, Recorder, Usage, llm_trace, semconv};

use super::{Subject, llmtrace as subscriber, plain};
use crate::workload::{Call, POLLS};

/// `#[llm_trace]`, `Builder::install`.
pub(super) const MACRO: Subject =
    Subject { name: "llmtrace-macro", start: subscriber::install, call: answer, hold: plain::hold };

#[llm_trace(kind = "workflow", skip_all)]
fn answer(call: &Call) {
    let mut future = pin!(chat(&call.prompt, call));
    let mut context = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {}
}

#[llm_trace(
    provider = "openai",
    model = &call.request_model,
    skip(call),
    fields(gen_ai.request.temperature = 0.7, gen_ai.request.max_tokens = 1024)
)]
async fn chat<'a>(prompt: &str, call: &'a Call) -> Answer<'a> {
    let mut polls = 1;
    poll_fn(|_| {
        if polls < POLLS {
            polls += 1;
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
    Answer(call)
}

/// What a client crate returns.
struct Answer<'a>(&'a Call);

impl LlmResponse for Answer<'_> {
    fn record(&self, recorder: &mut Recorder<'_>) {
        let Self(call) = self;
        recorder.text(&call.completion);
        recorder.response_id(&call.response_id);
        recorder.response_model(&call.response_model);
        recorder.finish_reasons(&["stop"]);
        recorder.attribute(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, 0.25);
        recorder.usage(
            &Usage::new(call.input_tokens, call.output_tokens)
                .with_cache_read(call.cache_read_tokens)
                .with_reasoning(call.reasoning_tokens),
        );
    }
}
