use llmtrace::llm_trace;

#[llm_trace(name = 1)]
fn name() {}

#[llm_trace(target = 1)]
fn target() {}

#[llm_trace(usage = 1)]
fn usage() {}

#[llm_trace(crate = "llmtrace")]
fn krate() {}

#[llm_trace(err(level = "info"))]
fn err_level() {}

#[llm_trace(err(Pretty))]
fn err_junk() {}

#[llm_trace(err())]
fn err_empty() {}

#[llm_trace(err = true)]
fn err_value() {}

#[llm_trace(level = "loud")]
fn level_text() {}

#[llm_trace(level = 6)]
fn level_number() {}

#[llm_trace(level = true)]
fn level_flag() {}

fn main() {}
