//! The search for what carries a difference.

use std::collections::BTreeMap;
use std::fmt;

use fastrand::Rng;

use super::carriers::{Carrier, Carriers, ModelPart};
use super::continuation::{Continuation, tokens_of};
use super::error::BiasError;
use super::largest::largest_of;
use super::permutation;
use super::probe::{Over, Probe, SLOT};
use super::report::Comparison;
use super::swapped::{Run, Units};
use crate::circuit::Transcoders;
use crate::circuit::transcoder::{FeatureOutput, FeatureReaders};
use crate::model::Model;
use crate::statistics::mean;

/// Looks for the heads and neurons that carry a difference: each is put in from the counterfactual prompt's run, in both
/// directions, at all positions (activation patching: Vig et al. 2020, "Investigating Gender Bias in Language Models Using Causal
/// Mediation Analysis").
///
/// All heads are tried, and the neurons that a gradient promises most of. A part is named where its share is large enough and its effect
/// over the units is steadier than chance, among all that were tried.
///
/// ```
/// use llmtrace_lens::bias::{Attribute, CarrierSearch, Continuation, Probe};
/// use llmtrace_lens::handmade::Biased;
///
/// let model = Biased::model(0)?;
/// let attribute = Attribute::unpaired([("men", Biased::men().to_vec()), ("women", Biased::women().to_vec())]);
/// let probe = Probe::new(["my neighbour {} works as a"], attribute)?;
/// let report = probe.run_model(&model, &[Continuation::parse("doctor/nurse")?])?;
/// let carriers = CarrierSearch::new(&probe, &model).run(&report.comparisons[0])?;
/// println!("{carriers}");
/// assert_eq!(carriers.named().count(), 5, "one head and four neurons");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CarrierSearch<'a> {
    probe: &'a Probe,
    model: &'a Model,
    transcoders: Option<&'a Transcoders>,
    pairs: usize,
    neurons: usize,
    least_share: f64,
    progress: Box<dyn FnMut(usize, usize) + 'a>,
}

/// Two prompts of one length that differ in the term, and what is read after them.
struct Pair {
    unit: usize,
    first: Vec<u32>,
    second: Vec<u32>,
    /// Continuations with what each counts.
    said: Vec<(Vec<u32>, f64)>,
}

/// Effects of one part by unit: sums and counts.
type Effects = BTreeMap<usize, (f64, f64)>;

impl<'a> CarrierSearch<'a> {
    /// At most 16 pairs of terms, 32 neurons, and shares of at least 5 %.
    pub fn new(probe: &'a Probe, model: &'a Model) -> Self {
        Self {
            probe,
            model,
            transcoders: None,
            pairs: 16,
            neurons: 32,
            least_share: 0.05,
            progress: Box::new(|_, _| {}),
        }
    }

    /// Takes at most so many pairs of terms, each in every template; at least 6 are needed to name anything at 95 %.
    pub fn pairs(mut self, pairs: usize) -> Self {
        self.pairs = pairs.max(1);
        self
    }

    /// Tries features of transcoders in place of neurons: what they write changes along their decoders, and what they leave over stays.
    pub fn features(mut self, transcoders: &'a Transcoders) -> Self {
        self.transcoders = Some(transcoders);
        self
    }

    /// Tries so many neurons, or features.
    pub fn neurons(mut self, neurons: usize) -> Self {
        self.neurons = neurons;
        self
    }

    /// Names no part with a smaller share, on either side of 0.
    pub fn least_share(mut self, share: f64) -> Self {
        self.least_share = share.max(0.0);
        self
    }

    /// Called with the number of pairs done and of all, twice each.
    pub fn progress(mut self, tell: impl FnMut(usize, usize) + 'a) -> Self {
        self.progress = Box::new(tell);
        self
    }

