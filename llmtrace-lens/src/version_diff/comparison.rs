//! Comparing two versions of a model.

use super::answers::{AnswerChange, AnswerStatus};
use super::diff::{HeadChange, LayerDrift, NeuronChange, Place, VersionDiff};
use super::effects::{Effects, Moved};
use super::error::DiffError;
use super::features::Dictionary;
use super::limits::Limits;
use super::measured::{LayerSeen, Measured};
use super::runs::{HeldRun, read};
use super::same_shape::{self, SettingChange};
use super::weights;
use crate::circuit::Transcoders;
use crate::hooks::Site;
use crate::model::{Model, Readout};
use crate::ops::floats;

/// The most prompts that parts, heads and neurons are patched on: those whose answers moved most.
const EXPLAINED: usize = 16;

/// The most heads and the most neurons that are patched one by one: those that changed most.
const PATCHED: usize = 24;

/// Two versions of a model, about to be compared on the same prompts.
///
/// Besides the two, a copy of the older model is held in memory while it runs.
pub struct Comparison<'m> {
    before: &'m Model,
    after: &'m Model,
    settings: Vec<SettingChange>,
    transcoders: Option<&'m Transcoders>,
    answer_tokens: usize,
    seed: u64,
    tell: Box<dyn FnMut(usize, usize) + 'm>,
}

impl std::fmt::Debug for Comparison<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { before, after, answer_tokens, seed, .. } = self;
        let mut fields = f.debug_struct("Comparison");
        fields.field("before", &before.name()).field("after", &after.name());
        fields.field("answer_tokens", answer_tokens).field("seed", seed).finish_non_exhaustive()
    }
}

impl<'m> Comparison<'m> {
    /// The older version and the newer one.
    ///
    /// # Errors
    /// They have different shapes or different tokenizers.
    pub fn new(before: &'m Model, after: &'m Model) -> Result<Self, DiffError> {
        let settings = same_shape::check(before, after)?;
        let tell = Box::new(|_, _| ());
        Ok(Self { before, after, settings, transcoders: None, answer_tokens: 2, seed: 0, tell })
    }

    /// Tells of these features too, those of the older model's transcoders: which are active otherwise in the newer one's stream.
    pub fn features(mut self, transcoders: &'m Transcoders) -> Self {
        self.transcoders = Some(transcoders);
        self
    }

    /// Answers have at most so many tokens; 2 where nothing is said.
    pub fn answer_tokens(mut self, count: usize) -> Self {
        self.answer_tokens = count.max(1);
        self
    }

    /// Chooses the noise that changes are held to; 0 where nothing is said.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Tells how many steps of all are done.
    pub fn progress(mut self, tell: impl FnMut(usize, usize) + 'm) -> Self {
        self.tell = Box::new(tell);
        self
    }

