//! LLM tracing for Rust.

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
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
mod record;
mod recorder;
pub mod semconv;
mod span;
mod stream;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod traced;
mod usage;
mod value;

pub use budget::{Budget, Remaining};
pub use builder::{Builder, builder};
pub use clock::{ParseTimestampError, Timestamp};
pub use content::ContentPolicy;
pub use cost::{Cost, CostSource, ParseUsdError, PriceMatch, Unpriced, Usd};
pub use error::{FlushError, InstallError};
pub use export::{ExportError, Exporter};
pub use guard::Guard;
pub use id::{ParseIdError, SpanId, TraceId};
pub use kind::{ObservationKind, ParseKindError};
pub use layer::{CallsiteFilter, Capture, LlmLayer, SpanCapture};
pub use llmtrace_macros::llm_trace;
pub use message::{Message, Part, Role};
pub use observe::{LlmChunk, LlmResponse};
pub use pipeline::{DropReason, ExporterStats, FlushReport, ModelUsage, Overflow, Stats, UsageTotals};
#[cfg(feature = "prices")]
pub use price::BundledPrices;
pub use price::{OverrideError, PriceChain, PriceOverride, PriceOverrides, PriceQuery, PriceSource, Rates};
pub use record::{Event, Link, Resource, Score, SpanRecord, Status};
pub use recorder::{AttributeValue, Recorder};
pub use span::{CostValue, SpanExt};
pub use stream::{TracedStream, traced_stream, traced_stream_with};
pub use usage::{Usage, UsageSource, UsageStatus};
pub use value::{Attributes, Value};
