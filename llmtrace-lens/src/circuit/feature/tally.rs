//! What is counted of a feature while a text goes by.

use std::collections::BTreeMap;

use super::histogram::Histogram;

/// Counts of the features of a model, by layer and number.
pub(super) type Tallies = BTreeMap<(usize, usize), Tally>;

/// What is counted of one feature.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) active: u64,
    pub(super) sum: f64,
    /// Of sizes, as activations may be below 0.
    pub(super) size: f64,
    pub(super) largest: Option<f32>,
    pub(super) histogram: Histogram,
    /// The best places, the best first: one a window.
    pub(super) best: Vec<Place>,
}

/// A place in a text where a feature is active.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) activation: f32,
    /// The number of its window, from 0.
    pub(super) window: u64,
    /// Which of the window's positions.
    pub(super) position: usize,
}

impl Tally {
    /// Counts an activation; the `most` best places are kept.
    pub(super) fn add(&mut self, place: Place, most: usize) {
        self.active += 1;
        self.sum += f64::from(place.activation);
        self.size += f64::from(place.activation.abs());
        self.largest = Some(self.largest.map_or(place.activation, |largest| largest.max(place.activation)));
        self.histogram.add(place.activation);
        // Of a window one place counts, and of equal places the first.
        if let Some(same) = self.best.iter().position(|best| best.window == place.window) {
            if self.best.get(same).is_some_and(|best| best.activation >= place.activation) {
                return;
            }
            self.best.remove(same);
        }
        let at = self.best.partition_point(|best| best.activation >= place.activation);
        if at < most {
            self.best.insert(at, place);
            self.best.truncate(most);
        }
    }
}
