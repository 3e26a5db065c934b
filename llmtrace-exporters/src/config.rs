//! Configuration from a file or from the environment.

mod apply;
mod entry;
pub(crate) mod error;
mod exporter;
mod file;
mod nearest;
mod network;
mod secret;
mod section;
#[cfg(feature = "http")]
mod send;
mod settings;
mod source;
mod standard;
mod units;
mod url;
mod variables;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use llmtrace::{Builder, Guard, LlmLayer};
use tracing::Subscriber;
use tracing_subscriber::registry::LookupSpan;

use crate::env::Environment;
use error::ConfigError;
use settings::Settings;

/// How tracing is set up, read from a file or from the environment.
///
/// ```
/// use llmtrace_exporters::Config;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("llmtrace.toml");
/// std::fs::write(&path, "[[exporter]]\ntype = \"jsonl\"\npath = \"app.jsonl\"\nrotate_byte = \"64 MiB\"\n")?;
/// let error = Config::from_file(&path).map_err(|error| error.to_string()).err();
/// let expected = format!("{}:4: exporter.rotate_byte: unknown key; did you mean rotate_bytes?", path.display());
/// assert_eq!(error, Some(expected));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # The file
///
/// TOML; `examples/llmtrace.toml` in the project's source is one with every key. A key, a value or a file that is wrong
/// is an error at start, which names the line and what would be right; all that are wrong are named at once. Paths are
/// relative to the folder of the file. Sizes are numbers of bytes or text such as `"64 MiB"` or `"1 GB"`, times are text
/// such as `"200 ms"`, `"10 s"` or `"15 min"`. Wherever text is expected, `{ env = "NAME" }` takes it from an environment
/// variable, so that no secret need stand in a file; if the variable is not set, that is an error.
///
/// | key | value | default |
/// |---|---|---|
/// | `service_name`, `environment` | text | none |
/// | `resource` | table of text, numbers, true and false | none |
/// | `content` | `"keep"` or `"omit"` | `"keep"` |
/// | `capture` | `"llm"` or `"all"` | `"llm"` |
/// | `queue_bytes` | size, at least 64 KiB | 32 MiB |
/// | `overflow` | `"drop_newest"` or `{ block = "1 s" }` | `"drop_newest"` |
/// | `max_text_bytes` | size | 1 MiB |
/// | `batch` | `{ spans = 512, delay = "200 ms" }` | these |
/// | `prices` | file for [`PriceOverrides`](llmtrace::PriceOverrides) | none |
/// | `estimate_tokens` | true or false; needs the feature `tokenizer` | false |
/// | `quiet` | true: failures of exporters are not said on standard error | false |
/// | `redact.secrets`, `redact.pii` | true or false | true, false |
/// | `redact.rules` | list of `{ name = "...", pattern = '...' }` | none |
/// | `redact.allow` | list of regular expressions: what is wholly one of these stays | none |
/// | `sampling.ratio` | share of the traces, 0 to 1 | 1 |
/// | `sampling.keep_errors` | true or false | false |
/// | `sampling.keep_slower_than` | time | none |
/// | `sampling.keep_costlier_than` | US dollars | none |
/// | `sampling.hold_for` | time that a trace which does not end is waited for | 10 min |
/// | `exporter` | `[[exporter]]` tables; `exporter = []` where none is meant | needed |
///
/// Keys of an `[[exporter]]` table, beside its `type`:
///
/// | type | key | value | default |
/// |---|---|---|---|
/// | `stdout` | `format` | `"tree"` or `"json"` | `"tree"` |
/// | | `color` | `"auto"`, `"always"` or `"never"` | `"auto"` |
/// | | `columns` | 60 to 500 | the terminal's |
/// | `jsonl` | `path` | file | needed |
/// | | `mode` | `"append"` or `"create"` | `"append"` |
/// | | `rotate_bytes` | size | never rotated |
/// | | `keep_files` | number | 10 |
/// | | `sync` | `"none"`, `"interval"` or `"each"` | `"none"` |
/// | `otlp` | `endpoint` | URL of the server, or the whole URL ending in `/v1/traces` | needed |
/// | | `protocol` | `"protobuf"` or `"json"` | `"protobuf"` |
/// | | `profile` | `"standard"`, `"phoenix"`, `"mlflow"`, `"langsmith"`, `"opentelemetry"` or `"all"` | `"standard"` |
/// | `langfuse` | `host` | URL | needed |
/// | | `public_key`, `secret_key` | text | needed |
/// | `webhook` | `url` | URL | needed |
/// | | `secret` | text that signs each body | not signed |
/// | the last three | `headers` | table of text | none |
/// | | `gzip` | true or false | false |
/// | | `timeout`, `retry_for` | time | 10 s, 5 min |
/// | | `certificate` | PEM file of authorities to trust beside the system's | none |
/// | | `allow_http` | true: plain `http` to another computer is wanted | false |
/// | | `spool` | `{ dir = "...", max_bytes = "1 GiB" }` | none |
///
/// # The environment
///
/// [`Config::from_env`] reads the file that `LLMTRACE_CONFIG` names. If that is not set, the standard variables of
/// OpenTelemetry ([SDK](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/),
/// [OTLP](https://opentelemetry.io/docs/specs/otel/protocol/exporter/)) and of
/// [Langfuse](https://langfuse.com/docs/observability/sdk/overview) say what to do. If those name no destination,
/// traces are printed as [`Stdout::tree`](crate::Stdout::tree) does.
///
/// | variable | means |
/// |---|---|
/// | `OTEL_SDK_DISABLED` | `true`: nothing is traced; beside a file too |
/// | `LLMTRACE_CONTENT` | `keep` or `omit`; `omit` beside a file too |
/// | `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` | where `LLMTRACE_CONTENT` is not set: `false`, `NO_CONTENT` and `EVENT_ONLY` omit content, `true`, `SPAN_ONLY` and `SPAN_AND_EVENT` keep it |
/// | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | name and resource; the name wins over `service.name` in the resource |
/// | `OTEL_TRACES_EXPORTER` | `otlp`, `console`, `none` (no exporter at all), or a list |
/// | `OTEL_EXPORTER_OTLP_ENDPOINT` | server, to which `/v1/traces` is added; `http://localhost:4318` where OTLP is asked for without it |
/// | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the whole URL |
/// | `OTEL_EXPORTER_OTLP_PROTOCOL`, `_TRACES_PROTOCOL` | `http/protobuf` or `http/json`; gRPC is not spoken |
/// | `OTEL_EXPORTER_OTLP_HEADERS`, `_TRACES_HEADERS` | `name=value,name=value`, values percent-encoded |
/// | `OTEL_EXPORTER_OTLP_TIMEOUT`, `_TRACES_TIMEOUT` | milliseconds; 0 means no limit |
/// | `OTEL_EXPORTER_OTLP_COMPRESSION`, `_TRACES_COMPRESSION` | `gzip` or `none` |
/// | `OTEL_EXPORTER_OTLP_CERTIFICATE`, `_TRACES_CERTIFICATE` | PEM file of authorities to trust beside the system's |
/// | `OTEL_EXPORTER_OTLP_INSECURE`, `_TRACES_INSECURE` | `true`: plain `http` to another computer is wanted |
/// | `LLMTRACE_ALLOW_HTTP` | the same, for Langfuse too |
/// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `always_on`, `always_off`, `traceidratio` with a share from 0 to 1, and their `parentbased_` forms |
/// | `OTEL_BSP_SCHEDULE_DELAY`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE` | milliseconds that a span waits for its batch; spans in a batch. The queue is bounded in bytes, so `OTEL_BSP_MAX_QUEUE_SIZE` says nothing here |
/// | `LANGFUSE_PUBLIC_KEY`, `LANGFUSE_SECRET_KEY` | both set: Langfuse is an exporter, beside the others |
/// | `LANGFUSE_BASE_URL`, else `LANGFUSE_BASEURL`, `LANGFUSE_HOST`, `LANGFUSE_URL` | where it is; `https://cloud.langfuse.com` without them |
/// | `LANGFUSE_TRACING_ENABLED` | `false`: not to Langfuse |
/// | `LANGFUSE_SAMPLE_RATE` | share of the traces, 0 to 1, for every exporter |
/// | `LANGFUSE_TRACING_ENVIRONMENT`, `LANGFUSE_RELEASE` | `deployment.environment.name` and `service.version`, where `OTEL_RESOURCE_ATTRIBUTES` does not say them |
/// | `LANGFUSE_TIMEOUT` | seconds |
///
/// A variable that is empty is as good as none. OpenTelemetry ignores a value that it cannot read, with a warning; here
/// it is an error at start, because a trace that goes nowhere is noticed too late; so is a name that is almost one of these.
pub struct Config {
    settings: Settings,
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or something in it is wrong, or a variable that holds beside it is.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::read_file(path.as_ref(), FileNamedBy::Program, &Environment::of_process())
    }

    /// Reads the file that `LLMTRACE_CONFIG` names, else the standard variables.
    ///
    /// # Errors
    ///
    /// A variable is wrong, or the file is, as in [`Config::from_file`].
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read_env(&Environment::of_process())
    }

    /// The builder that the configuration describes, to which a program can add: an exporter of its own, a
    /// [`Budget`](llmtrace::Budget). Files are opened here.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn builder(self) -> Result<Builder, ConfigError> {
        apply::builder(self.settings)
    }

    /// Starts the exporters and returns the layer, to be put into a `tracing_subscriber` stack beside other layers.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn build<S>(self) -> Result<(LlmLayer<S>, Guard), ConfigError>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        Ok(self.builder()?.build())
    }

    /// Starts the exporters and makes llmtrace the process's `tracing` subscriber. Where tracing is disabled
    /// (`OTEL_SDK_DISABLED`), no subscriber is set.
    ///
    /// # Errors
    ///
    /// A file cannot be written, a global subscriber is set already, or the operating system gives no thread.
    pub fn install(self) -> Result<Guard, ConfigError> {
        if self.settings.is_disabled {
            let (_, guard) = self.build::<tracing_subscriber::Registry>()?;
            return Ok(guard);
        }
        Ok(self.builder()?.install()?)
    }

    fn read_file(path: &Path, named_by: FileNamedBy, environment: &Environment) -> Result<Self, ConfigError> {
        let text = read_text(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            from_variable: named_by == FileNamedBy::Variable,
            source,
        })?;
        let settings = file::read(path, &text, environment);
        let (mut settings, mut problems) = match settings {
            Ok(settings) => (settings, Vec::new()),
            Err(problems) => (Settings::default(), problems),
        };
        if let Err(more) = standard::apply_switches(environment, &mut settings) {
            problems.extend(more);
        }
        if problems.is_empty() { Ok(Self { settings }) } else { Err(ConfigError::Wrong(problems)) }
    }

    fn read_env(environment: &Environment) -> Result<Self, ConfigError> {
        match environment.variable(standard::CONFIG) {
            Ok(Some(path)) => Self::read_file(Path::new(path), FileNamedBy::Variable, environment),
            // That it is not UTF-8 is reported with whatever else is wrong.
            Ok(None) | Err(_) => {
                standard::read(environment).map(|settings| Self { settings }).map_err(ConfigError::Wrong)
            }
        }
    }
}

/// Longest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("it is longer than 1 MiB, so it is no configuration"));
    }
    Ok(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileNamedBy {
    Program,
    Variable,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exporters = self.settings.exporters.iter().map(|placed| placed.exporter.name());
        f.debug_struct("Config")
            .field("service_name", &self.settings.service_name)
            .field("content", &self.settings.content.unwrap_or_default())
            .field("exporters", &exporters.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Sets up tracing as the environment says: the file that `LLMTRACE_CONFIG` names, else the standard variables of
/// OpenTelemetry and Langfuse, else a tree of each trace on standard output. [`Config`] says which there are.
///
/// ```no_run
/// let tracing = llmtrace_exporters::install()?;
/// // ... the program ...
/// tracing.shutdown(std::time::Duration::from_secs(5))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A variable or the file is wrong, a file cannot be written, a global subscriber is set already, or the operating
/// system gives no thread.
pub fn install() -> Result<Guard, ConfigError> {
    Config::from_env()?.install()
}

#[cfg(test)]
mod tests;
