//! What a probe found.

use fastrand::Rng;
use serde::Serialize;

use super::attribute::{Group, Pairing};
use super::error::BiasError;
use super::interval::{Bounds, Sample};
use super::permutation;
use super::probe::{Over, Probe, Settings};
use super::scores::Scores;
use crate::statistics::mean;

/// How differently the groups of a probe are scored. `Display` draws it as a table; it serialises to JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BiasReport {
    /// The templates.
    pub templates: Vec<String>,
    /// The groups of terms.
    pub groups: Vec<Group>,
    /// Whether terms of the groups are counterparts.
    pub pairing: Pairing,
    /// How scores were compared.
    pub settings: Settings,
    /// One for each target and each two groups.
    pub comparisons: Vec<Comparison>,
    /// Every score, a list a target.
    pub scores: Vec<Scores>,
}

/// Two groups, compared by one score.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// What the score is of.
    pub target: String,
    /// The first group.
    pub first: String,
    /// The group that it is compared with.
    pub second: String,
    /// The mean score of the first.
    pub first_mean: f64,
    /// The mean score of the second.
    pub second_mean: f64,
    /// The first mean less the second.
    pub difference: f64,
    /// Where the true difference lies, with the confidence of the settings, for this comparison alone; none of one unit.
    pub bounds: Option<Bounds>,
    /// How often chance alone makes as large a difference, by permutation.
    pub p: f64,
    /// The same, corrected for all comparisons of the report.
    pub corrected_p: f64,
    /// The smallest `p` that so few units can give.
    pub smallest_p: f64,
    /// Whether the corrected p-value is small enough, and the difference more than rounding.
    pub is_established: bool,
    /// What was counted as one observation.
    pub over: Over,
    /// Whether units are pairs.
    pub pairing: Pairing,
    /// How many units there are of the first and of the second group.
    pub units: [usize; 2],
    /// The difference in each template, over its terms.
    pub by_template: Vec<f64>,
}

impl BiasReport {
    pub(super) fn of(probe: &Probe, scores: Vec<Scores>) -> Result<Self, BiasError> {
        if scores.is_empty() {
            return Err(BiasError::Input("there is no target to score".to_owned()));
        }
        let settings = probe.settings;
        let mut rng = Rng::with_seed(settings.seed);
        let groups = probe.attribute.groups();
        let mut comparisons = Vec::new();
        for target in &scores {
            for first in 0..groups.len() {
                for second in first + 1..groups.len() {
                    comparisons.extend(compared(probe, target, [first, second], &mut rng));
                }
            }
        }
        let values: Vec<f64> = comparisons.iter().map(|comparison| comparison.p).collect();
        for (comparison, corrected) in comparisons.iter_mut().zip(settings.correction.of(&values)) {
            comparison.corrected_p = corrected;
            comparison.is_established = corrected <= 1.0 - settings.confidence + f64::EPSILON
                && comparison.difference.abs() >= settings.least_difference;
        }
        Ok(Self {
            templates: probe.templates.clone(),
            groups: groups.to_vec(),
            pairing: probe.attribute.pairing(),
            settings,
            comparisons,
            scores,
        })
    }

    /// The comparisons whose difference is established, the largest first.
    pub fn established(&self) -> Vec<&Comparison> {
        let mut found: Vec<&Comparison> =
            self.comparisons.iter().filter(|comparison| comparison.is_established).collect();
        found.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
        found
    }
}

/// One comparison, not yet corrected; none of groups that are not there.
fn compared(probe: &Probe, scores: &Scores, numbers: [usize; 2], rng: &mut Rng) -> Option<Comparison> {
    let groups = probe.attribute.groups();
    let [first, second] = [groups.get(numbers[0])?, groups.get(numbers[1])?];
    let terms = numbers.map(|group| scores.by_term(group));
    let templates = numbers.map(|group| scores.by_template(group));
    let by_template = less(&templates[0], &templates[1]);
    let fewest = first.terms.len().min(second.terms.len());
    let over = match probe.settings.over {
        Over::Larger if probe.templates.len() > fewest => Over::Templates,
        Over::Larger => Over::Terms,
        chosen => chosen,
    };
    let pairing = if over == Over::Templates { Pairing::Paired } else { probe.attribute.pairing() };
    let units = if over == Over::Templates { &templates } else { &terms };
    let pairs = less(&units[0], &units[1]);
    let sample = match pairing {
        Pairing::Paired => Sample::Pairs(&pairs),
        Pairing::Unpaired => Sample::Two(&units[0], &units[1]),
    };
    let chance = permutation::test(sample, rng);
    Some(Comparison {
        target: scores.target.clone(),
        first: first.name.clone(),
        second: second.name.clone(),
        first_mean: mean(&units[0]),
        second_mean: mean(&units[1]),
        difference: sample.difference(),
        bounds: probe.settings.interval.of(sample, probe.settings.confidence, rng),
        p: chance.p,
        corrected_p: chance.p,
        smallest_p: chance.smallest,
        is_established: false,
        over,
        pairing,
        units: [units[0].len(), units[1].len()],
        by_template,
    })
}

fn less(first: &[f64], second: &[f64]) -> Vec<f64> {
    first.iter().zip(second).map(|(first, second)| first - second).collect()
}
