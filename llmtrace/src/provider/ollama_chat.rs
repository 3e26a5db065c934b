//! Ollama's chat and generate endpoints (<https://docs.ollama.com/api/chat>, <https://docs.ollama.com/api/generate>).

use std::borrow::Cow;

use serde_json::Value;

use super::fold::{Fold, Room, child};
use super::json::{
    count, has, has_any, int_parameter, list, object, owned, stop_parameter, stream_parameter, text,
    text_parameter,
};
use super::{Api, Exchange, Shape, openai, openai_chat};
use crate::{Attributes, Message, Part, Role, Usage, semconv};

pub(super) const SHAPE: Shape =
    Shape { api: Api::OllamaChat, is_request, is_response, is_item, read_request, read_response, fold };

pub(super) const PROVIDER: &str = "ollama";

const CHAT: &str = "chat";

const COMPLETION: &str = "text_completion";

/// Fields of the last item of a stream, and of a whole response.
const CLOSING_FIELDS: [&str; 10] = [
    "done",
    "done_reason",
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_cached_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
    "error",
];

/// Where Ollama states how long it took, in nanoseconds.
const DURATIONS: [(&str, &str); 4] = [
    ("load_duration", semconv::SERVER_LOAD_SECONDS),
    ("prompt_eval_duration", semconv::SERVER_INPUT_SECONDS),
    ("eval_duration", semconv::SERVER_OUTPUT_SECONDS),
    ("total_duration", semconv::SERVER_TOTAL_SECONDS),
];

/// A request that names nothing of Ollama's own may as well be for its `OpenAI` endpoint.
fn is_request(body: &Value) -> bool {
    let is_own = || object(body, "options").is_some() || has_any(body, &["keep_alive", "think", "raw"]);
    let is_message = |message: &Value| text(message, "role").is_some() && has(message, "content");
    let is_own_message = |message: &Value| {
        let is_own_call = |call: &Value| {
            call.get("function").is_some_and(|function| object(function, "arguments").is_some())
        };
        has_any(message, &["images", "tool_name"]) || list(message, "tool_calls").iter().any(is_own_call)
    };
    let messages = list(body, "messages");
    let is_chat = || {
        !messages.is_empty()
            && messages.iter().all(is_message)
            && (is_own() || messages.iter().any(is_own_message))
    };
    let is_prompt = || body.get("prompt").is_some_and(Value::is_string) && is_own();
    text(body, "model").is_some() && (is_chat() || is_prompt())
}

fn is_response(body: &Value) -> bool {
    is_item(body) && is_done(body)
}

/// The last item of a stream is a whole response, with the texts of the others left out.
fn is_item(item: &Value) -> bool {
    is_own(item) && (object(item, "message").is_some() || item.get("response").is_some_and(Value::is_string))
}

fn is_own(body: &Value) -> bool {
    text(body, "model").is_some()
        && text(body, "created_at").is_some()
        && body.get("done").is_some_and(Value::is_boolean)
}

fn is_done(body: &Value) -> bool {
    body.get("done").and_then(Value::as_bool) == Some(true)
}

fn read_request(body: &Value, exchange: &mut Exchange) {
    exchange.request_model = owned(body, "model");
    exchange.operation = Some(if has(body, "prompt") { COMPLETION } else { CHAT });
    exchange.system.extend(text(body, "system").map(Part::text));
    exchange.input = list(body, "messages").iter().map(message).collect();
    if let Some(prompt) = body.get("prompt").and_then(Value::as_str) {
        let mut parts = vec![Part::text(prompt)];
        parts.extend(images(body));
        exchange.input.push(Message::new(Role::User, parts));
    }
    exchange.tools = openai::tools(list(body, "tools"));
    let parameters = &mut exchange.parameters;
    options(parameters, body.get("options").unwrap_or(&Value::Null));
    text_parameter(parameters, semconv::REQUEST_REASONING_LEVEL, body, "think");
    let is_schema = object(body, "format").is_some() || text(body, "format") == Some("json");
    if is_schema {
        parameters.set(semconv::OUTPUT_TYPE, "json");
    }
    keep_alive(parameters, body);
    stream_parameter(parameters, body);
}

/// Records the sampling options; a `num_predict` below zero sets no bound.
pub(super) fn options(parameters: &mut Attributes, options: &Value) {
    openai::sampling(parameters, options);
    if let Some(most) = count(options, "num_predict") {
        parameters.set(semconv::REQUEST_MAX_TOKENS, most);
    }
    int_parameter(parameters, semconv::REQUEST_SEED, options, "seed");
    stop_parameter(parameters, options, "stop");
}

