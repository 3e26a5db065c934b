//! The chunks of Google's `streamGenerateContent`, laid over each other.

use serde_json::{Value, json};

use super::fold::{Fold, Room, child};
use super::gemini::{count_of, field, key, list_of, object_of};
use super::json::{count, has, list, object, text};
use super::{gemini_args, gemini_parts};
use crate::content::LEFT_OUT;

/// Where a `usageMetadata` states the tier that was served.
const TIERS: [&str; 2] = ["trafficType", "serviceTier"];

/// Lays a chunk over the response. Counts are cumulative: a chunk's replace those before.
pub(super) fn fold(chunk: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    for name in ["modelVersion", "responseId", "createTime"] {
        keep(room, body, name, chunk);
    }
    if let Some(feedback) = object_of(chunk, "promptFeedback") {
        let kept = child(body, "promptFeedback");
        keep(room, kept, "blockReason", feedback);
    }
    let is_counted = fold_usage(body, chunk, room);
    for candidate in list(chunk, "candidates") {
        let index = count(candidate, "index").unwrap_or_default();
        let Some(whole) = room.at(child(body, "candidates"), index) else { continue };
        *content |= fold_candidate(whole, candidate, room);
    }
    let candidates = list(body, "candidates");
    if candidates.is_empty() {
        *ended |= object(body, "promptFeedback").is_some_and(|feedback| has(feedback, "blockReason"));
    } else {
        let are_finished = candidates.iter().all(|candidate| has(candidate, "finishReason"));
        *ended = are_finished && (*ended || is_counted);
    }
}

/// Sets the field `name`, in camel case, to what `later` has for it.
fn keep(room: &mut Room, value: &mut Value, name: &str, later: &Value) {
    if let Some(later) = field(later, name)
        && value.get(name) != Some(later)
    {
        room.put(child(value, name), later);
    }
}

/// Says whether the chunk states counts. Vertex AI sends chunks that state the kind of traffic only, and some
/// models a guess of the prompt until the last chunk, which states less.
fn fold_usage(body: &mut Value, chunk: &Value, room: &mut Room) -> bool {
    let Some(usage) = object_of(chunk, "usageMetadata") else { return false };
    let kept = child(body, "usageMetadata");
    let is_written = ["candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount"]
        .iter()
        .any(|name| count_of(usage, name).is_some());
    if count_of(usage, "promptTokenCount").is_none() || !is_written && !is_last(chunk) {
        for name in TIERS {
            keep(room, kept, name, usage);
        }
        return false;
    }
    let said_before = TIERS.map(|name| (name, kept.get(name).cloned()));
    room.put(kept, usage);
    for (name, value) in said_before {
        if let Some(value) = value.filter(|_| field(usage, name).is_none()) {
            *child(kept, name) = value;
        }
    }
    true
}

/// Whether nothing comes after a chunk: it says why the answer, or all of it, stops.
fn is_last(chunk: &Value) -> bool {
    let candidates = list(chunk, "candidates");
    candidates.iter().all(|candidate| field(candidate, "finishReason").is_some())
}

/// Lays a candidate over what there is of it and says whether it brings content.
fn fold_candidate(whole: &mut Value, candidate: &Value, room: &mut Room) -> bool {
    keep(room, whole, "finishReason", candidate);
    if let Some(grounding) = object_of(candidate, "groundingMetadata") {
        let queries = child(child(whole, "groundingMetadata"), "webSearchQueries");
        let later = field(grounding, "webSearchQueries").unwrap_or(&Value::Null);
        if later.as_array().is_some_and(|later| later.iter().any(|query| query == LEFT_OUT)) {
            room.put(queries, later);
        }
        for query in later.as_array().into_iter().flatten() {
            let is_known = queries.as_array().is_some_and(|known| known.contains(query));
            if !is_known && let Some(query) = room.copy(query) {
                room.push(queries, query);
            }
        }
    }
    let Some(piece) = object(candidate, "content") else { return false };
    let content = child(whole, "content");
    room.set(content, "role", piece);
    let parts = child(content, "parts");
    list(piece, "parts").iter().fold(false, |found, part| fold_part(parts, part, room) | found)
}

/// Appends a part, or its text to the last part if that is of the same kind, and says whether it is content.
fn fold_part(parts: &mut Value, part: &Value, room: &mut Room) -> bool {
    if let Some(piece) = part.get("text").and_then(Value::as_str) {
        if !piece.is_empty() {
            append_text(parts, piece, gemini_parts::is_thought(part), room);
        }
        return !piece.is_empty();
    }
    if let Some(call) = object_of(part, "functionCall")
        && text(call, "name").is_none()
        && let Some(last) = last(parts).and_then(|last| object_of_mut(last, "functionCall"))
    {
        gemini_args::extend(last, list_of(call, "partialArgs"), room);
        return true;
    }
    let is_content =
        ["functionCall", "inlineData", "fileData"].iter().any(|name| object_of(part, name).is_some());
    if let Some(mut copy) = room.copy(part) {
        if let Some(fields) = copy.as_object_mut() {
            fields.remove(key(part, "thoughtSignature"));
        }
        if let Some(call) = object_of_mut(&mut copy, "functionCall") {
            let pieces = object_of(part, "functionCall").map_or(&[][..], |call| list_of(call, "partialArgs"));
            gemini_args::extend(call, pieces, room);
        }
        room.push(parts, copy);
    }
    is_content
}

fn append_text(parts: &mut Value, piece: &str, is_thought: bool, room: &mut Room) {
    let is_same = |part: &&mut Value| {
        part.get("text").is_some_and(Value::is_string) && gemini_parts::is_thought(part) == is_thought
    };
    let part = match last(parts).filter(is_same) {
        Some(part) => Some(part),
        None => room.push(parts, if is_thought { json!({"thought": true}) } else { json!({}) }),
    };
    if let Some(part) = part {
        room.append(child(part, "text"), piece);
    }
}

fn last(parts: &mut Value) -> Option<&mut Value> {
    parts.as_array_mut()?.last_mut()
}

fn object_of_mut<'a>(value: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let name = key(value, name).to_owned();
    value.get_mut(&name).filter(|found| found.is_object())
}
