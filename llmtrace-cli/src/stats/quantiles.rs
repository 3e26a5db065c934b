//! Percentiles of many values in little memory.

use std::collections::BTreeMap;

use crate::log_bins::{bin, middle};

/// Values of which percentiles are asked: each as it is, or, once told so, in bins.
///
/// A bin spans at most 1/128 of its values, as in an `HdrHistogram` (<https://hdrhistogram.github.io/HdrHistogram/>)
/// with seven bits below the first; its middle stands for all of them, which is off by 0.4 % at most.
#[derive(Clone, Debug)]
pub(super) enum Quantiles {
    /// Each value.
    Exact(Vec<u64>),
    /// How many values lie in each bin, and how many there are.
    Binned {
        /// Counts by the number of the bin.
        bins: BTreeMap<u16, u64>,
        /// All values.
        count: u64,
    },
}

/// Bits of a value that tell its bin.
const BITS: u32 = 8;

impl Default for Quantiles {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Quantiles {
    pub(super) fn add(&mut self, value: u64) {
        match self {
            Self::Exact(values) => values.push(value),
            Self::Binned { bins, count } => {
                *bins.entry(bin::<BITS>(value)).or_default() += 1;
                *count += 1;
            }
        }
    }

    /// How many values there are.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Exact(values) => values.len() as u64,
            Self::Binned { count, .. } => *count,
        }
    }

    /// How many values are kept one by one.
    pub(super) fn exact(&self) -> usize {
        if let Self::Exact(values) = self { values.len() } else { 0 }
    }

    /// Keeps only how many values lie in each bin.
    pub(super) fn put_in_bins(&mut self) {
        if let Self::Exact(values) = self {
            let values = std::mem::take(values);
            *self = Self::Binned { bins: BTreeMap::new(), count: 0 };
            for value in values {
                self.add(value);
            }
        }
    }

    /// The value that so many percent of the values are not above (nearest rank), for each of `percents`; `None`
    /// where there are no values.
    pub(super) fn at<const N: usize>(&mut self, percents: [u64; N]) -> Option<[u64; N]> {
        let count = self.count();
        let ranks = percents.map(|percent| (count * percent).div_ceil(100).max(1) - 1);
        match self {
            Self::Exact(values) => {
                values.sort_unstable();
                let last = *values.last()?;
                let at = |rank| usize::try_from(rank).ok().and_then(|rank: usize| values.get(rank)).copied();
                Some(ranks.map(|rank| at(rank).unwrap_or(last)))
            }
            Self::Binned { bins, .. } => {
                let last = *bins.last_key_value()?.0;
                let at = |rank| {
                    let mut before = 0;
                    bins.iter().find_map(|(number, count)| {
                        before += count;
                        (rank < before).then_some(*number)
                    })
                };
                Some(ranks.map(|rank| middle::<BITS>(at(rank).unwrap_or(last))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let check = |values: &[u64], expected: Option<[u64; 3]>| {
            let mut quantiles = Quantiles::default();
            for value in values {
                quantiles.add(*value);
            }
            assert_eq!(quantiles.at([50, 95, 99]), expected, "{values:?}");
            quantiles.put_in_bins();
            assert_eq!(quantiles.count(), values.len() as u64);
            assert_eq!(quantiles.at([50, 95, 99]), expected, "{values:?} in bins");
        };
        check(&[], None);
        check(&[7], Some([7, 7, 7]));
        check(&[4, 1, 3, 2], Some([2, 4, 4]));
        check(&[15, 20, 35, 40, 50], Some([35, 50, 50]));
        check(&(1..=100).rev().collect::<Vec<_>>(), Some([50, 95, 99]));
        check(&(1..=200).collect::<Vec<_>>(), Some([100, 190, 198]));
    }

    #[test]
    fn bins_are_off_by_little() {
        let mut value = 1_u64;
        while value < u64::MAX / 32 {
            for near in [value - 1, value, value + value / 3] {
                let found = middle::<BITS>(bin::<BITS>(near));
                assert!(found.abs_diff(near) <= near / 256, "{near}: {found}");
            }
            value = value * 17 / 13 + 1;
        }
        assert!(middle::<BITS>(bin::<BITS>(u64::MAX)) > u64::MAX / 256 * 255);
        let numbers: Vec<_> = (0..100_000).map(bin::<BITS>).collect();
        assert!(numbers.is_sorted());
    }
}
