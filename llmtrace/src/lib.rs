//! LLM tracing for Rust.

mod clock;
mod content;
mod cost;
mod export;
mod id;
mod keys;
mod kind;
mod log;
mod macros;
mod message;
mod observe;
#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;
mod record;
mod recorder;
pub mod semconv;
mod span;
mod stream;
mod traced;
mod usage;
mod value;

pub use clock::{ParseTimestampError, Timestamp};
pub use content::ContentPolicy;
pub use cost::{Cost, CostSource, ParseUsdError, PriceMatch, Unpriced, Usd};
pub use export::{ExportError, Exporter};
pub use id::{ParseIdError, SpanId, TraceId};
pub use kind::{ObservationKind, ParseKindError};
pub use llmtrace_macros::llm_trace;
pub use message::{Message, Part, Role};
pub use observe::{LlmChunk, LlmResponse};
pub use record::{Event, Link, Resource, Score, SpanRecord, Status};
pub use recorder::{AttributeValue, Recorder};
pub use stream::{TracedStream, traced_stream, traced_stream_with};
pub use usage::{Usage, UsageSource, UsageStatus};
pub use value::{Attributes, Value};