    /// Compares the two on these prompts.
    ///
    /// # Errors
    /// No prompt; one that the models cannot read, or read into different tokens.
    pub fn run<P: AsRef<str>>(mut self, prompts: &[P]) -> Result<VersionDiff, DiffError> {
        let prompts = self.tokenized(prompts)?;
        let parts = 2 * self.before.config().layers + 2;
        let (mut done, all) = (0, 3 * prompts.len() + parts + 2 * PATCHED);
        let mut tell = std::mem::replace(&mut self.tell, Box::new(|_, _| ()));
        let mut step = || {
            done += 1;
            tell(done.min(all), all);
        };
        let weights = weights::changes(self.before, self.after)?;
        let noisy = weights::noisy(self.before, self.seed)?;
        let dictionary = self.transcoders.map(|given| Dictionary::new(self.before, given)).transpose()?;
        let noise = self.measured(&noisy, &prompts, dictionary.as_ref(), &mut step)?;
        let seen = self.measured(self.after, &prompts, dictionary.as_ref(), &mut step)?;
        let limits = Limits::above(&noise);
        let mut answers = Vec::with_capacity(prompts.len());
        for ((prompt, tokens), divergence) in prompts.iter().zip(&seen.last_kl) {
            let models = (self.before, self.after);
            let apart = (*divergence, limits.answer);
            answers.push(AnswerChange::ask(models, (prompt, tokens), self.answer_tokens, apart)?);
            step();
        }
        let effects = self.effects(&prompts, &answers)?;
        let parts = effects.parts(&mut step)?;
        let place = |(prompt, position): (usize, usize)| self.place(&prompts, prompt, position);
        let heads = heads(&seen, &limits, place, &effects, &mut step)?;
        let (neurons, neurons_changed) = neurons(&seen, &limits, place, &effects, &mut step)?;
        let features = dictionary
            .as_ref()
            .map(|known| known.changed(&seen.features, limits.feature, place))
            .transpose()?;
        let (features, features_changed) =
            features.map_or((Vec::new(), None), |(told, count)| (told, Some(count)));
        Ok(VersionDiff {
            before: self.before.name().to_owned(),
            after: self.after.name().to_owned(),
            tokens: prompts.iter().map(|(_, tokens)| tokens.len()).sum(),
            settings: self.settings.clone(),
            weights,
            layers: seen.layers.iter().map(|layer| drift(layer, &limits, place(layer.place))).collect(),
            parts,
            heads,
            neurons,
            neurons_changed: (neurons_changed, seen.neurons.len()),
            features,
            features_changed,
            answers,
            limits,
        })
    }

    /// Prompts and their tokens, which both models must agree on.
    fn tokenized<P: AsRef<str>>(&self, prompts: &[P]) -> Result<Vec<(String, Vec<u32>)>, DiffError> {
        let mut found = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            let prompt = prompt.as_ref();
            let tokens = self.before.tokenize(prompt)?;
            if tokens != self.after.tokenize(prompt)? {
                return Err(DiffError::Tokenizer {
                    before: self.before.name().to_owned(),
                    after: self.after.name().to_owned(),
                    problem: format!("{prompt:?} becomes other tokens"),
                });
            }
            if tokens.is_empty() {
                return Err(DiffError::Input(format!("the prompt {prompt:?} has no token")));
            }
            found.push((prompt.to_owned(), tokens));
        }
        if found.is_empty() {
            return Err(DiffError::Input("no prompt to compare the models on: give one at least".to_owned()));
        }
        Ok(found)
    }

    fn measured<'d>(
        &self,
        other: &Model,
        prompts: &[(String, Vec<u32>)],
        dictionary: Option<&'d Dictionary<'d>>,
        step: &mut dyn FnMut(),
    ) -> Result<Measured<'d>, DiffError> {
        let mut measured = Measured::new(self.before, other, dictionary)?;
        for (_, tokens) in prompts {
            let (before, after) = (read(self.before, tokens)?, read(other, tokens)?);
            measured.add(&before, &after, &HeldRun::new(other, &before)?)?;
            step();
        }
        measured.finish(self.before.config())
    }

    /// The prompts whose answers changed, or else moved, most.
    fn effects(
        &self,
        prompts: &[(String, Vec<u32>)],
        answers: &[AnswerChange],
    ) -> Result<Effects<'m>, DiffError> {
        let changed = answers.iter().any(|answer| answer.status == AnswerStatus::Changed);
        let wanted = if changed { AnswerStatus::Changed } else { AnswerStatus::Moved };
        let mut chosen: Vec<usize> = (0..answers.len()).filter(|at| answers[*at].status == wanted).collect();
        chosen.sort_by(|a, b| answers[*b].divergence.total_cmp(&answers[*a].divergence));
        let mut moved = Vec::new();
        for at in chosen.into_iter().take(EXPLAINED).filter(|at| answers[*at].divergence > 0.0) {
            let tokens = &prompts[at].1;
            let before = read(self.before, tokens)?;
            let held = HeldRun::new(self.after, &before)?;
            let after = floats(&self.after.run_batch(&[tokens.as_slice()], Readout::Last)?)?;
            moved.push(Moved { before, held, after, divergence: answers[at].divergence });
        }
        Ok(Effects { before: self.before, after: self.after, moved })
    }

    fn place(&self, prompts: &[(String, Vec<u32>)], prompt: usize, position: usize) -> Place {
        let token = prompts.get(prompt).and_then(|(_, tokens)| tokens.get(position));
        let token = token.map(|id| self.before.token_text(*id)).unwrap_or_default();
        Place { prompt, position, token }
    }
}

