//! What the standard variables mean: those of OpenTelemetry
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>,
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), and those of Langfuse
//! (<https://langfuse.com/docs/observability/sdk/overview>).

mod exporters;
mod langfuse;
mod misspelt;
mod otlp;

use llmtrace::{ContentPolicy, Value, semconv};

use super::error::ConfigProblem;
use super::settings::{BatchSettings, SamplingSettings, Settings};
use super::variables::{Variables, choice, milliseconds, pairs, share, truth};
use crate::env::Environment;
#[cfg(feature = "http")]
pub(super) use langfuse::read_alone as read_langfuse;
#[cfg(feature = "http")]
pub(super) use otlp::read_alone as read_otlp;

/// The file that configures everything.
pub(super) const CONFIG: &str = "LLMTRACE_CONFIG";

const CONTENT: &str = "LLMTRACE_CONTENT";
pub(super) const ALLOW_HTTP: &str = "LLMTRACE_ALLOW_HTTP";
const OTEL_CONTENT: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
const DISABLED: &str = "OTEL_SDK_DISABLED";
/// Reads the whole configuration from the variables.
pub(super) fn read(environment: &Environment) -> Result<Settings, Vec<ConfigProblem>> {
    let variables = Variables::new(environment);
    let resource = resource(&variables);
    let has = |key: &str| resource.iter().any(|(name, _)| name == key);
    let langfuse_environment = || variables.text("LANGFUSE_TRACING_ENVIRONMENT").map(str::to_owned);
    let environment_name =
        if has(semconv::DEPLOYMENT_ENVIRONMENT_NAME) { None } else { langfuse_environment() };
    let mut settings = Settings {
        service_name: variables.text("OTEL_SERVICE_NAME").map(str::to_owned),
        environment: environment_name,
        batch: BatchSettings {
            spans: variables.read(&["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], batch_spans),
            delay: variables.read(&["OTEL_BSP_SCHEDULE_DELAY"], milliseconds),
        },
        sampling: SamplingSettings { ratio: ratio(&variables), ..SamplingSettings::default() },
        exporters: exporters::read(&variables),
        resource,
        ..Settings::default()
    };
    misspelt::refuse_standard(&variables);
    switches(&variables, &mut settings);
    let problems = variables.into_problems();
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// Applies the variables that hold beside a file too. They only ever take away: an operator can turn tracing or its
/// content off without touching the file.
pub(super) fn apply_switches(
    environment: &Environment,
    settings: &mut Settings,
) -> Result<(), Vec<ConfigProblem>> {
    let variables = Variables::new(environment);
    switches(&variables, settings);
    let problems = variables.into_problems();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn switches(variables: &Variables<'_>, settings: &mut Settings) {
    // Where it is not UTF-8, no file was read, and that is reported here.
    variables.text(CONFIG);
    settings.is_disabled = variables.read(&[DISABLED], truth).unwrap_or(false);
    if content(variables) == Some(ContentPolicy::Omit) {
        settings.content = Some(ContentPolicy::Omit);
    }
    misspelt::refuse_ours(variables);
}

/// `LLMTRACE_CONTENT` where it is set, else OpenTelemetry's variable, whose values come from its `GenAI`
/// instrumentations: `true` and `false` in the older ones. Content that should be in events only is not in spans.
fn content(variables: &Variables<'_>) -> Option<ContentPolicy> {
    let ours = [("keep", ContentPolicy::Keep), ("omit", ContentPolicy::Omit)];
    let theirs = [
        ("true", ContentPolicy::Keep),
        ("false", ContentPolicy::Omit),
        ("SPAN_ONLY", ContentPolicy::Keep),
        ("SPAN_AND_EVENT", ContentPolicy::Keep),
        ("EVENT_ONLY", ContentPolicy::Omit),
        ("NO_CONTENT", ContentPolicy::Omit),
    ];
    let other = variables.read(&[OTEL_CONTENT], |text| choice(text, &theirs));
    variables.read(&[CONTENT], |text| choice(text, &ours)).or(other)
}

fn resource(variables: &Variables<'_>) -> Vec<(String, Value)> {
    let stated = variables.read(&["OTEL_RESOURCE_ATTRIBUTES"], pairs).unwrap_or_default();
    let mut resource: Vec<_> = stated.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    // What Langfuse calls a release, OpenTelemetry calls the version of the service.
    let release = variables.text("LANGFUSE_RELEASE");
    if let Some(release) = release.filter(|_| !resource.iter().any(|(key, _)| key == "service.version")) {
        resource.push(("service.version".to_owned(), Value::from(release)));
    }
    resource
}

fn batch_spans(text: &str) -> Result<usize, String> {
    let spans = text.parse::<usize>().ok().filter(|spans| (1..=65_536).contains(spans));
    spans.ok_or_else(|| "expected a whole number from 1 to 65536".to_owned())
}

/// The share of traces that is kept. Langfuse's clients have a variable of their own for it.
fn ratio(variables: &Variables<'_>) -> Option<f64> {
    #[derive(Clone, Copy)]
    enum Kept {
        All,
        None,
        Share,
    }
    const LANGFUSE_RATE: &str = "LANGFUSE_SAMPLE_RATE";
    let samplers = [
        ("always_on", Kept::All),
        ("always_off", Kept::None),
        ("traceidratio", Kept::Share),
        ("parentbased_always_on", Kept::All),
        ("parentbased_always_off", Kept::None),
        ("parentbased_traceidratio", Kept::Share),
    ];
    let argument = || variables.read(&["OTEL_TRACES_SAMPLER_ARG"], share).unwrap_or(1.0);
    let sampler = variables.read(&["OTEL_TRACES_SAMPLER"], |text| choice(text, &samplers));
    let stated = sampler.map(|kept| match kept {
        Kept::All => 1.0,
        Kept::None => 0.0,
        Kept::Share => argument(),
    });
    if !langfuse::is_meant(variables) {
        return stated;
    }
    let rate = variables.read(&[LANGFUSE_RATE], share);
    if stated.is_some() && rate.is_some() && stated != rate {
        variables.report(LANGFUSE_RATE, "OTEL_TRACES_SAMPLER says another share; set one of the two");
    }
    stated.or(rate)
}
