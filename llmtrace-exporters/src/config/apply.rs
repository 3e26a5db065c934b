//! From settings to a builder that does what they say.

use llmtrace::{Builder, ContentPolicy, Exporter, Sampler};

use super::error::ConfigError;
#[cfg(feature = "http")]
use super::send;
use super::settings::{
    ExporterSettings, FileMode, JsonLinesSettings, PlacedExporter, SamplingSettings, Settings, StdoutFormat,
    StdoutSettings,
};
use crate::{JsonLines, OpenError, Stdout};

/// What the builder has where only one part of `batch` is said.
const BATCH_SPANS: usize = 512;
const BATCH_DELAY: std::time::Duration = std::time::Duration::from_millis(200);

/// Opens the exporters and sets up a builder.
pub(super) fn builder(settings: Settings) -> Result<Builder, ConfigError> {
    if settings.is_disabled {
        return Ok(llmtrace::builder().content(ContentPolicy::Omit).sampler(Sampler::never()));
    }
    let mut problems = Vec::new();
    let mut builder = general(llmtrace::builder(), &settings);
    if let Some(redactor) = settings.redactor {
        builder = builder.redactor(redactor);
    }
    builder = builder.sampler(sampler(&settings.sampling));
    if let Some(prices) = settings.prices {
        builder = builder.prices(prices);
    }
    for PlacedExporter { place, exporter } in &settings.exporters {
        match open(exporter) {
            Ok(exporter) => builder = builder.exporter(exporter),
            Err(message) => problems.push(place.problem(message)),
        }
    }
    if problems.is_empty() { Ok(builder) } else { Err(ConfigError::Wrong(problems)) }
}

fn general(mut builder: Builder, settings: &Settings) -> Builder {
    for (key, value) in &settings.resource {
        builder = builder.resource(key.clone(), value.clone());
    }
    if let Some(name) = &settings.service_name {
        builder = builder.service_name(name.clone());
    }
    if let Some(name) = &settings.environment {
        builder = builder.environment(name.clone());
    }
    builder =
        builder.content(settings.content.unwrap_or_default()).capture(settings.capture.unwrap_or_default());
    if let Some(bytes) = settings.queue_bytes {
        builder = builder.queue_bytes(bytes);
    }
    if let Some(overflow) = settings.overflow {
        builder = builder.overflow(overflow);
    }
    if let Some(bytes) = settings.max_text_bytes {
        builder = builder.max_text_bytes(bytes);
    }
    let batch = &settings.batch;
    if batch.spans.is_some() || batch.delay.is_some() {
        builder = builder.batch(batch.spans.unwrap_or(BATCH_SPANS), batch.delay.unwrap_or(BATCH_DELAY));
    }
    if settings.is_quiet {
        builder = builder.quiet();
    }
    if settings.estimates_tokens { estimate_tokens(builder) } else { builder }
}

#[cfg(feature = "tokenizer")]
fn estimate_tokens(builder: Builder) -> Builder {
    builder.estimate_tokens()
}

/// The reader of the file refuses the key where the feature is off.
#[cfg(not(feature = "tokenizer"))]
fn estimate_tokens(builder: Builder) -> Builder {
    builder
}

/// The exporter, ready to be started.
fn open(settings: &ExporterSettings) -> Result<Box<dyn Exporter>, String> {
    Ok(match settings {
        ExporterSettings::Stdout(settings) => Box::new(stdout(settings)),
        ExporterSettings::JsonLines(settings) => {
            Box::new(json_lines(settings).map_err(|error| error.to_string())?)
        }
        #[cfg(feature = "http")]
        ExporterSettings::Otlp(settings) => Box::new(send::otlp(settings)?),
        #[cfg(feature = "http")]
        ExporterSettings::Langfuse(settings) => Box::new(send::langfuse(settings)?),
        #[cfg(feature = "http")]
        ExporterSettings::Webhook(settings) => Box::new(send::webhook(settings)?),
        #[cfg(not(feature = "http"))]
        _ => return Err("needs the feature `http` of crate llmtrace-exporters".to_owned()),
    })
}

fn stdout(settings: &StdoutSettings) -> Stdout {
    let stdout = match settings.format {
        StdoutFormat::Tree => Stdout::tree(),
        StdoutFormat::Json => Stdout::json(),
    };
    let stdout = stdout.color(settings.color);
    if let Some(columns) = settings.columns { stdout.columns(columns) } else { stdout }
}

fn json_lines(settings: &JsonLinesSettings) -> Result<JsonLines, OpenError> {
    let mut file = match settings.mode {
        FileMode::Append => JsonLines::append(&settings.path)?,
        FileMode::Create => JsonLines::create(&settings.path)?,
    };
    if let Some(bytes) = settings.rotate_bytes {
        file = file.rotate_bytes(bytes);
    }
    if let Some(files) = settings.keep_files {
        file = file.keep_files(files);
    }
    if let Some(sync) = settings.sync {
        file = file.sync(sync);
    }
    Ok(file)
}

/// Every trace, where only rules are said: they have nothing to keep then.
fn sampler(settings: &SamplingSettings) -> Sampler {
    let mut sampler = settings.ratio.map_or_else(Sampler::always, Sampler::ratio);
    if settings.keep_errors {
        sampler = sampler.keep_errors();
    }
    if let Some(duration) = settings.keep_slower_than {
        sampler = sampler.keep_slower_than(duration);
    }
    if let Some(usd) = settings.keep_costlier_than {
        sampler = sampler.keep_costlier_than(usd);
    }
    if let Some(duration) = settings.hold_for {
        sampler = sampler.hold_for(duration);
    }
    sampler
}
