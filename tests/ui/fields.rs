use llmtrace::llm_trace;

#[llm_trace(fields)]
fn no_list() {}

#[llm_trace(fields(a b))]
fn no_comma() {}

#[llm_trace(fields(a = ))]
fn no_value() {}

#[llm_trace(fields(1 = 2))]
fn number() {}

fn main() {}
