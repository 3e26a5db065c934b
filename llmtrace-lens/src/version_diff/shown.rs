//! What changed, as text.

use std::fmt;

use super::answers::AnswerStatus;
use super::diff::{Place, VersionDiff};
use crate::analysis::write_columns;

/// The most lines of each kind.
const LINES: usize = 10;

impl VersionDiff {
    /// What changed, in one sentence.
    pub fn verdict(&self) -> String {
        let prompts = if self.answers.len() == 1 {
            "1 prompt".to_owned()
        } else {
            format!("{} prompts", self.answers.len())
        };
        let read = format!("{prompts} of {} tokens", self.tokens);
        if !self.changed() {
            return format!("Nothing changed on {read}, beyond what rounding the weights to bf16 explains.");
        }
        let answers = |status| self.answers.iter().filter(|answer| answer.status == status).count();
        let of_features =
            self.features_changed.map(|(changed, all)| format!("; {changed} of {all} features"));
        format!(
            "Of {read}, {} are answered with other words, {} with other probabilities; {} of {} tensors, {} of {} heads and {} of {} neurons changed{}.",
            answers(AnswerStatus::Changed),
            answers(AnswerStatus::Moved),
            self.changed_weights().count(),
            self.weights.len(),
            self.changed_heads().count(),
            self.heads.len(),
            self.neurons_changed.0,
            self.neurons_changed.1,
            of_features.unwrap_or_default(),
        )
    }

    fn show_answers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.answers_by_change().collect();
        if shown.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nAnswers, with the probability of their first word in each version:")?;
        let mut lines = vec![row(["prompt", "before", "after", "KL"])];
        for answer in shown.iter().take(LINES) {
            let told =
                |text: &str, before: f64, after: f64| format!("{} {before:.3} → {after:.3}", text.trim());
            let (old, new) = (&answer.before, &answer.after);
            lines.push(vec![
                answer.prompt.clone(),
                told(&old.text, old.first(), old.first_by_other),
                if answer.status == AnswerStatus::Changed {
                    told(&new.text, new.first_by_other, new.first())
                } else {
                    "the same words".to_owned()
                },
                format!("{:.3}", answer.divergence),
            ]);
        }
        write_columns(f, &lines)?;
        more(f, shown.len())
    }

    fn show_weights(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.changed_weights().count();
        if count == 0 {
            return Ok(());
        }
        writeln!(f, "\nWeights, by how far they moved as a share of their norm:")?;
        let lines = self.changed_weights().take(LINES);
        let lines = lines.map(|weight| vec![weight.name.clone(), format!("{:.4}", weight.relative)]);
        write_columns(f, &lines.collect::<Vec<_>>())?;
        more(f, count)
    }

    fn show_layers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nDrift of the stream, and of the next word read there (nats):")?;
        let mut lines = vec![row(["after", "CKA", "cosine", "least", "KL", "largest", "at"])];
        for layer in &self.layers {
            let at = if layer.changed { self.told(&layer.place) } else { "not changed".to_owned() };
            lines.push(vec![
                layer.label.clone(),
                layer.cka.map_or("-".to_owned(), |cka| format!("{cka:.4}")),
                format!("{:.4}", layer.cosine),
                format!("{:.4}", layer.least_cosine),
                format!("{:.4}", layer.divergence),
                format!("{:.3}", layer.largest_divergence),
                at,
            ]);
        }
        write_columns(f, &lines)
    }

    fn show_parts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\nWhat brings the new answers into the old version, one part at a time (1: all of them):"
        )?;
        let mut parts: Vec<_> = self.parts.iter().collect();
        parts.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
        let shown = parts.iter().filter(|part| part.effect.abs() >= 0.0005).take(LINES);
        let lines = shown.map(|part| vec![part.part.clone(), format!("{:+.3}", part.effect)]);
        write_columns(f, &lines.collect::<Vec<_>>())
    }

    fn show_heads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.changed_heads().count();
        if count == 0 {
            return Ok(());
        }
        writeln!(f, "\nHeads that do something else with the same input:")?;
        let mut lines = vec![row(["head", "attention moved", "written / stream", "effect", "at"])];
        for head in self.changed_heads().take(LINES) {
            lines.push(vec![
                format!("L{}H{}", head.layer, head.head),
                format!("{:.3}", head.pattern),
                format!("{:.3}", head.output),
                effect(head.effect),
                self.told(&head.place),
            ]);
        }
        write_columns(f, &lines)?;
        more(f, count)
    }

    fn show_neurons(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.neurons.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nNeurons that do something else with the same input:")?;
        let mut lines = vec![row(["neuron", "activation", "written / stream", "effect", "at"])];
        for neuron in self.neurons.iter().take(LINES) {
            lines.push(vec![
                format!("L{}N{}", neuron.layer, neuron.neuron),
                format!("{:.2} → {:.2}", neuron.before, neuron.after),
                format!("{:.3}", neuron.written),
                effect(neuron.effect),
                self.told(&neuron.place),
            ]);
        }
        write_columns(f, &lines)?;
        more(f, self.neurons_changed.0)
    }

    fn show_features(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((count, _)) = self.features_changed.filter(|(count, _)| *count > 0) else { return Ok(()) };
        writeln!(f, "\nFeatures that are active otherwise, each version reading its own stream:")?;
        let mut lines = vec![row(["feature", "activation", "written / stream", "makes likelier", "at"])];
        for feature in self.features.iter().take(LINES) {
            let words: Vec<&str> = feature.promoted.iter().map(|text| text.trim()).collect();
            lines.push(vec![
                format!("L{} F{}", feature.layer, feature.feature),
                format!("{:.2} → {:.2}", feature.before, feature.after),
                format!("{:.3}", feature.written),
                words.join(", "),
                self.told(&feature.place),
            ]);
        }
        write_columns(f, &lines)?;
        more(f, count)
    }

    fn told(&self, place: &Place) -> String {
        let prompt = self.answers.get(place.prompt).map_or("", |answer| answer.prompt.as_str());
        format!("{:?} of {prompt:?}", place.token.trim())
    }
}

impl fmt::Display for VersionDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} → {}", self.before, self.after)?;
        writeln!(f, "{}", self.verdict())?;
        if !self.changed() {
            return Ok(());
        }
        for change in &self.settings {
            writeln!(f, "config: {} was {}, is {}", change.name, change.before, change.after)?;
        }
        self.show_answers(f)?;
        self.show_weights(f)?;
        self.show_layers(f)?;
        self.show_parts(f)?;
        self.show_heads(f)?;
        self.show_neurons(f)?;
        self.show_features(f)
    }
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn effect(effect: Option<f64>) -> String {
    effect.map_or("-".to_owned(), |effect| format!("{effect:+.3}"))
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.checked_sub(LINES) {
        Some(left) if left > 0 => writeln!(f, "and {left} more"),
        _ => Ok(()),
    }
}
