//! The samples of every API: small bodies written by hand, each told from its shape, read whole and in pieces.

#![expect(clippy::unwrap_used, reason = "a test outside the crate")]

use std::path::{Path, PathBuf};

use llmtrace::UsageStatus;
use llmtrace::provider::{Api, StreamAssembler, read_response, read_response_as};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Calls `check` with the API and the body of every sample with this extension; says how many there are.
fn each(extension: &str, check: impl Fn(Api, &str, &str)) -> usize {
    let mut seen = 0;
    for folder in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")) {
        let api: Api = folder.file_name().unwrap().to_str().unwrap().parse().unwrap();
        for file in files(&folder) {
            if file.extension().is_some_and(|found| found == extension) {
                let body = std::fs::read_to_string(&file).unwrap();
                check(api, &body, &file.to_string_lossy());
                seen += 1;
            }
        }
    }
    seen
}

#[test]
fn whole_responses_are_told_and_read() {
    let seen = each("json", |api, body, name| {
        let body = serde_json::from_str(body).unwrap();
        let exchange = read_response(&body).unwrap();
        assert_eq!(exchange.api, Some(api), "{name}");
        assert_eq!(exchange, read_response_as(api, &body), "{name}");
        assert_eq!(exchange.usage.status, UsageStatus::Complete, "{name}");
        assert!(exchange.operation.is_some(), "{name}");
    });
    assert!(seen >= 10, "{seen}");
}

#[test]
fn streams_are_told_and_read_in_any_pieces() {
    let check = |api: Api, body: &str, name: &str| {
        let whole = StreamAssembler::detect().push(body).finish();
        assert_eq!(whole.api, Some(api), "{name}");
        assert_eq!(whole.usage.status, UsageStatus::Complete, "{name}");
        assert!(!whole.output.is_empty(), "{name}");
        let states_reason = !matches!(api, Api::OpenAiImages | Api::OpenAiAudio);
        assert_eq!(!whole.finish_reasons.is_empty(), states_reason, "{name}");
        for size in [1, 2, 7, 64] {
            let mut stream = StreamAssembler::new(api);
            for piece in body.as_bytes().chunks(size) {
                stream.push(piece);
            }
            assert!(stream.has_content(), "{name}");
            assert_eq!(stream.finish(), whole, "{name} in pieces of {size}");
        }
        for end in 0..body.len() {
            let cut = StreamAssembler::new(api).push(&body.as_bytes()[..end]).finish();
            let is_whole = cut.usage.status == UsageStatus::Complete;
            assert!(!is_whole || cut.usage == whole.usage, "{name} cut at {end}");
        }
    };
    let seen = each("sse", check) + each("ndjson", check);
    assert!(seen >= 8, "{seen}");
}
