//! The stream of `OpenAI` chat completions: chunks laid over each other.

use serde_json::Value;

use super::fold::{Fold, MAX_PART_BYTES, Room, child};
use super::json::{count, has, list, object, owned, text};
use super::openai_chat::joined;
use crate::content::decoded_len;
use crate::message::OMITTED_BYTES;

/// Fields of a chunk that are the response's; of the filter's results, only that there are some is of use.
const KEPT: [&str; 8] = [
    "id",
    "object",
    "model",
    "service_tier",
    "system_fingerprint",
    "provider",
    "prompt_filter_results",
    "time_info",
];

pub(super) fn fold(chunk: &Value, fold: &mut Fold) {
    let Fold { body, content, room, .. } = fold;
    for key in KEPT {
        room.set(body, key, chunk);
    }
    // Groq states the usage beside its own id of the request.
    let groq = object(chunk, "x_groq");
    if let Some(groq) = groq {
        room.set(child(body, "x_groq"), "id", groq);
    }
    let of_groq = || groq.and_then(|groq| object(groq, "usage"));
    // Moonshot states it in the choice that ends.
    let of_choice = || match list(chunk, "choices") {
        [choice] => object(choice, "usage"),
        _ => None,
    };
    let usage = object(chunk, "usage").or_else(of_groq).or_else(of_choice);
    if let Some(usage) = usage {
        room.overlay(child(body, "usage"), usage);
    }
    // llama.cpp counts in it, with or without a usage.
    let timings = object(chunk, "timings");
    if let Some(timings) = timings {
        room.overlay(child(body, "timings"), timings);
    }
    for choice in list(chunk, "choices") {
        let index = count(choice, "index").unwrap_or_default();
        let Some(whole) = room.at(child(body, "choices"), index) else { continue };
        for key in ["finish_reason", "content_filter_results"] {
            room.set(whole, key, choice);
        }
        if let Some(delta) = object(choice, "delta") {
            *content |= fold_delta(child(whole, "message"), delta, room);
        }
    }
    let choices = list(body, "choices");
    // Where the closing mark cannot be seen, or is not sent, the usage beside or after the finish reasons is the end.
    let may_end = usage.is_some() || timings.is_some() || !fold.framed;
    if choices.is_empty() {
        fold.ended |= usage.is_some();
    } else {
        let are_finished = || choices.iter().all(|choice| has(choice, "finish_reason"));
        fold.ended = (fold.ended || may_end) && are_finished();
    }
}

/// Lays a delta over a message and says whether it holds content.
fn fold_delta(message: &mut Value, delta: &Value, room: &mut Room) -> bool {
    room.set(message, "role", delta);
    let mut content = false;
    for key in ["content", "reasoning_content", "reasoning", "refusal"] {
        if let Some(text) = text(delta, key) {
            room.append(child(message, key), text);
            content = true;
        }
    }
    // Mistral's models answer with lists of parts where they reason.
    for part in list(delta, "content") {
        let (key, text) = match text(part, "type") {
            Some("thinking") => ("reasoning_content", joined(part.get("thinking"))),
            _ => ("content", owned(part, "text").unwrap_or_default()),
        };
        room.append(child(message, key), &text);
        content |= !text.is_empty();
    }
    if let Some(call) = object(delta, "function_call") {
        fold_function(child(message, "function_call"), call, room);
        content = true;
    }
    for call in list(delta, "tool_calls") {
        fold_call(child(message, "tool_calls"), call, room);
        content = true;
    }
    if let Some(audio) = object(delta, "audio") {
        let whole = child(message, "audio");
        if let Some(transcript) = text(audio, "transcript") {
            room.append(child(whole, "transcript"), transcript);
            content = true;
        }
        if let Some(data) = text(audio, "data") {
            fold_audio(whole, data, room);
            content = true;
        }
    }
    content
}

/// Lays a piece of a tool call over the call it belongs to: that of its index, or, where another id shows that
/// a server counts none, a new one.
fn fold_call(calls: &mut Value, piece: &Value, room: &mut Room) {
    let index = count(piece, "index");
    let id = text(piece, "id");
    let is_other = |call: &Value| id.is_some_and(|id| text(call, "id").is_some_and(|known| known != id));
    // The calls stand in the order of their indices: those of one index end where the next begins. A server that
    // counts none tells its calls apart by their ids.
    let same_id = |call: &Value| id.is_some() && text(call, "id") == id;
    let end = calls.as_array().map_or(0, |calls| match index {
        Some(index) => calls.partition_point(|call| count(call, "index").is_none_or(|at| at <= index)),
        None => calls.iter().rposition(same_id).map_or(calls.len(), |place| place + 1),
    });
    let before = calls.as_array_mut().and_then(|calls| calls.get_mut(..end)?.last_mut());
    let known = before.filter(|call| !is_other(call) && (index.is_none() || count(call, "index") == index));
    let call = match known {
        Some(call) => call,
        None => match room.insert(calls, end, serde_json::json!({"index": index})) {
            Some(call) => call,
            None => return,
        },
    };
    for key in ["id", "type"] {
        room.set(call, key, piece);
    }
    if let Some(function) = object(piece, "function") {
        fold_function(child(call, "function"), function, room);
    }
    if let Some(custom) = object(piece, "custom") {
        room.set(child(call, "custom"), "name", custom);
        if let Some(text) = text(custom, "input") {
            room.append(child(child(call, "custom"), "input"), text);
        }
    }
}

fn fold_function(function: &mut Value, piece: &Value, room: &mut Room) {
    room.set(function, "name", piece);
    if let Some(text) = text(piece, "arguments") {
        room.append(child(function, "arguments"), text);
    }
}

/// Lays a piece of base64 behind the others. What cannot be joined to them, or has no room, is counted: half of a
/// recording would be none.
fn fold_audio(audio: &mut Value, piece: &str, room: &mut Room) {
    let before = text(audio, "data").unwrap_or_default();
    let (len, held) = (before.len(), decoded_len(before));
    let is_joinable = len % 4 == 0 && !before.ends_with('=') && count(audio, OMITTED_BYTES).is_none();
    if is_joinable && len + piece.len() <= MAX_PART_BYTES {
        room.append(child(audio, "data"), piece);
    }
    if text(audio, "data").map_or(0, str::len) < len + piece.len() {
        let omitted = count(audio, OMITTED_BYTES).unwrap_or(held).saturating_add(decoded_len(piece));
        *child(audio, OMITTED_BYTES) = omitted.into();
        *child(audio, "data") = Value::Null;
    }
}