    /// What carries this comparison of the probe's report.
    ///
    /// # Errors
    /// The comparison is not the probe's, or no two counterparts have as many tokens.
    pub fn run(mut self, comparison: &Comparison) -> Result<Carriers, BiasError> {
        let readers = self.readers()?;
        let units = readers.as_ref().map_or(Units::Neurons, Units::Features);
        let target = Continuation::parse(&comparison.target)?;
        let (pairs, left_out) = self.all_pairs(comparison, &target)?;
        if pairs.is_empty() {
            return Err(BiasError::Input(format!(
                "no term of {} has as many tokens as its counterpart of {}: nothing can be put in from one run into the other",
                comparison.first, comparison.second
            )));
        }
        let neurons = self.promising(&pairs, units)?;
        let mut parts: Vec<(ModelPart, Effects)> = Vec::new();
        let config = self.model.config();
        for layer in 0..config.layers {
            for head in 0..config.heads {
                parts.push((ModelPart::Head { layer, head }, Effects::new()));
            }
            let here = neurons.iter().filter(|(at, _)| *at == layer);
            parts.extend(here.map(|(_, neuron)| (self.part(layer, *neuron), Effects::new())));
        }
        let mut whole = Effects::new();
        for (done, pair) in pairs.iter().enumerate() {
            for (ids, weight) in &pair.said {
                let first = Run::new(self.model, units, &pair.first, ids)?;
                let second = Run::new(self.model, units, &pair.second, ids)?;
                let difference = first.value - second.value;
                add(&mut whole, pair.unit, weight * difference, *weight);
                swap_all(self.model, &mut parts, (&first, &second), (pair.unit, *weight))?;
            }
            (self.progress)(pairs.len() + done + 1, 2 * pairs.len());
        }
        Ok(self.judged(comparison, &whole, parts, (pairs.len(), left_out)))
    }

    /// A neuron, or a feature.
    fn part(&self, layer: usize, number: usize) -> ModelPart {
        match self.transcoders {
            None => ModelPart::Neuron { layer, neuron: number },
            Some(_) => ModelPart::Feature { layer, feature: number },
        }
    }

