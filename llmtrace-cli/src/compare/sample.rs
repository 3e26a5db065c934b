//! Values of calls, and how far their mean and their quantiles may be trusted.

use super::interval::{Estimate, Z};
use crate::findings::Bins;

/// Values of calls that belong to traces.
///
/// Calls of one trace are alike, so a trace says less than as many calls of their own would: variances are those of sums
/// over traces (Liang and Zeger, "Longitudinal data analysis using generalized linear models", 1986).
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    values: Sums,
    logs: Sums,
    bins: Bins,
}

/// Sums over calls, and over traces.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    calls: f64,
    traces: f64,
    sum: f64,
    squares: f64,
    /// Over traces: of the squared sums, of sums by counts, of the squared counts.
    sum_sum: f64,
    sum_count: f64,
    count_count: f64,
}

impl Sample {
    /// Adds the values of one trace.
    pub(super) fn add(&mut self, trace: &[u64], scale: f64) {
        self.values.add(trace.iter().map(|value| *value as f64 * scale));
        self.logs.add(trace.iter().map(|value| (*value).max(1) as f64).map(f64::ln));
        for value in trace {
            self.bins.add(*value);
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.bins.total()
    }

    /// The sum of the values.
    pub(super) fn sum(&self) -> Option<f64> {
        (self.calls() > 0).then_some(self.values.sum)
    }

    /// The logarithm of the mean, and how far it may be off (delta method: the standard error by the mean).
    pub(super) fn log_mean(&self) -> Option<Estimate> {
        let (mean, error) = self.values.mean_and_error()?;
        (mean > 0.0).then(|| Estimate::around(mean.ln(), Z * error / mean))
    }

    pub(super) fn mean(&self) -> Option<f64> {
        self.values.mean()
    }

    /// A quantile.
    pub(super) fn quantile(&self, part: f64) -> Option<f64> {
        self.bins.quantile(part)
    }

    /// The logarithm of a quantile, and how far it may be off: between the order statistics at `n p ± z sqrt(n p (1 - p))`
    /// (David and Nagaraja, "Order Statistics", 2003, section 7.1), of as many calls as these are worth.
    pub(super) fn log_quantile(&self, part: f64) -> Option<Estimate> {
        let worth = self.logs.worth()?;
        let stray = Z * (part * (1.0 - part) / worth).sqrt();
        let log = |part: f64| self.bins.quantile(part.clamp(0.0, 1.0)).map(|value| value.max(1.0).ln());
        // Beyond the last value nothing is known.
        if part + stray >= 1.0 || part - stray <= 0.0 {
            return None;
        }
        Some(Estimate { value: log(part)?, low: log(part - stray)?, high: log(part + stray)? })
    }
}

impl Sums {
    /// Adds the values of one trace.
    pub(super) fn add(&mut self, trace: impl Iterator<Item = f64>) {
        let (mut count, mut sum) = (0.0, 0.0);
        for value in trace {
            count += 1.0;
            sum += value;
            self.squares += value * value;
        }
        if count > 0.0 {
            self.calls += count;
            self.traces += 1.0;
            self.sum += sum;
            self.sum_sum += sum * sum;
            self.sum_count += sum * count;
            self.count_count += count * count;
        }
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (self.calls > 0.0).then(|| self.sum / self.calls)
    }

    /// The mean and its standard error, by traces.
    pub(super) fn mean_and_error(&self) -> Option<(f64, f64)> {
        let mean = self.mean()?;
        let strays = self.sum_sum - 2.0 * mean * self.sum_count + mean * mean * self.count_count;
        let few = self.traces / (self.traces - 1.0);
        (self.traces > 1.0).then(|| (mean, (few * strays.max(0.0)).sqrt() / self.calls))
    }

    /// How many calls of their own say as much: calls by the design effect (Kish, "Survey Sampling", 1965), which is the
    /// variance of the mean by traces over that of calls of their own.
    pub(super) fn worth(&self) -> Option<f64> {
        let (mean, error) = self.mean_and_error()?;
        let alone = (self.squares / self.calls - mean * mean).max(0.0) / self.calls;
        Some(if alone > 0.0 { self.calls / (error * error / alone).max(1.0) } else { self.calls })
    }

    pub(super) fn calls(&self) -> f64 {
        self.calls
    }
}
