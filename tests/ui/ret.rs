use llmtrace::llm_trace;

#[llm_trace(ret)]
fn flag() -> u8 {
    1
}

#[llm_trace(ret(Display))]
fn list() -> u8 {
    1
}

fn main() {}
