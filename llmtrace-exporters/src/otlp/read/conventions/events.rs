//! Messages that came as events of a span, as the `OpenTelemetry` GenAI conventions had it before version 1.37, and as they
//! have it in `gen_ai.client.inference.operation.details`.

use llmtrace::provider::{self, Api};
use llmtrace::{Event, Role, Value, semconv};
use serde_json::{Map, Value as Json, json};

use super::draft::Draft;
use super::messages;
use super::traceloop::finish_word;

const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// Events that are one message that went in, and who speaks where the event does not say.
const INPUT: [(&str, &str); 4] = [
    ("gen_ai.system.message", "system"),
    ("gen_ai.user.message", "user"),
    ("gen_ai.assistant.message", "assistant"),
    ("gen_ai.tool.message", "tool"),
];
const CHOICE: &str = "gen_ai.choice";
const PROMPT: &str = "gen_ai.content.prompt";
const COMPLETION: &str = "gen_ai.content.completion";

/// Events that stand where content of a stream came.
const CHUNKS: [&str; 3] =
    ["gen_ai.content.completion.chunk", "First Token Stream Event", "gen_ai.first_token"];

/// When the first content of a stream came, as instrumentations tell it by an event.
fn first_content(draft: &mut Draft<'_>) {
    let chunks = draft.record.events.iter().filter(|event| CHUNKS.contains(&&*event.name));
    if let Some(first) = chunks.map(|event| event.time).min().filter(|first| *first >= draft.record.start) {
        let seconds = first.since(draft.record.start).as_secs_f64();
        draft.offer(semconv::RESPONSE_TIME_TO_FIRST_CHUNK, seconds);
    }
}

/// Reads the events. Those that are said by the messages are taken out.
pub(super) fn read(draft: &mut Draft<'_>) {
    first_content(draft);
    let is_ours = |event: &Event| event.name.starts_with("gen_ai.");
    if !draft.record.events.iter().any(is_ours) {
        return;
    }
    let events = std::mem::take(&mut draft.record.events);
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let (mut of_input, mut of_output, mut kept) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        let input_role = INPUT.iter().find(|(name, _)| *name == event.name).map(|(_, role)| *role);
        match (input_role, &*event.name) {
            (Some(role), _) => {
                input.extend(read_as_chat(&body(draft, &event, role)));
                of_input.push(event);
            }
            (_, CHOICE) => {
                output.extend(choice(draft, &event));
                of_output.push(event);
            }
            (_, PROMPT) => {
                let value = event.attributes.get("gen_ai.prompt").cloned();
                input.extend(
                    value.and_then(|v| messages::of_value(&v, Role::User, draft.room)).into_iter().flatten(),
                );
                of_input.push(event);
            }
            (_, COMPLETION) => {
                let value = event.attributes.get("gen_ai.completion").cloned();
                let said = value.and_then(|v| messages::of_value(&v, Role::Assistant, draft.room));
                output.extend(said.into_iter().flatten());
                of_output.push(event);
            }
            (_, DETAILS) if details(draft, &event) => {}
            _ => kept.push(event),
        }
    }
    if input.is_empty() || !draft.offer_input(input) {
        kept.extend(of_input);
    }
    if output.is_empty() || !draft.offer_output(output) {
        kept.extend(of_output);
    }
    kept.sort_by_key(|event| event.time);
    draft.record.events = kept;
}

/// The attributes of the event are the span's. Whether all of them now are.
fn details(draft: &mut Draft<'_>, event: &Event) -> bool {
    let mut is_said = true;
    for (key, value) in event.attributes.iter() {
        let said = match key {
            semconv::INPUT_MESSAGES => messages::of_value(value, Role::User, draft.room)
                .is_some_and(|messages| draft.offer_input(messages)),
            semconv::OUTPUT_MESSAGES => messages::of_value(value, Role::Assistant, draft.room)
                .is_some_and(|messages| draft.offer_output(messages)),
            key if key.starts_with("gen_ai.") => draft.offer(key.to_owned(), value.clone()),
            "event.name" => true,
            _ => false,
        };
        is_said &= said;
    }
    is_said
}

/// The message of an event: its attributes, or all of it as JSON in one.
fn body(draft: &mut Draft<'_>, event: &Event, role: &str) -> Map<String, Json> {
    let whole = event.attributes.get_str("gen_ai.event.content").and_then(|text| draft.room.parse(text));
    let mut message = match whole {
        Some(Json::Object(members)) => members,
        _ => Map::new(),
    };
    for name in ["role", "content", "id", "name", "tool_calls"] {
        let Some(value) = event.attributes.get(name) else { continue };
        let json = match value {
            Value::Str(text) if name == "tool_calls" || text.starts_with("[{") => draft.room.parse(text),
            _ => None,
        };
        let json = json.unwrap_or_else(|| crate::otlp::read::protobuf::to_json(value.clone()));
        message.insert(name.to_owned(), json);
    }
    message.entry("role").or_insert_with(|| role.into());
    if role == "tool"
        && let Some(id) = message.remove("id")
    {
        message.insert("tool_call_id".to_owned(), id);
    }
    message
}

fn read_as_chat(message: &Map<String, Json>) -> Vec<llmtrace::Message> {
    provider::read_request_as(Api::OpenAiChat, &json!({"messages": [message]})).input
}

/// One answer, with its reason to stop.
fn choice(draft: &mut Draft<'_>, event: &Event) -> Vec<llmtrace::Message> {
    let mut outer = body(draft, event, "assistant");
    let inner = match event.attributes.get("message") {
        Some(Value::Str(text)) => draft.room.parse(text).or_else(|| Some(json!({"content": &**text}))),
        Some(Value::Json(json)) => Some(json.clone()),
        _ => outer.remove("message"),
    };
    let mut message = match inner {
        Some(Json::Object(members)) => members,
        _ => outer.clone(),
    };
    message.entry("role").or_insert_with(|| "assistant".into());
    let reason = event.attributes.get_str("finish_reason").or_else(|| outer.get("finish_reason")?.as_str());
    let reason = reason.map(|reason| finish_word(reason).to_owned());
    let mut messages = read_as_chat(&message);
    for message in &mut messages {
        message.finish_reason.clone_from(&reason);
    }
    messages
}
