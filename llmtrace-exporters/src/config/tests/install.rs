//! From a file on the disk to spans that arrive.

use std::fs;
use std::time::Duration;

use llmtrace::{Sampler, SpanExt as _};
use tracing_subscriber::prelude::*;

use super::super::{Config, FileNamedBy};
use crate::JsonLinesReader;
use crate::env::Environment;

fn read(text: &str, variables: &[(&str, &str)]) -> (tempfile::TempDir, Result<Config, String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("llmtrace.toml");
    fs::write(&path, text).unwrap();
    let config = Config::read_file(&path, FileNamedBy::Program, &Environment::of(variables));
    (folder, config.map_err(|error| error.to_string()))
}

/// Traces one call and reads back what stands in `traces/app.jsonl` beside the configuration.
fn traced(text: &str, variables: &[(&str, &str)]) -> Vec<llmtrace::SpanRecord> {
    let (folder, config) = read(text, variables);
    let (layer, guard) = config.unwrap().build().unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let span = llmtrace::generation!("ask", provider = "openai", model = "gpt-4o-mini");
        span.record_usage(llmtrace::Usage::new(10, 1));
    });
    guard.shutdown(Duration::from_secs(10)).unwrap();
    let path = folder.path().join("traces/app.jsonl");
    if path.exists() { JsonLinesReader::open(&path).unwrap().collect() } else { Vec::new() }
}

const FILE: &str = "service_name = 'bot'\nresource.team = 'search'\nbatch.delay = '1 ms'\n\
                    [[exporter]]\ntype = 'jsonl'\npath = 'traces/app.jsonl'\n";

#[test]
fn a_file_is_done_as_it_says() {
    let spans = traced(FILE, &[]);
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].name, "ask");
    assert_eq!(spans[0].resource.attributes.get_str("service.name"), Some("bot"));
}

#[test]
fn tracing_can_be_disabled_beside_a_file() {
    assert_eq!(traced(FILE, &[("OTEL_SDK_DISABLED", "true")]), []);
    let (_folder, config) = read(FILE, &[("OTEL_SDK_DISABLED", "true")]);
    let guard = config.unwrap().install().unwrap();
    assert_eq!(guard.stats().exporters, []);
    let is_free =
        tracing::dispatcher::get_default(tracing::Dispatch::is::<tracing::subscriber::NoSubscriber>);
    assert!(is_free, "no subscriber is set");
}

#[test]
fn a_file_that_cannot_be_written_is_named_with_its_line() {
    let (folder, config) = read("[[exporter]]\ntype = 'jsonl'\npath = 'taken'\n", &[]);
    fs::create_dir(folder.path().join("taken")).unwrap();
    let message = config.unwrap().builder().err().unwrap().to_string();
    let start =
        format!("{}:1: exporter: cannot write traces to ", folder.path().join("llmtrace.toml").display());
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn what_is_wrong_in_the_file_and_beside_it_is_told_at_once() {
    let (folder, config) = read("exporter = []\ncontnt = 'omit'", &[("OTEL_SDK_DISABLED", "yes")]);
    let path = folder.path().join("llmtrace.toml");
    let expected = format!(
        "{}:2: contnt: unknown key; did you mean content?\nOTEL_SDK_DISABLED: expected \"true\" or \"false\"",
        path.display()
    );
    assert_eq!(config.err(), Some(expected));
}

#[test]
fn the_environment_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent.toml");
    let named = path.display().to_string();
    let environment = Environment::of(&[("LLMTRACE_CONFIG", &named), ("OTEL_SERVICE_NAME", "not read")]);
    let message = Config::read_env(&environment).err().map(|error| error.to_string());
    let expected = format!(
        "cannot read the configuration {named}: No such file or directory (os error 2) (named by LLMTRACE_CONFIG)"
    );
    assert_eq!(message, Some(expected));

    fs::write(&path, "service_name = 'from the file'\nexporter = []").unwrap();
    let config = Config::read_env(&environment).unwrap();
    assert_eq!(config.settings.service_name.as_deref(), Some("from the file"));
    assert_eq!(
        format!("{config:?}"),
        "Config { service_name: Some(\"from the file\"), content: Keep, exporters: [], .. }"
    );
}

