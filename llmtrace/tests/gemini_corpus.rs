//! What the notes beside the recordings of Google's APIs state in a form of their own, or not at all.
//!
//! The recordings are not part of the project; the tests pass where there are none.

#![expect(clippy::unwrap_used, reason = "a test outside the crate")]

#[path = "support/fixtures.rs"]
mod fixtures;

use std::path::PathBuf;

use llmtrace::provider::{Api, Exchange, StreamAssembler, read_response};
use llmtrace::{Usage, UsageStatus};
use serde_json::Value;

fn recordings(api: &str) -> Vec<(String, Value)> {
    let Some(folder) = fixtures::at(&format!("provider-responses/{api}")) else { return Vec::new() };
    let read = |path: PathBuf| {
        let json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), json)
    };
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| read(entry.unwrap().path())).collect()
}

fn exchange(recording: &Value) -> Exchange {
    let body = recording["response"]["body"].as_str().unwrap();
    if recording["stream"] == true {
        return StreamAssembler::detect().push(body).finish();
    }
    read_response(&serde_json::from_str(body).unwrap()).unwrap()
}

/// A modality under its name and its number in the notes; documents count as images.
fn stated(counts: &Value, names: &[&str]) -> Option<u64> {
    names.iter().filter_map(|name| counts[name].as_u64()).reduce(|sum, count| sum + count)
}

#[test]
fn modalities_read_as_the_notes_say() {
    const TEXT: &[&str] = &["text", "1"];
    const IMAGE: &[&str] = &["image", "2", "document", "5"];
    const VIDEO: &[&str] = &["video", "3"];
    const AUDIO: &[&str] = &["audio", "4"];
    for (name, recording) in ["gemini-generate", "vertex-generate"].iter().flat_map(|api| recordings(api)) {
        let usage = exchange(&recording).usage;
        let notes = &recording["expected"];
        let (input, cached, output) =
            (&notes["input_by_modality"], &notes["cache_by_modality"], &notes["output_by_modality"]);
        // The notes leave out what the tools were given, which is text wherever it is recorded.
        let tools = (notes["tool_use_prompt_tokens"].as_u64()).unwrap_or(0);
        let facts = [
            (usage.input_text_tokens, stated(input, TEXT).map(|text| text + tools)),
            (usage.input_image_tokens, stated(input, IMAGE)),
            (usage.input_video_tokens, stated(input, VIDEO)),
            (usage.input_audio_tokens, stated(input, AUDIO)),
            (usage.cache_read_text_tokens, stated(cached, TEXT)),
            (usage.cache_read_image_tokens, stated(cached, IMAGE)),
            (usage.output_text_tokens, stated(output, TEXT)),
            (usage.output_image_tokens, stated(output, IMAGE)),
            (usage.tool_use_tokens, notes["tool_use_prompt_tokens"].as_u64()),
        ];
        for (place, (read, stated)) in facts.into_iter().enumerate() {
            assert_eq!(read, stated, "{name}, fact {place}");
        }
    }
}

#[test]
fn the_server_and_the_tier_are_read_wherever_they_are_stated() {
    let (mut gemini, mut vertex) = (0, 0);
    for (name, recording) in recordings("gemini-generate") {
        let read = exchange(&recording);
        let is_stated = recording["response"]["body"].as_str().unwrap().contains("serviceTier");
        let expected = is_stated.then_some(("gcp.gemini", "standard"));
        assert_eq!(read.provider.as_deref().zip(read.service_tier.as_deref()), expected, "{name}");
        gemini += usize::from(is_stated);
    }
    for (name, recording) in recordings("vertex-generate") {
        let read = exchange(&recording);
        if recording["response"]["status"] != 200 {
            assert_eq!((read.provider, read.error.unwrap().kind.is_some()), (None, true), "{name}");
            continue;
        }
        let facts = read.provider.as_deref().zip(read.service_tier.as_deref());
        assert_eq!(facts, Some(("gcp.vertex_ai", "ON_DEMAND")), "{name}");
        vertex += 1;
    }
    println!("{gemini} of the Gemini API, {vertex} of Vertex AI");
    assert!((gemini, vertex) == (6, 10) || (gemini, vertex) == (0, 0));
}

#[test]
fn searches_are_counted() {
    let all = ["gemini-generate", "vertex-generate"].iter().flat_map(|api| recordings(api));
    let mut searched: Vec<(String, u64)> =
        all.filter_map(|(name, recording)| Some((name, exchange(&recording).usage.web_searches?))).collect();
    searched.sort();
    let searched: Vec<_> = searched.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    let expected = [
        ("google-model-web-search-tool-stream-0", 1),
        ("google-vertex-tool-combination-omits-include-server-side-too-1", 1),
    ];
    assert!(searched.is_empty() || searched == expected, "{searched:?}");
}

#[test]
fn an_interaction_is_read() {
    for (name, recording) in recordings("gemini-interactions") {
        let read = exchange(&recording);
        assert_eq!(read.api, Some(Api::GeminiInteractions), "{name}");
        assert_eq!(read.response_model.as_deref(), Some("gemini-2.5-flash-lite"), "{name}");
        assert_eq!(read.output[0].text(), "The image displays", "{name}");
        assert_eq!(read.output[0].finish_reason.as_deref(), Some("length"), "{name}");
        assert_eq!(read.finish_reasons, ["incomplete"], "{name}");
        assert_eq!(read.service_tier.as_deref(), Some("standard"), "{name}");
        let Usage { status, input_tokens, output_tokens, total_tokens, reasoning_tokens, .. } = read.usage;
        assert_eq!(status, UsageStatus::Complete, "{name}");
        assert_eq!((input_tokens, output_tokens), (Some(266), Some(60)), "{name}");
        assert_eq!((total_tokens, reasoning_tokens), (Some(326), Some(57)), "{name}");
        assert_eq!((read.usage.input_text_tokens, read.usage.input_image_tokens), (Some(8), Some(258)));
    }
}
