//! The `tracing_subscriber` layer.

mod capture;
#[cfg(feature = "reqwest-middleware")]
mod claim;
mod draft;
mod head;
mod open;
mod plan;
mod store;
mod subscriber;
mod unrecorded;
mod visitor;

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter};

pub use capture::SpanCapture;
#[cfg(feature = "reqwest-middleware")]
pub(crate) use claim::Outgoing;
pub(crate) use draft::{Draft, Role};
pub(crate) use head::Head;
pub(crate) use open::Open;
pub(crate) use store::Relation;
pub(crate) use subscriber::LlmSubscriber;
pub(crate) use unrecorded::{Marks, Table};

/// The layer that [`Builder::build`](crate::Builder::build) returns: put it into any `tracing_subscriber` stack,
/// in any order.
///
/// It brings its own per-layer filter, so that it neither hides callsites from other layers nor makes the rest of
/// the program pay: it asks for spans whose fields say that they are about an LLM (at any level), for other
/// spans and for events at `INFO` and above, and for nothing else. A *global* filter in the same stack, such as
/// an `EnvFilter` added as a layer of its own, still decides first: with `RUST_LOG=warn` no span at `INFO`
/// exists. Give that filter to the layer it is meant for (`fmt::layer().with_filter(env_filter)`), or let it pass
/// `llmtrace=info` and your own crates.
pub type LlmLayer<S = Registry> = Filtered<SpanCapture, CallsiteFilter, S>;

/// Which spans and events are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capture {
    /// Spans about an LLM, the spans around them, and the events inside them.
    #[default]
    Llm,
    /// Every span and event at `INFO` and above, and spans about an LLM at any level.
    All,
}

/// The callsites that [`LlmLayer`] asks for.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct CallsiteFilter;

/// Whether spans or events of a callsite may matter.
fn is_wanted(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || plan::is_llm(metadata)
}

impl<S> Filter<S> for CallsiteFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_wanted(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Not `always`: what a filter decided for one callsite lingers in the thread until the next decision
        // (tokio-rs/tracing#2519), so it is made anew each time.
        if is_wanted(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        None
    }
}

impl fmt::Debug for CallsiteFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallsiteFilter")
    }
}