#[test]
fn every_setting_reaches_the_builder() {
    let check = |text: &str, expected: &str| {
        let (_folder, config) = read(&format!("exporter = []\n{text}"), &[]);
        let builder = format!("{:?}", config.unwrap().builder().unwrap());
        assert!(builder.contains(expected), "{text}: {builder}");
    };
    check("content = 'omit'", "content: Omit");
    check("capture = 'all'", "capture: All");
    check("queue_bytes = '1 MiB'", "queue_bytes: 1048576");
    check("overflow = { block = '2 s' }", "overflow: Block(2s)");
    check("batch.spans = 7", "batch_spans: 7, batch_delay: 200ms");
    check("batch.delay = '7 ms'", "batch_spans: 512, batch_delay: 7ms");
    check("environment = 'staging'", "staging");
    check("resource.team = 'search'", "search");
    check("quiet = true", "notices: Off");
    check("[redact]\npii = true", "Redactor { secrets: true, pii: true");
    check("[redact]\nsecrets = false", "Redactor { secrets: false, pii: false");
    check("[sampling]\nratio = 0.0", &format!("{:?}", Sampler::never()));
    check("[sampling]\nratio = 0.5\nkeep_errors = true", &format!("{:?}", Sampler::ratio(0.5).keep_errors()));
    check(
        "[sampling]\nkeep_slower_than = '2 s'",
        &format!("{:?}", Sampler::always().keep_slower_than(Duration::from_secs(2))),
    );
    check(
        "[sampling]\nkeep_costlier_than = 0.05",
        &format!("{:?}", Sampler::always().keep_costlier_than(0.05)),
    );
    check(
        "[sampling]\nhold_for = '1 min'",
        &format!("{:?}", Sampler::always().hold_for(Duration::from_secs(60))),
    );
    let (_folder, config) =
        read("[[exporter]]\ntype = 'stdout'\n[[exporter]]\ntype = 'jsonl'\npath = 'x'", &[]);
    let builder = format!("{:?}", config.unwrap().builder().unwrap());
    assert!(builder.contains(r#"exporters: ["stdout", "jsonl"]"#), "{builder}");
}

#[test]
fn prices_of_the_file_are_asked_first() {
    let prices = r#"[{"model": "gpt-4o-mini", "input_per_mtok": 0, "output_per_mtok": 0, "per_call": "3"}]"#;
    let (folder, _) = read("", &[]);
    let path = folder.path().join("prices.json");
    fs::write(&path, prices).unwrap();
    let spans = traced(&format!("prices = '{}'\n{FILE}", path.display()), &[]);
    assert_eq!(spans[0].cost().map(|cost| cost.to_string()).as_deref(), Some("3"));
}

#[test]
fn a_file_that_is_no_configuration_is_not_read_whole() {
    let (_folder, config) = read(&"#".repeat((1 << 20) + 1), &[]);
    assert!(config.err().unwrap().ends_with("it is longer than 1 MiB, so it is no configuration"));
}

#[cfg(feature = "http")]
#[test]
fn exporters_that_send_are_set_up_as_the_file_says() {
    let text = "[[exporter]]\ntype = 'langfuse'\nhost = 'http://127.0.0.1:9'\npublic_key = 'pk'\n\
                secret_key = { env = 'SK' }\nspool = { dir = 'spool', max_bytes = '2 MiB' }\n\
                [[exporter]]\ntype = 'webhook'\nurl = 'http://127.0.0.1:9/in'\nsecret = 'whsec_c2VjcmV0'\ngzip = true\n";
    let (folder, config) = read(text, &[("SK", "sk")]);
    let (layer, guard) = config.unwrap().build().unwrap();
    drop(tracing_subscriber::registry().with(layer));
    let names: Vec<_> = guard.stats().exporters.into_iter().map(|exporter| exporter.name).collect();
    assert_eq!(names, ["langfuse", "webhook"]);
    assert!(folder.path().join("spool").is_dir());
}
