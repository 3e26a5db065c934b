//! From logits to a token.

use super::choice::{Alternative, Choice, ChoiceLimits, Entropy, FilterEffect, FilterReport, Standing};
use super::random::uniform;
use super::sampling::{Draw, Sampling, SamplingError, SamplingFilter};
use super::warp;
use crate::ops::{Distribution, greatest, rank};

/// Chooses tokens as a [`Sampling`] says.
///
/// ```
/// use llmtrace_lens::generate::{Sampler, Sampling};
///
/// let sampler = Sampler::new(Sampling::random(1).top_k(2))?;
/// let choice = sampler.choose(0, &[0.5, 2.0, 1.0, -3.0], &[])?;
/// assert!(choice.token == 1 || choice.token == 2);
/// assert_eq!(choice.filters[0].left, 2);
/// # Ok::<(), llmtrace_lens::generate::SamplingError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    limits: ChoiceLimits,
}

impl Sampler {
    /// A sampler, where the settings are right.
    pub fn new(sampling: Sampling) -> Result<Self, SamplingError> {
        sampling.check()?;
        Ok(Self { sampling, limits: ChoiceLimits::default() })
    }

    /// Sets how much of each choice is written down.
    pub fn limits(mut self, limits: ChoiceLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How tokens are chosen.
    pub fn sampling(&self) -> &Sampling {
        &self.sampling
    }

    /// Chooses the token of `step`, counted from 0 at the first token of the answer.
    ///
    /// `logits` \[vocabulary\] are the model's for the next token; `occurred` are the tokens of the prompt and of the
    /// answer so far. The same arguments always give the same choice.
    pub fn choose(&self, step: u64, logits: &[f32], occurred: &[u32]) -> Result<Choice, SamplingError> {
        check_logits(logits, None)?;
        let model = Distribution::of(logits);
        let mut state = State {
            scores: logits.to_vec(),
            distribution: model.clone(),
            reports: Vec::new(),
            limits: self.limits,
        };
        self.filter(&mut state, occurred)?;
        let token = match self.sampling.draw {
            Draw::Greedy => greatest(&state.scores, 1).first().copied().unwrap_or_default(),
            Draw::Random { seed } => state.distribution.draw(uniform(seed, step)),
        };
        let alternatives = greatest(logits, self.limits.alternatives).into_iter().map(|token| Alternative {
            token: id(token),
            logit: at(logits, token),
            model_probability: probability(&model, token),
            final_probability: probability(&state.distribution, token),
        });
        Ok(Choice {
            token: id(token),
            model: standing(logits, &model, token),
            last: standing(&state.scores, &state.distribution, token),
            model_entropy: Entropy::from_nats(model.entropy()),
            final_entropy: Entropy::from_nats(state.distribution.entropy()),
            alternatives: alternatives.collect(),
            filters: state.reports,
        })
    }

    /// The final distribution \[vocabulary\] from which [`choose`](Self::choose) takes a token.
    pub fn probabilities(&self, logits: &[f32], occurred: &[u32]) -> Result<Vec<f64>, SamplingError> {
        check_logits(logits, None)?;
        let distribution = Distribution::of(logits);
        let limits = ChoiceLimits { alternatives: 0, removed: 0 };
        let mut state = State { scores: logits.to_vec(), distribution, reports: Vec::new(), limits };
        self.filter(&mut state, occurred)?;
        Ok(state.distribution.probabilities)
    }

    /// Applies the filters that have an effect, in their order.
    #[expect(clippy::float_cmp, reason = "exactly one has no effect")]
    fn filter(&self, state: &mut State, occurred: &[u32]) -> Result<(), SamplingError> {
        let Sampling { repetition_penalty, temperature, top_k, top_p, min_p, .. } = self.sampling;
        let least = self.sampling.min_tokens_to_keep;
        // Neutral values are passed over, as the library does.
        if let Some(penalty) = repetition_penalty.filter(|&penalty| penalty != 1.0) {
            let tokens = warp::repetition_penalty(&mut state.scores, occurred, penalty)?;
            state.changed(SamplingFilter::RepetitionPenalty, tokens.len())?;
        }
        if let Some(temperature) = temperature.filter(|&temperature| temperature != 1.0) {
            warp::temperature(&mut state.scores, temperature);
            let tokens = state.scores.len();
            state.changed(SamplingFilter::Temperature, tokens)?;
        }
        if let Some(k) = top_k {
            let removed = warp::top_k(&mut state.scores, k, least);
            state.removed(SamplingFilter::TopK, &removed);
        }
        if let Some(p) = top_p.filter(|&p| p < 1.0) {
            let removed = warp::top_p(&mut state.scores, p, least);
            state.removed(SamplingFilter::TopP, &removed);
        }
        if let Some(p) = min_p {
            let removed = warp::min_p(&mut state.scores, p, least);
            state.removed(SamplingFilter::MinP, &removed);
        }
        Ok(())
    }
}

/// The scores between two filters.
struct State {
    scores: Vec<f32>,
    distribution: Distribution,
    reports: Vec<FilterReport>,
    limits: ChoiceLimits,
}

impl State {
    fn changed(&mut self, filter: SamplingFilter, tokens: usize) -> Result<(), SamplingError> {
        check_logits(&self.scores, Some(filter))?;
        let distribution = Distribution::of(&self.scores);
        let moved = distribution.distance(&self.distribution);
        self.report(filter, FilterEffect::Changed { tokens, moved }, distribution);
        Ok(())
    }

