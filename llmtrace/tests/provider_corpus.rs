//! Recorded responses of real providers, read whole and streamed.
//!
//! The recordings are not part of the project; the tests pass where there are none.

#![expect(clippy::unwrap_used, reason = "a test outside the crate")]

#[path = "support/fixtures.rs"]
mod fixtures;
#[path = "support/invoked.rs"]
mod invoked;
#[path = "support/streams.rs"]
mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use base64::Engine as _;
use llmtrace::provider::{Api, Exchange, StreamAssembler, read_request, read_response, read_response_as};
use llmtrace::{Part, UsageStatus};
use serde_json::{Value, json};

const FOLDERS: [(&str, Api); 15] = [
    ("openai-chat", Api::OpenAiChat),
    ("openai-compat-chat", Api::OpenAiChat),
    ("openai-responses", Api::OpenAiResponses),
    ("openai-compat-responses", Api::OpenAiResponses),
    ("anthropic-messages", Api::AnthropicMessages),
    ("embeddings", Api::OpenAiEmbeddings),
    ("bedrock-converse", Api::BedrockConverse),
    ("bedrock-converse-stream", Api::BedrockConverse),
    ("bedrock-invoke", Api::BedrockInvoke),
    ("gemini-generate", Api::GeminiGenerate),
    ("vertex-generate", Api::GeminiGenerate),
    ("gemini-interactions", Api::GeminiInteractions),
    ("cohere", Api::CohereChat),
    ("ollama", Api::OllamaChat),
    ("mistral-chat", Api::MistralChat),
];

/// Requests that say nothing which the API they are sent to could be told from: recording, and what they read as.
const UNTOLD_REQUESTS: [(&str, Option<Api>); 4] = [
    ("chat-error-records-model-name-0", Some(Api::OpenAiChat)),
    ("mistralai-streaming-chat-with-events-with-content-0", Some(Api::OpenAiChat)),
    ("ollama-streaming-metrics-0", Some(Api::OpenAiCompletions)),
    ("testcohere-test-count-tokens-0", None),
];

/// Responses that are no answer of a model.
const OTHER_RESPONSES: [&str; 1] = ["testcohere-test-count-tokens-0"];

/// Where this crate rules otherwise than the notes beside the recordings: recording, field, reason.
const RULINGS: [(&str, &str, &str); 18] = [
    ("anthropic-compaction-usage-with-cache-0", "input_tokens", "the bill is the sum over the iterations"),
    ("anthropic-compaction-usage-with-cache-0", "output_tokens", "the bill is the sum over the iterations"),
    (
        "anthropic-compaction-usage-with-cache-0",
        "cache_write_input_tokens",
        "the bill is the sum over the iterations",
    ),
    (
        "anthropic-compaction-usage-with-cache-0",
        "cache_write_5m_tokens",
        "the bill is the sum over the iterations",
    ),
    ("bedrock-model-service-tier-0", "service_tier", "the notes leave it out"),
    ("chat-with-callable-tool-0", "tool_calls", "the notes leave the id of the call out"),
    (
        "cohere-v2-chat-legacy-with-tool-calls-and-streaming-0",
        "tool_calls",
        "the notes leave out calls that come in pieces",
    ),
    (
        "compatible-api-with-tool-calls-without-id-1",
        "status",
        "the total counts reasoning that no part states",
    ),
    ("generate-content-with-files-0", "finish_reasons", "the number of a reason is read as its name"),
    ("mistral-embeddings-legacy-0", "response_id", "the notes leave it out"),
    ("mistral-model-thinking-part-1", "text", "the notes leave out texts in a list of parts"),
    ("openrouter-responses-prompt-cache-e2e-0", "provider_cost_usd", "the notes leave it out"),
    (
        "openrouter-web-search-tool-usage-stream-0",
        "finish_reasons",
        "one reason a choice, however often it is sent",
    ),
    ("snowflake-native-output-0", "finish_reasons", "an empty text states nothing"),
    ("snowflake-native-output-0", "response_id", "an empty text states nothing"),
    (
        "tool-choice-matrix-auto-cohere-0",
        "cache_read_input_tokens",
        "what was read from the cache is more than what is billed",
    ),
    (
        "tool-choice-matrix-auto-mistral-0",
        "cache_read_input_tokens",
        "the notes leave `num_cached_tokens` out",
    ),
    ("tool-use-failed-error-streaming-with-text-0", "status", "an error cut the stream off before its usage"),
];

struct Recording {
    name: String,
    api: Api,
    json: Value,
}

impl Recording {
    fn body(&self) -> Vec<u8> {
        let response = &self.json["response"];
        let body = response["body"].as_str().unwrap();
        if response["body_encoding"] == "base64" {
            return base64::engine::general_purpose::STANDARD.decode(body).unwrap();
        }
        body.as_bytes().to_vec()
    }

    fn is_stream(&self) -> bool {
        self.json["stream"] == true
    }

    fn read(&self) -> Exchange {
        if self.is_stream() {
            return streams::read(self.api, &self.body());
        }
        read_response_as(self.api, &serde_json::from_slice(&self.body()).unwrap())
    }
}

