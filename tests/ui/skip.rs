use llmtrace::llm_trace;

#[llm_trace(skip(question, answer))]
fn missing(question: &str) {}

#[llm_trace(skip(a, a))]
fn twice(a: u8) {}

#[llm_trace(skip(self))]
fn no_self(a: u8) {}

#[llm_trace(skip)]
fn no_list(a: u8) {}

#[llm_trace(skip("a"))]
fn text(a: u8) {}

fn main() {}
