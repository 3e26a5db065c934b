use llmtrace::{ObservationKind, llm_trace};

#[llm_trace(kind = "chain")]
fn unknown() {}

#[llm_trace(kind = 1)]
fn number() {}

#[llm_trace(kind = ObservationKind::Tool)]
fn not_a_literal() {}

#[llm_trace(kind("tool"))]
fn list() {}

fn main() {}