fn recordings() -> Vec<Recording> {
    let mut all = Vec::new();
    let Some(folder) = fixtures::at("provider-responses") else { return all };
    for (name, api) in FOLDERS {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let json = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            all.push(Recording { name: file.file_stem().unwrap().to_string_lossy().into_owned(), api, json });
        }
    }
    assert_eq!(all.len(), 191, "recordings read");
    all
}

/// The fields of an exchange that the notes state too, under the notes' names.
fn facts(exchange: &Exchange, expected: &Value) -> Vec<(&'static str, Value, Value)> {
    let usage = &exchange.usage;
    let parts = || exchange.output.iter().flat_map(|message| &message.parts);
    let text: String = exchange.output.iter().map(llmtrace::Message::text).collect();
    let joined = |texts: &Value| -> String {
        texts.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let is_google = exchange.api == Some(Api::GeminiGenerate);
    let calls: Vec<Value> = parts()
        .filter_map(|part| match part {
            // Only Google's calls have no id of their own.
            Part::ToolCall { id, name, arguments } if id.is_some() || is_google => {
                Some(json!({"id": id, "name": name, "arguments": arguments}))
            }
            _ => None,
        })
        .collect();
    let mut stated_calls = expected["tool_calls"].clone();
    for call in stated_calls.as_array_mut().into_iter().flatten() {
        if let Some(text) = call["arguments"].as_str() {
            call["arguments"] = serde_json::from_str(text).unwrap();
        }
    }
    let invoked = (exchange.api == Some(Api::BedrockInvoke)).then(|| invoked::counts(expected));
    let totals = invoked.as_ref().unwrap_or(&expected["normalized"]);
    let stated_status = match (totals["input_tokens"].is_null(), totals["output_tokens"].is_null()) {
        (true, true) => "missing",
        (true, false) => "partial",
        (false, _) => "complete",
    };
    let mut facts = vec![
        ("input_tokens", json!(usage.input_tokens), totals["input_tokens"].clone()),
        ("output_tokens", json!(usage.output_tokens), totals["output_tokens"].clone()),
        (
            "cache_read_input_tokens",
            json!(usage.cache_read_tokens),
            totals["cache_read_input_tokens"].clone(),
        ),
        (
            "cache_write_input_tokens",
            json!(usage.cache_write_tokens),
            totals["cache_write_input_tokens"].clone(),
        ),
        ("reasoning_output_tokens", json!(usage.reasoning_tokens), totals["reasoning_output_tokens"].clone()),
        ("total_tokens", json!(usage.total_tokens), expected["total_tokens"].clone()),
        ("audio_input_tokens", json!(usage.input_audio_tokens), expected["audio_input_tokens"].clone()),
        ("audio_output_tokens", json!(usage.output_audio_tokens), expected["audio_output_tokens"].clone()),
        (
            "cache_write_5m_tokens",
            json!(usage.cache_write_5m_tokens),
            expected["cache_write_5m_tokens"].clone(),
        ),
        (
            "cache_write_1h_tokens",
            json!(usage.cache_write_1h_tokens),
            expected["cache_write_1h_tokens"].clone(),
        ),
        ("status", json!(usage.status.as_str()), json!(stated_status)),
        ("response_id", json!(exchange.response_id), expected["response_id"].clone()),
        ("model", json!(exchange.response_model), expected["model"].clone()),
        (
            "provider_cost_usd",
            json!(exchange.stated_cost.map(llmtrace::Usd::to_f64)),
            expected["provider_cost_usd"].clone(),
        ),
        (
            "error",
            json!(exchange.error.as_ref().map(|error| &error.message)),
            expected["error"].get("message").unwrap_or(&expected["error"]).clone(),
        ),
    ];
    if expected["error"].is_null() {
        // The notes of embeddings and of errors within a stream leave errors out.
        facts.pop();
    }
    if invoked.is_some() {
        // The notes state nothing else.
        facts.retain(|(field, ..)| invoked::FIELDS.contains(field));
        return facts;
    }
    if expected["normalized"].is_null() {
        // There are no notes.
        return Vec::new();
    }
    if exchange.api != Some(Api::OpenAiEmbeddings) {
        facts.push(("text", json!(text), json!(joined(&expected["text"]))));
        facts.push(("tool_calls", json!(calls), stated_calls));
    }
    if expected["finish_reasons"].is_array() {
        facts.push(("finish_reasons", json!(exchange.finish_reasons), expected["finish_reasons"].clone()));
    }
    // Google's notes state the tier and the modalities otherwise; see `gemini_corpus`.
    facts.retain(|(field, ..)| !is_google || !field.starts_with("audio_"));
    if expected["service_tier"] != "" && !is_google {
        facts.push(("service_tier", json!(exchange.service_tier), expected["service_tier"].clone()));
    }
    if let Some(searches) = expected["server_tool_use"].get("web_search_requests") {
        facts.push(("web_searches", json!(usage.web_searches), searches.clone()));
    }
    facts
}

#[test]
fn every_recording_reads_as_its_notes_say() {
    let mut differences = BTreeSet::new();
    // Recordings, facts and facts that agree, by API.
    let mut agreement = BTreeMap::<&str, [usize; 3]>::new();
    let recordings = recordings();
    for recording in &recordings {
        let exchange = recording.read();
        let counts = agreement.entry(recording.api.as_str()).or_default();
        counts[0] += 1;
        for (field, read, stated) in facts(&exchange, &recording.json["expected"]) {
            counts[1] += 1;
            counts[2] += usize::from(read == stated);
            if read != stated && differences.insert((recording.name.clone(), field)) {
                println!("{} {field}: read {read}, stated {stated}", recording.name);
            }
        }
    }
    if recordings.is_empty() {
        return;
    }
    for (api, [recordings, facts, equal]) in agreement {
        println!("{api}: {recordings} recordings, {equal} of {facts} facts as the notes have them");
    }
    let ruled: BTreeSet<_> = RULINGS.iter().map(|(name, field, _)| ((*name).to_owned(), *field)).collect();
    assert_eq!(differences, ruled);
}

/// Whether a call to `api` may be told as one to `told`: Bedrock carries bodies that have an API of their own.
fn may_be_told_as(api: Api, told: Option<Api>) -> bool {
    told == Some(api)
        || api == Api::BedrockInvoke && matches!(told, Some(Api::AnthropicMessages | Api::BedrockConverse))
}

#[test]
fn the_api_is_told_from_every_recording() {
    for recording in recordings() {
        let expected = &recording.json["expected"];
        let request = &recording.json["request"]["body"];
        let request: Value =
            request.as_str().map_or(request.clone(), |text| serde_json::from_str(text).unwrap_or_default());
        let read = read_request(&request).and_then(|exchange| exchange.api);
        if request.is_object() {
            let untold = UNTOLD_REQUESTS.iter().find(|(name, _)| *name == recording.name);
            let api = untold.map_or(Some(recording.api), |(_, api)| *api);
            let is_told = read == api || may_be_told_as(recording.api, read);
            assert!(is_told, "{read:?} for the request of {}: {request}", recording.name);
        }
        let body = recording.body();
        let read = if recording.is_stream() {
            Some(StreamAssembler::detect().push(&body).finish())
        } else {
            read_response(&serde_json::from_slice(&body).unwrap())
        };
        let is_untold = OTHER_RESPONSES.contains(&&*recording.name) || expected["error"].is_string();
        if is_untold && !recording.is_stream() {
            assert_eq!(read, None, "{}", recording.name);
            continue;
        }
        let mut read = read.unwrap_or_else(|| panic!("{} is not recognised", recording.name));
        if recording.json["response"]["status"].as_u64().is_some_and(|status| status >= 400) {
            assert!(read.error.is_some(), "{}", recording.name);
        } else {
            assert!(may_be_told_as(recording.api, read.api), "{:?} for {}", read.api, recording.name);
            let whole = recording.read();
            if read.api != whole.api {
                (read.api, read.provider) = (whole.api, whole.provider.clone());
            }
            assert_eq!(read, whole, "{}", recording.name);
        }
    }
}

#[test]
fn the_cut_of_the_chunks_changes_nothing() {
    for recording in recordings().iter().filter(|recording| recording.is_stream()) {
        let body = recording.body();
        streams::check_chunks(&recording.name, recording.api, &body);
        if let Ok(text) = String::from_utf8(body) {
            let crlf = streams::read(recording.api, text.replace('\n', "\r\n").as_bytes());
            assert_eq!(crlf, recording.read(), "{} with CRLF", recording.name);
        }
    }
}

#[test]
fn items_parsed_by_others_give_the_same() {
    for recording in recordings().iter().filter(|recording| recording.is_stream()) {
        let Ok(body) = String::from_utf8(recording.body()) else { continue };
        let whole = recording.read();
        let mut stream = StreamAssembler::new(recording.api);
        for line in body.lines() {
            if let Ok(item) = serde_json::from_str(line.strip_prefix("data:").unwrap_or(line)) {
                stream.push_event(&item);
            }
        }
        let is_content = |part: &Part| !matches!(part, Part::Other(_));
        let has_content = whole.output.iter().flat_map(|message| &message.parts).any(is_content);
        assert_eq!(stream.has_content(), has_content, "{}", recording.name);
        let mut items = stream.finish();
        if recording.name == "snowflake-model-streaming-0" {
            // It sends no finish reason: only the closing mark tells that it is whole.
            assert_eq!(items.usage.status, UsageStatus::Interrupted);
            items.usage.status = UsageStatus::Complete;
        }
        assert_eq!(items, whole, "{}", recording.name);
    }
}

#[test]
fn a_stream_cut_early_claims_no_more_than_it_knows() {
    for recording in recordings().iter().filter(|recording| recording.is_stream()) {
        streams::check_early_ends(&recording.name, recording.api, &recording.body());
    }
}
