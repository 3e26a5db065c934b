//! Times in which far more calls failed than in the rest of the window.

use std::collections::BTreeMap;

use crate::findings::baseline::{Baseline, Seen};
use crate::findings::chance;
use crate::findings::finding::{Evidence, Expected, Finding, Severity};
use crate::findings::rule::{About, Rule};
use crate::findings::timeline::{Bucket, Clock};
use crate::unit::Unit;

/// Times in which far more calls failed than in the rest of the window: of a model, of a provider, or of a span's name.
///
/// Stretches of one, four, 16 and 64 buckets are looked at. One stands out where its errors would come together by chance
/// less than once in 10,000 windows (Fisher's exact test, multiplied by the number of stretches looked at: Bonferroni), and
/// where they are many: [`MIN_ERRORS`] in [`MIN_TRACES`] traces, a tenth of its calls, three times the share of the rest.
#[derive(Debug)]
pub(crate) struct ErrorBurst;

const WIDTHS: [u64; 4] = [1, 4, 16, 64];
const MIN_ERRORS: u64 = 5;
const MIN_TRACES: u64 = 3;
const MIN_SHARE: f64 = 0.1;
const MIN_TIMES: f64 = 3.0;
const CHANCE: f64 = 1e-4;

/// Whose calls are looked at together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Model(String),
    Provider(String),
    Name(String),
}

/// The calls of one of them.
#[derive(Debug, Default)]
struct Line {
    buckets: BTreeMap<u64, Bucket>,
    service: Option<String>,
}

/// A stretch of time that stands out.
#[derive(Debug)]
struct Burst {
    whose: Whose,
    service: Option<String>,
    first: u64,
    width: u64,
    within: Bucket,
    all: (u64, u64),
    seen: Seen,
    /// How likely one like it is anywhere in the window.
    chance: f64,
}

impl Rule for ErrorBurst {
    fn name(&self) -> &'static str {
        "error-burst"
    }

    fn about(&self) -> &'static str {
        "times in which far more calls failed than in the rest of the window"
    }

    fn judge_window(&self, baseline: &Baseline) -> Vec<Finding> {
        let lines = lines(baseline);
        let mut looked_at = 0_u64;
        let mut bursts = Vec::new();
        for (whose, line) in &lines {
            let errors: u64 = line.buckets.values().map(|bucket| bucket.errors).sum();
            for width in WIDTHS {
                let stretches = stretches(&line.buckets, width);
                looked_at += stretches.len() as u64;
                if errors >= MIN_ERRORS {
                    bursts.extend(
                        stretches
                            .iter()
                            .filter_map(|(first, within)| burst(whose, line, (*first, width), within)),
                    );
                }
            }
        }
        for burst in &mut bursts {
            burst.chance *= looked_at as f64;
        }
        bursts.retain(|burst| burst.chance < CHANCE);
        strongest(bursts, &lines).iter().map(|burst| finding(self, burst, baseline.clock())).collect()
    }
}

/// What happened to the calls of each model, provider and name.
fn lines(baseline: &Baseline) -> BTreeMap<Whose, Line> {
    let mut lines: BTreeMap<Whose, Line> = BTreeMap::new();
    for (key, group) in baseline.groups() {
        let model = key.model.as_deref().map(|model| Whose::Model(model.to_owned()));
        let provider = key.provider.as_deref().map(|provider| Whose::Provider(provider.to_owned()));
        let name = Some(Whose::Name(key.name.to_string()));
        for whose in [model, provider, name].into_iter().flatten() {
            let line = lines.entry(whose).or_default();
            line.service = line.service.take().or_else(|| group.service.as_deref().map(str::to_owned));
            for (number, bucket) in group.timeline.buckets() {
                line.buckets.entry(number).or_default().add(bucket);
            }
        }
    }
    lines
}

fn stretches(buckets: &BTreeMap<u64, Bucket>, width: u64) -> BTreeMap<u64, Bucket> {
    let mut stretches: BTreeMap<u64, Bucket> = BTreeMap::new();
    for (number, bucket) in buckets {
        stretches.entry(number / width * width).or_default().add(bucket);
    }
    stretches
}

fn burst(whose: &Whose, line: &Line, (first, width): (u64, u64), within: &Bucket) -> Option<Burst> {
    if within.errors < MIN_ERRORS || within.failing_traces < MIN_TRACES {
        return None;
    }
    let sum = |count: fn(&Bucket) -> u64| line.buckets.values().map(count).sum::<u64>();
    let (spans, errors) = (sum(|bucket| bucket.spans), sum(|bucket| bucket.errors));
    let share = within.errors as f64 / within.spans as f64;
    let rest = (errors - within.errors) as f64 / (spans - within.spans).max(1) as f64;
    if share < MIN_SHARE || share < rest * MIN_TIMES {
        return None;
    }
    Some(Burst {
        whose: whose.clone(),
        service: line.service.clone(),
        first,
        width,
        within: *within,
        all: (errors, spans),
        seen: within.first_error?,
        chance: chance::at_least(within.errors, within.spans, errors, spans),
    })
}

