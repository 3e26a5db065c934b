//! How far reading has come, on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, where that is a terminal and there is much to read.
#[derive(Debug)]
pub(crate) struct Progress(Option<ProgressBar>);

/// Bytes that are read without a bar: they take no time.
const QUICK_BYTES: u64 = 32 << 20;

/// Times a second that the bar moves.
const REFRESH_HZ: u8 = 10;

impl Progress {
    /// A bar for `bytes` to be read.
    pub(crate) fn new(bytes: u64) -> Self {
        if bytes <= QUICK_BYTES {
            return Self(None);
        }
        let target = ProgressDrawTarget::stderr_with_hz(REFRESH_HZ);
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        let template = "reading {bar:30} {bytes} of {total_bytes}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸·"));
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self(Some(bar))
    }

    /// So many bytes were read.
    pub(crate) fn set(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(bytes);
        }
    }
}

/// The bar goes away, so that the result stands alone.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
