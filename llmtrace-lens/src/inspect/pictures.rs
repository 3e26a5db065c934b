//! Pictures of answers, sweeps and explanations.

use crate::explain::Attribution;
use crate::generate::{Choice, FilterEffect, Generation};
use crate::model::Model;
use crate::patching::Sweep;
use crate::report::{AttributedPrompt, Axis, GenerationStep, GenerationTable, Heatmap, PictureError, Scale};

impl Generation {
    /// The steps as a table; `model` is the one that wrote them.
    pub fn picture(&self, model: &Model, title: impl Into<String>) -> GenerationTable {
        self.tokens.iter().fold(GenerationTable::new(title), |table, token| {
            table.step(step(model, &model.token_text(token.token.id), &token.choice))
        })
    }
}

fn step(model: &Model, text: &str, choice: &Choice) -> GenerationStep {
    let others = choice.alternatives.iter().filter(|other| other.token != choice.token);
    let others = others.map(|other| (model.token_text(other.token), single(other.model_probability)));
    let (entropy, rank) = (single(choice.model_entropy.bits()), choice.model.rank);
    let step =
        GenerationStep::new(text, single(choice.model.probability), entropy, rank).alternatives(others);
    choice.filters.iter().fold(step, |step, report| match &report.effect {
        FilterEffect::Removed { tokens, .. } => step.removed(report.filter.as_str(), *tokens),
        FilterEffect::Changed { .. } => step,
    })
}

impl Sweep {
    /// The share recovered by each patch as a heat map; a sweep of more than two axes has its inner ones side by side.
    ///
    /// # Errors
    /// There is more than a picture can show.
    pub fn picture(&self, title: impl Into<String>) -> Result<Heatmap, PictureError> {
        let mut axes = self.axes.iter();
        let rows = axes.next().map_or_else(
            || Axis::named("all", [""]),
            |axis| {
                Axis::named(
                    axis.name.as_str(),
                    axis.labels.iter().map(|label| format!("{} {label}", axis.name)),
                )
            },
        );
        let inner: Vec<_> = axes.collect();
        let columns = match inner.as_slice() {
            [axis] if axis.name == "position" => Axis::tokens("position", &axis.labels),
            [axis] if axis.name == "head" => Axis::counted("head", "H", axis.labels.len()),
            [axis] => Axis::named(axis.name.as_str(), &axis.labels),
            several => {
                let name: Vec<&str> = several.iter().map(|axis| axis.name.as_str()).collect();
                let labels = several.iter().fold(vec![String::new()], |labels, axis| {
                    let with = |label: &str| -> Vec<String> {
                        axis.labels.iter().map(|more| format!("{label} {more}")).collect()
                    };
                    labels.iter().flat_map(|label| with(label)).collect()
                });
                Axis::named(name.join(" · "), labels.iter().map(|label| label.trim()))
            }
        };
        let values: Vec<f32> = self.recovered.iter().map(|share| single(*share)).collect();
        let map = Heatmap::new(title, rows, columns, values)?;
        Ok(map.scale(Scale::Centred).value_is(format!("share of {} brought back", self.metric)))
    }
}

impl Attribution {
    /// The prompt, coloured by the parts' values; `score` is what was explained, with its unit.
    pub fn picture(&self, title: impl Into<String>, score: impl AsRef<str>) -> AttributedPrompt {
        let prompt = AttributedPrompt::new(title, self.meaning.of(score.as_ref()));
        let prompt = self
            .parts
            .iter()
            .fold(prompt, |prompt, part| prompt.part(part.text.as_str(), single(part.value)));
        let prompt = if self.meaning.is_signed() { prompt } else { prompt.unsigned() };
        let prompt = match (self.base_value, self.sum_gap()) {
            (Some(base), Some(gap)) => prompt.ends(single(base), single(self.full_value)).gap(single(gap)),
            _ => prompt,
        };
        prompt.method(format!(
            "{}, {}, {} calls",
            self.method.replace('_', " "),
            self.masking,
            self.spent.calls
        ))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "pictures have three digits")]
fn single(value: f64) -> f32 {
    value as f32
}
