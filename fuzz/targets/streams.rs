//! Items of an API's own words, folded by each API: counts are replaced, never added.
#![no_main]

use arbitrary::Unstructured;
use libfuzzer_sys::{Corpus, fuzz_target};
use llmtrace::provider::StreamAssembler;
use llmtrace_fuzz::{api, assert_sound, value};
use serde_json::Value;

/// Most items of one input.
const MAX_ITEMS: usize = 12;

fuzz_target!(|input: &[u8]| -> Corpus {
    let mut bytes = Unstructured::new(input);
    let Ok(api) = api(&mut bytes) else { return Corpus::Reject };
    let mut items = Vec::new();
    while items.len() < MAX_ITEMS && !bytes.is_empty() {
        match value(&mut bytes) {
            Ok(item) => items.push(item),
            Err(_) => break,
        }
    }
    let read = |mut stream: StreamAssembler, items: &[Value]| {
        for item in items {
            stream.push_event(item);
        }
        let exchange = stream.finish();
        assert_sound(&exchange);
        exchange
    };
    let named = read(StreamAssembler::new(api), &items);
    read(StreamAssembler::detect(), &items);
    // The last item again: no count grows.
    if let Some(last) = items.last().cloned() {
        let usage_of = |items: &[Value]| read(StreamAssembler::new(api), items).usage;
        items.push(last);
        let again = usage_of(&items);
        assert!(again.input_tokens <= named.usage.input_tokens.or(again.input_tokens));
        assert!(again.output_tokens <= named.usage.output_tokens.or(again.output_tokens));
    }
    Corpus::Keep
});
