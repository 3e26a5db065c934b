//! Two sets of spans in figures.

use std::collections::HashMap;

use llmtrace::SpanRecord;
use serde::Serialize;

use super::interval::Estimate;
use super::sample::{Sample, Sums};
use crate::findings::{Metric, SpanSummary, counted_calls};
use crate::unit::Unit;

/// Two sets of spans in figures: two times, two tags, two files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct GroupComparison {
    pub(crate) a: GroupSide,
    pub(crate) b: GroupSide,
    /// The figures of both.
    pub(crate) measures: Vec<Measure>,
    /// Which models were called, the most called first.
    pub(crate) models: Vec<ModelShare>,
}

/// One of two sets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct GroupSide {
    /// What it is, in the asker's words.
    pub(crate) label: String,
    pub(crate) spans: u64,
    pub(crate) traces: u64,
    /// Calls of models; a call inside a call counts once.
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    /// Calls without a cost.
    pub(crate) unpriced: u64,
}

/// One figure of both sets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Measure {
    /// What it is, such as `cost per call`.
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) a: Option<f64>,
    pub(crate) b: Option<f64>,
    /// How many calls the figures rest on.
    pub(crate) a_sample: u64,
    pub(crate) b_sample: u64,
    /// How they differ, where both sides have enough calls to say so.
    pub(crate) change: Option<Interval>,
    /// Whether the change is a factor; else it is a difference.
    pub(crate) is_factor: bool,
    pub(crate) verdict: Verdict,
}

/// A change, and the range in which it lies: a factor, or of shares a difference. The ranges of all measures hold together
/// with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// What may be said of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// The second is larger.
    Higher,
    /// The second is smaller.
    Lower,
    /// The difference may be chance.
    Unclear,
    /// Too few calls on a side, or a sum that says nothing of a call.
    Unjudged,
}

/// How often a model was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ModelShare {
    pub(crate) model: Option<String>,
    pub(crate) a_calls: u64,
    pub(crate) b_calls: u64,
}

/// A set of spans as it is added up, trace by trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    side: GroupSide,
    failed: Sums,
    cached: Sums,
    /// In the order of [`Metric`].
    figures: [Sample; Metric::ALL.len()],
    models: HashMap<Option<String>, u64>,
}

/// Calls that each side must have before a change is judged.
const MIN_CALLS: u64 = 20;

/// Models that are told apart.
const MAX_MODELS: usize = 10_000;

impl Group {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self { side: GroupSide { label: label.into(), ..GroupSide::default() }, ..Self::default() }
    }

    /// Adds the spans of one trace.
    pub(crate) fn add(&mut self, trace: &[SpanRecord]) {
        let calls: Vec<SpanSummary> = counted_calls(trace).into_iter().map(SpanSummary::of).collect();
        let errors = calls.iter().filter(|call| call.is_failed()).count() as u64;
        self.side.spans += trace.len() as u64;
        self.side.traces += 1;
        self.side.calls += calls.len() as u64;
        self.side.errors += errors;
        self.failed.add(calls.iter().map(|call| f64::from(u8::from(call.is_failed()))));
        self.cached.add(calls.iter().filter_map(SpanSummary::cached));
        for (sample, metric) in self.figures.iter_mut().zip(Metric::ALL) {
            let values: Vec<u64> = calls.iter().filter_map(|call| call.figure(metric)).collect();
            if metric == Metric::Cost {
                self.side.unpriced += calls.len() as u64 - errors - values.len().min(calls.len()) as u64;
            }
            sample.add(&values, metric.unit().1);
        }
        for call in &calls {
            let model = call.model().map(str::to_owned);
            if self.models.len() < MAX_MODELS || self.models.contains_key(&model) {
                *self.models.entry(model).or_default() += 1;
            }
        }
    }

    /// Whether nothing was added.
    pub(crate) fn is_empty(&self) -> bool {
        self.side.spans == 0
    }

    fn figure(&self, metric: Metric) -> &Sample {
        let [cost, latency, first_chunk, input, output] = &self.figures;
        match metric {
            Metric::Cost => cost,
            Metric::Latency => latency,
            Metric::FirstChunk => first_chunk,
            Metric::InputTokens => input,
            Metric::OutputTokens => output,
        }
    }
}

