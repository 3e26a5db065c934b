//! What the standard variables mean: those of OpenTelemetry
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>,
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), and those of Langfuse
//! (<https://langfuse.com/docs/observability/sdk/overview>).

use llmtrace::{ContentPolicy, Value, semconv};

use super::error::ConfigProblem;
use super::nearest::nearest;
use super::network::{check_certificate, check_header_name, check_header_value};
use super::secret::Secret;
use super::settings::{
    BatchSettings, DeliverySettings, Endpoint, ExporterSettings, LangfuseSettings, OtlpProtocol,
    OtlpSettings, Place, PlacedExporter, SamplingSettings, Settings, StdoutSettings,
};
use super::url::{self, PlainHttp};
use super::variables::{Variables, choice, milliseconds, pairs, share};
use crate::env::Environment;

/// The file that configures everything.
pub(super) const CONFIG: &str = "LLMTRACE_CONFIG";

const CONTENT: &str = "LLMTRACE_CONTENT";
const ALLOW_HTTP: &str = "LLMTRACE_ALLOW_HTTP";
const ALLOW_HTTP_TRUE: &str = "LLMTRACE_ALLOW_HTTP=true";
const OTEL_CONTENT: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTERS: &str = "OTEL_TRACES_EXPORTER";
const SERVER: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PUBLIC_KEY: &str = "LANGFUSE_PUBLIC_KEY";
const SECRET_KEY: &str = "LANGFUSE_SECRET_KEY";
/// The first is the present name; the others are older.
const LANGFUSE_HOSTS: &[&str] = &["LANGFUSE_BASE_URL", "LANGFUSE_HOST", "LANGFUSE_URL"];

const CLIENT_KEYS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"];

/// Where OTLP goes by the specification, if nothing says otherwise.
const DEFAULT_SERVER: &str = "http://localhost:4318";

/// Where Langfuse's own clients send to, if nothing says otherwise.
const DEFAULT_LANGFUSE: &str = "https://cloud.langfuse.com";

/// Reads the whole configuration from the variables.
pub(super) fn read(environment: &Environment) -> Result<Settings, Vec<ConfigProblem>> {
    let variables = Variables::new(environment);
    let (public_key, secret_key) = (variables.text(PUBLIC_KEY), variables.text(SECRET_KEY));
    let uses_langfuse = public_key.is_some() || secret_key.is_some();
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
        sampling: SamplingSettings { ratio: ratio(&variables, uses_langfuse), ..SamplingSettings::default() },
        exporters: exporters(&variables),
        resource,
        ..Settings::default()
    };
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
    let words = [("true", true), ("false", false)];
    settings.is_disabled = variables.read(&[DISABLED], |text| choice(text, &words)).unwrap_or(false);
    if content(variables) == Some(ContentPolicy::Omit) {
        settings.content = Some(ContentPolicy::Omit);
    }
    refuse_misspelt(variables);
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

