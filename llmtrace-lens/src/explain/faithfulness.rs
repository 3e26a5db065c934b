//! How far an attribution is true to the model, beside what chance would do.

use std::fmt;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::limits::{Held, most_masks, within};
use super::ranking::Ranking;
use super::{Attribution, Coalition, ExplainError, Game, Plan, Spent, kendall, trace};

/// How far an attribution is true to the model. Each measure stands beside the same measure of random attributions (the
/// attribution's values dealt to other parts): a figure alone says little.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Faithfulness {
    /// The method whose result is judged.
    pub method: String,
    /// How many random attributions it is compared with.
    pub rankings: usize,
    /// What the score loses on average when the top 10 %, 20 %, ... 100 % of the parts are masked, of those with values
    /// above 0 (AOPC comprehensiveness, as ferret has it). More is better.
    pub comprehensiveness: Measure,
    /// What the score loses on average when these parts alone are kept (AOPC sufficiency). Less is better.
    pub sufficiency: Measure,
    /// The mean score while parts are masked one by one, the highest values first: the area under that curve. Less is
    /// better.
    pub deletion: Measure,
    /// The mean score while parts are added to the empty prompt, the highest values first. More is better.
    pub insertion: Measure,
    /// Kendall's tau-b with the leave-one-out values. More is better.
    pub tau_leave_one_out: Measure,
    /// Calls, tokens and dollars that judging took.
    pub spent: Spent,
}

/// A measure of an attribution, and of random ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measure {
    /// The attribution's; `None` where it has none, as of values that are all alike.
    pub value: Option<f64>,
    /// The mean over random attributions.
    pub random_mean: Option<f64>,
    /// Their standard deviation.
    pub random_spread: Option<f64>,
    /// Which way is better.
    pub better: Better,
}

/// Which way a measure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is.
    Higher,
    /// Less is.
    Lower,
}

/// Random attributions to compare with, unless told otherwise.
const RANKINGS: usize = 10;

impl Measure {
    /// How many standard deviations better than chance; `None` where chance has no spread.
    pub fn sigmas(&self) -> Option<f64> {
        let spread = self.random_spread.filter(|spread| *spread > 0.0)?;
        let above = (self.value? - self.random_mean?) / spread;
        Some(if self.better == Better::Higher { above } else { -above })
    }

    fn new(value: Option<f64>, random: &[Option<f64>], better: Better) -> Self {
        let known: Vec<f64> = random.iter().copied().flatten().collect();
        let count = known.len() as f64;
        let mean = known.iter().sum::<f64>() / count;
        let squares: f64 = known.iter().map(|value| (value - mean).powi(2)).sum();
        Self {
            value,
            random_mean: (!known.is_empty()).then_some(mean),
            random_spread: (known.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
            better,
        }
    }
}

impl Faithfulness {
    /// The measures with their names.
    pub fn measures(&self) -> [(&'static str, Measure); 5] {
        [
            ("comprehensiveness", self.comprehensiveness),
            ("sufficiency", self.sufficiency),
            ("deletion", self.deletion),
            ("insertion", self.insertion),
            ("tau_leave_one_out", self.tau_leave_one_out),
        ]
    }
}

impl Game<'_> {
    /// What judging an attribution beside 10 random ones will take at most.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Mismatch`] where it is one of another prompt.
    pub fn plan_judgement(&self, attribution: &Attribution) -> Result<Plan, ExplainError> {
        self.plan_judgement_beside(attribution, RANKINGS)
    }

    /// What judging an attribution beside so many random ones will take at most.
    ///
    /// # Errors
    ///
    /// [`ExplainError::Mismatch`] where it is one of another prompt, [`ExplainError::TooManySamples`] where so many random
    /// ones have too many masks.
    pub fn plan_judgement_beside(
        &self,
        attribution: &Attribution,
        rankings: usize,
    ) -> Result<Plan, ExplainError> {
        let rankings = rankings_of(self, attribution, rankings)?;
        Ok(self.plan_masks(&format!("judging {}", attribution.method), &masks(&rankings, self.parts().len())))
    }

    /// Judges an attribution, from any method, beside 10 random ones.
    ///
    /// # Errors
    ///
    /// Those of [`Game::judge_beside`].
    pub fn judge(&self, attribution: &Attribution) -> Result<Faithfulness, ExplainError> {
        self.judge_beside(attribution, RANKINGS)
    }

