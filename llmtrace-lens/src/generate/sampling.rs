//! How the next token is chosen.

use serde::Serialize;

/// How the next token is chosen of the logits: the processors and warpers of Hugging Face transformers 5
/// (`generation/logits_process.py`), in the order in which its `generate` applies them.
///
/// With `z` the logits, `p = softmax(z)` at the point where a filter stands, and all scores in f32:
///
/// 1. repetition penalty `r`: of each token of the prompt and the answer so far, `z := z * r` where `z < 0`, else
///    `z / r`; applied once however often the token occurs.
/// 2. temperature `t`: `z := z / t`.
/// 3. top-k: tokens with `z` below the k-th greatest are removed; those equal to it all stay.
/// 4. top-p: in ascending order of `z` (equal ones by ascending id), tokens are removed while the sum of `p` up to and
///    with them is at most `1 - top_p`.
/// 5. min-p: tokens with `p < min_p * max(p)` are removed.
///
/// No filter leaves fewer than `min_tokens_to_keep` tokens. Removed tokens have the logit minus infinity. A greedy choice
/// takes the greatest logit after step 1, the lower id where two are equal; a random one draws from the softmax after
/// step 5.
///
/// ```
/// use llmtrace_lens::generate::Sampling;
///
/// let sampling = Sampling::random(42).temperature(0.7).top_p(0.9);
/// assert!(sampling.check().is_ok());
/// let wrong = Sampling::random(42).top_p(1.5).check().unwrap_err();
/// assert_eq!(wrong.to_string(), "top_p is 1.5: allowed are numbers from 0 to 1");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Sampling {
    /// Greedy or random.
    pub draw: Draw,
    /// Above 1, tokens that occurred become less probable; below 1, more. `None`: no penalty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repetition_penalty: Option<f64>,
    /// Above 1 flattens the distribution, below 1 sharpens it. `None`: as the model says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// How many of the most probable tokens stay. `None`: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// The least probability that the tokens which stay have together. `None`: all stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The least probability of a token that stays, as a share of that of the most probable. `None`: all stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_p: Option<f64>,
    /// How many tokens each filter leaves at least.
    pub min_tokens_to_keep: usize,
}

/// Which token is taken of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Draw {
    /// The most probable.
    Greedy,
    /// One drawn at random: token `n` of an answer by the `n`-th number of the seed's `SplitMix64` stream, whatever
    /// the number of threads.
    Random {
        /// What makes two runs equal.
        seed: u64,
    },
}

/// Why no token could be chosen.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingError {
    /// A setting has a value that has no meaning.
    #[error("{name} is {found}: allowed are {allowed}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        found: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A setting was given to a greedy choice, on which it has no effect.
    #[error("{name} has no effect on a greedy choice: leave it out, or draw at random with a seed")]
    Unused {
        /// The setting.
        name: &'static str,
    },
    /// A logit is not a number or plus infinity, so that there are no probabilities.
    #[error("the logit of token {token} is {found}{}: there is no distribution to choose from", Stage(.after))]
    Logit {
        /// The token's id.
        token: usize,
        /// `NaN` or `inf`.
        found: f32,
        /// The setting after which it was so; `None` where the model said it.
        after: Option<SamplingFilter>,
    },
    /// No token has a finite logit.
    #[error("none of the {vocabulary} tokens has a finite logit: there is nothing to choose from")]
    Empty {
        /// How many logits there are.
        vocabulary: usize,
    },
    /// A token that occurred is not in the vocabulary.
    #[error("token {token} is not among the {vocabulary} tokens of the logits")]
    Token {
        /// The token's id.
        token: u32,
        /// How many logits there are.
        vocabulary: usize,
    },
}

/// A step between the model's logits and the choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingFilter {
    /// Tokens that occurred are made less probable.
    RepetitionPenalty,
    /// The distribution is flattened or sharpened.
    Temperature,
    /// Only the most probable stay, by number.
    TopK,
    /// Only the most probable stay, by the sum of their probabilities.
    TopP,
    /// Only those stay that are probable beside the most probable.
    MinP,
}

struct Stage<'a>(&'a Option<SamplingFilter>);

impl std::fmt::Display for Stage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |filter| write!(f, " after {}", filter.as_str()))
    }
}

impl SamplingFilter {
    /// The name of the setting: `repetition_penalty`, `temperature`, `top_k`, `top_p`, `min_p`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RepetitionPenalty => "repetition_penalty",
            Self::Temperature => "temperature",
            Self::TopK => "top_k",
            Self::TopP => "top_p",
            Self::MinP => "min_p",
        }
    }
}

impl Default for Sampling {
    /// A greedy choice.
    fn default() -> Self {
        Self::greedy()
    }
}

impl Sampling {
    /// The most probable token, always.
    pub fn greedy() -> Self {
        Self::with(Draw::Greedy)
    }

