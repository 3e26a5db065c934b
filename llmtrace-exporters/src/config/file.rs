//! The file as a whole, and the keys that are about no exporter.

use std::path::Path;
use std::time::Duration;

use llmtrace::{Capture, ContentPolicy, Overflow, PriceOverrides, Redactor, RuleError, Value};
use toml::de::{DeTable, DeValue};

use super::entry::Entry;
use super::error::ConfigProblem;
use super::exporter;
use super::section::Section;
use super::settings::{BatchSettings, SamplingSettings, Settings};
use super::source::Source;
use crate::env::Environment;

pub(super) const KEYS: &[&str] = &[
    "service_name",
    "environment",
    "resource",
    "content",
    "capture",
    "queue_bytes",
    "overflow",
    "max_text_bytes",
    "batch",
    "prices",
    "estimate_tokens",
    "quiet",
    "redact",
    "sampling",
    "exporter",
];

pub(super) const REDACT_KEYS: &[&str] = &["secrets", "pii", "rules", "allow"];

pub(super) const SAMPLING_KEYS: &[&str] =
    &["ratio", "keep_errors", "keep_slower_than", "keep_costlier_than", "hold_for"];

/// Least memory for spans on their way; the builder takes no less.
const MIN_QUEUE_BYTES: u64 = 64 * 1024;

/// Most spans in a batch.
const MAX_BATCH_SPANS: u64 = 65_536;

const MILLISECOND: Duration = Duration::from_millis(1);

/// Reads the text of a configuration file; `path` is its name in messages, and what paths in it are relative to.
pub(super) fn read(
    path: &Path,
    text: &str,
    environment: &Environment,
) -> Result<Settings, Vec<ConfigProblem>> {
    let source = Source::new(path, text, environment);
    let (table, errors) = DeTable::parse_recoverable(text);
    // What is read from a text that is not TOML would be wrong in ways that nobody wrote.
    let is_toml = errors.is_empty();
    for error in errors {
        let line = source.line(&error.span().unwrap_or_default());
        source.report("", line, format!("not valid TOML: {}", error.message()));
    }
    let settings = if is_toml { settings(&source, table.get_ref()) } else { Settings::default() };
    let problems = source.into_problems();
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

fn settings<'a>(source: &'a Source<'a>, table: &'a DeTable<'a>) -> Settings {
    let file = Section::file(source, table, KEYS);
    let content = [("keep", ContentPolicy::Keep), ("omit", ContentPolicy::Omit)];
    let capture = [("llm", Capture::Llm), ("all", Capture::All)];
    let resource = file.entry("resource").map(|entry| resource(&entry)).unwrap_or_default();
    Settings {
        is_disabled: false,
        service_name: file.read("service_name", Entry::string),
        environment: file.read("environment", Entry::string),
        resource,
        content: file.read("content", |entry| entry.choice(&content)),
        capture: file.read("capture", |entry| entry.choice(&capture)),
        queue_bytes: file.read("queue_bytes", |entry| memory(entry, MIN_QUEUE_BYTES)),
        overflow: file.entry("overflow").and_then(|entry| overflow(&entry)),
        max_text_bytes: file.read("max_text_bytes", |entry| memory(entry, 1)),
        batch: file.entry("batch").map(|entry| batch(&entry)).unwrap_or_default(),
        prices: file.read("prices", prices),
        estimates_tokens: file.read("estimate_tokens", estimate_tokens).unwrap_or(false),
        is_quiet: file.read("quiet", Entry::boolean).unwrap_or(false),
        redactor: file.entry("redact").and_then(|entry| redactor(&entry)),
        sampling: file.entry("sampling").map(|entry| sampling(&entry)).unwrap_or_default(),
        exporters: exporter::read(source, file.entry("exporter").as_ref()),
    }
}

fn memory(entry: &Entry<'_>, least: u64) -> Result<usize, String> {
    usize::try_from(entry.bytes(least)?).map_err(|_| "is more memory than this machine can have".to_owned())
}

fn resource(entry: &Entry<'_>) -> Vec<(String, Value)> {
    let Some(section) = Section::unchecked(entry) else { return Vec::new() };
    let read = |(name, entry): (&str, Entry<'_>)| {
        let value = match entry.value {
            DeValue::Boolean(is) => Ok(Value::from(*is)),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Value::from)
                .map_err(|_| "expected a whole number of 64 bits".to_owned()),
            DeValue::Float(_) => entry.number(f64::MIN..=f64::MAX).map(Value::from),
            DeValue::String(_) | DeValue::Table(_) => entry.string().map(Value::from),
            _ => Err(entry.expected("text, a number, true or false")),
        };
        Some((name.to_owned(), entry.report(value)?))
    };
    section.entries().filter_map(read).collect()
}

