//! How long calls took, in little space.

use std::time::Duration;

use super::varint;
use crate::log_bins::{bin, middle};

/// How many durations lie in which bin.
///
/// A bin spans at most 1/32 of its values, as in an `HdrHistogram` (<https://hdrhistogram.github.io/HdrHistogram/>)
/// with five bits below the first; its middle stands for all of them, which is off by 1.6 % at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Histogram {
    /// In order, none of them empty.
    bins: Vec<(u16, u64)>,
}

/// Percentiles of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percentiles {
    pub(crate) count: u64,
    pub(crate) p50: Duration,
    pub(crate) p95: Duration,
    pub(crate) p99: Duration,
}

/// Bits of a value that tell its bin.
const BITS: u32 = 6;

impl Histogram {
    /// Counts a duration.
    pub(super) fn add(&mut self, nanos: u64) {
        self.merge_bins(std::iter::once((bin::<BITS>(nanos), 1)));
    }

    /// Counts what another counted.
    pub(crate) fn merge(&mut self, more: &Self) {
        self.merge_bins(more.bins.iter().copied());
    }

    /// Counts what lies in bins that are in order.
    fn merge_bins(&mut self, more: impl ExactSizeIterator<Item = (u16, u64)>) {
        let mut all = Vec::with_capacity(self.bins.len() + more.len());
        let mut own = self.bins.iter().copied().peekable();
        for (bin, count) in more {
            while let Some(before) = own.next_if(|(own, _)| *own < bin) {
                all.push(before);
            }
            let known = own.next_if(|(own, _)| *own == bin).map_or(0, |(_, count)| count);
            all.push((bin, known + count));
        }
        all.extend(own);
        self.bins = all;
    }

    /// Takes back what another counted.
    pub(super) fn subtract(&mut self, less: &Self) {
        for (bin, count) in &less.bins {
            if let Ok(place) = self.bins.binary_search_by_key(bin, |(bin, _)| *bin)
                && let Some((_, own)) = self.bins.get_mut(place)
            {
                *own = own.saturating_sub(*count);
            }
        }
        self.bins.retain(|(_, count)| *count > 0);
    }

    /// The percentiles, by nearest rank; `None` where nothing was counted.
    pub(crate) fn percentiles(&self) -> Option<Percentiles> {
        let count: u64 = self.bins.iter().map(|(_, count)| count).sum();
        let (last, _) = *self.bins.last()?;
        let at = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            let mut before = 0;
            let found = self.bins.iter().find(|(_, count)| {
                before += *count;
                rank <= before
            });
            Duration::from_nanos(middle::<BITS>(found.map_or(last, |(bin, _)| *bin)))
        };
        Some(Percentiles { count, p50: at(50), p95: at(95), p99: at(99) })
    }

    /// Appends the bins: how many there are, then of each the distance to the one before it and its count.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        varint::put(self.bins.len() as u64, out);
        let mut before = 0;
        for (bin, count) in &self.bins {
            varint::put(u64::from(bin - before), out);
            varint::put(*count, out);
            before = *bin;
        }
    }

    /// Adds bins as [`write`](Self::write) wrote them; `None`, and nothing is added, if they are none.
    pub(super) fn merge_written(&mut self, bytes: &mut &[u8]) -> Option<()> {
        let (mut bin, mut more) = (0_u16, Vec::new());
        for place in 0..varint::take(bytes)? {
            let distance = u16::try_from(varint::take(bytes)?).ok()?;
            if place > 0 && distance == 0 {
                return None;
            }
            bin = bin.checked_add(distance)?;
            more.push((bin, varint::take(bytes)?));
        }
        self.merge_bins(more.into_iter());
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentiles(), None);
        for value in 1..=20 {
            histogram.add(value);
        }
        let found = histogram.percentiles().unwrap();
        assert_eq!([found.p50, found.p95, found.p99].map(|at| at.as_nanos()), [10, 19, 20]);
        assert_eq!(found.count, 20);
    }

    #[test]
    fn what_is_written_reads_back_and_what_is_added_can_be_taken_back() {
        let (mut one, mut other) = (Histogram::default(), Histogram::default());
        for value in [0, 5, 5, 1_000, u64::MAX, 1_240_000_000] {
            one.add(value);
            other.add(value / 3);
        }
        let mut written = Vec::new();
        one.write(&mut written);
        let (mut both, mut rest) = (other.clone(), written.as_slice());
        assert_eq!((both.merge_written(&mut rest), rest.len()), (Some(()), 0));
        let mut expected = other.clone();
        expected.merge(&one);
        assert_eq!(both, expected);
        both.subtract(&one);
        assert_eq!(both, other);
        written.pop();
        assert_eq!(both.merge_written(&mut written.as_slice()), None);
    }
}
