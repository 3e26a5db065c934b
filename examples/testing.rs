//! A test of what a program traces: `Recording` collects the spans of the code that it runs, with a clock that
//! stands still, and draws them as a tree that is the same in every run. Run the program to see the tree;
//! `cargo test -p llmtrace-examples --example testing` runs the test below.

use llmtrace::testing::Recording;
use llmtrace::{Usage, llm_trace};
use tracing::instrument::WithSubscriber as _;

type Error = Box<dyn std::error::Error>;

#[llm_trace(provider = "openai", model = "gpt-4o-mini", usage = |ret| ret.is_ok().then(|| Usage::new(120, 8)))]
async fn ask(question: &str) -> Result<String, Error> {
    if question.is_empty() {
        Err("the question is empty".into())
    } else {
        Ok("Blue is scattered most.".to_owned())
    }
}

#[llm_trace(kind = "agent", session = session)]
async fn answer(session: &str, question: &str) -> Result<String, Error> {
    match ask(question).await {
        Ok(text) => Ok(text),
        Err(_) => ask("What is there to ask?").await,
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let recording = Recording::start();
    answer("session-1", "").with_subscriber(recording.dispatch()).await?;
    println!("{}", recording.tree());
    Ok(())
}

#[tokio::test]
async fn an_empty_question_is_replaced() {
    let recording = Recording::start();
    let text = answer("session-1", "").with_subscriber(recording.dispatch()).await;
    assert_eq!(text.unwrap(), "Blue is scattered most.");
    assert_eq!(
        recording.tree(),
        "\
answer [agent]
  ask [generation] gpt-4o-mini error: the question is empty
  ask [generation] gpt-4o-mini 120->8 tokens $0.0000228
"
    );
    assert_eq!(recording.span("answer").session(), Some("session-1"));
}