/// Records how long the model is to stay loaded: a text such as `5m`, or seconds.
pub(super) fn keep_alive(parameters: &mut Attributes, body: &Value) {
    text_parameter(parameters, semconv::REQUEST_KEEP_ALIVE, body, "keep_alive");
    int_parameter(parameters, semconv::REQUEST_KEEP_ALIVE, body, "keep_alive");
}

fn message(message: &Value) -> Message {
    if text(message, "role") == Some("tool") {
        let id = owned(message, "tool_call_id").or_else(|| owned(message, "tool_name"));
        let response = message.get("content").cloned().unwrap_or_default();
        return Message::new(Role::Tool, vec![Part::ToolCallResponse { id, response }]);
    }
    let mut read = openai_chat::message(message);
    if let Some(thinking) = text(message, "thinking") {
        read.parts.insert(0, Part::reasoning(thinking));
    }
    read.parts.extend(images(message));
    read
}

/// Images come as bare base64.
fn images(message: &Value) -> impl Iterator<Item = Part> {
    let blob = |content: &str| Part::Blob {
        mime_type: None,
        modality: "image".to_owned(),
        content: content.to_owned(),
    };
    list(message, "images").iter().filter_map(Value::as_str).map(blob)
}

fn read_response(body: &Value, exchange: &mut Exchange) {
    exchange.operation = Some(if has(body, "response") { COMPLETION } else { CHAT });
    exchange.response_model = owned(body, "model");
    if is_own(body) {
        exchange.provider = Some(Cow::Borrowed(PROVIDER));
    }
    exchange.usage = usage(body);
    durations(&mut exchange.attributes, body);
    let reason = text(body, "done_reason");
    exchange.finish_reasons.extend(reason.map(str::to_owned));
    let answer = object(body, "message").map(message).or_else(|| completion(body));
    if let Some(mut answer) = answer {
        answer.finish_reason = reason.map(|reason| openai::finish_word(reason).to_owned());
        exchange.output = vec![answer];
    }
}

/// What the generate endpoint answers.
fn completion(body: &Value) -> Option<Message> {
    let content = body.get("response")?.as_str()?;
    let mut parts: Vec<Part> = text(body, "thinking").map(Part::reasoning).into_iter().collect();
    if !content.is_empty() {
        parts.push(Part::text(content));
    }
    Some(Message::new(Role::Assistant, parts))
}

/// The prompt is not counted where the server had all of it cached, in versions that state no cached part.
fn usage(body: &Value) -> Usage {
    let mut usage = Usage {
        input_tokens: count(body, "prompt_eval_count"),
        output_tokens: count(body, "eval_count"),
        cache_read_tokens: count(body, "prompt_eval_cached_count"),
        ..Usage::default()
    };
    usage.status = usage.stated_status();
    usage.checked()
}

/// Records how long the server took.
pub(super) fn durations(attributes: &mut Attributes, body: &Value) {
    for (key, name) in DURATIONS {
        if let Some(nanos) = count(body, key) {
            attributes.set(name, nanos as f64 / 1e9);
        }
    }
}

fn fold(item: &Value, fold: &mut Fold) {
    let Fold { body, content, room, ended, .. } = fold;
    for key in ["model", "created_at"] {
        room.set(body, key, item);
    }
    if let Some(piece) = object(item, "message") {
        let whole = child(body, "message");
        room.set(whole, "role", piece);
        *content |= append(whole, piece, &["content", "thinking"], room);
        for call in list(piece, "tool_calls") {
            if let Some(call) = room.copy(call) {
                room.push(child(whole, "tool_calls"), call);
            }
            *content = true;
        }
    }
    *content |= append(body, item, &["response", "thinking"], room);
    if let Some(done) = item.get("done") {
        *child(body, "done") = done.as_bool().into();
    }
    if is_done(item) {
        for key in CLOSING_FIELDS {
            room.set(body, key, item);
        }
        *ended = true;
    }
}

/// Appends the texts under `keys` and says whether there is anything in them.
fn append(whole: &mut Value, piece: &Value, keys: &[&str], room: &mut Room) -> bool {
    let mut content = false;
    for key in keys {
        if let Some(text) = piece.get(*key).and_then(Value::as_str) {
            room.append(child(whole, key), text);
            content |= !text.is_empty();
        }
    }
    content
}

#[cfg(test)]
mod tests;
