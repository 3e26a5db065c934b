//! The exporter over HTTP: sends, tries again, puts aside, replays.

use std::fmt;
use std::io::Write as _;
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use llmtrace::{ExportContext, ExportError, Exporter, SpanRecord};

use super::ahead::Ahead;
use super::client::{Client, Message};
use super::endpoint::Endpoint;
use super::outcome::Outcome;
use super::retry::Backoff;
use super::service::{Accepted, Service};
use super::settings::Settings;
use super::shelf::Shelf;
use super::spooled::Spooled;
use crate::spool::error::SpoolError;

/// Sends spans with the requests of a [`Service`].
pub(crate) struct HttpExporter<S> {
    pub(crate) service: S,
    pub(crate) settings: Settings,
    pub(super) context: ExportContext,
    client: Option<Client>,
    pub(super) shelf: Option<Box<dyn Shelf>>,
    pub(super) backoff: Backoff,
    /// Until then nothing is sent: what comes goes to the shelf.
    pub(super) closed_until: Option<Instant>,
    /// Whether the shelf may hold something.
    pub(super) has_backlog: bool,
    pub(super) oldest: Partial,
    pub(super) ahead: Ahead,
    body: Vec<u8>,
    /// How long the last body was.
    body_bytes: usize,
}

/// How far the oldest spans on the shelf are, of which only a part could be sent.
#[derive(Debug, Default)]
pub(super) struct Partial {
    pub(super) settled: usize,
    pub(super) lost: u64,
}

/// What became of the spans of a batch: those before `settled` were taken or are lost.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) settled: usize,
    pub(super) lost: u64,
    /// Why spans were lost, or what the server warns of.
    pub(super) cause: Option<String>,
    /// Why it went no further.
    pub(super) stop: Option<Stop>,
}

/// Why a batch is not sent to its end.
#[derive(Debug)]
pub(super) enum Stop {
    Later { why: String, after: Option<Duration> },
    CutShort,
}

/// Waits before a batch is tried again: the first, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Memory for the next request that is kept after a larger one.
const KEEP_BODY_BYTES: usize = 4 << 20;

impl<S: Service> HttpExporter<S> {
    pub(crate) fn new(service: S, settings: Settings) -> Self {
        Self {
            service,
            context: ExportContext::detached(),
            client: None,
            shelf: None,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
            closed_until: None,
            has_backlog: true,
            oldest: Partial::default(),
            ahead: Ahead::default(),
            body: Vec::new(),
            body_bytes: 0,
            settings,
        }
    }

    /// The same exporter with a place in `dir` for what cannot be delivered.
    pub(crate) fn with_spool(mut self, dir: &Path, max_bytes: u64) -> Result<Self, SpoolError> {
        let destination = self.settings.destination(self.service.name());
        self.shelf = Some(Box::new(Spooled::open(&destination, dir, max_bytes)?));
        Ok(self)
    }

    /// The first wait before a batch is tried again, and the longest.
    pub(crate) fn set_waits(&mut self, first: Duration, longest: Duration) {
        self.backoff = Backoff::new(first, longest);
    }

    /// Sends spans, in one request if the server takes them so, else in two halves.
    pub(super) fn send(&mut self, spans: &[SpanRecord], is_split: &mut bool) -> Progress {
        let mut progress = Progress::default();
        let mut size = if *is_split { spans.len().div_ceil(2).max(1) } else { spans.len() };
        while let Some(rest) = spans.get(progress.settled..).filter(|rest| !rest.is_empty()) {
            let part = rest.get(..size).unwrap_or(rest);
            if let Some(stop) = self.send_ahead(part) {
                progress.stop = Some(stop);
                return progress;
            }
            let outcome = self.request(part);
            self.tell_refusal(&outcome);
            match outcome {
                Outcome::Taken { rejected: 0, message } => {
                    progress.settled += part.len();
                    if let Some(message) = message {
                        self.context.troubled(&ExportError::permanent(message), "the server took the spans");
                    }
                }
                Outcome::Taken { rejected, message } => {
                    progress.settled += part.len();
                    progress.lost += rejected.min(part.len() as u64);
                    progress.cause = message.or(progress.cause);
                }
                Outcome::TooLarge { .. } if !*is_split && part.len() > 1 => {
                    *is_split = true;
                    size = part.len().div_ceil(2);
                }
                Outcome::TooLarge { why } | Outcome::Refused { why } => {
                    progress.settled += part.len();
                    progress.lost += part.len() as u64;
                    progress.cause = Some(why);
                }
                Outcome::Later { why, after } => {
                    progress.stop = Some(Stop::Later { why, after });
                    return progress;
                }
                Outcome::CutShort => {
                    progress.stop = Some(Stop::CutShort);
                    return progress;
                }
            }
        }
        self.ahead.forget();
        progress
    }

    /// Says why what went ahead of spans was refused; spans that are refused too have a notice of their own.
    fn tell_refusal(&mut self, outcome: &Outcome) {
        if matches!(outcome, Outcome::Later { .. } | Outcome::CutShort) {
            return;
        }
        let refusal = self.ahead.take_refusal();
        if let (Some(why), Outcome::Taken { .. }) = (refusal, outcome) {
            self.context.troubled(&ExportError::permanent(why), "the score is left out; its span was sent");
        }
    }