/// Puts two sets side by side, each given trace by trace.
pub(crate) fn groups(a: &Group, b: &Group) -> GroupComparison {
    let total = |name, metric: Metric| {
        let (of_a, of_b) = (a.figure(metric), b.figure(metric));
        Measure::sum(name, metric.unit().0, (of_a.sum(), of_b.sum()), (of_a.calls(), of_b.calls()))
    };
    let calls = (a.side.calls, b.side.calls);
    let mean = |name, metric| Measure::mean(name, metric, a, b);
    let quantile = |name, metric, part| Measure::quantile(name, (metric, part), a, b);
    let measures = vec![
        Measure::sum("calls", Unit::Count, (Some(calls.0 as f64), Some(calls.1 as f64)), calls),
        Measure::share("failed", &a.failed, &b.failed),
        total("cost", Metric::Cost),
        mean("cost per call", Metric::Cost),
        mean("input per call", Metric::InputTokens),
        mean("output per call", Metric::OutputTokens),
        Measure::share("input cached", &a.cached, &b.cached),
        quantile("latency p50", Metric::Latency, 0.5),
        quantile("latency p95", Metric::Latency, 0.95),
        quantile("first chunk p50", Metric::FirstChunk, 0.5),
        quantile("first chunk p95", Metric::FirstChunk, 0.95),
    ];
    let measures =
        measures.into_iter().filter(|measure| measure.a.is_some() || measure.b.is_some()).collect();
    GroupComparison { a: a.side.clone(), b: b.side.clone(), measures, models: models(a, b) }
}

fn models(a: &Group, b: &Group) -> Vec<ModelShare> {
    let mut models: HashMap<&Option<String>, (u64, u64)> = HashMap::new();
    for (model, calls) in &a.models {
        models.entry(model).or_default().0 = *calls;
    }
    for (model, calls) in &b.models {
        models.entry(model).or_default().1 = *calls;
    }
    let mut models: Vec<_> = models
        .into_iter()
        .map(|(model, (a_calls, b_calls))| ModelShare { model: model.clone(), a_calls, b_calls })
        .collect();
    models.sort_by(|a, b| {
        let by_calls = (b.a_calls + b.b_calls).cmp(&(a.a_calls + a.b_calls));
        by_calls.then_with(|| a.model.cmp(&b.model))
    });
    models
}

impl Measure {
    fn sum(name: &'static str, unit: Unit, (a, b): (Option<f64>, Option<f64>), samples: (u64, u64)) -> Self {
        let (a_sample, b_sample) = samples;
        Self {
            name,
            unit,
            a,
            b,
            a_sample,
            b_sample,
            change: None,
            is_factor: true,
            verdict: Verdict::Unjudged,
        }
    }

    fn judged(self, change: Option<Interval>, is_factor: bool) -> Self {
        let enough = self.a_sample >= MIN_CALLS && self.b_sample >= MIN_CALLS;
        let change = change.filter(|_| enough);
        let none = if is_factor { 1.0 } else { 0.0 };
        let verdict = change.map_or(Verdict::Unjudged, |change| change.verdict(none));
        Self { change, is_factor, verdict, ..self }
    }

    fn mean(name: &'static str, metric: Metric, a: &Group, b: &Group) -> Self {
        let (a, b) = (a.figure(metric), b.figure(metric));
        let factor = b.log_mean().zip(a.log_mean()).map(|(b, a)| b.less(a).factor());
        let of = Self::sum(name, metric.unit().0, (a.mean(), b.mean()), (a.calls(), b.calls()));
        of.judged(factor, true)
    }

    fn quantile(name: &'static str, (metric, part): (Metric, f64), a: &Group, b: &Group) -> Self {
        let (unit, scale) = metric.unit();
        let (a, b) = (a.figure(metric), b.figure(metric));
        let at = |sample: &Sample| sample.quantile(part).map(|value| value * scale);
        let factor = b.log_quantile(part).zip(a.log_quantile(part)).map(|(b, a)| b.less(a).factor());
        Self::sum(name, unit, (at(a), at(b)), (a.calls(), b.calls())).judged(factor, true)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of calls")]
    fn share(name: &'static str, a: &Sums, b: &Sums) -> Self {
        let part = |sums: &Sums| Some(Estimate::part(sums.mean()?, sums.worth()?));
        let difference = part(b).zip(part(a)).map(|(b, a)| b.less(a));
        let samples = (a.calls() as u64, b.calls() as u64);
        Self::sum(name, Unit::Share, (a.mean(), b.mean()), samples).judged(difference, false)
    }

    /// The change as people read it: `+12 %`, `-3.0 points`, `2.4x`.
    pub(crate) fn change_shown(&self) -> Option<String> {
        let change = match (&self.change, self.a, self.b) {
            (Some(change), ..) => change.value,
            (None, Some(a), Some(b)) if !self.is_factor => b - a,
            (None, Some(a), Some(b)) if a > 0.0 => b / a,
            _ => return None,
        };
        Some(self.shown(change))
    }

    /// The range of the change as people read it: `+8 % to +16 %`.
    pub(crate) fn range_shown(&self) -> Option<String> {
        let change = self.change?;
        Some(format!("{} to {}", self.shown(change.low), self.shown(change.high)))
    }

    fn shown(&self, change: f64) -> String {
        let sign = |value: f64| if value > 0.0 { "+" } else { "" };
        if !self.is_factor {
            let points = change * 100.0;
            return format!("{}{points:.1} pt", sign(points));
        }
        match change {
            2.0.. => format!("{change:.1}x"),
            _ => format!("{}{}", sign(change - 1.0), Unit::Share.shown(change - 1.0)),
        }
    }
}