fn overflow(entry: &Entry<'_>) -> Option<Overflow> {
    if entry.value.is_str() {
        let choice = entry.choice(&[("drop_newest", Overflow::DropNewest)]);
        return entry
            .report(choice.map_err(|_| "expected \"drop_newest\" or { block = \"1 s\" }".to_owned()));
    }
    if !entry.value.is_table() {
        let wrong = entry.expected("\"drop_newest\" or { block = \"1 s\" }");
        return entry.report(Err(wrong));
    }
    let section = Section::of(entry, &["block"], |_| None)?;
    section
        .require("block", "overflow = { block = \"1 s\" }", |entry| entry.duration(MILLISECOND))
        .map(Overflow::Block)
}

fn batch(entry: &Entry<'_>) -> BatchSettings {
    let Some(section) = Section::of(entry, &["spans", "delay"], |_| None) else {
        return BatchSettings::default();
    };
    BatchSettings {
        spans: section.read("spans", |entry| entry.count(1..=MAX_BATCH_SPANS)),
        delay: section.read("delay", |entry| entry.duration(MILLISECOND)),
    }
}

fn prices(entry: &Entry<'_>) -> Result<PriceOverrides, String> {
    PriceOverrides::from_file(entry.path()?).map_err(|error| error.to_string())
}

fn estimate_tokens(entry: &Entry<'_>) -> Result<bool, String> {
    let wanted = entry.boolean()?;
    if wanted && !cfg!(feature = "tokenizer") {
        return Err("needs the feature `tokenizer` of crate llmtrace-exporters".to_owned());
    }
    Ok(wanted)
}

fn redactor(entry: &Entry<'_>) -> Option<Redactor> {
    let section = Section::of(entry, REDACT_KEYS, |_| None)?;
    let masks_secrets = section.read("secrets", Entry::boolean).unwrap_or(true);
    let mut redactor = if masks_secrets { Redactor::secrets() } else { Redactor::none() };
    if section.read("pii", Entry::boolean) == Some(true) {
        redactor = redactor.pii();
    }
    for entry in section.read("rules", Entry::elements).unwrap_or_default() {
        redactor = with_rule(redactor, &entry);
    }
    for entry in section.read("allow", Entry::elements).unwrap_or_default() {
        let allow = |pattern| redactor.clone().allow(pattern).map_err(|error| rule_message(&error));
        redactor = entry.report(entry.text().and_then(allow)).unwrap_or(redactor);
    }
    Some(redactor)
}

fn with_rule(redactor: Redactor, entry: &Entry<'_>) -> Redactor {
    let Some(section) = Section::of(entry, &["name", "pattern"], |_| None) else { return redactor };
    let name = section.require("name", "name = \"order-number\"", Entry::text);
    let pattern = section.require("pattern", "pattern = 'ORD-\\d{8}'", Entry::text);
    let (Some(name), Some(pattern)) = (name, pattern) else { return redactor };
    match redactor.clone().rule(name, pattern) {
        Ok(redactor) => redactor,
        Err(error) => {
            let key = if matches!(error, RuleError::Name { .. }) { "name" } else { "pattern" };
            section.read(key, |_| Err::<(), _>(rule_message(&error)));
            redactor
        }
    }
}

/// What is wrong with a rule, in one line.
fn rule_message(error: &RuleError) -> String {
    match error {
        RuleError::Pattern { reason, .. } => {
            let reason = reason.lines().last().unwrap_or_default();
            format!("expected a regular expression: {}", reason.trim_start_matches("error: "))
        }
        RuleError::Name { .. } => "expected letters, digits, -, _ and . only".to_owned(),
        RuleError::Empty { .. } => "matches the empty text; ask for at least one character".to_owned(),
        other => other.to_string(),
    }
}

fn sampling(entry: &Entry<'_>) -> SamplingSettings {
    let Some(section) = Section::of(entry, SAMPLING_KEYS, |_| None) else {
        return SamplingSettings::default();
    };
    SamplingSettings {
        ratio: section.read("ratio", |entry| entry.number(0.0..=1.0)),
        keep_errors: section.read("keep_errors", Entry::boolean).unwrap_or(false),
        keep_slower_than: section.read("keep_slower_than", |entry| entry.duration(Duration::ZERO)),
        keep_costlier_than: section.read("keep_costlier_than", |entry| entry.number(0.0..=f64::MAX)),
        hold_for: section.read("hold_for", |entry| entry.duration(MILLISECOND)),
    }
}
