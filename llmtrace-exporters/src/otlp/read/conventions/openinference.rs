//! `OpenInference` (<https://github.com/Arize-ai/openinference>, `spec/semantic_conventions.md`).

use llmtrace::{Message, ObservationKind, Part, Role, Score, Value, semconv};
use serde_json::{Value as Json, json};

use super::draft::{As, Draft, Name, number};
use super::{cost, metadata, parameters, provider, said, tree};

const KINDS: [(&str, ObservationKind); 10] = [
    ("LLM", ObservationKind::Generation),
    ("EMBEDDING", ObservationKind::Embedding),
    ("CHAIN", ObservationKind::Workflow),
    ("TOOL", ObservationKind::Tool),
    ("AGENT", ObservationKind::Agent),
    ("RETRIEVER", ObservationKind::Retriever),
    ("RERANKER", ObservationKind::Reranker),
    ("EVALUATOR", ObservationKind::Evaluator),
    ("GUARDRAIL", ObservationKind::Guardrail),
    ("PROMPT", ObservationKind::Span),
];

const NAMES: &[Name] = &[
    ("llm.request.model_name", semconv::REQUEST_MODEL, As::Text),
    ("llm.response.model_name", semconv::RESPONSE_MODEL, As::Text),
    ("embedding.model_name", semconv::REQUEST_MODEL, As::Text),
    ("reranker.model_name", semconv::REQUEST_MODEL, As::Text),
    ("reranker.query", semconv::RETRIEVAL_QUERY_TEXT, As::Text),
    ("reranker.top_k", semconv::REQUEST_TOP_K, As::Count),
    ("llm.finish_reason", semconv::RESPONSE_FINISH_REASONS, As::Texts),
    ("llm.token_count.prompt", semconv::USAGE_INPUT_TOKENS, As::Count),
    ("llm.token_count.completion", semconv::USAGE_OUTPUT_TOKENS, As::Count),
    ("llm.token_count.total", semconv::USAGE_TOTAL_TOKENS, As::Count),
    ("llm.token_count.prompt_details.cache_read", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("llm.token_count.prompt_details.cache_input", semconv::USAGE_CACHE_READ_TOKENS, As::Count),
    ("llm.token_count.prompt_details.cache_write", semconv::USAGE_CACHE_WRITE_TOKENS, As::Count),
    ("llm.token_count.prompt_details.audio", semconv::USAGE_INPUT_AUDIO_TOKENS, As::Count),
    ("llm.token_count.completion_details.reasoning", semconv::USAGE_REASONING_TOKENS, As::Count),
    ("llm.token_count.completion_details.audio", semconv::USAGE_OUTPUT_AUDIO_TOKENS, As::Count),
    ("tool.name", semconv::TOOL_NAME, As::Text),
    ("tool_call.function.name", semconv::TOOL_NAME, As::Text),
    ("tool.id", semconv::TOOL_CALL_ID, As::Text),
    ("tool_call.id", semconv::TOOL_CALL_ID, As::Text),
    ("tool.description", semconv::TOOL_DESCRIPTION, As::Text),
    ("tool_call.function.arguments", semconv::TOOL_CALL_ARGUMENTS, As::Json),
    ("agent.name", semconv::AGENT_NAME, As::Text),
    ("tag.tags", semconv::TAGS, As::Texts),
];

/// Reads the convention.
pub(super) fn read(draft: &mut Draft<'_>) {
    kind(draft);
    vendor(draft);
    draft.rename(NAMES);
    parameters::read(draft, "llm.invocation_parameters");
    model(draft);
    costs(draft);
    tools(draft);
    if let Some(input) = messages(draft, INPUT)
        && draft.offer_input(input)
    {
        tree::take(draft, INPUT, LEAVES);
    }
    if let Some(output) = messages(draft, OUTPUT)
        && draft.offer_output(output)
    {
        tree::take(draft, OUTPUT, LEAVES);
    }
    embedded(draft);
    for prefix in ["retrieval.documents.", "reranker.output_documents."] {
        documents(draft, prefix);
    }
    annotations(draft);
    for (value, media_type, read) in [
        ("input.value", "input.mime_type", said::input as fn(&mut Draft<'_>, &str)),
        ("output.value", "output.mime_type", said::output),
    ] {
        read(draft, value);
        if draft.received.get(value).is_none() {
            draft.received.take(media_type);
        }
    }
    metadata::read(draft, "metadata");
}

const INPUT: &str = "llm.input_messages.";
const OUTPUT: &str = "llm.output_messages.";

/// What is read of a message.
const LEAVES: &[&str] = &[
    "message.role",
    "message.content",
    "message.name",
    "message.tool_call_id",
    "tool_call.id",
    "tool_call.function.name",
    "tool_call.function.arguments",
    "message_content.type",
    "message_content.text",
    "image.url",
    "audio.url",
    "audio.mime_type",
];

fn kind(draft: &mut Draft<'_>) {
    let stated = draft.received.text("openinference.span.kind").map(str::to_ascii_uppercase);
    let kind = KINDS.iter().find(|(name, _)| stated.as_deref() == Some(name)).map(|(_, kind)| *kind);
    if let Some(kind) = kind {
        draft.offer_kind(kind);
        if draft.kind == Some(kind) {
            draft.received.take("openinference.span.kind");
        }
    }
}

fn vendor(draft: &mut Draft<'_>) {
    const KEYS: [&str; 2] = ["llm.provider", "llm.system"];
    let [provider, system] = KEYS.map(|key| draft.received.text(key));
    let Some(name) = provider::of_vendor(provider, system) else { return };
    if draft.offer(semconv::PROVIDER_NAME, name) {
        for key in KEYS {
            draft.received.take(key);
        }
    }
}

/// The model that answered, or the one that was asked for: the convention does not say which.
fn model(draft: &mut Draft<'_>) {
    let Some(model) = draft.received.text("llm.model_name").map(str::to_owned) else { return };
    let [asked, answered] =
        [semconv::REQUEST_MODEL, semconv::RESPONSE_MODEL].map(|key| draft.known_text(key).map(str::to_owned));
    let is_known = [&asked, &answered].into_iter().flatten().any(|known| *known == model);
    let key = if asked.is_none() { semconv::REQUEST_MODEL } else { semconv::RESPONSE_MODEL };
    if is_known || draft.offer(key, model) {
        draft.received.take("llm.model_name");
    }
}

fn costs(draft: &mut Draft<'_>) {
    const KEYS: [&str; 3] = ["llm.cost.total", "llm.cost.prompt", "llm.cost.completion"];
    let dollars = KEYS.map(|key| draft.received.get(key).and_then(number));
    if cost::offer(draft, dollars) {
        for key in KEYS {
            draft.received.take(key);
        }
    }
}

fn tools(draft: &mut Draft<'_>) {
    const PREFIX: &str = "llm.tools.";
    let Some(items) = tree::items(draft, PREFIX) else { return };
    let mut definitions = Vec::new();
    for item in items {
        let schema = item.get("tool").and_then(|tool| tool.get("json_schema"));
        let Some(schema) = schema.and_then(Json::as_str).and_then(|text| draft.room.parse(text)) else {
            return;
        };
        definitions.push(definition(schema));
    }
    if draft.offer(semconv::TOOL_DEFINITIONS, Value::Json(Json::Array(definitions))) {
        tree::take(draft, PREFIX, &["tool.json_schema"]);
    }
}

/// A tool in the conventions' shape.
pub(super) fn definition(tool: Json) -> Json {
    let function = match tool.get("function") {
        Some(Json::Object(function)) => function,
        None if tool.get("input_schema").is_some() || tool.get("inputSchema").is_some() => {
            let Some(function) = tool.as_object() else { return tool };
            function
        }
        _ => return tool,
    };
    let mut flat = serde_json::Map::new();
    flat.insert("type".to_owned(), json!("function"));
    for (name, value) in function {
        let is_schema = matches!(name.as_str(), "input_schema" | "inputSchema");
        flat.insert(if is_schema { "parameters" } else { name }.to_owned(), value.clone());
    }
    Json::Object(flat)
}

fn messages(draft: &mut Draft<'_>, prefix: &str) -> Option<Vec<Message>> {
    let items = tree::items(draft, prefix)?;
    Some(items.iter().filter_map(|item| item.get("message")).map(message).collect())
}

fn message(node: &Json) -> Message {
    let role = tree::text(node, "role").map_or(Role::Assistant, Role::from);
    let mut parts = Vec::new();
    let answers = tree::text(node, "tool_call_id").map(str::to_owned);
    if let Some(content) = tree::text(node, "content") {
        parts.push(if role == Role::Tool {
            Part::ToolCallResponse { id: answers, response: content.into() }
        } else {
            Part::text(content)
        });
    }
    let contents = tree::list(node, "contents");
    parts.extend(contents.iter().filter_map(|item| content(item.get("message_content")?)));
    for call in tree::list(node, "tool_calls") {
        let call = call.get("tool_call").unwrap_or(&Json::Null);
        let function = call.get("function").unwrap_or(&Json::Null);
        let id = tree::text(call, "id").map(str::to_owned);
        let name = tree::text(function, "name").unwrap_or_default();
        parts.push(Part::tool_call(id, name, tree::text(function, "arguments").unwrap_or_default()));
    }
    let mut message = Message::new(role, parts);
    message.name = tree::text(node, "name").map(str::to_owned);
    message
}

fn content(node: &Json) -> Option<Part> {
    let address = |kind: &str| node.get(kind)?.get(kind)?.get("url").and_then(Json::as_str);
    let kind = tree::text(node, "type").unwrap_or("text");
    if let Some(url) = address(kind) {
        let media_type = node.get(kind).and_then(|media| media.get(kind)?.get("mime_type")?.as_str());
        return Some(media(kind, url, media_type));
    }
    let text = tree::text(node, "text")?;
    Some(if kind == "reasoning" { Part::reasoning(text) } else { Part::text(text) })
}

/// Media at an address, or in one.
fn media(modality: &str, url: &str, media_type: Option<&str>) -> Part {
    let (modality, stated) = (modality.to_owned(), media_type.map(str::to_owned));
    let inside = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match inside {
        Some((media_type, content)) => {
            let mime_type = Some(media_type.to_owned()).filter(|text| !text.is_empty()).or(stated);
            Part::Blob { mime_type, modality, content: content.to_owned() }
        }
        None => Part::Uri { mime_type: stated, modality, uri: url.to_owned() },
    }
}

/// Texts that were embedded.
fn embedded(draft: &mut Draft<'_>) {
    const PREFIX: &str = "embedding.embeddings.";
    let Some(items) = tree::items(draft, PREFIX) else { return };
    let text = |item: &Json| item.get("embedding")?.get("text")?.as_str().map(Part::text);
    let parts: Vec<Part> = items.iter().filter_map(text).collect();
    if !parts.is_empty() && draft.offer_input(vec![Message::new(Role::User, parts)]) {
        tree::take(draft, PREFIX, &["embedding.text"]);
    }
}

fn documents(draft: &mut Draft<'_>, prefix: &str) {
    let Some(items) = tree::items(draft, prefix) else { return };
    let mut documents = Vec::new();
    for mut item in items {
        let Some(Json::Object(mut document)) = item.get_mut("document").map(Json::take) else { return };
        if let Some(Json::String(text)) = document.get("metadata")
            && let Some(parsed) = draft.room.parse(text)
        {
            document.insert("metadata".to_owned(), parsed);
        }
        documents.push(Json::Object(document));
    }
    if draft.offer(semconv::RETRIEVAL_DOCUMENTS, Value::Json(Json::Array(documents))) {
        draft.received.take_below(prefix);
    }
}

fn annotations(draft: &mut Draft<'_>) {
    const PREFIX: &str = "annotations.";
    let Some(items) = tree::items(draft, PREFIX) else { return };
    let mut scores = Vec::new();
    for item in &items {
        let note = item.get("annotation").unwrap_or(&Json::Null);
        let (Some(name), Some(value)) = (tree::text(note, "name"), note.get("score").and_then(Json::as_f64))
        else {
            return;
        };
        let mut score = Score::new(name, value);
        score.comment =
            tree::text(note, "explanation").or_else(|| tree::text(note, "label")).map(str::to_owned);
        scores.push(score);
    }
    if draft.record.scores.is_empty() {
        draft.record.scores = scores;
        tree::take(draft, PREFIX, &["annotation.name", "annotation.score", "annotation.explanation"]);
    }
}
