//! LLM tracing for Rust: annotate the functions that call a model, and see each call with its messages, tokens, cost
//! and time, in the tree of the work around it.
//!
//! ```
//! use llmtrace::llm_trace;
//!
//! #[llm_trace(provider = "openai", model = "gpt-4o-mini")]
//! async fn ask(question: &str) -> Result<serde_json::Value, std::io::Error> {
//!     // the HTTP call, untouched: what it returns is read
//! #   Ok(serde_json::json!({ "question": question }))
//! }
//!
//! #[llm_trace(kind = "agent", session = session_id)]
//! async fn answer(session_id: &str, question: &str) -> Result<String, std::io::Error> {
//!     Ok(ask(question).await?.to_string())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracing = llmtrace::builder().service_name("support-bot").install()?; // and `.exporter(...)`
//! // ... the program ...
//! tracing.shutdown(std::time::Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! |---|---|
//! | trace a function | [`#[llm_trace]`](macro@llm_trace) |
//! | trace a block, a stream | [`generation!`], [`tool!`], [`agent!`], ... and [`traced_stream`] |
//! | say more of a span | [`SpanExt`] on any `tracing::Span` |
//! | set up | [`builder`]: [`install`](Builder::install) alone, or [`build`](Builder::build) beside other layers |
//! | ship spans | crate `llmtrace-exporters`, or implement [`Exporter`] |
//! | teach it your client's types | [`LlmResponse`] and [`LlmChunk`] |
//! | price your own models | [`PriceOverrides`], [`PriceSource`] |
//! | keep secrets and personal data out | [`Redactor`]; secrets are masked unless told otherwise |
//! | stop in time | [`Budget`] |
//! | keep a share of the traces, and those that matter | [`Sampler`] |
//! | go on in another process | [`propagate`] |
//! | read a provider's JSON yourself | [`provider`] |
//! | test what is traced | the `testing` module (feature `testing`) |
//!
//! Spans of other crates that carry `gen_ai.*` fields, as rig-core and genai emit them, are read without a change of
//! theirs.
//!
//! # What it promises
//!
//! The traced program does not notice: nothing here panics, does I/O or needs a runtime on the caller's thread. What is
//! lost is counted, by reason ([`Guard::stats`]). Memory is bounded in bytes. A count that a provider did not state is
//! absent, never 0, and a model without a known price has no cost.
//!
//! # Features
//!
//! `prices` (default): the bundled price table. `http` (default): [`propagate`] for `http::HeaderMap`.
//! `testing`: in-memory exporter, fixed time and ids. `tokenizer`: counts tokens that no provider stated, where the
//! builder asks for it. `reqwest-middleware`: every LLM call of a `reqwest_middleware` client. `aws-sdk-bedrockruntime`:
//! what that crate returns can be recorded (that crate decides which Rust it needs).

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
mod attribute;
mod attributes;
mod bounded;
mod budget;
mod builder;
mod clock;
mod content;
mod cost;
mod enrich;
mod error;
mod export;
mod guard;
mod id;
mod identity;
#[cfg(any(feature = "aws-sdk-bedrockruntime", feature = "reqwest-middleware"))]
pub mod integrations;
mod keys;
mod kind;
mod layer;
mod log;
mod macros;
mod message;
mod observe;
mod pipeline;
mod price;
pub mod propagate;
pub mod provider;
mod prune;
mod record;
mod recorder;
mod redact;
mod sampler;
pub mod semconv;
mod settings;
mod span;
mod stream;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tokenizer")]
pub mod tokens;
mod traced;
mod usage;
mod value;
#[cfg(feature = "reqwest-middleware")]
mod wire;

pub use attribute::AttributeValue;
pub use attributes::Attributes;
pub use budget::{Budget, Remaining};
pub use builder::{Builder, builder};
pub use clock::{ParseTimestampError, Timestamp};
pub use content::ContentPolicy;
pub use cost::{Cost, CostSource, CostValue, ParseUsdError, PriceMatch, Unpriced, Usd};
pub use error::{FlushError, InstallError};
pub use export::{ExportContext, ExportError, Exporter, ShutdownBegan};
pub use guard::Guard;
pub use id::{ParseIdError, SpanId, TraceId};
pub use kind::{ObservationKind, ParseKindError};
pub use layer::{CallsiteFilter, Capture, LlmLayer, SpanCapture};
/// ```
/// use llmtrace::{Usage, llm_trace};
///
/// # struct Reply { text: String, tokens: (u64, u64) }
/// #[llm_trace(
///     provider = "openai", model = model, session = session, skip(api_key),
///     output = |ret| ret.as_ref().ok().map(|reply| &reply.text),
///     usage = |ret| ret.as_ref().ok().map(|reply| Usage::new(reply.tokens.0, reply.tokens.1)),
/// )]
/// async fn ask(api_key: &str, model: &str, session: Option<&str>, question: &str) -> Result<Reply, std::io::Error> {
///     // The call, untouched.
/// #   let _ = (api_key, model, session, question);
///     Ok(Reply { text: "Because.".to_owned(), tokens: (12, 2) })
/// }
/// ```
pub use llmtrace_macros::llm_trace;
pub use message::{Message, Part, Role};
pub use observe::{LlmChunk, LlmResponse};
pub use pipeline::{DropReason, ExporterStats, FlushReport, ModelUsage, Overflow, Stats, UsageTotals};
#[cfg(feature = "prices")]
pub use price::BundledPrices;
pub use price::{
    OverrideError, ParseScheduleError, PriceChain, PriceOverride, PriceOverrides, PriceQuery, PriceSource,
    Rates, Schedule,
};
pub use record::{Event, Link, Resource, Score, SpanRecord, Status};
pub use recorder::Recorder;
pub use redact::{Redactor, RuleError};
pub use sampler::Sampler;
pub use span::SpanExt;
pub use stream::{TracedStream, traced_stream, traced_stream_with};
pub use usage::{Usage, UsageSource, UsageStatus};
pub use value::Value;
