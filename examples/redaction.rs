//! What is masked before any exporter sees it: known secrets without a word from you, e-mail addresses, card numbers and
//! IBANs when asked for, and whatever your own rules find. The span says how many there were.

use std::time::Duration;

use llmtrace::{Redactor, Usage, llm_trace};
use llmtrace_exporters::Stdout;

type Error = Box<dyn std::error::Error>;

/// Made up: none of them opens anything.
const TEXTS: [&str; 7] = [
    "postgres://app:correct-horse-battery@db.example/orders",
    "curl -H 'Authorization: Bearer 9f8e7d6c5b4a39281706f5e4d3c2b1a0'",
    r#"{"user": "ann", "password": "staple-battery-7"}"#,
    "GET /v1/search?q=sky&api_key=Zk3v9QmX2pLw8RtY5nBc",
    "write to ann@example.org about TICKET-104233",
    "card 4111 1111 1111 1111, but not the order 4111 1111 1111 1112",
    "a clean text: tokens, keys of a piano, the secret of good bread",
];

#[llm_trace(provider = "openai", model = "gpt-4o-mini", usage = |_ret| Usage::new(40, 8))]
fn ask(prompt: &str) -> String {
    format!("I cannot open {prompt}")
}

fn redactor() -> Result<Redactor, Error> {
    Ok(Redactor::secrets().pii().rule("ticket", r"\bTICKET-\d{6}\b")?)
}

fn main() -> Result<(), Error> {
    let redactor = redactor()?;
    for text in TEXTS {
        println!("  {text}\n→ {}\n", redactor.redact(text));
    }

    println!("The same in a span, which is what every exporter gets:\n");
    let tracing = llmtrace::builder()
        .service_name("redaction")
        .redactor(redactor)
        .exporter(Stdout::json())
        .install()?;
    ask(TEXTS[0]);
    tracing.shutdown(Duration::from_secs(5))?;
    Ok(())
}

#[test]
fn only_what_is_secret_is_masked() {
    let redactor = redactor().unwrap();
    for (text, is_masked) in TEXTS.iter().zip([true, true, true, true, true, true, false]) {
        assert_eq!(redactor.redact(text) != *text, is_masked, "{text}");
    }
}
