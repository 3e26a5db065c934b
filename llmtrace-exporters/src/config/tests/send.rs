//! From a file to exporters that send.

use std::fs;
use std::path::Path;

use super::super::settings::ExporterSettings;
use super::super::{file, send};
use crate::env::Environment;
use crate::{Config, Otlp};

/// What a file in `folder` makes of an `[[exporter]]` of type OTLP.
fn otlp(folder: &Path, text: &str) -> Result<Otlp, String> {
    let text = format!("[[exporter]]\ntype = 'otlp'\n{text}");
    let settings = file::read(&folder.join("llmtrace.toml"), &text, &Environment::of(&[])).unwrap();
    match &settings.exporters[0].exporter {
        ExporterSettings::Otlp(settings) => send::otlp(settings),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_setting_reaches_the_exporter() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, expected: &str| {
        let shown = format!("{:?}", otlp(folder.path(), text).unwrap());
        assert!(shown.contains(expected), "{text}: {shown}");
    };
    check("endpoint = 'http://localhost:4318'", "http://localhost:4318/v1/traces");
    check("endpoint = 'https://h/in/v1/traces'", "https://h/in/v1/traces)");
    check("endpoint = 'http://h'\nallow_http = true", "http://h/v1/traces");
    let check = |text: &str, expected: &str| check(&format!("endpoint = 'https://h'\n{text}"), expected);
    check("headers = { x-team = 'hunter2-hunter2' }", "x-team");
    check("gzip = true", "is_compressed: true");
    check("timeout = '3 s'", "timeout: 3s");
    check("retry_for = '7 s'", "retry_for: 7s");
    check("spool = { dir = 'spool', max_bytes = '1 MiB' }", "otlp");
    assert!(folder.path().join("spool").is_dir(), "relative to the folder of the file");
    let shown = format!(
        "{:?}",
        otlp(folder.path(), "endpoint = 'https://h?key=hunter2'\nheaders.a = 'hunter2'").unwrap()
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn what_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, expected: &str| {
        let message = otlp(folder.path(), &format!("endpoint = 'https://h'\n{text}")).unwrap_err();
        assert!(message.contains(expected), "{text}: {message}");
    };
    fs::write(folder.path().join("half.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    check("certificate = 'half.pem'", "half.pem: no certificate");
    fs::write(folder.path().join("taken"), "").unwrap();
    check("spool = { dir = 'taken', max_bytes = '1 MiB' }", "taken");
}

#[test]
fn keys_that_cannot_be_right_are_an_error_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, expected: &str| {
        let path = folder.path().join("llmtrace.toml");
        fs::write(&path, format!("[[exporter]]\n{text}")).unwrap();
        let message = Config::from_file(&path).unwrap().builder().err().unwrap().to_string();
        assert!(message.contains(expected) && !message.contains("hunter2"), "{message}");
    };
    check("type = 'webhook'\nurl = 'https://h'\nsecret = 'whsec_hunter2*'", "exporter: the secret is empty");
    let keys = "public_key = 'sk-lf-hunter2'\nsecret_key = 'pk-lf-1'";
    check(&format!("type = 'langfuse'\nhost = 'https://h'\n{keys}"), "exporter: the keys are swapped");
}
