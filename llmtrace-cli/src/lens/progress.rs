//! How far a sweep has come, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, where that is a terminal.
#[derive(Debug)]
pub(crate) struct Steps(ProgressBar);

/// Times a second that the bar moves.
const REFRESH_HZ: u8 = 10;

impl Steps {
    /// A bar that appears with the first step.
    pub(crate) fn new(doing: &'static str) -> Self {
        Self::drawn(doing, "{msg} {bar:30} {pos} of {len}, {eta} left")
    }

    /// The same for steps that are bytes.
    #[cfg(feature = "hub")]
    pub(super) fn of_bytes(doing: &'static str) -> Self {
        Self::drawn(doing, "{msg} {bar:30} {binary_bytes} of {binary_total_bytes}, {eta} left")
    }

    fn drawn(doing: &'static str, template: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(REFRESH_HZ));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸·"));
        }
        bar.set_message(doing);
        bar.enable_steady_tick(Duration::from_millis(500));
        Self(bar)
    }

    /// What is being done now.
    pub(super) fn say(&self, doing: &str) {
        self.0.set_message(doing.to_owned());
    }

    /// So many of all are done.
    pub(crate) fn set(&self, done: usize, total: usize) {
        self.set_to(done as u64, total as u64);
    }

    /// So many bytes of all are done.
    #[cfg(feature = "hub")]
    pub(crate) fn set_bytes(&self, done: u64, total: u64) {
        self.set_to(done, total);
    }

    fn set_to(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

/// The bar goes away, so that the result stands alone.
impl Drop for Steps {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
