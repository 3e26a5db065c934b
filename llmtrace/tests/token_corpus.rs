//! Estimated counts beside those that providers stated for the same answers.
//!
//! The recordings are not part of the project; the test passes where there are none.
#![cfg(feature = "tokenizer")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

#[path = "support/fixtures.rs"]
mod fixtures;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use llmtrace::provider::{Api, Exchange, StreamAssembler, read_response_as};
use llmtrace::tokens::{self, Exactness};
use llmtrace::{Part, UsageStatus};
use serde_json::Value;

const FOLDERS: [(&str, Api); 8] = [
    ("openai-chat", Api::OpenAiChat),
    ("openai-compat-chat", Api::OpenAiChat),
    ("openai-responses", Api::OpenAiResponses),
    ("openai-compat-responses", Api::OpenAiResponses),
    ("anthropic-messages", Api::AnthropicMessages),
    ("cohere", Api::CohereChat),
    ("ollama", Api::OllamaChat),
    ("mistral-chat", Api::MistralChat),
];

/// Shorter answers say little of a rule.
const MIN_TOKENS: u64 = 6;

/// Tokens that end an answer, which some models count.
const UNSEEN: u64 = 2;

fn read(folder: &Path, api: Api) -> Vec<Exchange> {
    let read = |path: PathBuf| {
        let json: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let body = json["response"]["body"].as_str().unwrap();
        if json["stream"] == true {
            StreamAssembler::new(api).push(body).finish()
        } else {
            read_response_as(api, &serde_json::from_str(body).unwrap())
        }
    };
    std::fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap().path())).collect()
}

/// The text of an answer that is nothing but text, and its stated tokens.
fn answer(exchange: &Exchange) -> Option<(String, u64)> {
    let usage = &exchange.usage;
    let [message] = exchange.output.as_slice() else { return None };
    let [Part::Text { content }] = message.parts.as_slice() else { return None };
    let tokens = usage.output_tokens.filter(|tokens| *tokens >= MIN_TOKENS)?;
    let is_plain = usage.reasoning_tokens.unwrap_or(0) == 0 && usage.status == UsageStatus::Complete;
    is_plain.then(|| (content.clone(), tokens))
}

#[test]
fn estimates_are_as_near_as_they_say() {
    let Some(folder) = fixtures::at("provider-responses") else { return };
    let (mut near, mut far) = (0, Vec::new());
    let mut others = BTreeMap::<String, Vec<f64>>::new();
    for (name, api) in FOLDERS {
        for exchange in read(&folder.join(name), api) {
            let Some((text, stated)) = answer(&exchange) else { continue };
            let model = exchange.response_model.unwrap_or_default();
            let count = tokens::count(&model, &text);
            if count.exactness == Exactness::Approximate {
                others.entry(model).or_default().push(count.tokens as f64 / stated as f64);
            } else if stated.abs_diff(count.tokens) <= UNSEEN {
                near += 1;
            } else {
                far.push((model, count.tokens, stated));
            }
        }
    }
    println!("own vocabulary: {near} as stated, otherwise (model, counted, stated): {far:?}");
    println!("another vocabulary, counted by stated: {others:.2?}");
    // What else a model wrote, for a tool of the provider's or in thought, the answer does not show.
    assert!(near >= 8, "{near} {far:?}");
    let ratios: Vec<f64> = others.into_values().flatten().collect();
    let within = ratios.iter().filter(|ratio| (0.5..1.1).contains(*ratio)).count();
    assert!(within >= 8 && within * 10 >= ratios.len() * 8, "{within} of {ratios:?}");
}