    /// What features are read with, where they are tried.
    fn readers(&self) -> Result<Option<FeatureReaders<'a>>, BiasError> {
        let Some(transcoders) = self.transcoders else { return Ok(None) };
        if self.model.config().post_norms && transcoders.output() == FeatureOutput::MlpOutput {
            return Err(BiasError::Input(format!(
                "{} has norms after its MLPs, and these features write before them, where they cannot be put in: try neurons, \
                 or transcoders of hook_mlp_out",
                self.model.name()
            )));
        }
        Ok(Some(FeatureReaders::new(self.model, transcoders)?))
    }

    /// Every two counterparts, and how many are left out.
    fn all_pairs(
        &self,
        comparison: &Comparison,
        target: &Continuation,
    ) -> Result<(Vec<Pair>, usize), BiasError> {
        let (first, second) = (self.probe.terms(&comparison.first)?, self.probe.terms(&comparison.second)?);
        let (mut pairs, mut left_out) = (Vec::new(), 0);
        for (nth, (first, second)) in first.iter().zip(second).take(self.pairs).enumerate() {
            for (template, text) in self.probe.templates.iter().enumerate() {
                let unit = if comparison.over == Over::Templates { template } else { nth };
                match self.pair(unit, &[text.replace(SLOT, first), text.replace(SLOT, second)], target)? {
                    Some(pair) => pairs.push(pair),
                    None => left_out += 1,
                }
            }
        }
        Ok((pairs, left_out))
    }

    /// Two prompts; none where positions do not stand for each other.
    fn pair(
        &self,
        unit: usize,
        texts: &[String; 2],
        target: &Continuation,
    ) -> Result<Option<Pair>, BiasError> {
        let [first, second] = [self.model.tokenize(&texts[0])?, self.model.tokenize(&texts[1])?];
        let mut said = Vec::new();
        for (text, weight) in target.texts() {
            let ids = tokens_of(self.model, &texts[0], &first, text)?;
            if first.len() != second.len() || ids != tokens_of(self.model, &texts[1], &second, text)? {
                return Ok(None);
            }
            said.push((ids, weight));
        }
        Ok(Some(Pair { unit, first, second, said }))
    }

    /// The neurons that carry most to first order, by layer.
    fn promising(&mut self, pairs: &[Pair], units: Units<'_>) -> Result<Vec<(usize, usize)>, BiasError> {
        if self.neurons == 0 {
            return Ok(Vec::new());
        }
        let mut sums: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        for (done, pair) in pairs.iter().enumerate() {
            for (ids, weight) in &pair.said {
                let first = Run::new(self.model, units, &pair.first, ids)?;
                let second = Run::new(self.model, units, &pair.second, ids)?;
                for (estimates, sign) in [(first.estimates(&second)?, 1.0), (second.estimates(&first)?, -1.0)]
                {
                    for (neuron, estimate) in estimates {
                        *sums.entry(neuron).or_default() += sign * weight * estimate;
                    }
                }
            }
            (self.progress)(done + 1, 2 * pairs.len());
        }
        let mut order: Vec<((usize, usize), f64)> = sums.into_iter().filter(|(_, sum)| *sum != 0.0).collect();
        order.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let mut chosen: Vec<(usize, usize)> =
            order.into_iter().take(self.neurons).map(|(at, _)| at).collect();
        chosen.sort_unstable();
        Ok(chosen)
    }

    /// Shares and p-values of what was measured.
    fn judged(
        &self,
        comparison: &Comparison,
        whole: &Effects,
        parts: Vec<(ModelPart, Effects)>,
        (pairs, left_out): (usize, usize),
    ) -> Carriers {
        let settings = self.probe.settings;
        let by_unit = |effects: &Effects| -> Vec<f64> {
            let means: Vec<f64> = effects.values().map(|(sum, count)| sum / count).collect();
            let is_rounding = means.iter().all(|mean| mean.abs() < settings.least_difference);
            if is_rounding { vec![0.0; means.len()] } else { means }
        };
        let differences = by_unit(whole);
        let difference = mean(&differences);
        let rows: Vec<Vec<f64>> = parts.iter().map(|(_, effects)| by_unit(effects)).collect();
        let chances = largest_of(&rows, &mut Rng::with_seed(settings.seed));
        let alpha = 1.0 - settings.confidence + f64::EPSILON;
        let carrier = |((part, row), p): ((ModelPart, &Vec<f64>), f64)| {
            let effect = mean(row);
            let share = if difference == 0.0 { 0.0 } else { effect / difference };
            Carrier { part, effect, share, p, is_named: p <= alpha && share.abs() >= self.least_share }
        };
        let parts = parts.into_iter().map(|(part, _)| part).zip(&rows).zip(chances);
        let mut parts: Vec<Carrier> = parts.map(carrier).collect();
        parts.sort_by(|a, b| b.share.abs().total_cmp(&a.share.abs()).then(a.part.cmp(&b.part)));
        Carriers {
            target: comparison.target.clone(),
            first: comparison.first.clone(),
            second: comparison.second.clone(),
            difference,
            pairs,
            left_out,
            units: differences.len(),
            smallest_p: permutation::smallest_of_pairs(differences.len()),
            alpha,
            parts,
        }
    }
}

impl fmt::Debug for CarrierSearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarrierSearch")
            .field("pairs", &self.pairs)
            .field("neurons", &self.neurons)
            .field("least_share", &self.least_share)
            .finish_non_exhaustive()
    }
}

/// Puts each part of the one run into the other, both ways, and notes the effect.
fn swap_all(
    model: &Model,
    parts: &mut [(ModelPart, Effects)],
    (first, second): (&Run<'_>, &Run<'_>),
    (unit, weight): (usize, f64),
) -> Result<(), BiasError> {
    for layer in 0..model.config().layers {
        for kind in ["head", "neuron", "feature"] {
            let here = parts.iter_mut().filter(|(part, _)| part.layer() == layer && part.kind() == kind);
            let (numbers, mut here): (Vec<ModelPart>, Vec<&mut Effects>) =
                here.map(|(part, effects)| (*part, effects)).unzip();
            let lost = first.with_each(second, layer, &numbers)?;
            let won = second.with_each(first, layer, &numbers)?;
            for (effects, (lost, won)) in here.iter_mut().zip(lost.iter().zip(&won)) {
                let effect = f64::midpoint(first.value - lost, won - second.value);
                add(effects, unit, weight * effect, weight);
            }
        }
    }
    Ok(())
}

/// Adds one prompt's effect to its unit's; a second text of one target adds to the same prompt.
fn add(effects: &mut Effects, unit: usize, effect: f64, weight: f64) {
    let (sum, count) = effects.entry(unit).or_default();
    *sum += effect;
    *count += if weight > 0.0 { 1.0 } else { 0.0 };
}
