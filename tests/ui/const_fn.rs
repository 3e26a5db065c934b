use llmtrace::llm_trace;

#[llm_trace]
const fn constant() -> u8 {
    1
}

const ONE: u8 = constant();

fn main() {
    assert_eq!(ONE, 1);
}
