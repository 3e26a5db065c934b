//! The exporter that posts OTLP requests.

use llmtrace::SpanRecord;

use super::answer::PartialSuccess;
use super::encode::write_otlp;
use super::profile::Profile;
use super::protocol::Protocol;
use crate::http::endpoint::{Endpoint, EndpointError};
use crate::http::exporter::HttpExporter;
use crate::http::options::delivers_over_http;
use crate::http::service::{Accepted, Service};
use crate::http::settings::Settings;

/// Sends spans over OTLP/HTTP (<https://opentelemetry.io/docs/specs/otlp/>).
///
/// - A batch is tried again when the server answers 429, 502, 503 or 504, or not at all, with growing waits or as its
///   `Retry-After` says (at most a minute), for five minutes in all ([`retry_for`](Otlp::retry_for)). Every other failure is final: its
///   spans are counted as dropped. A batch that is too large (413) is sent in halves, once.
/// - With a [`spool`](Otlp::spool), what cannot be delivered waits on disk instead, through restarts.
/// - Spans that the server refuses out of a batch it takes are counted as dropped.
/// - Redirects are not followed, answers are not decompressed, and 64 KiB of them are read.
/// - A shutdown ends a request that is being sent.
/// - Proxies are taken from the environment: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in lower case too; not for
///   servers on this computer. What is sent to an `http` address is visible to such a proxy.
///
/// ```
/// use std::time::Duration;
/// use llmtrace_exporters::{Otlp, Profile, Protocol};
///
/// # let folder = tempfile::tempdir()?;
/// # let dir = folder.path().join("spool");
/// let otlp = Otlp::new("http://localhost:4318")?
///     .protocol(Protocol::Protobuf)
///     .header("x-project", "support")
///     .gzip()
///     .timeout(Duration::from_secs(5))
///     .profile(Profile::Phoenix)
///     .spool(&dir, 1 << 30)?;
/// let tracing = llmtrace::builder().exporter(otlp);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Otlp(HttpExporter<Requests>);

/// Where traces go on a server, as the OTLP specification has it.
const PATH: &str = "/v1/traces";

impl Otlp {
    /// Sends to a server: `https`, or `http` on this computer. `/v1/traces` is added to the URL's path unless it ends so.
    ///
    /// # Errors
    ///
    /// The text is no URL, or plain `http` to another computer; for that see [`Endpoint::insecure`] and
    /// [`to`](Otlp::to).
    pub fn new(endpoint: &str) -> Result<Self, EndpointError> {
        Endpoint::parse(endpoint).map(Self::to)
    }

    /// Sends to a server; `/v1/traces` is added to the URL's path unless it ends so.
    pub fn to(endpoint: Endpoint) -> Self {
        Self::exactly_to(endpoint.with_path(PATH))
    }

    /// Sends to the URL as it is, as `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is meant.
    pub fn exactly_to(endpoint: Endpoint) -> Self {
        let requests = Requests { protocol: Protocol::default(), profile: Profile::default() };
        Self(HttpExporter::new(requests, Settings::new(endpoint)))
    }

    /// In which encoding requests are written. Default: [`Protocol::Protobuf`].
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.0.service.protocol = protocol;
        self
    }

    /// In which names spans are sent. Default: [`Profile::Standard`].
    pub fn profile(mut self, profile: Profile) -> Self {
        self.0.service.profile = profile;
        self
    }
}

delivers_over_http!(Otlp);

/// OTLP requests.
struct Requests {
    protocol: Protocol,
    profile: Profile,
}

impl Service for Requests {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn content_type(&self) -> &'static str {
        self.protocol.content_type()
    }

    fn write(&mut self, spans: &[SpanRecord], body: &mut Vec<u8>) {
        write_otlp(spans, self.protocol, self.profile, body);
    }

    fn read_answer(&self, body: &[u8]) -> Accepted {
        let answer = PartialSuccess::read(body);
        Accepted { rejected: answer.rejected, message: answer.message }
    }
}