/// The least likely bursts, from their first errors to their last, without those that share most of their time and
/// errors with one of them.
fn strongest(mut bursts: Vec<Burst>, lines: &BTreeMap<Whose, Line>) -> Vec<Burst> {
    bursts.sort_by(|a, b| {
        let by_chance = a.chance.total_cmp(&b.chance).then(a.width.cmp(&b.width));
        by_chance.then_with(|| (&a.whose, a.first).cmp(&(&b.whose, b.first)))
    });
    let mut kept: Vec<Burst> = Vec::new();
    for burst in bursts {
        let is_told = kept.iter().any(|known| {
            let overlap = known.first < burst.first + burst.width && burst.first < known.first + known.width;
            let same_kind = std::mem::discriminant(&known.whose) == std::mem::discriminant(&burst.whose);
            // Of another model, it is another burst; of another kind, it holds the same errors.
            let alike = if same_kind {
                known.whose == burst.whose
            } else {
                known.within.errors * 2 > burst.within.errors
            };
            overlap && alike
        });
        if !is_told && let Some(line) = lines.get(&burst.whose) {
            kept.push(burst.fitted(line));
        }
    }
    kept
}

impl Burst {
    /// The stretch of time around it in which the most spans failed beyond what lies halfway between its own share and
    /// that of the rest: the largest sum of neighbours (Bentley, "Programming Pearls", 1984).
    fn fitted(self, line: &Line) -> Self {
        let (rest_errors, rest_spans) = self.rest();
        let share = self.within.errors as f64 / self.within.spans as f64;
        let usual = f64::midpoint(share, rest_errors as f64 / rest_spans.max(1) as f64);
        let around = self.first.saturating_sub(self.width)..self.first + 2 * self.width;
        let (mut best, mut sum) = ((0.0, self.first, self.first + self.width), (0.0, around.start));
        for (number, bucket) in line.buckets.range(around) {
            if sum.0 <= 0.0 {
                sum = (0.0, *number);
            }
            sum.0 += bucket.errors as f64 - usual * bucket.spans as f64;
            if sum.0 > best.0 {
                best = (sum.0, sum.1, number + 1);
            }
        }
        let (_, first, end) = best;
        let mut within = Bucket::default();
        line.buckets.range(first..end).for_each(|(_, bucket)| within.add(bucket));
        let seen = within.first_error.unwrap_or(self.seen);
        Self { first, width: end - first, within, seen, ..self }
    }

    /// Errors and spans of the rest of the window.
    fn rest(&self) -> (u64, u64) {
        (self.all.0 - self.within.errors, self.all.1 - self.within.spans)
    }
}

fn finding(rule: &ErrorBurst, burst: &Burst, clock: Clock) -> Finding {
    let Bucket { spans, errors, .. } = burst.within;
    let (rest_errors, rest_spans) = burst.rest();
    let share = errors as f64 / spans as f64;
    let rest = rest_errors as f64 / rest_spans.max(1) as f64;
    let severity = if share >= 0.5 && errors >= 20 { Severity::Critical } else { Severity::Warning };
    let (of, model, name) = match &burst.whose {
        Whose::Model(model) => (model.clone(), Some(model.as_str()), None),
        Whose::Provider(provider) => (format!("provider {provider}"), None, None),
        Whose::Name(name) => (format!("{name:?}"), None, Some(name.as_str())),
    };
    let counted = |count: u64| Unit::Count.shown(count as f64);
    let (from, time) = (clock.start(burst.first), clock.nanos(burst.width) as f64 / 1e6);
    let sentence = format!(
        "{} of {} spans failed within {} from {}, of the other {} it was {}; so many come together by chance in one of {:.0e} such sets (Fisher's exact test)",
        counted(errors),
        counted(spans),
        Unit::Ms.shown(time),
        from.to_string().get(..19).unwrap_or_default().replace('T', " "),
        counted(rest_spans),
        counted(rest_errors),
        1.0 / burst.chance.max(1e-300),
    );
    let evidence = Evidence {
        value: share,
        unit: Unit::Share,
        expected: Some(Expected { low: 0.0, high: rest }),
        sample: burst.all.1,
        is_guess: false,
        sentence,
    };
    let title = format!("{} of {of} failed for {}", Unit::Share.shown(share), Unit::Ms.shown(time));
    let key = format!("{:?} {} {}", burst.whose, burst.first, burst.width);
    let about = About { name, service: burst.service.as_deref(), model, key: &key };
    Finding::of_many(rule, (severity, title), about, burst.seen, evidence)
}
