//! Secrets are masked before any exporter sees them: a corpus of made-up keys of every kind, in every place, by every way.

mod clean;
mod keys;
mod places;

use std::collections::BTreeMap;

use llmtrace::testing::Recording;
use llmtrace::{ContentPolicy, Redactor, SpanExt as _};
use llmtrace_exporters::write_line;
use proptest::prelude::*;
use tracing::info_span;

use keys::{Dice, KINDS};
use places::{PLACES, WAYS};

/// Keys of each kind in each place.
const ROUNDS: usize = 3;

/// Shortest run of a secret's characters that counts as a leak.
const LEAK_CHARS: usize = 10;

/// Whether any part of a secret that is worth something stands in a text. What it begins with is known to all.
fn leaks(text: &str, key: &str) -> bool {
    let runs = key.split(|char: char| !char.is_ascii_alphanumeric()).filter(|run| run.len() >= LEAK_CHARS);
    let windows = runs.flat_map(|run| (0..=run.len() - LEAK_CHARS).map(|at| &run[at..at + LEAK_CHARS]));
    let is_public = |part: &&str| "BEGINRSAPRIVATEKEYhbGciOiJIUzI1NiJ9AgEIcHlwaS5vcmc".contains(*part);
    windows.filter(|part| !is_public(part)).any(|part| text.contains(part)) || text.contains(key)
}

#[test]
fn no_secret_reaches_an_exporter() {
    let mut dice = Dice::new(7);
    let (mut made, mut missed) = (0_usize, BTreeMap::<String, Vec<String>>::new());
    let recording = Recording::start();
    let mut texts = Vec::new();
    for round in 0..ROUNDS {
        for (of_kind, kind) in KINDS.iter().enumerate() {
            for (of_place, (place, text)) in PLACES.iter().enumerate() {
                let key = dice.key(kind.form);
                if !places::fits(place, &key) {
                    continue;
                }
                let way = &WAYS[(round * 7 + of_kind + of_place * 3) % WAYS.len()];
                let text = text(kind.name, &key);
                recording.run(|| (way.1)(&info_span!("call", llmtrace.kind = "generation"), &text));
                texts.push((key, format!("{} in {place} by {}", kind.rule, way.0), text));
                made += 1;
            }
        }
    }
    let spans = recording.spans();
    assert_eq!(spans.len(), made);
    for (span, (key, what, text)) in spans.iter().zip(texts) {
        let mut line = Vec::new();
        write_line(span, &mut line);
        let line = String::from_utf8(line).unwrap();
        if leaks(&line, &key) || leaks(&format!("{span:?}"), &key) {
            missed.entry(what).or_default().push(text);
        } else if span.attributes.get("llmtrace.redacted").is_none() {
            missed.entry(what).or_default().push(format!("not counted: {text}"));
        }
    }
    let leaked: usize = missed.values().map(Vec::len).sum();
    println!(
        "{made} secrets of {} kinds in {} places by {} ways: {leaked} leaked {missed:?}",
        KINDS.len(),
        PLACES.len(),
        WAYS.len()
    );
    assert!(made >= 2_000);
    assert!(leaked * 1_000 < made, "{leaked} of {made}: {missed:#?}");
}

#[test]
fn clean_texts_are_left_alone() {
    let redactor = Redactor::secrets();
    let (mut tokens, mut masked, mut examples) = (0, 0, Vec::new());
    for text in clean::texts() {
        // A token is about four characters.
        tokens += text.len() / 4;
        let redacted = redactor.redact(&text);
        let found = redacted.matches("[redacted:").count();
        if found > 0 {
            examples.push(redacted.into_owned());
        }
        masked += found;
    }
    println!("{masked} of about {tokens} tokens of clean text masked {examples:?}");
    assert!(tokens > 50_000);
    assert!(masked * 1_000 < tokens / 10, "{masked} of {tokens}: {examples:#?}");
}

