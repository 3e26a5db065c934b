//! How strongly a feature is active, when it is.

use serde::Serialize;

/// The number of bins.
const BINS: usize = 16;

/// The narrowest bins.
const NARROWEST: f32 = 1.0 / (1 << 24) as f32;

/// Sizes of activations, counted in 16 bins of one width, a power of two: the largest is in the upper half of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Histogram {
    /// How wide a bin is; the first begins at 0.
    pub width: f32,
    /// How many activations each bin has.
    pub counts: [u64; BINS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { width: NARROWEST, counts: [0; BINS] }
    }
}

impl Histogram {
    /// Counts an activation; one that is no number does not count.
    pub(super) fn add(&mut self, activation: f32) {
        let size = activation.abs();
        if !size.is_finite() {
            return;
        }
        while size >= self.width * BINS as f32 {
            self.widen();
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the number of bins"
        )]
        let bin = (size / self.width) as usize;
        if let Some(count) = self.counts.get_mut(bin) {
            *count += 1;
        }
    }

    /// Bins of twice the width: the order in which activations come does not matter, as widths are powers of two.
    fn widen(&mut self) {
        let mut counts = [0; BINS];
        for (count, pair) in counts.iter_mut().zip(self.counts.chunks(2)) {
            *count = pair.iter().sum();
        }
        *self = Self { width: self.width * 2.0, counts };
    }
}
