//! Putting it together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tracing::Subscriber;
use tracing_subscriber::layer::Layer as _;
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::enrich::Enricher;
use crate::export::Notices;
use crate::id::IdSource;
use crate::layer::{CallsiteFilter, Capture, Head, LlmLayer, LlmSubscriber, Marks, Open, SpanCapture, Table};
use crate::pipeline::{Limits, Overflow, Pipeline, Tail};
use crate::price::{PriceChain, PriceSource};
use crate::settings::Settings;
use crate::{
    Budget, ContentPolicy, Exporter, Guard, InstallError, Redactor, Resource, Sampler, Value, semconv,
};

/// Starts to set up tracing.
///
/// ```
/// use std::time::Duration;
/// use llmtrace::{ContentPolicy, Overflow};
///
/// let (layer, guard) = llmtrace::builder()
///     .service_name("support-bot")
///     .environment("staging")
///     .content(ContentPolicy::Omit)
///     .queue_bytes(64 * 1024 * 1024)
///     .overflow(Overflow::Block(Duration::from_secs(1)))
///     .build();
/// # use tracing_subscriber::prelude::*;
/// let subscriber = tracing_subscriber::registry().with(layer);
/// # drop((subscriber, guard));
/// ```
pub fn builder() -> Builder {
    Builder::new()
}

/// Sets up tracing; made by [`builder`].
#[must_use = "nothing is traced before `install` or `build`"]
pub struct Builder {
    resource: Resource,
    exporters: Vec<Box<dyn Exporter>>,
    content: ContentPolicy,
    redactor: Redactor,
    capture: Capture,
    prices: Option<PriceChain>,
    budgets: Vec<Budget>,
    sampler: Sampler,
    max_text_bytes: usize,
    limits: Limits,
    clock: Clock,
    ids: IdSource,
    #[cfg(feature = "tokenizer")]
    estimates_tokens: bool,
}

impl Builder {
    fn new() -> Self {
        let limits = Limits {
            queue_bytes: 32 * 1024 * 1024,
            overflow: Overflow::default(),
            batch_spans: 512,
            batch_delay: Duration::from_millis(200),
            notices: Notices::default(),
        };
        Self {
            resource: Resource::default(),
            exporters: Vec::new(),
            content: ContentPolicy::default(),
            redactor: Redactor::default(),
            capture: Capture::default(),
            prices: None,
            budgets: Vec::new(),
            sampler: Sampler::default(),
            max_text_bytes: 1024 * 1024,
            limits,
            clock: Clock::system(),
            ids: IdSource::Random,
            #[cfg(feature = "tokenizer")]
            estimates_tokens: false,
        }
    }

    /// The name of the service that the spans come from.
    pub fn service_name(self, name: impl Into<String>) -> Self {
        self.resource(semconv::SERVICE_NAME, name.into())
    }