    fn removed(&mut self, filter: SamplingFilter, tokens: &[usize]) {
        let lost: Vec<f64> = tokens.iter().map(|&token| probability(&self.distribution, token)).collect();
        let most_probable = greatest(&lost, self.limits.removed)
            .into_iter()
            .filter_map(|index| Some((id(*tokens.get(index)?), *lost.get(index)?)))
            .collect();
        let effect = FilterEffect::Removed { tokens: tokens.len(), mass: lost.iter().sum(), most_probable };
        self.report(filter, effect, Distribution::of(&self.scores));
    }

    fn report(&mut self, filter: SamplingFilter, effect: FilterEffect, distribution: Distribution) {
        let entropy = Entropy::from_nats(distribution.entropy());
        let left = self.scores.iter().filter(|score| score.is_finite()).count();
        self.reports.push(FilterReport { filter, effect, left, entropy });
        self.distribution = distribution;
    }
}

/// Refuses logits that have no softmax.
fn check_logits(logits: &[f32], after: Option<SamplingFilter>) -> Result<(), SamplingError> {
    let is_odd = |logit: &f32| logit.is_nan() || *logit == f32::INFINITY;
    if let Some((token, &found)) = logits.iter().enumerate().find(|(_, logit)| is_odd(logit)) {
        return Err(SamplingError::Logit { token, found, after });
    }
    if logits.iter().any(|logit| logit.is_finite()) {
        Ok(())
    } else {
        Err(SamplingError::Empty { vocabulary: logits.len() })
    }
}

fn standing(scores: &[f32], distribution: &Distribution, token: usize) -> Standing {
    let score = at(scores, token);
    Standing {
        probability: probability(distribution, token),
        log_probability: distribution.log_probability(score),
        rank: rank(scores, score),
    }
}

fn at(scores: &[f32], token: usize) -> f32 {
    scores.get(token).copied().unwrap_or(f32::NEG_INFINITY)
}

fn probability(distribution: &Distribution, token: usize) -> f64 {
    distribution.probabilities.get(token).copied().unwrap_or_default()
}

/// Token ids are 32 bits wide in every tokenizer.
fn id(token: usize) -> u32 {
    u32::try_from(token).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the numbers are small or exact"
)]
mod tests {
    use super::*;

    /// Probabilities of an eighth, an eighth, a quarter and a half.
    fn eighths() -> [f32; 4] {
        [0.125f32.ln(), 0.125f32.ln(), 0.25f32.ln(), 0.5f32.ln()]
    }

    /// Every mix of filters, as transformers' own pipeline filters it (tests/sampling/make.py).
    #[test]
    fn distributions_are_those_of_transformers() {
        let file: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/sampling/cases.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert!(cases.len() > 100);
        for case in cases {
            let given = &case["settings"];
            let mut sampling = Sampling::random(0);
            sampling.repetition_penalty = given["repetition_penalty"].as_f64();
            sampling.temperature = given["temperature"].as_f64();
            sampling.top_k = given["top_k"].as_u64().map(|k| k as usize);
            sampling.top_p = given["top_p"].as_f64();
            sampling.min_p = given["min_p"].as_f64();
            sampling.min_tokens_to_keep = case["min_tokens_to_keep"].as_u64().unwrap() as usize;
            let numbers = |key: &str| case[key].as_array().unwrap().iter().map(|n| n.as_f64().unwrap());
            let logits: Vec<f32> = numbers("eighths").map(|eighth| eighth as f32 / 8.0).collect();
            let occurred: Vec<u32> = numbers("occurred").map(|token| token as u32).collect();
            let found = Sampler::new(sampling).unwrap().probabilities(&logits, &occurred).unwrap();
            for (token, (found, expected)) in found.into_iter().zip(numbers("probabilities")).enumerate() {
                assert_eq!(found == 0.0, expected == 0.0, "token {token}: {found} {expected}: {case}");
                assert!((found - expected).abs() < 1e-6, "token {token}: {found} {expected}: {case}");
            }
        }
    }

