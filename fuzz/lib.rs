//! What the fuzz targets share: JSON made of an API's own words, and what must hold of whatever was read from it.

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use llmtrace::provider::{Api, Exchange};
use llmtrace::{Message, Part, Usage, UsageStatus};
use serde_json::{Map, Value};

/// The words of every API: keys, types, roles and events, as `llmtrace/tests/samples` and the readers know them.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("words.txt").lines().collect());

/// Deepest value that is made.
const MAX_DEPTH: usize = 6;

/// A JSON value whose keys and texts are words of the APIs more often than not.
pub fn value(bytes: &mut Unstructured<'_>) -> Result<Value> {
    value_of(bytes, &WORDS)
}

/// The same of other words.
pub fn value_of(bytes: &mut Unstructured<'_>, words: &[&str]) -> Result<Value> {
    value_at(bytes, words, 0)
}

fn value_at(bytes: &mut Unstructured<'_>, words: &[&str], depth: usize) -> Result<Value> {
    let kinds = if depth < MAX_DEPTH { 8 } else { 5 };
    Ok(match bytes.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => Value::Bool(bytes.arbitrary()?),
        2 => Value::from(bytes.int_in_range(-1_i64..=300)?),
        3 => bytes.arbitrary::<f64>()?.into(),
        4 => Value::from(bytes.arbitrary::<u64>()?),
        5 => Value::String(text(bytes, words)?),
        6 => {
            let length = bytes.int_in_range(0..=4)?;
            (0..length).map(|_| value_at(bytes, words, depth + 1)).collect::<Result<Vec<_>>>()?.into()
        }
        _ => object(bytes, words, depth)?,
    })
}

fn object(bytes: &mut Unstructured<'_>, words: &[&str], depth: usize) -> Result<Value> {
    let mut fields = Map::new();
    for _ in 0..bytes.int_in_range(0..=10)? {
        fields.insert(text(bytes, words)?, value_at(bytes, words, depth + 1)?);
    }
    Ok(fields.into())
}

fn text(bytes: &mut Unstructured<'_>, words: &[&str]) -> Result<String> {
    if bytes.ratio(1, 8)? {
        return bytes.arbitrary();
    }
    Ok((*bytes.choose(words)?).to_owned())
}

/// One API, chosen by the input.
pub fn api(bytes: &mut Unstructured<'_>) -> Result<Api> {
    bytes.choose(Api::ALL).copied()
}

/// What holds of everything that is read, whatever it was read from.
///
/// # Panics
///
/// Where it does not hold.
pub fn assert_sound(exchange: &Exchange) {
    assert_sound_usage(&exchange.usage);
    for message in exchange.input.iter().chain(&exchange.output) {
        assert_sound_message(message);
    }
    assert!(exchange.finish_reasons.iter().all(|reason| !reason.is_empty()));
    assert!(exchange.stated_cost.is_none_or(|cost| cost.pico() >= 0));
}

fn assert_sound_usage(usage: &Usage) {
    if matches!(usage.status, UsageStatus::Complete | UsageStatus::Partial) {
        assert_eq!(usage.clone().checked().status, usage.status, "{usage:?} contradicts itself");
    }
    if usage.status == UsageStatus::Missing {
        assert_eq!((usage.input_tokens, usage.output_tokens), (None, None), "{usage:?} is not missing");
    }
}

/// A message is read back from its own JSON, and its parts are what they say they are.
fn assert_sound_message(message: &Message) {
    let json = serde_json::to_value(message).expect("a message is JSON");
    for part in json["parts"].as_array().expect("a message has parts") {
        assert!(part["type"].is_string(), "{part}");
    }
    for part in &message.parts {
        if let Part::ToolCall { arguments: Value::String(text), .. } = part {
            let parsed: Option<Map<String, Value>> = serde_json::from_str(text).ok();
            assert!(parsed.is_none(), "arguments that are an object were left as text: {text}");
        }
    }
}
