//! Messages, instructions and tools against the JSON schemas of the `OpenTelemetry` GenAI conventions.
//!
//! The schemas and the recordings are not part of the project; the tests pass where there are none.
//!
//! The schemas accept any object with a `type` as a part, also a known part that lacks what it must have; so each part is
//! held to its own type here as well.

#![expect(clippy::unwrap_used, reason = "a test outside the crate")]

#[path = "support/fixtures.rs"]
mod fixtures;

use jsonschema::Validator;
use llmtrace::provider::{Exchange, StreamAssembler, read_request, read_response};
use llmtrace::{Message, Part, Role};
use serde_json::{Value, json};

/// Reasons to stop that the conventions name.
const REASONS: [&str; 6] = ["stop", "length", "content_filter", "tool_call", "compaction", "error"];

/// The four schemas.
struct Schemas {
    input: Validator,
    output: Validator,
    /// That of the output, where no reason to stop has come: newer releases do not ask for one.
    unfinished: Validator,
    system: Validator,
    tools: Validator,
    /// The schemas of the known parts, by their type.
    parts: Vec<(String, Validator)>,
}

impl Schemas {
    fn read() -> Option<Self> {
        let folder = fixtures::at("semconv")?;
        let json = |name: &str| -> Value {
            let file = folder.join(format!("gen-ai-{name}.json"));
            serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
        };
        let validator = |schema: &Value| jsonschema::validator_for(schema).unwrap();
        let output = json("output-messages");
        let mut unfinished = output.clone();
        unfinished["$defs"]["OutputMessage"]["required"] = json!(["role", "parts"]);
        // The schema of schemas is not fetched: parameters are held to be an object.
        let mut tools = json("tool-definitions");
        tools["$defs"]["FunctionToolDefinition"]["properties"]["parameters"] =
            json!({"type": ["object", "null"]});
        let definitions = output["$defs"].as_object().unwrap();
        let parts = definitions.iter().filter_map(|(name, definition)| {
            let kind = definition["properties"]["type"]["const"].as_str()?;
            let schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": definitions});
            Some((kind.to_owned(), validator(&schema)))
        });
        let parts: Vec<_> = parts.collect();
        assert!(parts.len() >= 9, "{} known parts", parts.len());
        Some(Self {
            input: validator(&json("input-messages")),
            output: validator(&output),
            unfinished: validator(&unfinished),
            system: validator(&json("system-instructions")),
            tools: validator(&tools),
            parts,
        })
    }

    fn check_call(&self, exchange: &Exchange, name: &str) {
        check(&self.input, &json!(exchange.input), name);
        check(&self.system, &json!(exchange.system), name);
        if let Some(tools) = &exchange.tools {
            check(&self.tools, tools, name);
        }
        let is_finished = exchange.output.iter().all(|message| message.finish_reason.is_some());
        check(if is_finished { &self.output } else { &self.unfinished }, &json!(exchange.output), name);
        for message in &exchange.output {
            // A reason that is stated is kept: in the conventions' word, or in the provider's own.
            let is_kept = match &message.finish_reason {
                Some(reason) => {
                    REASONS.contains(&reason.as_str()) || exchange.finish_reasons.contains(reason)
                }
                None => exchange.finish_reasons.len() < exchange.output.len(),
            };
            assert!(is_kept, "{name}: {:?} of {:?}", message.finish_reason, exchange.finish_reasons);
        }
        for message in exchange.input.iter().chain(&exchange.output) {
            self.check_message(message, name);
        }
        for part in &exchange.system {
            self.check_part(part, name);
        }
    }

    fn check_message(&self, message: &Message, name: &str) {
        for part in &message.parts {
            self.check_part(part, name);
        }
    }

    fn check_part(&self, part: &Part, name: &str) {
        let json = json!(part);
        let kind = json["type"].as_str().unwrap_or_else(|| panic!("{name}: no type: {json}"));
        if let Some((_, known)) = self.parts.iter().find(|(known, _)| known == kind) {
            check(known, &json, name);
        }
        match part {
            Part::ToolCall { arguments: Value::String(text), .. } => {
                let parsed: Option<Value> = serde_json::from_str(text).ok();
                assert!(!parsed.is_some_and(|parsed| parsed.is_object()), "{name}: {json}");
            }
            Part::ToolCall { arguments, .. } => assert!(arguments.is_object(), "{name}: {json}"),
            Part::ToolCallResponse { .. } => assert!(json.get("response").is_some(), "{name}: {json}"),
            Part::Blob { modality, content, .. } => {
                assert!(!modality.is_empty() && is_base64(content), "{name}: {json}");
            }
            Part::Uri { uri, .. } => assert!(!uri.is_empty() && !uri.contains(";base64,"), "{name}: {json}"),
            Part::File { file_id, .. } => assert!(!file_id.is_empty(), "{name}: {json}"),
            // What is no variant of its own must not be a known part that went wrong.
            Part::Other(_) => {
                let is_variant = ["text", "reasoning", "tool_call", "tool_call_response", "file", "uri"];
                assert!(!is_variant.contains(&kind), "{name}: {json}");
                assert!(kind != "blob" || json["llmtrace_omitted_bytes"].is_u64(), "{name}: {json}");
            }
            _ => {}
        }
    }
}

