//! The exporter that posts OTLP requests.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use llmtrace::{ExportContext, ExportError, Exporter, SpanRecord};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::answer::PartialSuccess;
use super::encode::write_otlp;
use super::profile::Profile;
use super::protocol::Protocol;
use crate::http::endpoint::{Endpoint, EndpointError};
use crate::http::exporter::HttpExporter;
use crate::http::service::{Accepted, Service};
use crate::http::settings::Settings;
use crate::spool::error::SpoolError;

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

/// The text holds no certificate that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no certificate: {reason}; expected PEM, which begins with -----BEGIN CERTIFICATE-----")]
pub struct CertificateError {
    reason: String,
}

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

    /// Sends a header with every request, such as a key. Values are never shown. A name or a value that no header may
    /// have is said when the exporter starts, and nothing is sent then.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.0.settings.set_header(name.as_ref(), value.as_ref());
        self
    }

    /// Compresses requests.
    pub fn gzip(mut self) -> Self {
        self.0.settings.is_compressed = true;
        self
    }

    /// The longest time that one request may take, from connecting to the end of the answer. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.settings.timeout = timeout;
        self
    }

    /// How long a batch is tried again before it is dropped, where there is no [`spool`](Otlp::spool). Default: 5 minutes.
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.0.settings.retry_for = time;
        self
    }

    /// How long to wait before a batch is tried again: at first, and at most. Waits double, and chance takes up to half of
    /// each. Default: 1 s, 30 s.
    pub fn retry_waits(mut self, first: Duration, longest: Duration) -> Self {
        self.0.set_waits(first, longest);
        self
    }

    /// Trusts certificates beside those of the system, given as PEM.
    ///
    /// # Errors
    ///
    /// The text holds no certificate.
    pub fn root_certificates(mut self, pem: &[u8]) -> Result<Self, CertificateError> {
        let failed = |reason: String| CertificateError { reason };
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
            .map(|root| root.map(|root| root.as_ref().to_vec()).map_err(|error| failed(error.to_string())))
            .collect();
        let roots = roots?;
        if roots.is_empty() {
            return Err(failed("the text has none".to_owned()));
        }
        self.0.settings.roots = roots.into();
        Ok(self)
    }

    /// Keeps what cannot be delivered in a directory, at most `max_bytes` of it, and delivers it, oldest first, as soon as
    /// the server takes it; so does the next process that names the directory. What does not fit is counted as
    /// dropped. A span comes twice, under the same ids, where the process was killed between delivery and note.
    ///
    /// Exporters may share the directory: each destination (exporter, address and user name) has a folder of its own in
    /// it, of `max_bytes`. Spans wait for the destination that they were meant for: to deliver them to a new
    /// address, move the old folder's files into the new one while nothing runs.
    ///
    /// # Errors
    ///
    /// The directory cannot be made or written to, is a link or no directory, or is on a file system without locks.
    pub fn spool(self, dir: impl AsRef<Path>, max_bytes: u64) -> Result<Self, SpoolError> {
        Ok(Self(self.0.with_spool(dir.as_ref(), max_bytes)?))
    }
}

impl Exporter for Otlp {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn start(&mut self, context: ExportContext) {
        self.0.start(context);
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        self.0.export(batch)
    }

    fn idle(&mut self) -> Option<Duration> {
        self.0.idle()
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        self.0.flush()
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

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
