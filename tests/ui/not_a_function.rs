use llmtrace::llm_trace;

#[llm_trace]
struct Answer;

#[llm_trace]
impl Answer {
    fn text(&self) {}
}

#[llm_trace]
mod inner {}

trait Client {
    #[llm_trace]
    fn ask(&self, question: &str) -> String;
}

fn main() {
    Answer.text();
}
