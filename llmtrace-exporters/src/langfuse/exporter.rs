//! The exporter for Langfuse.

use std::sync::Arc;

use llmtrace::SpanRecord;
use reqwest::header::AUTHORIZATION;

use super::score;
use crate::http::endpoint::{Endpoint, EndpointError, basic};
use crate::http::exporter::HttpExporter;
use crate::http::options::delivers_over_http;
use crate::http::service::{Accepted, Companion, Service};
use crate::http::settings::Settings;
use crate::{PartialSuccess, Profile, Protocol, write_otlp};

/// Sends spans to Langfuse (<https://langfuse.com/integrations/native/opentelemetry>), and their scores.
///
/// - Spans go to `/api/public/otel/v1/traces` in [`Profile::Standard`]: kinds, models, tokens in the buckets that Langfuse
///   prices, costs, sessions, users, tags, and on generations the prompt that `gen_ai.prompt.name` and
///   `gen_ai.prompt.version` name, where the version is a number.
/// - Each score of a span goes to `/api/public/scores`, before the span, under an id that is made of the trace, the span
///   and the score's name: sent again, it replaces itself, and of several scores of one name the last one counts. While
///   a score cannot be sent, its span is tried again, or waits in the [`spool`](Langfuse::spool), with it. A score that
///   Langfuse refuses is told as the exporter's last error and counted by [`refused_scores`](Langfuse::refused_scores);
///   its span is sent, and still holds it as an event.
/// - Langfuse knows environments of `a-z 0-9 - _`, 40 characters at most, that do not begin with `langfuse`. Others are
///   brought into that form instead of becoming `default`; the resource of the trace shows them as they were stated.
/// - Sessions and users of 200 characters and more, which Langfuse leaves out, are cut and end with a checksum; the span's
///   attributes hold them whole.
///
/// Retries, the spool and proxies work as they do for [`Otlp`](crate::Otlp).
///
/// ```
/// use llmtrace_exporters::Langfuse;
///
/// # let folder = tempfile::tempdir()?;
/// # let dir = folder.path().join("spool");
/// let langfuse = Langfuse::new("https://cloud.langfuse.com", "pk-lf-...", "sk-lf-...")?.gzip().spool(&dir, 1 << 30)?;
/// assert!(!format!("{langfuse:?}").contains("sk-lf"), "keys are never shown");
/// let tracing = llmtrace::builder().exporter(langfuse);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Langfuse(HttpExporter<Requests>);

/// Where spans and scores go on a host.
const SPANS: &str = "/api/public/otel/v1/traces";
const SCORES: &str = "/api/public/scores";

/// What other programs want at the end of the host's URL, and people copy from there.
const OWN_PATHS: [&str; 4] = ["/v1/traces", "/otel", "/public", "/api"];

/// The newest way in which the server takes spans in: written at once, not gathered for minutes.
const INGESTION_VERSION: &str = "4";

const SWAPPED_KEYS: &str =
    "the keys are swapped: a public key of Langfuse begins with pk-lf-, and a secret key with sk-lf-";

impl Langfuse {
    /// Sends to a host, such as `https://cloud.langfuse.com` (EU), `https://us.cloud.langfuse.com` or one of your own,
    /// with the keys of a project. That they are swapped is said when the exporter starts, and nothing is sent then.
    ///
    /// # Errors
    ///
    /// The host is no URL, or plain `http` to another computer; for that see [`Endpoint::insecure`] and
    /// [`to`](Langfuse::to).
    pub fn new(host: &str, public_key: &str, secret_key: &str) -> Result<Self, EndpointError> {
        Endpoint::parse(host).map(|host| Self::to(host, public_key, secret_key))
    }

    /// Sends to a host with the keys of a project. What the host's URL has of Langfuse's own paths is left out.
    pub fn to(host: Endpoint, public_key: &str, secret_key: &str) -> Self {
        let host = OWN_PATHS.into_iter().fold(host, Endpoint::without_path_end);
        let scores = Arc::new(host.clone().with_path(SCORES));
        let mut settings = Settings::new(host.with_path(SPANS));
        settings.set_fixed_header("x-langfuse-ingestion-version", INGESTION_VERSION);
        settings.set_fixed_header("x-langfuse-sdk-name", "llmtrace");
        settings.set_fixed_header("x-langfuse-sdk-version", env!("CARGO_PKG_VERSION"));
        let (public_key, secret_key) = (public_key.trim(), secret_key.trim());
        settings.set_header("x-langfuse-public-key", public_key);
        if public_key.starts_with("sk-lf-") || secret_key.starts_with("pk-lf-") {
            settings.problem = Some(SWAPPED_KEYS.to_owned());
        }
        settings.headers.insert(AUTHORIZATION, basic(public_key.as_bytes(), secret_key.as_bytes()));
        settings.secrets.push(secret_key.to_owned());
        Self(HttpExporter::new(Requests { scores }, settings))
    }

    #[cfg(test)]
    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// How many scores Langfuse refused for good so far.
    pub fn refused_scores(&self) -> u64 {
        self.0.refused_companions()
    }
}

delivers_over_http!(Langfuse);

/// Langfuse's requests.
struct Requests {
    scores: Arc<Endpoint>,
}

impl Service for Requests {
    fn name(&self) -> &'static str {
        "langfuse"
    }

    fn content_type(&self) -> &'static str {
        Protocol::Protobuf.content_type()
    }

    fn write(&mut self, spans: &[SpanRecord], body: &mut Vec<u8>) {
        write_otlp(spans, Protocol::Protobuf, Profile::Standard, body);
    }

    fn companions(&self, spans: &[SpanRecord]) -> Vec<Companion> {
        score::requests(spans, &self.scores)
    }

    /// The server answers with an OTLP body, or with the job that it made of the request.
    fn read_answer(&self, body: &[u8]) -> Accepted {
        let answer = PartialSuccess::read(body);
        Accepted { rejected: answer.rejected, message: answer.message }
    }
}
