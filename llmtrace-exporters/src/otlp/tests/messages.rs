//! Messages as text.

use llmtrace::{Message, ObservationKind, Part, Role, Status};
use serde_json::json;

use super::*;

/// The JSON that stands in an attribute.
fn text_of(record: &SpanRecord, key: &str, profile: Profile) -> Json {
    let attributes = attributes_of(record, profile);
    let text =
        attributes.get(key).and_then(Json::as_str).unwrap_or_else(|| panic!("no {key}: {attributes:#?}"));
    serde_json::from_str(text).unwrap()
}

fn conversation() -> SpanRecord {
    let instructions = json!([{"type": "text", "content": "be brief"}]);
    let mut record = record(ObservationKind::Generation, json!({"gen_ai.system_instructions": instructions}));
    record.input = vec![
        Message::user("Weather in \"Paris\"?\n\u{202e}\u{1f600}"),
        Message::new(
            Role::Assistant,
            vec![Part::tool_call(Some("call_1".into()), "get_weather", r#"{"city":"Paris"}"#)],
        ),
        Message::tool("call_1", "rainy, 57°F"),
    ];
    record.output = vec![
        Message::new(Role::Assistant, vec![Part::reasoning("hm"), Part::text("Rain.")]),
        Message::assistant("Wet.").with_finish_reason("length"),
    ];
    record
}

#[test]
fn messages_are_the_conventions_json() {
    let record = conversation();
    for profile in Profile::EVERY {
        let input = text_of(&record, "gen_ai.input.messages", profile);
        assert_eq!(input, json!(record.input), "{profile}");
        let instructions = text_of(&record, "gen_ai.system_instructions", profile);
        assert_eq!(instructions, json!([{"type": "text", "content": "be brief"}]));
    }
}

#[test]
fn every_output_has_a_reason_to_stop() {
    let check = |reasons: Json, status: Status, expected: [&str; 2]| {
        let mut record = conversation();
        if reasons != Json::Null {
            record.attributes.set("gen_ai.response.finish_reasons", llmtrace::Value::from(reasons));
        }
        record.status = status;
        let output = text_of(&record, "gen_ai.output.messages", Profile::Standard);
        assert_eq!([&output[0]["finish_reason"], &output[1]["finish_reason"]], expected);
        assert_eq!(output[0]["parts"], json!(record.output[0].parts));
    };
    check(json!(["tool_call", "stop"]), Status::Ok, ["tool_call", "length"]);
    check(Json::Null, Status::Ok, ["stop", "length"]);
    check(Json::Null, Status::Unset, ["stop", "length"]);
    check(Json::Null, Status::error("reset"), ["error", "length"]);
    check(Json::Null, Status::Cancelled, ["error", "length"]);
}

#[test]
fn messages_of_any_length_are_framed_right() {
    // Around the lengths at which a varint grows.
    for length in (0..300).chain(16_200..16_500).step_by(7).chain([2_097_000, 2_097_200]) {
        let mut record = record(ObservationKind::Generation, json!({}));
        record.input = vec![Message::user("x".repeat(length))];
        record.output = vec![Message::assistant("\"".repeat(length / 3))];
        let input = text_of(&record, "gen_ai.input.messages", Profile::Standard);
        assert_eq!(input[0]["parts"][0]["content"].as_str().unwrap().len(), length);
    }
}

#[test]
fn messages_recorded_as_text_are_sent_as_they_are() {
    let stated = json!({"gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[]}]"});
    check(Profile::Standard, &record(ObservationKind::Generation, stated.clone()), stated);
}

#[test]
fn messages_fit_the_conventions_schemas() {
    let Some(folder) = fixtures("semconv") else { return };
    let validator = |name: &str| {
        let schema: Json = serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    let (input, output) = (validator("gen-ai-input-messages.json"), validator("gen-ai-output-messages.json"));
    let system = validator("gen-ai-system-instructions.json");
    let mut record = conversation();
    record.output.push(Message::new(
        Role::Assistant,
        vec![
            Part::Blob { mime_type: None, modality: "image".into(), content: "AAAA".into() },
            Part::Other(json!({"type": "json", "content": {"a": 1}})),
        ],
    ));
    for profile in Profile::EVERY {
        for (validator, key) in [
            (&input, "gen_ai.input.messages"),
            (&output, "gen_ai.output.messages"),
            (&system, "gen_ai.system_instructions"),
        ] {
            let text = text_of(&record, key, profile);
            let errors: Vec<_> = validator.iter_errors(&text).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{key}: {errors:?}");
        }
    }
    // The schema demands a reason, so it would find a missing one.
    assert!(!output.is_valid(&json!([{"role": "assistant", "parts": []}])));
}

/// Where the conventions' schemas are, which are not part of the project.
fn fixtures(path: &str) -> Option<std::path::PathBuf> {
    let named = std::env::var_os("LLMTRACE_FIXTURES").map(std::path::PathBuf::from);
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    Some(named.unwrap_or_else(beside).join(path)).filter(|found| found.exists())
}
