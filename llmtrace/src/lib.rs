//! LLM tracing for Rust.

mod clock;
mod cost;
mod export;
mod id;
mod kind;
mod message;
mod price;
mod record;
pub mod semconv;
mod usage;
mod value;

pub use clock::{ParseTimestampError, Timestamp};
pub use cost::{Cost, CostSource, ParseUsdError, PriceMatch, Unpriced, Usd};
pub use export::{ExportError, Exporter};
pub use id::{ParseIdError, SpanId, TraceId};
pub use kind::{ObservationKind, ParseKindError};
pub use message::{Message, Part, Role};
#[cfg(feature = "prices")]
pub use price::BundledPrices;
pub use price::{OverrideError, PriceChain, PriceOverride, PriceOverrides, PriceQuery, PriceSource, Rates};
pub use record::{Event, Link, Resource, Score, SpanRecord, Status};
pub use usage::{Usage, UsageSource, UsageStatus};
pub use value::{Attributes, Value};