fn drift(seen: &LayerSeen, limits: &Limits, place: Place) -> LayerDrift {
    let count = seen.positions.max(1) as f64;
    let label = match (seen.point.site(), seen.point.layer()) {
        (Site::ResidPost, Some(layer)) => format!("L{layer}"),
        _ => "embeddings".to_owned(),
    };
    LayerDrift {
        point: seen.point.to_string(),
        label,
        cka: seen.cka,
        cosine: seen.cosines / count,
        least_cosine: seen.least_cosine,
        divergence: seen.divergences / count,
        largest_divergence: seen.largest_kl,
        place,
        changed: seen.cka.is_some_and(|cka| 1.0 - cka > limits.cka)
            || 1.0 - seen.least_cosine > limits.cosine
            || seen.largest_kl > limits.lens,
    }
}

type Found<T> = Result<T, DiffError>;

/// Every head: those that changed first, by what they do to the answers, then by what they write.
fn heads(
    seen: &Measured<'_>,
    limits: &Limits,
    place: impl Fn((usize, usize)) -> Place,
    effects: &Effects<'_>,
    step: &mut dyn FnMut(),
) -> Found<Vec<HeadChange>> {
    let mut found: Vec<HeadChange> = seen
        .heads
        .iter()
        .map(|head| HeadChange {
            layer: head.layer,
            head: head.head,
            pattern: head.pattern.share,
            output: head.own.share,
            place: place(if head.own.share > 0.0 { head.own.place } else { head.pattern.place }),
            with_inputs: head.whole.share,
            effect: None,
            changed: head.pattern.share > limits.pattern || head.own.share > limits.head,
        })
        .collect();
    found.sort_by(|a, b| b.changed.cmp(&a.changed).then(b.output.total_cmp(&a.output)));
    for head in found.iter_mut().filter(|head| head.changed).take(PATCHED) {
        head.effect = effects.head(head.layer, head.head)?;
        step();
    }
    let size = |head: &HeadChange| head.effect.map_or(0.0, f64::abs);
    found.sort_by(|a, b| {
        b.changed.cmp(&a.changed).then(size(b).total_cmp(&size(a))).then(b.output.total_cmp(&a.output))
    });
    Ok(found)
}

/// The neurons that changed, likewise, and how many there are.
fn neurons(
    seen: &Measured<'_>,
    limits: &Limits,
    place: impl Fn((usize, usize)) -> Place,
    effects: &Effects<'_>,
    step: &mut dyn FnMut(),
) -> Found<(Vec<NeuronChange>, usize)> {
    let mut changed: Vec<_> = seen.neurons.iter().filter(|neuron| neuron.own.share > limits.neuron).collect();
    changed.sort_by(|a, b| b.own.share.total_cmp(&a.own.share));
    let mut found = Vec::new();
    for (at, neuron) in changed.iter().take(VersionDiff::NEURONS).enumerate() {
        let effect = if at < PATCHED { effects.neuron(neuron.layer, neuron.neuron)? } else { None };
        step();
        found.push(NeuronChange {
            layer: neuron.layer,
            neuron: neuron.neuron,
            before: neuron.activations[0],
            after: neuron.activations[1],
            written: neuron.own.share,
            place: place(neuron.own.place),
            with_inputs: neuron.whole.share,
            effect,
        });
    }
    let size = |neuron: &NeuronChange| neuron.effect.map_or(0.0, f64::abs);
    found.sort_by(|a, b| size(b).total_cmp(&size(a)).then(b.written.total_cmp(&a.written)));
    Ok((found, changed.len()))
}
