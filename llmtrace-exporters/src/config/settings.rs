//! What a configuration says, as plain data: the same whether a file or the environment said it.

use std::path::PathBuf;
use std::time::Duration;

use llmtrace::{Capture, ContentPolicy, Overflow, PriceOverrides, Redactor, Value};

use super::secret::Secret;
use crate::{ColorChoice, Profile, Protocol, Sync};

/// A whole configuration. What is `None` was not said, and has the builder's or the exporter's default.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// Whether nothing is traced at all.
    pub(crate) is_disabled: bool,
    pub(crate) service_name: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) resource: Vec<(String, Value)>,
    pub(crate) content: Option<ContentPolicy>,
    pub(crate) capture: Option<Capture>,
    pub(crate) queue_bytes: Option<usize>,
    pub(crate) overflow: Option<Overflow>,
    pub(crate) max_text_bytes: Option<usize>,
    pub(crate) batch: BatchSettings,
    pub(crate) prices: Option<PriceOverrides>,
    pub(crate) estimates_tokens: bool,
    /// Whether failures of exporters are left unsaid on standard error.
    pub(crate) is_quiet: bool,
    pub(crate) redactor: Option<Redactor>,
    pub(crate) sampling: SamplingSettings,
    pub(crate) exporters: Vec<PlacedExporter>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchSettings {
    pub(crate) spans: Option<usize>,
    pub(crate) delay: Option<Duration>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SamplingSettings {
    /// Share of the traces, from 0 to 1.
    pub(crate) ratio: Option<f64>,
    pub(crate) keep_errors: bool,
    pub(crate) keep_slower_than: Option<Duration>,
    /// In US dollars.
    pub(crate) keep_costlier_than: Option<f64>,
    pub(crate) hold_for: Option<Duration>,
}

/// Where something was said, for an error that is found only when it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Option<PathBuf>,
    pub(crate) line: Option<usize>,
    pub(crate) key: String,
}

/// An exporter, and where it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PlacedExporter {
    pub(crate) place: Place,
    pub(crate) exporter: ExporterSettings,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExporterSettings {
    Stdout(StdoutSettings),
    JsonLines(JsonLinesSettings),
    Otlp(OtlpSettings),
    Langfuse(LangfuseSettings),
    Webhook(WebhookSettings),
}

impl ExporterSettings {
    /// The exporter's `type` in the file.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Stdout(_) => "stdout",
            Self::JsonLines(_) => "jsonl",
            Self::Otlp(_) => "otlp",
            Self::Langfuse(_) => "langfuse",
            Self::Webhook(_) => "webhook",
        }
    }

    /// How it delivers, if it sends over the network.
    pub(super) fn delivery(&self) -> Option<&DeliverySettings> {
        match self {
            Self::Stdout(_) | Self::JsonLines(_) => None,
            Self::Otlp(settings) => Some(&settings.delivery),
            Self::Langfuse(settings) => Some(&settings.delivery),
            Self::Webhook(settings) => Some(&settings.delivery),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StdoutSettings {
    pub(crate) format: StdoutFormat,
    pub(crate) color: ColorChoice,
    pub(crate) columns: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StdoutFormat {
    #[default]
    Tree,
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonLinesSettings {
    pub(crate) path: PathBuf,
    pub(crate) mode: FileMode,
    pub(crate) rotate_bytes: Option<u64>,
    pub(crate) keep_files: Option<usize>,
    pub(crate) sync: Option<Sync>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FileMode {
    /// Goes on with the file, so that a restart loses nothing.
    #[default]
    Append,
    Create,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtlpSettings {
    pub(crate) endpoint: Target,
    pub(crate) protocol: Protocol,
    pub(crate) profile: Profile,
    pub(crate) delivery: DeliverySettings,
}

/// Where OTLP goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The server: `/v1/traces` comes after it.
    Server(String),
    /// The whole URL.
    Traces(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LangfuseSettings {
    pub(crate) host: String,
    pub(crate) public_key: String,
    pub(crate) secret_key: Secret,
    pub(crate) delivery: DeliverySettings,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebhookSettings {
    pub(crate) url: String,
    /// Signs each body.
    pub(crate) secret: Option<Secret>,
    pub(crate) delivery: DeliverySettings,
}

/// What all exporters that send over the network have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeliverySettings {
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) gzip: Option<bool>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry_for: Option<Duration>,
    pub(crate) certificate: Option<PathBuf>,
    /// Whether plain `http` to another computer is wanted.
    pub(crate) allows_http: bool,
    pub(crate) spool: Option<SpoolSettings>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpoolSettings {
    pub(crate) dir: PathBuf,
    pub(crate) max_bytes: u64,
}