    /// Sends spans in one request.
    fn request(&mut self, spans: &[SpanRecord]) -> Outcome {
        self.body.clear();
        self.body.shrink_to(KEEP_BODY_BYTES);
        self.body.reserve(self.body_bytes.min(KEEP_BODY_BYTES));
        self.service.write(spans, &mut self.body);
        self.body_bytes = self.body.len();
        let (body, content_encoding) = self.compressed();
        let signature = self.service.sign(&body);
        let content_type = self.service.content_type();
        let message = Message { content_type, content_encoding, signature, body };
        let endpoint = Arc::clone(&self.settings.endpoint);
        self.post(&endpoint, message, S::read_answer)
    }

    /// Sends one request.
    pub(super) fn post(
        &mut self,
        endpoint: &Endpoint,
        message: Message,
        read: impl FnOnce(&S, &[u8]) -> Accepted,
    ) -> Outcome {
        if self.is_late() {
            return Outcome::CutShort;
        }
        if let Some(problem) = &self.settings.problem {
            return Outcome::Refused { why: problem.clone() };
        }
        let client = match self.client.take().map_or_else(|| Client::new(&self.settings), Ok) {
            Ok(client) => client,
            Err(why) => return Outcome::Later { why, after: None },
        };
        let reply = client.post(endpoint.url(), &self.settings.headers, message, &self.context);
        self.client = Some(client);
        Outcome::of(reply, endpoint, &self.settings, |body| read(&self.service, body))
    }

    /// The body as it is sent, and its encoding.
    fn compressed(&mut self) -> (Vec<u8>, Option<&'static str>) {
        if self.settings.is_compressed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            let written = encoder.write_all(&self.body);
            if let Ok(body) = written.and_then(|()| encoder.finish()) {
                return (body, Some("gzip"));
            }
        }
        (mem::take(&mut self.body), None)
    }

    /// Whether the deadline of a shutdown has passed.
    pub(super) fn is_late(&self) -> bool {
        self.context.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Sends a batch, and tries again until it is taken, refused, or given up.
    fn send_patiently(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        let began = Instant::now();
        let (mut from, mut lost, mut cause, mut is_split) = (0, 0, None, false);
        self.backoff.reset();
        loop {
            let rest = batch.get(from..).unwrap_or_default();
            let progress = self.send(rest, &mut is_split);
            from += progress.settled;
            lost += progress.lost;
            cause = progress.cause.or(cause);
            let left = (batch.len() - from) as u64;
            match progress.stop {
                None => return finished(lost, cause),
                Some(Stop::CutShort) => return Err(self.cut_short(lost + left, cause)),
                Some(Stop::Later { why, after }) => {
                    let wait = self.backoff.next(after, fastrand::f64());
                    if began.elapsed() + wait > self.settings.retry_for {
                        return Err(ExportError::retryable(why).with_lost(lost + left));
                    }
                    self.context.troubled(&ExportError::retryable(why.clone()), "it is tried again");
                    self.context.sleep(wait);
                    cause = Some(why);
                }
            }
        }
    }

    fn cut_short(&self, lost: u64, cause: Option<String>) -> ExportError {
        let cause = cause.map(|cause| format!("; before: {cause}")).unwrap_or_default();
        let endpoint = &self.settings.endpoint;
        ExportError::cut_short(format!("the shutdown left no time for {endpoint}{cause}")).with_lost(lost)
    }
}

/// The result of a batch of which `lost` spans were refused.
pub(super) fn finished(lost: u64, cause: Option<String>) -> Result<(), ExportError> {
    match lost {
        0 => Ok(()),
        lost => {
            let cause = cause.unwrap_or_else(|| "the server refused spans and did not say why".to_owned());
            Err(ExportError::permanent(cause).with_lost(lost))
        }
    }
}

impl<S: Service> Exporter for HttpExporter<S> {
    fn name(&self) -> &str {
        self.service.name()
    }

    fn start(&mut self, context: ExportContext) {
        self.context = context;
        if let Some(problem) = self.settings.problem.clone() {
            self.context.troubled(&ExportError::permanent(problem), "nothing can be sent");
        }
    }

    fn export(&mut self, batch: &[SpanRecord]) -> Result<(), ExportError> {
        match self.shelf.take() {
            None => self.send_patiently(batch),
            Some(mut shelf) => {
                let result = self.send_or_put(&mut *shelf, batch);
                self.shelf = Some(shelf);
                result
            }
        }
    }

    fn idle(&mut self) -> Option<Duration> {
        let mut shelf = self.shelf.take()?;
        let again = self.replay_when_due(&mut *shelf);
        self.shelf = Some(shelf);
        Some(again)
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let synced = self.shelf.as_mut().map_or(Ok(()), |shelf| shelf.sync());
        synced.map_err(|error| ExportError::retryable(format!("the spool: {error}")).with_source(error))
    }
}

impl<S: Service> fmt::Debug for HttpExporter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpExporter")
            .field("name", &self.service.name())
            .field("settings", &self.settings)
            .field("spool", &self.shelf)
            .finish_non_exhaustive()
    }
}
