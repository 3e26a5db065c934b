//! What changed, as a page.

use super::answers::AnswerStatus;
use super::diff::VersionDiff;
use crate::analysis::single;
use crate::report::{Axis, FactLine, Heatmap, LayerBars, Page, PictureError, Section};

impl VersionDiff {
    /// A page: what changed, where along the layers, in which heads.
    ///
    /// # Errors
    /// There are more layers or heads than a picture has room for.
    pub fn page(&self) -> Result<Page, PictureError> {
        let mut page = Page::new(format!("{} → {}", self.before, self.after))
            .lead(self.verdict())
            .section(Section::new("What changed", WHAT).picture(self.facts()));
        if self.changed_answers().next().is_some() {
            page = page.section(Section::new("Which answers", ANSWERS).picture(self.answer_line()));
        }
        page = page.section(Section::new("Where along the layers", DRIFT).picture(self.drift_bars()?));
        if !self.parts.is_empty() {
            page =
                page.section(Section::new("What carries the new answers", PARTS).picture(self.part_bars()?));
        }
        if self.changed_heads().next().is_some() {
            page = page.section(Section::new("Which heads", HEADS).picture(self.head_map()?));
        }
        if !self.neurons.is_empty() {
            page = page.section(Section::new("Which neurons", NEURONS).picture(self.neuron_bars()?));
        }
        if !self.features.is_empty() {
            page = page.section(Section::new("Which features", FEATURES).picture(self.feature_bars()?));
        }
        Ok(page.foot(LIMITS))
    }

    /// How far the next token's distribution, read after each layer, has moved: a bar for each layer.
    ///
    /// # Errors
    /// There are more layers than a picture has bars.
    pub fn drift_bars(&self) -> Result<LayerBars, PictureError> {
        let title = "How far the next word has moved, read after each layer";
        let bars = LayerBars::new(title, "nats", ["KL(after || before), mean of all words"]);
        self.layers.iter().try_fold(bars, |bars, layer| bars.bar(&layer.label, [single(layer.divergence)]))
    }

    /// How much of the change of the answers each part carries: a bar for each.
    ///
    /// # Errors
    /// There are more layers than a picture has bars.
    pub fn part_bars(&self) -> Result<LayerBars, PictureError> {
        let title = "Share of the new answers that each part brings alone";
        let bars = LayerBars::new(title, "", ["share"]);
        self.parts.iter().try_fold(bars, |bars, part| bars.bar(&part.part, [single(part.effect)]))
    }

    /// What each head writes otherwise given the same stream: a row for each block, a column for each head; those that changed have a frame.
    ///
    /// # Errors
    /// There are more heads than a picture has cells.
    pub fn head_map(&self) -> Result<Heatmap, PictureError> {
        let count = |of: &dyn Fn(&super::HeadChange) -> usize| {
            self.heads.iter().map(of).max().map_or(0, |last| last + 1)
        };
        let (layers, heads) = (count(&|head| head.layer), count(&|head| head.head));
        let mut values = vec![0.0; layers * heads];
        for head in &self.heads {
            if let Some(value) = values.get_mut(head.layer * heads + head.head) {
                *value = single(head.output);
            }
        }
        let rows = Axis::counted("layer", "L", layers);
        let columns = Axis::counted("head", "H", heads);
        let map = Heatmap::new("What each head writes otherwise", rows, columns, values)?;
        let map = map.value_is("share of the stream's norm");
        Ok(self.changed_heads().fold(map, |map, head| map.mark(head.layer, head.head)))
    }

    /// How much of the stream each changed neuron writes otherwise: a bar for each of the strongest.
    ///
    /// # Errors
    /// There are more neurons than a picture has bars.
    pub fn neuron_bars(&self) -> Result<LayerBars, PictureError> {
        let bars = LayerBars::new("What each neuron writes otherwise", "of the stream's norm", ["share"]);
        self.neurons.iter().take(SHOWN).try_fold(bars, |bars, neuron| {
            let name = format!("L{}N{} at {:?}", neuron.layer, neuron.neuron, neuron.place.token.trim());
            bars.bar(name, [single(neuron.written)])
        })
    }

    /// How much of the stream each changed feature writes otherwise: a bar for each of the strongest.
    ///
    /// # Errors
    /// There are more features than a picture has bars.
    pub fn feature_bars(&self) -> Result<LayerBars, PictureError> {
        let bars = LayerBars::new("What each feature writes otherwise", "of the stream's norm", ["share"]);
        self.features.iter().take(SHOWN).try_fold(bars, |bars, feature| {
            let name = format!("L{} F{} at {:?}", feature.layer, feature.feature, feature.place.token.trim());
            bars.bar(name, [single(feature.written)])
        })
    }

    fn answer_line(&self) -> FactLine {
        let line = FactLine::new("Answers that changed most");
        self.answers_by_change().take(SHOWN).fold(line, |line, answer| {
            let (old, new) = (answer.before.text.trim(), answer.after.text.trim());
            let (was, is) = (answer.before.first(), answer.after.first());
            let figure = match answer.status {
                AnswerStatus::Changed => format!("{old} → {new}"),
                _ => format!("{old}: {was:.3} → {is:.3}"),
            };
            line.fact(figure, answer.prompt.as_str())
        })
    }

    fn facts(&self) -> FactLine {
        let of = |changed: usize, all: usize| format!("{changed} of {all}");
        let line = FactLine::new("What changed")
            .fact(
                of(self.changed_answers().count(), self.answers.len()),
                "answers, in words or probabilities",
            )
            .fact(of(self.changed_weights().count(), self.weights.len()), "tensors of weights")
            .fact(of(self.changed_heads().count(), self.heads.len()), "attention heads")
            .fact(of(self.neurons_changed.0, self.neurons_changed.1), "neurons");
        match self.features_changed {
            Some((changed, all)) => line.fact(of(changed, all), "features"),
            None => line,
        }
    }
}

/// The most answers and neurons of a picture.
const SHOWN: usize = 12;

const WHAT: &str = "Counted is what is well above the noise of rounding the weights to 16 bits.";
const ANSWERS: &str = "The likeliest answer of the older version and of the newer one, above its prompt; where the words are the same, \
                       the probability of the first.";
const DRIFT: &str = "The stream after each layer is read as the model's own end reads the last one. A bar is how far the newer \
                     version's distribution of the next word is from the older one's there.";
const PARTS: &str = "In a run of the older version one part alone does what it does in the newer one. 1: the answers become the \
                     newer version's; 0: nothing happens.";
const HEADS: &str = "Both versions of a head read what the older model had before it, so that what earlier layers changed is not \
                     counted again. Heads with a frame changed.";
const NEURONS: &str = "Those with the most effect on the answers, first. Both versions of a neuron read what the older model had \
                       before it; a bar is the difference of what they write, where it is largest.";
const FEATURES: &str = "The older version's transcoders read both streams. A bar is the difference of what a feature writes, where it is \
                        largest: what earlier parts have changed is in it.";
const LIMITS: &str =
    "A change is reported where it is at least four times the largest that the same noise makes anywhere.";
