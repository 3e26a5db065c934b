//! `examples/llmtrace.toml` shows every key, and is right.

use std::fs;
use std::path::Path;

use super::super::{exporter, file};
use crate::env::Environment;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples"))
}

/// The file with what is commented out (`#key = ...`, without a blank) taken in.
fn sample() -> String {
    let text = fs::read_to_string(folder().join("llmtrace.toml")).unwrap();
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn all_of_it_is_right() {
    let keys = ["OTLP_AUTHORIZATION", "LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY", "WEBHOOK_SECRET"];
    let environment = Environment::of(&keys.map(|name| (name, "secret")));
    let problems =
        file::read(&folder().join("llmtrace.toml"), &sample(), &environment).err().unwrap_or_default();
    // The certificate is the one thing that is not there.
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["exporter.certificate"], "{problems:?}");
}

#[test]
fn it_shows_every_key() {
    let sample = sample();
    let tables: Vec<_> = sample.split("[[exporter]]").collect();
    let has = |text: &str, key: &str| {
        text.lines().any(|line| line.starts_with(&format!("{key} =")) || line == format!("[{key}]"))
    };
    for key in file::KEYS.iter().filter(|key| **key != "exporter") {
        assert!(has(tables[0], key), "{key}");
    }
    for key in [file::REDACT_KEYS, file::SAMPLING_KEYS].concat() {
        assert!(has(tables[0], key), "{key}");
    }
    for (name, keys) in exporter::kinds() {
        let table = tables.iter().find(|table| table.contains(&format!("type = \"{name}\""))).unwrap();
        // What the exporters that send have in common is shown once.
        let shared = ["headers", "gzip", "timeout", "retry_for", "certificate", "allow_http"];
        for key in keys.iter().filter(|key| name == "otlp" || !shared.contains(key)) {
            assert!(has(table, key) || *key == "spool" && name == "webhook", "{name}: {key}");
        }
    }
}
