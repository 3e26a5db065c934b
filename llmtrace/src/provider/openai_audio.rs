//! `OpenAI` audio: transcriptions, translations and speech
//! (<https://platform.openai.com/docs/api-reference/audio>).

use serde_json::Value;

use super::fold::{Fold, child};
use super::json::{count, float_parameter, has, has_any, message_of, object, owned, stream_parameter, text};
use super::openai::{self, UsageNames};
use super::openai_served::read_common;
use super::{Api, Exchange, Shape};
use crate::content::decoded_len;
use crate::message::OMITTED_BYTES;
use crate::{Message, Part, Role, Usage, UsageStatus, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::OpenAiAudio, is_request, is_response, is_item, read_request, read_response, fold };

/// How this API and the realtime one name their counts.
pub(super) const USAGE: UsageNames = UsageNames {
    input: "input_tokens",
    output: "output_tokens",
    input_details: "input_token_details",
    output_details: "output_token_details",
};

const OPERATION: &str = "generate_content";

fn is_request(body: &Value) -> bool {
    let Some(model) = text(body, "model") else { return false };
    let speaks = || text(body, "input").is_some() && has(body, "voice");
    let listens = || {
        (model.contains("whisper") || model.contains("transcribe") || model.contains("voxtral"))
            && !has_any(body, &["messages", "input", "session"])
            && has_any(body, &["file", "file_url", "language", "response_format", "timestamp_granularities"])
    };
    speaks() || listens()
}

fn is_response(body: &Value) -> bool {
    let usage = body.get("usage").unwrap_or(&Value::Null);
    let is_counted = match text(usage, "type") {
        Some("tokens") => count(usage, USAGE.input).is_some(),
        Some("duration") => has(usage, "seconds"),
        _ => false,
    };
    let is_verbose = matches!(text(body, "task"), Some("transcribe" | "translate")) && has(body, "duration");
    body.get("text").is_some_and(Value::is_string) && (is_counted || is_verbose) && !has(body, "type")
}

fn is_item(item: &Value) -> bool {
    let kind = text(item, "type").unwrap_or_default();
    kind.starts_with("transcript.text.") || matches!(kind, "speech.audio.delta" | "speech.audio.done")
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    exchange.request_model = owned(body, "model");
    let speaks = has(body, "voice");
    exchange.system = text(body, "instructions").map(Part::text).into_iter().collect();
    if let Some(input) = text(body, if speaks { "input" } else { "prompt" }) {
        exchange.input = vec![Message::user(input)];
    }
    let parameters = &mut exchange.parameters;
    parameters.set(semconv::OUTPUT_TYPE, if speaks { "speech" } else { "text" });
    float_parameter(parameters, semconv::REQUEST_TEMPERATURE, body, "temperature");
    stream_parameter(parameters, body);
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(OPERATION);
    read_common(body, exchange);
    exchange.usage = usage(body);
    let heard = text(body, "text").map(Part::text);
    let spoken = count(body, OMITTED_BYTES).map(|bytes| Part::omitted_blob(None, "audio", bytes));
    let parts: Vec<Part> = heard.into_iter().chain(spoken).collect();
    exchange.output = message_of(Role::Assistant, parts);
}

/// Tokens, or seconds where those are billed. The length of the recording alone says nothing of what is billed.
fn usage(body: &Value) -> Usage {
    let stated = body.get("usage").unwrap_or(&Value::Null);
    let mut usage = openai::usage(stated, &USAGE);
    let billed = seconds(stated.get("seconds"));
    usage.audio_seconds = billed.or_else(|| seconds(body.get("duration")));
    usage.status = match usage.status {
        UsageStatus::Missing if billed.is_some() => UsageStatus::Complete,
        UsageStatus::Missing if usage.audio_seconds.is_some() => UsageStatus::Partial,
        status => status,
    };
    usage
}

/// Seconds begun; a number, or a number as text, as older models state it.
fn seconds(value: Option<&Value>) -> Option<u64> {
    /// Longer recordings than a year are none.
    const MAX_SECONDS: f64 = 31_536_000.0;
    let value = value?;
    let stated = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    let whole = (0.0..=MAX_SECONDS).contains(&stated).then_some(stated.ceil() as u64);
    whole
}