    /// Judges an attribution, from any method, beside so many random ones.
    ///
    /// # Errors
    ///
    /// Those of [`Game::plan_judgement_beside`] and of [`Game::values`].
    pub fn judge_beside(
        &self,
        attribution: &Attribution,
        rankings: usize,
    ) -> Result<Faithfulness, ExplainError> {
        let before = self.ledger();
        let rankings = rankings_of(self, attribution, rankings)?;
        let parts = self.parts().len();
        let masks = masks(&rankings, parts);
        self.afford(&format!("judging {}", attribution.method), &masks)?;
        let span = trace::judgement(self.explained_span(), &attribution.method);
        let result = span.in_scope(|| {
            self.values(&masks)?;
            let one_out = one_out(self, parts)?;
            let measured: Result<Vec<_>, _> =
                rankings.iter().map(|ranking| measure(self, ranking, &one_out)).collect();
            Ok(judge(attribution, &measured?, self.ledger().since(&before)))
        });
        match &result {
            Ok(faithfulness) => faithfulness.record_on(&span),
            Err(error) => trace::fail(&span, error),
        }
        result
    }
}

/// The attribution's ranking, and random ones after it.
fn rankings_of(
    game: &Game<'_>,
    attribution: &Attribution,
    count: usize,
) -> Result<Vec<Ranking>, ExplainError> {
    let (found, expected) = (attribution.parts.len(), game.parts().len());
    if found != expected {
        return Err(ExplainError::Mismatch { what: "the attribution", found, expected });
    }
    if expected == 0 {
        return Err(ExplainError::NoParts);
    }
    // Each ranking masks from either end, and at the thresholds.
    let most = most_masks(expected, Held::Membership) / expected.saturating_mul(2).saturating_add(22);
    within("judging", "random attributions", count, most)?;
    let mut rng = Rng::with_seed(game.first_seed());
    let mut values = attribution.values();
    let mut rankings = vec![Ranking::new(values.clone())];
    for _ in 0..count {
        rng.shuffle(&mut values);
        rankings.push(Ranking::new(values.clone()));
    }
    Ok(rankings)
}

/// Every mask that judging these rankings asks for.
fn masks(rankings: &[Ranking], parts: usize) -> Vec<Coalition> {
    let full = Coalition::full(parts);
    let one_out = (0..parts).map(|part| full.without(part));
    rankings.iter().flat_map(Ranking::masks).chain(one_out).collect()
}

fn one_out(game: &Game<'_>, parts: usize) -> Result<Vec<f64>, ExplainError> {
    let full = Coalition::full(parts);
    let whole = game.values(std::slice::from_ref(&full))?.first().copied().unwrap_or_default();
    let without: Vec<_> = (0..parts).map(|part| full.without(part)).collect();
    Ok(game.values(&without)?.into_iter().map(|value| whole - value).collect())
}

/// The five measures of one ranking, in the order of [`Faithfulness::measures`].
fn measure(game: &Game<'_>, ranking: &Ranking, one_out: &[f64]) -> Result<[Option<f64>; 5], ExplainError> {
    let (lost, left) = ranking.rationales(game)?;
    let (deletion, insertion) = ranking.areas(game)?;
    Ok([lost, left, Some(deletion), Some(insertion), kendall::tau(ranking.values(), one_out)])
}

fn judge(attribution: &Attribution, measured: &[[Option<f64>; 5]], spent: Spent) -> Faithfulness {
    let (own, random) = measured.split_first().map_or(([None; 5], &[][..]), |(own, random)| (*own, random));
    let measure = |index: usize, better| {
        let of_random: Vec<_> = random.iter().map(|values| values[index]).collect();
        Measure::new(own[index], &of_random, better)
    };
    Faithfulness {
        method: attribution.method.clone(),
        rankings: random.len(),
        comprehensiveness: measure(0, Better::Higher),
        sufficiency: measure(1, Better::Lower),
        deletion: measure(2, Better::Lower),
        insertion: measure(3, Better::Higher),
        tau_leave_one_out: measure(4, Better::Higher),
        spent,
    }
}

impl fmt::Display for Faithfulness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "faithfulness of {}, beside {} random attributions", self.method, self.rankings)?;
        writeln!(f, "  {:20} {:>9}  {:>20}  better than chance by", "", "value", "random")?;
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        for (name, measure) in self.measures() {
            let better =
                if measure.better == Better::Higher { "higher is better" } else { "lower is better" };
            let sigmas = measure.sigmas().map_or_else(|| "-".to_owned(), |sigmas| format!("{sigmas:+.1} σ"));
            let (value, mean, spread) = (measure.value, measure.random_mean, measure.random_spread);
            let random = format!("{} ± {}", number(mean), number(spread));
            writeln!(f, "  {name:20} {:>9}  {random:>20}  {sigmas:>8}  ({better})", number(value))?;
        }
        write!(f, "{}", self.spent)
    }
}