    /// Something else that is known of the process, such as `service.version`.
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.resource.attributes.set(key.into(), value);
        self
    }

    /// `production`, `staging`, ...
    pub fn environment(self, name: impl Into<String>) -> Self {
        self.resource(semconv::DEPLOYMENT_ENVIRONMENT_NAME, name.into())
    }

    /// Adds an exporter. Each one gets every span, on a thread of its own.
    pub fn exporter(mut self, exporter: impl Exporter) -> Self {
        self.exporters.push(Box::new(exporter));
        self
    }

    /// Whether prompts, completions, arguments and results are kept. Default: they are.
    pub fn content(mut self, policy: ContentPolicy) -> Self {
        self.content = policy;
        self
    }

    /// What is masked in every text before any exporter sees it. Default: known secrets ([`Redactor::secrets`]).
    pub fn redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Prices that are asked before the bundled table, such as [`PriceOverrides`](crate::PriceOverrides). Of
    /// several, the one added first is asked first.
    pub fn prices(mut self, prices: impl PriceSource) -> Self {
        self.prices = Some(match self.prices {
            Some(first) => first.then(prices),
            None => PriceChain::new(prices),
        });
        self
    }

    /// Which spans are recorded. Default: [`Capture::Llm`].
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = capture;
        self
    }

    /// Memory for spans on their way to the exporters, in bytes; at least 64 KiB. Default: 32 MiB. Half of it is
    /// for batches that wait for the exporters, an equal share for each, three eighths are for spans that wait for the
    /// worker, and an eighth is for emptied buffers that wait for the next spans. Where a rule of the [`Sampler`] asks for
    /// whole traces, half of the exporters' half is for the spans that wait for the end of their trace.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.limits.queue_bytes = bytes.max(64 * 1024);
        self
    }

    /// What happens to a span that ends while the queue is full. Default: [`Overflow::DropNewest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.limits.overflow = overflow;
        self
    }

    /// Longest text that is kept, in bytes; longer ones are cut and the span says so (`llmtrace.truncated`).
    /// Media is never cut: what is longer is left out, with its size in its place (`llmtrace_omitted_bytes`).
    /// Default: 1 MiB. Bodies of requests and responses may be 16 times as long, because token counts stand at
    /// their end.
    pub fn max_text_bytes(mut self, bytes: usize) -> Self {
        self.max_text_bytes = bytes;
        self
    }

    /// Most spans in a batch (at least 1), and the longest time that a span waits for its batch.
    /// Default: 512 spans, 200 ms.
    pub fn batch(mut self, spans: usize, delay: Duration) -> Self {
        self.limits.batch_spans = spans.max(1);
        self.limits.batch_delay = delay.max(Duration::from_millis(1));
        self
    }

    /// Never says on standard error that an exporter fails. Without this the first failure of an exporter is said at
    /// once, and then at most one a minute; [`Guard::stats`](crate::Guard::stats) knows them either way.
    pub fn quiet(mut self) -> Self {
        self.limits.notices = Notices::Off;
        self
    }

    /// Counts the tokens that a provider does not state, from the texts of the call: see
    /// [`tokens`](crate::tokens) for how, and how well. The span says so (`llmtrace.usage.source` is `estimated`, and
    /// `llmtrace.usage.estimated` names the counts); estimated counts have no cost and are not in
    /// [`Guard::usage`](crate::Guard::usage), but a [`Budget`](crate::Budget) in tokens counts them. Stated counts always stand.
    ///
    /// Nothing is counted of calls whose content is left out. Done on llmtrace's own thread.
    #[cfg(feature = "tokenizer")]
    pub fn estimate_tokens(mut self) -> Self {
        self.estimates_tokens = true;
        self
    }

    /// Which traces are exported. Default: [`Sampler::always`].
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Feeds a budget.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn deterministic(mut self, clock: Clock, ids: IdSource) -> Self {
        self.clock = clock;
        self.ids = ids;
        self
    }

    /// Starts the exporters and returns the layer, to be put into a `tracing_subscriber` stack beside other layers.
    ///
    /// If the operating system gives no thread, spans are counted as dropped and
    /// [`Guard::start_error`] says why.
    pub fn build<S>(self) -> (LlmLayer<S>, Guard)
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let (capture, guard) = self.start(Marks::InTable(Table::new()));
        (capture.with_filter(CallsiteFilter), guard)
    }

    /// Starts the exporters and makes llmtrace the process's `tracing` subscriber: for programs that have no
    /// other. It is the quickest way to trace; see [`build`](Self::build) for composing.
    ///
    /// # Errors
    ///
    /// If a global subscriber is set already, or the operating system gives no thread.
    pub fn install(self) -> Result<Guard, InstallError> {
        let (capture, mut guard) = self.start(Marks::InNumbers);
        if let Some(error) = guard.take_start_error() {
            return Err(error);
        }
        tracing::subscriber::set_global_default(LlmSubscriber::new(capture))
            .map_err(|_| InstallError::AlreadySet)?;
        Ok(guard)
    }

    fn start(self, marks: Marks) -> (SpanCapture, Guard) {
        let settings = Settings {
            content: self.content,
            max_text_bytes: self.max_text_bytes,
            clock: self.clock.clone(),
            #[cfg(feature = "tokenizer")]
            estimates_tokens: self.estimates_tokens,
        };
        let prices = with_bundled(self.prices);
        let enricher = Enricher::new(self.resource, prices, settings.clone(), self.redactor);
        let head = Head::new(self.sampler, self.sampler.has_rules() || !self.budgets.is_empty(), marks);
        let tail = Tail::new(self.sampler, self.clock, self.limits.queue_bytes);
        let (pipeline, started) = Pipeline::start(self.exporters, enricher, tail, self.budgets, self.limits);
        let open = Arc::new(Open::new(settings, self.capture, self.ids, head, Arc::clone(&pipeline)));
        let guard = Guard::new(pipeline, Arc::clone(&open), started.err().map(InstallError::Thread));
        (SpanCapture(open), guard)
    }
}

/// The user's prices, then the bundled ones.
#[cfg(feature = "prices")]
fn with_bundled(prices: Option<PriceChain>) -> PriceChain {
    match prices {
        Some(first) => first.then(crate::BundledPrices::new()),
        None => PriceChain::new(crate::BundledPrices::new()),
    }
}

/// The user's prices.
#[cfg(not(feature = "prices"))]
fn with_bundled(prices: Option<PriceChain>) -> PriceChain {
    prices.unwrap_or_else(|| PriceChain::new(crate::PriceOverrides::new()))
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exporters: Vec<_> = self.exporters.iter().map(Exporter::name).collect();
        f.debug_struct("Builder")
            .field("resource", &self.resource)
            .field("exporters", &exporters)
            .field("content", &self.content)
            .field("redactor", &self.redactor)
            .field("capture", &self.capture)
            .field("sampler", &self.sampler)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
