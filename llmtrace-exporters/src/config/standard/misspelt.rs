//! Variables whose names are almost ones that are read.

use super::super::nearest::nearest_within;
use super::super::variables::Variables;
use super::{ALLOW_HTTP, CONFIG, CONTENT};

/// What is read of the standard variables. A name that is almost one of these would be ignored, and spans would go
/// elsewhere: Langfuse's to its cloud instead of a server of one's own.
const STANDARD: &[&str] = &[
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_INSECURE",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "LANGFUSE_BASE_URL",
    "LANGFUSE_HOST",
    "LANGFUSE_PUBLIC_KEY",
    "LANGFUSE_RELEASE",
    "LANGFUSE_SAMPLE_RATE",
    "LANGFUSE_SECRET_KEY",
    "LANGFUSE_TIMEOUT",
    "LANGFUSE_TRACING_ENABLED",
    "LANGFUSE_TRACING_ENVIRONMENT",
    "LANGFUSE_URL",
];

/// Names of others that are almost ones of ours: the batches of logs, and `LANGFUSE_BASEURL`, which is read.
const OTHERS: &[&str] = &["OTEL_BLRP_", super::langfuse::BASEURL];

/// A misspelt name of ours would be ignored, and the content that should be left out would be kept.
pub(super) fn refuse_ours(variables: &Variables<'_>) {
    refuse(variables, "LLMTRACE_", &[CONFIG, CONTENT, ALLOW_HTTP]);
}

/// Misspelt names of the standard variables.
pub(super) fn refuse_standard(variables: &Variables<'_>) {
    refuse(variables, "OTEL_", STANDARD);
    refuse(variables, "LANGFUSE_", STANDARD);
}

/// More changes make a name that may well be another program's.
const CHANGES: usize = 2;

fn refuse(variables: &Variables<'_>, prefix: &str, known: &[&str]) {
    let is_wrong = |name: &str| !known.contains(&name) && !OTHERS.iter().any(|other| name.starts_with(other));
    for name in variables.names().filter(|name| is_wrong(name)) {
        let suffixes = known.iter().filter_map(|name| name.strip_prefix(prefix));
        let meant = name.strip_prefix(prefix).and_then(|suffix| nearest_within(CHANGES, suffix, suffixes));
        if let Some(meant) = meant {
            variables.report(name, format!("unknown variable; did you mean {prefix}{meant}?"));
        }
    }
}
