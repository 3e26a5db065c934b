//! Figures far from those of spans that are alike.

use super::baseline::Baseline;
use super::finding::{Evidence, Expected, Finding, Severity};
use super::rule::Rule;
use super::summary::Metric;
use super::trace::{Node, Trace};
use crate::unit::Unit;

/// Spans that must be alike before one of them can stand out.
const MIN_SAMPLE: u64 = 30;

/// The modified z-score beyond which a figure stands out. Iglewicz and Hoaglin label scores beyond 3.5; a day of normal
/// traffic holds thousands of figures, so more is asked here: normal ones go beyond 6 once in a thousand million.
const MIN_SCORE: f64 = 6.0;

/// How often the median a figure must be.
const MIN_TIMES: f64 = 3.0;

/// The median absolute deviation of a normal distribution with deviation 1.
const NORMAL_DEVIATION: f64 = 0.6745;

/// Logarithms that stray less than this are taken to stray so far: by 5 %.
const MIN_DEVIATION: f64 = 0.05;

/// Where more figures than this part are far away, they are another kind of call and no outliers.
const MAX_PART: f64 = 0.05;

/// Far figures that are outliers however few there are in all.
const FEW: u64 = 3;

/// A figure that stands out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlier {
    value: u64,
    median: f64,
    /// 95 of 100 figures are not above.
    usual: (f64, f64),
    score: f64,
    sample: u64,
}

/// Whether a figure of a span stands out, by its modified z-score over logarithms:
/// `0.6745 * (ln x - median(ln x)) / MAD(ln x)` (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993).
pub(super) fn find(node: &Node<'_>, metric: Metric, baseline: &Baseline) -> Option<Outlier> {
    let value = metric.of(&node.figures)?;
    let bins = baseline.bins(&node.key, metric)?;
    if bins.total() < MIN_SAMPLE {
        return None;
    }
    let (median, size) = (bins.quantile(0.5)?, value as f64);
    if size < median * MIN_TIMES || size - median < metric.least_extra() {
        return None;
    }
    let spread = bins.spread()?;
    let deviation = spread.deviation.max(MIN_DEVIATION);
    let score = NORMAL_DEVIATION * (size.ln() - spread.median) / deviation;
    let fence = (spread.median + MIN_SCORE * deviation / NORMAL_DEVIATION).exp().max(median * MIN_TIMES);
    let far = bins.above(fence);
    let is_few = far <= FEW || far as f64 <= bins.total() as f64 * MAX_PART;
    (score >= MIN_SCORE && is_few).then(|| Outlier {
        value,
        median,
        usual: (bins.quantile(0.05).unwrap_or(median), bins.quantile(0.95).unwrap_or(median).min(fence)),
        score,
        sample: bins.total(),
    })
}

/// The spans of a trace that stand out by a figure.
pub(super) fn judge(rule: &dyn Rule, trace: &Trace<'_>, metric: Metric, baseline: &Baseline) -> Vec<Finding> {
    let found = trace.spans().filter_map(|node| {
        let outlier = find(node, metric, baseline)?;
        Some(outlier.finding(rule, node, metric))
    });
    found.collect()
}

impl Outlier {
    pub(super) fn finding(&self, rule: &dyn Rule, node: &Node<'_>, metric: Metric) -> Finding {
        let (unit, scale) = metric.unit();
        let shown = |value: f64| unit.shown(value * scale);
        let times = self.value as f64 / self.median.max(1.0);
        let times = if times < 10.0 { format!("{times:.1}") } else { format!("{times:.0}") };
        let what = metric.name();
        let sentence = format!(
            "{what} {} where the median of {} such spans is {} and 95 % are at most {}; modified z-score {:.1}, from {MIN_SCORE:.0} on it stands out",
            shown(self.value as f64),
            Unit::Count.shown(self.sample as f64),
            shown(self.median),
            shown(self.usual.1),
            self.score,
        );
        let evidence = Evidence {
            value: self.value as f64 * scale,
            unit,
            expected: Some(Expected { low: self.usual.0 * scale, high: self.usual.1 * scale }),
            sample: self.sample,
            is_guess: false,
            sentence,
        };
        let title = format!("{what} {times} times the usual");
        Finding::of_span(rule, (self.severity(metric), title), node.span, metric.name(), evidence)
    }

    fn severity(&self, metric: Metric) -> Severity {
        let extra = self.value as f64 - self.median;
        match metric {
            Metric::Cost if extra >= 10e12 => Severity::Critical,
            Metric::Cost if extra >= 1e12 => Severity::Warning,
            Metric::Latency | Metric::FirstChunk if extra >= 60e9 => Severity::Warning,
            Metric::Cost if extra < 1e11 => Severity::Info,
            _ if self.value as f64 >= self.median * 20.0 => Severity::Warning,
            _ => Severity::Info,
        }
    }
}

impl Metric {
    /// How much more than the median matters at all: a cent, a second, a thousand tokens.
    fn least_extra(self) -> f64 {
        match self {
            Self::Cost => 1e10,
            Self::Latency | Self::FirstChunk => 1e9,
            Self::InputTokens | Self::OutputTokens => 1e3,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Latency => "duration",
            Self::FirstChunk => "time to first chunk",
            Self::InputTokens => "input tokens",
            Self::OutputTokens => "output tokens",
        }
    }
}
