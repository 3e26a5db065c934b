//! How the values of a figure are spread, in little memory.

use crate::log_bins::{bin, middle};

/// Counts of values in bins, each at most 1/64 as wide as its values, so that a middle is off by 0.8 % at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bins {
    /// The number of a bin and how many values lie in it, by number.
    counts: Vec<(u16, u64)>,
    total: u64,
}

/// The middle of values and how far they stray from it, both of their natural logarithms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) median: f64,
    /// The median absolute deviation from it.
    pub(crate) deviation: f64,
}

/// Bits of a value that tell its bin.
const BITS: u32 = 7;

impl Bins {
    pub(crate) fn add(&mut self, value: u64) {
        self.add_many(bin::<BITS>(value), 1);
    }

    fn add_many(&mut self, number: u16, count: u64) {
        self.total = self.total.saturating_add(count);
        match self.counts.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(place) => {
                if let Some((_, known)) = self.counts.get_mut(place) {
                    *known = known.saturating_add(count);
                }
            }
            Err(place) => self.counts.insert(place, (number, count)),
        }
    }

    /// How many values there are.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// How many values lie above `limit`, by the middles of their bins.
    pub(crate) fn above(&self, limit: f64) -> u64 {
        let above = self.counts.iter().rev().take_while(|(number, _)| middle::<BITS>(*number) as f64 > limit);
        above.map(|(_, count)| count).sum()
    }

    /// The value that this part of the values is not above (nearest rank).
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        self.at(part).map(|number| middle::<BITS>(number) as f64)
    }

    /// The median and the median absolute deviation of the values' logarithms.
    pub(crate) fn spread(&self) -> Option<Spread> {
        let log = |number: u16| (middle::<BITS>(number).max(1) as f64).ln();
        let median = log(self.at(0.5)?);
        let mut strays: Vec<(f64, u64)> =
            self.counts.iter().map(|(number, count)| ((log(*number) - median).abs(), *count)).collect();
        strays.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut seen = 0_u64;
        let deviation = strays.into_iter().find_map(|(stray, count)| {
            seen = seen.saturating_add(count);
            (seen >= self.total.div_ceil(2)).then_some(stray)
        })?;
        Some(Spread { median, deviation })
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
    fn at(&self, part: f64) -> Option<u16> {
        let rank = ((self.total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0_u64;
        let found = self.counts.iter().find_map(|(number, count)| {
            seen = seen.saturating_add(*count);
            (seen >= rank).then_some(*number)
        });
        found.or_else(|| self.counts.last().map(|(number, _)| *number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_bins() {
        let mut bins = Bins::default();
        assert_eq!((bins.quantile(0.5), bins.spread()), (None, None));
        for value in 1..=100 {
            bins.add(value);
        }
        let mut twice = bins.clone();
        (1..=100).for_each(|value| twice.add(value));
        for (bins, times) in [(&bins, 1), (&twice, 2)] {
            assert_eq!(bins.total(), 100 * times);
            assert_eq!(bins.quantile(0.5), Some(50.0));
            assert_eq!(bins.quantile(0.05), Some(5.0));
            assert_eq!(bins.above(90.0), 10 * times);
            let spread = bins.spread().unwrap();
            assert!((spread.median - 50_f64.ln()).abs() < 1e-9);
            // Half of the logarithms lie between those of 30 and 80.
            assert!((0.45..0.55).contains(&spread.deviation), "{spread:?}");
        }
    }
}