fn check(schema: &Validator, json: &Value, name: &str) {
    let errors: Vec<String> =
        schema.iter_errors(json).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}: {json}");
}

fn is_base64(text: &str) -> bool {
    // The recordings leave out the middle of what is long.
    if text.ends_with(" chars elided]") {
        return true;
    }
    let digits = text.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    digits.len() % 4 != 1 && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit)
}

#[test]
fn every_part_fits_its_schema() {
    let Some(schemas) = Schemas::read() else { return };
    let mime_type = || Some("image/png".to_owned());
    let parts = vec![
        Part::text("hi"),
        Part::text(""),
        Part::reasoning("hm"),
        Part::tool_call(Some("c".into()), "f", r#"{"a":[1]}"#),
        Part::tool_call(None, "f", ""),
        Part::tool_call(None, "f", "not json"),
        Part::ToolCallResponse { id: Some("c".into()), response: json!({"rain": true}) },
        Part::ToolCallResponse { id: None, response: Value::Null },
        Part::Blob { mime_type: mime_type(), modality: "image".into(), content: "AAAA".into() },
        Part::Blob { mime_type: None, modality: "audio".into(), content: "AA==".into() },
        Part::File { mime_type: mime_type(), modality: "document".into(), file_id: "file-1".into() },
        Part::Uri { mime_type: mime_type(), modality: "image".into(), uri: "https://a.b/c.png".into() },
        Part::omitted_blob(Some("image/png"), "image", 9_000_000),
        Part::omitted_blob(None, "audio", 1),
        Part::Other(json!({"type": "compaction", "id": "c"})),
        Part::Other(json!({"type": "refusal", "content": "no"})),
    ];
    for role in [Role::System, Role::User, Role::Assistant, Role::Tool, Role::Other("critic".into())] {
        let message = Message::new(role, parts.clone());
        check(&schemas.input, &json!([message]), "input");
        for reason in REASONS {
            let message = message.clone().with_finish_reason(reason);
            schemas.check_message(&message, "output");
            check(&schemas.output, &json!([message]), "output");
        }
        let read: Message = serde_json::from_value(json!(message)).unwrap();
        assert_eq!(read, message, "what was written reads back");
    }
}

#[test]
fn a_known_part_that_went_wrong_is_found() {
    let Some(schemas) = Schemas::read() else { return };
    for wrong in [
        json!({"type": "tool_call_response", "result": "rain"}),
        json!({"type": "blob", "content": "AAAA"}),
        json!({"type": "blob", "modality": "image", "content": ""}),
        json!({"type": "uri", "modality": "image"}),
        json!({"type": "server_tool_call", "name": "search"}),
        json!({"content": "no type"}),
    ] {
        let part = Part::Other(wrong.clone());
        let found =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| schemas.check_part(&part, "wrong")));
        assert!(found.is_err(), "{wrong}");
    }
}

#[test]
fn every_recording_fits_the_schemas() {
    let Some(schemas) = Schemas::read() else { return };
    let (mut requests, mut responses, mut unfinished) = (0, 0, Vec::new());
    let Some(folder) = fixtures::at("provider-responses") else { return };
    for api in std::fs::read_dir(folder).unwrap() {
        let api = api.unwrap().path();
        if !api.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(api).unwrap() {
            let file = file.unwrap().path();
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let recording: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let request = &recording["request"]["body"];
            let request: Value = request
                .as_str()
                .map_or(request.clone(), |text| serde_json::from_str(text).unwrap_or_default());
            if let Some(exchange) = read_request(&request) {
                schemas.check_call(&exchange, &name);
                requests += 1;
            }
            let body = recording["response"]["body"].as_str().unwrap();
            let exchange = if recording["stream"] == true {
                Some(StreamAssembler::detect().push(body).finish()).filter(|exchange| exchange.api.is_some())
            } else {
                serde_json::from_str(body).ok().and_then(|body: Value| read_response(&body))
            };
            if let Some(exchange) = exchange {
                schemas.check_call(&exchange, &name);
                responses += 1;
                if exchange.output.iter().any(|message| message.finish_reason.is_none()) {
                    unfinished.push(name);
                }
            }
        }
    }
    unfinished.sort();
    println!("{requests} requests, {responses} responses; without a reason to stop: {unfinished:?}");
    assert!(requests >= 70 && responses >= 119, "{requests} requests, {responses} responses");
    // An empty text, and an error in the middle of a stream, are no reasons.
    for name in ["snowflake-native-output-0", "tool-use-failed-error-streaming-with-text-0"] {
        assert!(unfinished.iter().any(|found| found == name), "{name}");
    }
}
