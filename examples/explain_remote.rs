//! Why did a remote model say yes? Exact Shapley values say which segment of the prompt moved its answer; kernel SHAP and
//! LIME say which words. Each states its cost before and after, and the words are judged beside chance. Nothing of the
//! model is needed but its answers, here with log-probabilities.
//!
//! Works offline against a stand-in on 127.0.0.1. The trace at the end holds the call and its explanations.

use std::sync::LazyLock;
use std::time::Duration;

use llmtrace::{generation, llm_trace};
use llmtrace_exporters::{JsonLines, Stdout};
use llmtrace_lens::explain::{Game, KernelShap, Lime, Masked, Method, Parts, Scored, Shapley};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

#[path = "support/loopback.rs"]
mod loopback;

type Error = Box<dyn std::error::Error + Send + Sync>;

const MODEL: &str = "gpt-4o-mini";
/// Tokens that the messages of a chat count beside their texts, and that an answer of one word counts.
const FRAMING_TOKENS: u64 = 16;
const ANSWER_TOKENS: u64 = 9;
/// Calls at a time.
const THREADS: usize = 16;

/// The prompt, segment by segment.
const PROMPT: [(&str, &str); 5] = [
    ("system", "Decide on refunds. Be strict."),
    ("policy", "Goods are refunded within 30 days."),
    ("review", "Customers love this kettle."),
    ("order", "It arrived 12 days ago and is sealed."),
    ("question", "My money back, please?"),
];

static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

/// The call itself. Those that an explanation makes are not traced one by one.
async fn call(system: &str, user: &str) -> Result<Value, Error> {
    let url = loopback::url()?;
    let messages = json!([{"role": "system", "content": system}, {"role": "user", "content": user}]);
    let body = json!({"model": MODEL, "messages": messages, "logprobs": true, "top_logprobs": 2});
    let request = HTTP.post(format!("{url}/chat/completions")).json(&body);
    Ok(request.send().await?.error_for_status()?.json().await?)
}

#[llm_trace(provider = "openai", model = MODEL)]
async fn ask(system: &str, user: &str) -> Result<Value, Error> {
    call(system, user).await
}

/// How far the answer is yes: the log-probability of yes less that of no.
fn log_odds(response: &Value) -> Result<Scored, Error> {
    let tokens = response["choices"][0]["logprobs"]["content"][0]["top_logprobs"].as_array();
    let of = |word: &str| tokens?.iter().find(|token| token["token"] == word)?["logprob"].as_f64();
    let (yes, no) = of("yes").zip(of("no")).ok_or("the answer has no log-probabilities of yes and no")?;
    Ok(Scored::new(yes - no).response(response))
}

/// The segments that are kept, as the messages of a chat.
fn messages(prompt: &Masked<'_>) -> (String, String) {
    let segment = |label: &str| prompt.segment(label).unwrap_or_default().to_owned();
    (segment("system"), ["policy", "review", "order", "question"].map(segment).join("\n"))
}

/// Says what calls cost, as far as it is known before they are made.
fn priced(game: Game<'_>) -> Game<'_> {
    game.threads(THREADS).model(MODEL).framing_tokens(FRAMING_TOKENS).answer_tokens(ANSWER_TOKENS)
}

/// Prints the plan, the table, and how faithful it is.
fn explain(game: &Game<'_>, method: &impl Method) -> Result<(), Error> {
    println!("{}", game.plan(method)?);
    let attribution = game.explain(method)?;
    println!("{attribution}\n\n{}", game.plan_judgement(&attribution)?);
    println!("{}\n", game.judge(&attribution)?);
    Ok(())
}

fn main() -> Result<(), Error> {
    let tracing = llmtrace::builder()
        .service_name("explain-remote")
        .exporter(Stdout::tree())
        .exporter(JsonLines::create("explain.jsonl")?)
        .install()?;
    let runtime = Runtime::new()?;
    let span = generation!("refund");
    let segments = Parts::segments(PROMPT);
    let answer = span.in_scope(|| runtime.block_on(ask("", segments.text())))?;
    println!("The model says {}. Which segment made it?\n", answer["choices"][0]["message"]["content"]);

    let by_segment = Game::new(&segments, |prompt| {
        let (system, user) = messages(prompt);
        log_odds(&runtime.block_on(call(&system, &user))?)
    });
    let by_segment = priced(by_segment).of_span(&span);
    println!("{}\n{}\n", by_segment.plan(&Shapley)?, by_segment.explain(&Shapley)?);

    println!("Which words?\n");
    let words = Parts::words(segments.text());
    let by_word = Game::new(&words, |prompt| log_odds(&runtime.block_on(call("", prompt))?));
    let by_word = priced(by_word).of_span(&span).max_calls(2000);
    explain(&by_word, &KernelShap::samples(300))?;
    explain(&by_word, &Lime::samples(300))?;

    drop((by_segment, by_word, span));
    tracing.shutdown(Duration::from_secs(5))?;
    println!("The values stand on the spans of explain.jsonl, under llmtrace.explain.*.");
    Ok(())
}