    #[test]
    fn a_choice_says_what_each_filter_did() {
        let sampling = Sampling::random(3).top_k(3).top_p(0.45);
        let choice = Sampler::new(sampling).unwrap().choose(0, &eighths(), &[]).unwrap();
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        close(choice.model_entropy.bits(), 1.75);
        assert_eq!(choice.final_entropy.nats(), 0.0);
        assert_eq!((choice.token, choice.model.rank, choice.last.rank), (3, 1, 1));
        close(choice.model.probability, 0.5);
        close(choice.model.log_probability, 0.5f64.ln());
        close(choice.last.probability, 1.0);
        let [top_k, top_p] = &choice.filters[..] else { panic!("{:?}", choice.filters) };
        // Both of the eighths are equal to the third greatest, so top-k removes neither.
        assert_eq!((top_k.filter, top_k.left), (SamplingFilter::TopK, 4));
        assert_eq!((top_p.filter, top_p.left), (SamplingFilter::TopP, 1));
        let FilterEffect::Removed { tokens, mass, most_probable } = &top_p.effect else {
            panic!("{top_p:?}")
        };
        assert_eq!(*tokens, 3);
        close(*mass, 0.5);
        assert_eq!(most_probable.iter().map(|(token, _)| *token).collect::<Vec<_>>(), [2, 0, 1]);
        close(most_probable[0].1, 0.25);
        let alternatives: Vec<_> = choice.alternatives.iter().map(|other| other.token).collect();
        assert_eq!(alternatives, [3, 2, 0, 1]);
        assert_eq!(choice.alternatives[1].final_probability, 0.0);
        close(choice.alternatives[1].model_probability, 0.25);
    }

    #[test]
    fn a_penalty_moves_probability_and_neutral_settings_are_passed_over() {
        let sampling = Sampling::greedy().repetition_penalty(2.0);
        let choice = Sampler::new(sampling).unwrap().choose(0, &[2.0, 1.5, 0.0], &[0, 0]).unwrap();
        assert_eq!((choice.token, choice.model.rank, choice.last.rank), (1, 2, 1));
        let report = &choice.filters[0];
        let FilterEffect::Changed { tokens: 1, moved } = report.effect else { panic!("{report:?}") };
        // The token's probability falls from e^2 to e^1 against the rest, which takes what it loses.
        let (e, rest) = (std::f64::consts::E, 1.5f64.exp() + 1.0);
        assert!((moved - (e * e / (e * e + rest) - e / (e + rest))).abs() < 1e-7, "{moved}");
        let neutral = Sampling::random(0).repetition_penalty(1.0).temperature(1.0).top_p(1.0);
        assert_eq!(Sampler::new(neutral).unwrap().choose(0, &eighths(), &[0]).unwrap().filters, []);
    }

    #[test]
    fn draws_follow_the_distribution_and_the_seed() {
        let sampler = Sampler::new(Sampling::random(11)).unwrap();
        let draw = |step| sampler.choose(step, &eighths(), &[]).unwrap().token;
        let mut counts = [0u32; 4];
        for step in 0..8_000 {
            counts[draw(step) as usize] += 1;
        }
        // Five standard deviations of a binomial count are at most 224.
        for (count, expected) in counts.into_iter().zip([1_000u32, 1_000, 2_000, 4_000]) {
            assert!(count.abs_diff(expected) < 224, "{counts:?}");
        }
        let answer = |seed| {
            let sampler = Sampler::new(Sampling::random(seed)).unwrap();
            (0..64).map(|step| sampler.choose(step, &eighths(), &[]).unwrap().token).collect::<Vec<_>>()
        };
        assert_eq!(answer(5), answer(5));
        assert_ne!(answer(5), answer(6));
    }

