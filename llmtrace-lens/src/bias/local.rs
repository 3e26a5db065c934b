//! Probing a local model.

use std::collections::BTreeMap;

use super::continuation::{Continuation, tokens_of};
use super::error::BiasError;
use super::probe::Probe;
use super::report::BiasReport;
use super::scores::Scores;
use crate::gradient::Target;
use crate::model::Model;

impl Probe {
    /// Scores every prompt by what a local model would say after it, and compares the groups two by two.
    ///
    /// ```
    /// use llmtrace_lens::bias::{Attribute, Continuation, Probe};
    /// use llmtrace_lens::handmade::Biased;
    ///
    /// let model = Biased::model(0)?;
    /// let attribute = Attribute::unpaired([("men", Biased::men().to_vec()), ("women", Biased::women().to_vec())]);
    /// let probe = Probe::new(["my neighbour {} works as a", "today {} became a"], attribute)?;
    /// let report = probe.run_model(&model, &[Continuation::parse("doctor/nurse")?])?;
    /// assert!(report.comparisons[0].is_established);
    /// assert!((report.comparisons[0].difference - 6.0).abs() < 0.5, "3 for each of the two logits");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A prompt cannot be run, or the tokenizer cannot tell two terms apart.
    pub fn run_model(&self, model: &Model, targets: &[Continuation]) -> Result<BiasReport, BiasError> {
        let prompts = Prompts::of(self, model)?;
        let mut all = Vec::with_capacity(targets.len());
        for target in targets {
            let mut scores = vec![0.0; prompts.texts.len()];
            for (text, weight) in target.texts() {
                prompts.add(model, text, weight, &mut scores)?;
            }
            all.push(Scores::new(self, &target.to_string(), scores)?);
        }
        BiasReport::of(self, all)
    }
}

/// All prompts and their tokens.
struct Prompts {
    texts: Vec<String>,
    tokens: Vec<Vec<u32>>,
}

impl Prompts {
    fn of(probe: &Probe, model: &Model) -> Result<Self, BiasError> {
        let texts: Vec<String> = probe.prompts().map(|one| one.prompt).collect();
        let mut tokens = Vec::with_capacity(texts.len());
        let mut seen: BTreeMap<Vec<u32>, &String> = BTreeMap::new();
        for text in &texts {
            let ids = model.tokenize(text)?;
            if ids.is_empty() {
                return Err(BiasError::Input(format!("the prompt {text:?} has no token")));
            }
            if let Some(other) = seen.insert(ids.clone(), text) {
                return Err(BiasError::Input(format!(
                    "the model's tokenizer does not tell {text:?} from {other:?}: give terms that it knows"
                )));
            }
            tokens.push(ids);
        }
        let special = model.special_tokens();
        let count = |ids: &Vec<u32>| ids.iter().filter(|id| special.contains(id)).count();
        let templates = probe.templates.len();
        for template in 0..templates {
            let of_template = || tokens.iter().zip(&texts).skip(template).step_by(templates);
            let fewest = of_template().map(|(ids, _)| count(ids)).min().unwrap_or(0);
            if let Some((_, text)) = of_template().find(|(ids, _)| count(ids) > fewest) {
                return Err(BiasError::Input(format!(
                    "the model's vocabulary does not have the term of {text:?}: give terms that it knows"
                )));
            }
        }
        Ok(Self { texts, tokens })
    }

    /// Adds the log-probability of a text after each prompt; prompts of one length and one continuation are run as a batch.
    fn add(&self, model: &Model, text: &str, weight: f64, scores: &mut [f64]) -> Result<(), BiasError> {
        let mut alike: BTreeMap<(usize, Vec<u32>), Vec<usize>> = BTreeMap::new();
        for (at, (prompt, tokens)) in self.texts.iter().zip(&self.tokens).enumerate() {
            let ids = tokens_of(model, prompt, tokens, text)?;
            alike.entry((tokens.len(), ids)).or_default().push(at);
        }
        for ((steps, ids), places) in alike {
            let target = Target::continuation(&ids);
            for some in places.chunks(target.batch(steps, model.config().vocab)) {
                let batch: Vec<&[u32]> =
                    some.iter().filter_map(|at| self.tokens.get(*at)).map(Vec::as_slice).collect();
                for (at, value) in some.iter().zip(model.score(&batch[..], &target)?) {
                    if let Some(score) = scores.get_mut(*at) {
                        *score += weight * value;
                    }
                }
            }
        }
        Ok(())
    }
}
