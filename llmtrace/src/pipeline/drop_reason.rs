//! Why spans are not exported.

/// Why a span was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full.
    QueueFull,
    /// It ended after the shutdown.
    Shutdown,
    /// The time given to the shutdown was up before it could be exported.
    ShutdownTimeout,
    /// The exporter returned an error.
    ExportFailed,
    /// The exporter panicked.
    ExporterPanicked,
    /// Its trace was not sampled.
    SampledOut,
}

/// How many reasons there are.
pub(super) const REASONS: usize = DropReason::ALL.len();

impl DropReason {
    /// All reasons.
    pub const ALL: &'static [Self] = &[
        Self::QueueFull,
        Self::Shutdown,
        Self::ShutdownTimeout,
        Self::ExportFailed,
        Self::ExporterPanicked,
        Self::SampledOut,
    ];

    /// A name in `snake_case`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Shutdown => "shutdown",
            Self::ShutdownTimeout => "shutdown_timeout",
            Self::ExportFailed => "export_failed",
            Self::ExporterPanicked => "exporter_panicked",
            Self::SampledOut => "sampled_out",
        }
    }
}