    #[test]
    fn a_greedy_choice_takes_the_lower_id_of_equal_ones() {
        let choice = Sampler::new(Sampling::greedy()).unwrap().choose(0, &[1.0, 2.0, 2.0], &[]).unwrap();
        assert_eq!((choice.token, choice.last.rank), (1, 1));
    }

    #[test]
    fn how_much_is_written_down_is_bounded() {
        let check = |limits: ChoiceLimits, alternatives: usize, removed: usize| {
            let sampler = Sampler::new(Sampling::random(0).top_k(1)).unwrap().limits(limits);
            let choice = sampler.choose(0, &eighths(), &[]).unwrap();
            assert_eq!(choice.alternatives.len(), alternatives);
            let FilterEffect::Removed { tokens: 3, most_probable, .. } = &choice.filters[0].effect else {
                panic!("{choice:?}")
            };
            assert_eq!(most_probable.len(), removed);
        };
        check(ChoiceLimits::default(), 4, 3);
        check(ChoiceLimits::default().alternatives(0).removed(1), 0, 1);
        check(ChoiceLimits::default().alternatives(2).removed(0), 2, 0);
    }

    #[test]
    fn logits_without_a_distribution_are_refused() {
        let check = |sampling: Sampling, logits: &[f32], expected: &str| {
            let error = Sampler::new(sampling).unwrap().choose(0, logits, &[0]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        let greedy = Sampling::greedy;
        check(
            greedy(),
            &[0.0, f32::NAN],
            "the logit of token 1 is NaN: there is no distribution to choose from",
        );
        check(
            greedy(),
            &[f32::INFINITY],
            "the logit of token 0 is inf: there is no distribution to choose from",
        );
        check(greedy(), &[], "none of the 0 tokens has a finite logit: there is nothing to choose from");
        check(
            greedy(),
            &[f32::NEG_INFINITY; 2],
            "none of the 2 tokens has a finite logit: there is nothing to choose from",
        );
        check(
            Sampling::random(0).temperature(1e-44),
            &[1.0, 0.0],
            "the logit of token 0 is inf after temperature: there is no distribution to choose from",
        );
    }

    /// Any logits and any settings that are right leave at least what is asked for, and lose no token from sight.
    #[test]
    fn no_mix_of_filters_leaves_nothing() {
        let mut random = fastrand::Rng::with_seed(9);
        for case in 0..3_000 {
            let size = random.usize(1..40);
            let scale = [0.0, 1.0, 30.0, 1e4, 1e30][random.usize(0..5)];
            let mut logits: Vec<f32> = (0..size).map(|_| (random.f32() - 0.5).mul_add(scale, 0.0)).collect();
            for logit in &mut logits[1..] {
                if random.u8(0..4) == 0 {
                    *logit = f32::NEG_INFINITY;
                }
            }
            let finite = logits.iter().filter(|logit| logit.is_finite()).count();
            let least = random.usize(1..5);
            let mut sampling = Sampling::random(case).min_tokens_to_keep(least);
            let mut maybe = |value: f64| random.bool().then_some(value);
            sampling.repetition_penalty = maybe(1.0 + case as f64 / 1_000.0);
            sampling.temperature = maybe(0.1 + case as f64 / 1_000.0);
            sampling.top_p = maybe((case % 11) as f64 / 10.0);
            sampling.min_p = maybe((case % 7) as f64 / 6.0);
            sampling.top_k = random.bool().then(|| random.usize(1..50));
            let sampler = Sampler::new(sampling.clone()).unwrap();
            let occurred: Vec<u32> = (0..5).map(|_| random.u32(0..size as u32)).collect();
            let choice = sampler.choose(case, &logits, &occurred).unwrap();
            assert!(choice.last.probability > 0.0 && choice.last.rank >= 1, "{sampling:?} {logits:?}");
            let mut before = finite;
            for report in &choice.filters {
                let removed = match report.effect {
                    FilterEffect::Changed { .. } => 0,
                    FilterEffect::Removed { tokens, .. } => tokens,
                };
                assert_eq!(report.left + removed, before, "{sampling:?} {logits:?}");
                assert!(report.left >= least.min(finite), "{sampling:?} {logits:?}");
                before = report.left;
            }
            let sum: f64 = sampler.probabilities(&logits, &occurred).unwrap().iter().sum();
            assert!((sum - 1.0).abs() < 1e-9, "{sum} {sampling:?} {logits:?}");
        }
    }
}
