use llmtrace::llm_trace;

struct Mute;

#[llm_trace]
fn sync_mismatch() -> u32 {
    "text"
}

#[llm_trace]
async fn async_mismatch() -> u32 {
    "text"
}

#[llm_trace]
async fn unit_mismatch() {
    1
}

#[llm_trace(model = Mute)]
fn no_text() {}

#[llm_trace(tags = Mute)]
fn no_labels() {}

#[llm_trace(usage = |_ret| 1)]
fn no_usage() {}

#[llm_trace(usage = |ret| ret.tokens())]
async fn no_method() -> u32 {
    1
}

fn main() {}