/// A misspelt name of ours would be ignored, and the content that should be left out would be kept.
fn refuse_misspelt(variables: &Variables<'_>) {
    let known = [CONFIG, CONTENT, ALLOW_HTTP];
    for name in variables.names().filter(|name| name.starts_with("LLMTRACE_") && !known.contains(name)) {
        let suffixes = known.iter().filter_map(|name| name.strip_prefix("LLMTRACE_"));
        let meant = name.strip_prefix("LLMTRACE_").and_then(|suffix| nearest(suffix, suffixes));
        if let Some(meant) = meant {
            variables.report(name, format!("unknown variable; did you mean LLMTRACE_{meant}?"));
        }
    }
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
fn ratio(variables: &Variables<'_>, uses_langfuse: bool) -> Option<f64> {
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
    if !uses_langfuse {
        return stated;
    }
    let rate = variables.read(&[LANGFUSE_RATE], share);
    if stated.is_some() && rate.is_some() && stated != rate {
        variables.report(LANGFUSE_RATE, "OTEL_TRACES_SAMPLER says another share; set one of the two");
    }
    stated.or(rate)
}

/// The exporters that `OTEL_TRACES_EXPORTER` names, and Langfuse where its keys are set. Where that is not set, OTLP if
/// any variable of it is. If nothing says where spans go, they are printed.
fn exporters(variables: &Variables<'_>) -> Vec<PlacedExporter> {
    let named = named_exporters(variables);
    let langfuse = langfuse(variables);
    if named.as_ref().is_some_and(|named| named.contains(&ExporterName::None)) {
        return Vec::new();
    }
    let says_otlp =
        variables.names().any(|name| name.starts_with("OTEL_EXPORTER_OTLP_") && is_about_traces(name));
    let named = named.unwrap_or_else(|| if says_otlp { vec![ExporterName::Otlp] } else { Vec::new() });
    let named = named.into_iter().filter_map(|name| match name {
        ExporterName::Otlp => otlp(variables),
        ExporterName::Console => Some(console()),
        ExporterName::None => None,
    });
    let exporters: Vec<_> = named.chain(langfuse).collect();
    if exporters.is_empty() { vec![console()] } else { exporters }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ExporterName {
    Otlp,
    Console,
    None,
}

/// What `OTEL_TRACES_EXPORTER` names, each once.
fn named_exporters(variables: &Variables<'_>) -> Option<Vec<ExporterName>> {
    let known =
        [("otlp", ExporterName::Otlp), ("console", ExporterName::Console), ("none", ExporterName::None)];
    let mut named = variables.read(&[EXPORTERS], |text| {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(|name| choice(name, &known)).collect::<Result<_, _>>()?;
        if names.len() > 1 && names.contains(&ExporterName::None) {
            return Err("\"none\" stands beside others; write it alone, or leave it out".to_owned());
        }
        Ok(names)
    })?;
    let mut seen = Vec::new();
    named.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    Some(named)
}

/// Whether a variable of the OTLP exporter is about traces.
fn is_about_traces(name: &str) -> bool {
    !["METRICS", "LOGS", "PROFILES"].iter().any(|signal| name.contains(signal))
}

fn console() -> PlacedExporter {
    placed(EXPORTERS, ExporterSettings::Stdout(StdoutSettings::default()))
}

fn placed(key: &str, exporter: ExporterSettings) -> PlacedExporter {
    PlacedExporter { place: Place { file: None, line: None, key: key.to_owned() }, exporter }
}

fn otlp(variables: &Variables<'_>) -> Option<PlacedExporter> {
    if let Some((name, _)) = variables.first(&CLIENT_KEYS) {
        variables.report(
            name,
            "client certificates are not supported; unset it, and send a header that says who you are",
        );
    }
    let protocols = [("http/protobuf", OtlpProtocol::Protobuf), ("http/json", OtlpProtocol::Json)];
    let protocol = |text: &str| match text {
        "grpc" => {
            Err("gRPC is not spoken here; write http/protobuf, and the server's HTTP port, usually 4318, \
                       in the endpoint"
                .to_owned())
        }
        _ => choice(text, &protocols),
    };
    let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    let protocol = variables.read(&names, protocol).unwrap_or_default();
    let allows_http =
        allows_http(variables, &["OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE"]);
    let url = |text: &str| url(text, allows_http, "OTEL_EXPORTER_OTLP_INSECURE=true");
    let (key, endpoint) = match variables.first(&[TRACES, SERVER]) {
        Some((TRACES, _)) => (TRACES, variables.read(&[TRACES], url).map(Endpoint::Traces)),
        Some(_) => (SERVER, variables.read(&[SERVER], url).map(Endpoint::Server)),
        None => (SERVER, Some(Endpoint::Server(DEFAULT_SERVER.to_owned()))),
    };
    let delivery = DeliverySettings { allows_http, ..delivery(variables) };
    let settings = OtlpSettings { endpoint: endpoint?, protocol, profile: None, delivery };
    Some(placed(key, ExporterSettings::Otlp(settings)))
}

/// Whether plain `http` to another computer is wanted, by our variable or by one of `others`.
fn allows_http(variables: &Variables<'_>, others: &[&'static str]) -> bool {
    let words = [("true", true), ("false", false)];
    let read = |name| variables.read(&[name], |text| choice(text, &words)).unwrap_or(false);
    others.iter().fold(read(ALLOW_HTTP), |is_allowed, name| is_allowed | read(name))
}

fn url(text: &str, allows_http: bool, remedy: &str) -> Result<String, String> {
    let plain_http = if allows_http { PlainHttp::Allowed } else { PlainHttp::Refused };
    url::check(text, plain_http).map_err(|wrong| wrong.message(remedy))?;
    Ok(text.to_owned())
}

fn delivery(variables: &Variables<'_>) -> DeliverySettings {
    let compressions = [("gzip", true), ("none", false)];
    let certificate = |text: &str| {
        let path = std::path::PathBuf::from(text);
        check_certificate(&path).map(|()| path)
    };
    DeliverySettings {
        headers: headers(variables),
        gzip: variables
            .read(&["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"], |text| {
                choice(text, &compressions)
            }),
        timeout: variables
            .read(&["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"], milliseconds),
        certificate: variables
            .read(&["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"], certificate),
        ..DeliverySettings::default()
    }
}

fn headers(variables: &Variables<'_>) -> Vec<(String, Secret)> {
    let read = |text: &str| {
        let headers = pairs(text)?;
        for (name, value) in &headers {
            check_header_name(name).map_err(|message| format!("{name} {message}"))?;
            check_header_value(value).map_err(|message| format!("{name}: {message}"))?;
        }
        Ok(headers.into_iter().map(|(name, value)| (name, Secret::new(value))).collect())
    };
    let names = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
    variables.read(&names, read).unwrap_or_default()
}

fn langfuse(variables: &Variables<'_>) -> Option<PlacedExporter> {
    let words = [("true", true), ("false", false)];
    let is_on = variables.read(&["LANGFUSE_TRACING_ENABLED"], |text| choice(text, &words)).unwrap_or(true);
    if !is_on {
        return None;
    }
    let (public_key, secret_key) = (variables.text(PUBLIC_KEY), variables.text(SECRET_KEY));
    for (name, key, other) in [(PUBLIC_KEY, public_key, secret_key), (SECRET_KEY, secret_key, public_key)] {
        if key.is_none() && other.is_some() {
            variables.report(name, "is not set, but the other key of Langfuse is; set both, or neither");
        }
    }
    let (public_key, secret_key) = (public_key?, secret_key?);
    let allows_http = allows_http(variables, &[]);
    let host = variables.read(LANGFUSE_HOSTS, |text| url(text, allows_http, ALLOW_HTTP_TRUE));
    let is_stated = variables.first(LANGFUSE_HOSTS).is_some();
    let host = if is_stated { host? } else { DEFAULT_LANGFUSE.to_owned() };
    let timeout = variables.read(&["LANGFUSE_TIMEOUT"], |text| {
        let seconds = text.parse::<u32>().ok().filter(|seconds| *seconds > 0);
        let seconds = seconds.ok_or("expected seconds: a whole number of at least 1")?;
        Ok(std::time::Duration::from_secs(u64::from(seconds)))
    });
    let settings = LangfuseSettings {
        host,
        public_key: public_key.to_owned(),
        secret_key: Secret::new(secret_key),
        delivery: DeliverySettings { timeout, allows_http, ..DeliverySettings::default() },
    };
    Some(placed(PUBLIC_KEY, ExporterSettings::Langfuse(settings)))
}