#[test]
fn what_omit_leaves_is_masked_too() {
    let key = Dice::new(3).key("g|hp_{a36}");
    let recording =
        Recording::with(|builder| builder.content(ContentPolicy::Omit).resource("note", key.clone()));
    recording.run(|| {
        let span = info_span!("call", llmtrace.kind = "generation");
        span.set_session(&key);
        span.record_error(&format!("no such key: {key}"));
    });
    let span = recording.span("call");
    assert!(!format!("{span:?}").contains(&key), "{span:?}");
    assert_eq!(span.session(), Some("[redacted:github-pat]"));
    assert_eq!(span.resource.attributes.get_str("note"), Some("[redacted:github-pat]"));
}

#[test]
fn a_cut_leaves_no_half_of_a_secret() {
    let key = Dice::new(5).key("g|hp_{a36}");
    for before in 0..60 {
        let recording = Recording::with(|builder| builder.max_text_bytes(64));
        let text = format!("{} {key} and more", "x".repeat(before));
        recording.run(|| {
            let span = info_span!("call", llmtrace.kind = "generation");
            span.set_attribute("note", text.as_str());
            span.record_input(&[llmtrace::Message::user(text.as_str())]);
        });
        let line = format!("{:?}", recording.span("call"));
        assert!(!line.contains(&key[4..20]), "{before}: {line}");
    }
}

#[test]
fn ids_numbers_and_costs_stay() {
    let spans = [Redactor::none(), Redactor::secrets().pii()].map(|redactor| {
        let recording = Recording::with(|builder| builder.redactor(redactor));
        recording.run(|| {
            let span = info_span!("call", llmtrace.kind = "generation");
            span.record_request(&serde_json::json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}));
            span.record_response(&serde_json::json!({"id": "chatcmpl-BxyzAbCdEfGhIjKlMnOp0123456789", "object": "chat.completion",
                "model": "gpt-4o-2024-08-06", "system_fingerprint": "fp_34a54ae93c",
                "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
                    "tool_calls": [{"id": "call_Zx81jsQpLmN0aBcDeFgHiJkL", "type": "function",
                        "function": {"name": "f", "arguments": "{\"max_tokens\": 12, \"token\": \" the\"}"}}]}}],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}}));
        });
        recording.span("call")
    });
    let [without, with] = spans;
    assert!(without.cost().is_some());
    assert_eq!(without.attributes, with.attributes);
    assert_eq!((without.input, without.output), (with.input, with.output));
}

#[test]
fn a_rule_that_panics_costs_that_text_alone() {
    let recording = Recording::with(|builder| {
        builder.redactor(Redactor::secrets().mask("mine", |text| {
            assert!(!text.contains("boom"), "told to");
            None
        }))
    });
    recording.run(|| {
        let span = info_span!("call", llmtrace.kind = "generation");
        span.set_attribute("bad", "a secret boom");
        span.set_attribute("good", "stays");
    });
    let span = recording.span("call");
    assert_eq!(span.attributes.get_str("bad"), Some("[redacted:mine]"));
    assert_eq!(span.attributes.get_str("good"), Some("stays"));
}

/// Texts of what rules look for, in any order.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "password",
            "token",
            "api_key",
            "=",
            ":",
            "\"",
            "'",
            "\\",
            "\\\"",
            " ",
            "\n",
            "sk-",
            "sk-ant-",
            "ghp_",
            "eyJ",
            ".",
            "Authorization: Bearer ",
            "Basic ",
            "https://",
            "@",
            "?",
            "&",
            "key=",
            "--password ",
            "-----BEGIN ",
            "PRIVATE KEY-----",
            "-----END ",
            "[redacted:",
            "]",
            "</password>",
            "<password>",
            "curl -u ",
            "&quot;",
            "A1b2C3d4E5f6G7h8I9j0",
            "é",
            "%3D",
            "4111 1111 1111 1111",
            "a@b.co",
            "DE89370400440532013000",
            "YWRtaW46aHVudGVyMi1hbmQtbW9yZQ==",
            "Some(",
            "::",
            "hunter2",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn masking_twice_is_masking_once(text in hostile()) {
        let redactor = Redactor::secrets().pii().rule("seven", "h.nter[0-9]").unwrap();
        let once = redactor.redact(&text).into_owned();
        prop_assert_eq!(&*redactor.redact(&once), &*once);
    }

    #[test]
    fn words_stay(text in "([a-z]{1,9}[ ,.\n]){0,40}") {
        prop_assert_eq!(&*Redactor::secrets().pii().redact(&text), &*text);
    }
}