fn fold(event: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    match text(event, "type") {
        Some("transcript.text.delta") => {
            if let Some(piece) = text(event, "delta") {
                room.append(child(body, "text"), piece);
                *content = true;
            }
        }
        Some("transcript.text.done") => {
            room.set(body, "text", event);
            *ended = true;
        }
        Some("speech.audio.delta") => {
            // Sound in pieces of any format cannot be joined as base64: its size is kept.
            let bytes = text(event, "audio").map_or(0, decoded_len);
            let before = count(body, OMITTED_BYTES).unwrap_or(0);
            *child(body, OMITTED_BYTES) = before.saturating_add(bytes).into();
            *content |= bytes > 0;
        }
        Some("speech.audio.done") => *ended = true,
        _ => {}
    }
    if let Some(usage) = object(event, "usage") {
        room.overlay(child(body, "usage"), usage);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{StreamAssembler, read_request, read_response};
    use super::*;

    fn tokens() -> Value {
        json!({"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59,
            "input_token_details": {"text_tokens": 4, "audio_tokens": 10}})
    }

    fn counted() -> Usage {
        Usage {
            total_tokens: Some(59),
            input_text_tokens: Some(4),
            input_audio_tokens: Some(10),
            ..Usage::new(14, 45)
        }
    }

    fn lasted(seconds: u64, status: UsageStatus) -> Usage {
        Usage { status, audio_seconds: Some(seconds), ..Usage::default() }
    }

    #[test]
    fn requests_listen_or_speak() {
        let check = |body: Value, kind: Option<&str>| {
            let read = read_request(&body).filter(|read| read.api == Some(Api::OpenAiAudio));
            let parameters = read.map(|read| read.parameters).unwrap_or_default();
            assert_eq!(parameters.get_str(semconv::OUTPUT_TYPE), kind, "{body}");
        };
        check(json!({"model": "gpt-4o-mini-tts", "input": "hi", "voice": "alloy"}), Some("speech"));
        check(json!({"model": "whisper-1", "file": "a.mp3", "response_format": "json"}), Some("text"));
        check(json!({"model": "gpt-4o-transcribe", "language": "en"}), Some("text"));
        check(json!({"model": "gpt-4o", "input": "hi"}), None);
        check(json!({"model": "whisper-1"}), None);
    }

    #[test]
    fn transcriptions_are_billed_by_tokens_or_by_seconds() {
        let check = |body: Value, usage: Usage| {
            let read = read_response(&body).unwrap_or_else(|| panic!("not read: {body}"));
            assert_eq!((read.api, read.usage), (Some(Api::OpenAiAudio), usage), "{body}");
            assert_eq!(read.output, [Message::assistant("hi")], "{body}");
        };
        check(json!({"text": "hi", "usage": tokens()}), counted());
        check(
            json!({"text": "hi", "usage": {"type": "duration", "seconds": 3}}),
            lasted(3, UsageStatus::Complete),
        );
        check(
            json!({"text": "hi", "usage": {"type": "duration", "seconds": 3.2}}),
            lasted(4, UsageStatus::Complete),
        );
        let verbose = |duration: Value| json!({"task": "transcribe", "text": "hi", "duration": duration, "segments": []});
        check(verbose(json!(8.47)), lasted(9, UsageStatus::Partial));
        check(verbose(json!("8.47")), lasted(9, UsageStatus::Partial));
        let mut billed = verbose(json!(8.47));
        billed["usage"] = json!({"type": "duration", "seconds": 10});
        check(billed, lasted(10, UsageStatus::Complete));
        check(verbose(json!(-1)), Usage::default());
        check(verbose(json!(1e300)), Usage::default());
    }

    #[test]
    fn texts_of_others_are_no_transcriptions() {
        for body in [
            json!({"text": "hi"}),
            json!({"text": "hi", "usage": {"input_tokens": 1, "output_tokens": 2}}),
            json!({"text": "hi", "task": "sing", "duration": 3}),
            json!({"text": 3, "usage": {"type": "duration", "seconds": 3}}),
            json!({"usage": {"type": "duration", "seconds": 3}}),
        ] {
            assert_eq!(read_response(&body), None, "{body}");
        }
    }

    #[test]
    fn streams_end_with_their_usage() {
        let delta = |piece: &str| json!({"type": "transcript.text.delta", "delta": piece});
        let mut stream = StreamAssembler::detect();
        let cut = stream.push_event(&delta("h")).finish();
        assert_eq!((cut.usage.status, cut.output[0].text().as_str()), (UsageStatus::Interrupted, "h"));
        let done = json!({"type": "transcript.text.done", "text": "hi", "usage": tokens()});
        let whole = stream.push_event(&delta("h")).push_event(&delta("i")).push_event(&done).finish();
        assert_eq!((whole.usage, whole.output), (counted(), vec![Message::assistant("hi")]));

        let sound = json!({"type": "speech.audio.delta", "audio": "AAAABBBB"});
        let done = json!({"type": "speech.audio.done",
            "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}});
        let spoken = stream.push_event(&sound).push_event(&sound).push_event(&done).finish();
        assert_eq!(spoken.usage, Usage { total_tokens: Some(115), ..Usage::new(14, 101) });
        assert_eq!(spoken.output[0].parts, [Part::omitted_blob(None, "audio", 12)]);
    }
}