    /// A token drawn at random from what the model says; equal seeds give equal answers.
    pub fn random(seed: u64) -> Self {
        Self::with(Draw::Random { seed })
    }

    fn with(draw: Draw) -> Self {
        Self {
            draw,
            repetition_penalty: None,
            temperature: None,
            top_k: None,
            top_p: None,
            min_p: None,
            min_tokens_to_keep: 1,
        }
    }

    /// Sets the repetition penalty: a number above 0.
    pub fn repetition_penalty(mut self, penalty: f64) -> Self {
        self.repetition_penalty = Some(penalty);
        self
    }

    /// Sets the temperature: a number above 0.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Keeps the `k` most probable tokens: a number from 1.
    pub fn top_k(mut self, k: usize) -> Self {
        self.top_k = Some(k);
        self
    }

    /// Keeps the fewest most probable tokens that have at least the probability `p` together: from 0 to 1.
    pub fn top_p(mut self, p: f64) -> Self {
        self.top_p = Some(p);
        self
    }

    /// Keeps tokens that are at least `p` times as probable as the most probable: from 0 to 1.
    pub fn min_p(mut self, p: f64) -> Self {
        self.min_p = Some(p);
        self
    }

    /// Lets no filter leave fewer than `n` tokens: a number from 1.
    pub fn min_tokens_to_keep(mut self, n: usize) -> Self {
        self.min_tokens_to_keep = n;
        self
    }

    /// Says which setting is wrong, if one is, and what is allowed.
    pub fn check(&self) -> Result<(), SamplingError> {
        const POSITIVE: &str = "finite numbers above 0";
        const SHARE: &str = "numbers from 0 to 1";
        let number = |name, value: Option<f64>, allowed, is_right: fn(f64) -> bool| match value {
            Some(value) if !is_right(value) => Err(setting(name, &value, allowed)),
            _ => Ok(()),
        };
        let is_positive: fn(f64) -> bool = |value| value > 0.0 && value.is_finite();
        let is_share: fn(f64) -> bool = |value| (0.0..=1.0).contains(&value);
        number("repetition_penalty", self.repetition_penalty, POSITIVE, is_positive)?;
        number("temperature", self.temperature, POSITIVE, is_positive)?;
        number("top_p", self.top_p, SHARE, is_share)?;
        number("min_p", self.min_p, SHARE, is_share)?;
        if self.top_k == Some(0) {
            return Err(setting("top_k", &0, "whole numbers from 1; leave it out to keep all tokens"));
        }
        if self.min_tokens_to_keep == 0 {
            return Err(setting("min_tokens_to_keep", &0, "whole numbers from 1"));
        }
        if self.draw == Draw::Greedy {
            let given = [
                (SamplingFilter::Temperature, self.temperature.is_some()),
                (SamplingFilter::TopK, self.top_k.is_some()),
                (SamplingFilter::TopP, self.top_p.is_some()),
                (SamplingFilter::MinP, self.min_p.is_some()),
            ];
            if let Some((filter, _)) = given.iter().find(|(_, is_given)| *is_given) {
                return Err(SamplingError::Unused { name: filter.as_str() });
            }
        }
        Ok(())
    }
}

fn setting(name: &'static str, found: &impl ToString, allowed: &'static str) -> SamplingError {
    SamplingError::Setting { name, found: found.to_string(), allowed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_settings_say_which_and_what_is_allowed() {
        let check = |sampling: Sampling, expected: &str| {
            let found = sampling.check().err().map_or_else(String::new, |error| error.to_string());
            assert_eq!(found, expected, "{sampling:?}");
        };
        let random = || Sampling::random(0);
        check(Sampling::greedy().repetition_penalty(1.2), "");
        check(random().temperature(0.1).top_k(1).top_p(0.0).min_p(1.0).repetition_penalty(0.5), "");
        for wrong in [0.0, -1.0] {
            let text = format!("temperature is {wrong}: allowed are finite numbers above 0");
            check(random().temperature(wrong), &text);
        }
        check(random().temperature(f64::NAN), "temperature is NaN: allowed are finite numbers above 0");
        check(random().temperature(f64::INFINITY), "temperature is inf: allowed are finite numbers above 0");
        check(
            random().repetition_penalty(0.0),
            "repetition_penalty is 0: allowed are finite numbers above 0",
        );
        check(random().top_p(-0.1), "top_p is -0.1: allowed are numbers from 0 to 1");
        check(random().min_p(f64::NAN), "min_p is NaN: allowed are numbers from 0 to 1");
        check(
            random().top_k(0),
            "top_k is 0: allowed are whole numbers from 1; leave it out to keep all tokens",
        );
        check(random().min_tokens_to_keep(0), "min_tokens_to_keep is 0: allowed are whole numbers from 1");
        check(
            Sampling::greedy().top_k(5),
            "top_k has no effect on a greedy choice: leave it out, or draw at random with a seed",
        );
    }
}
