//! What direct logit attribution answers.

use std::fmt;

use serde::Serialize;

use super::reading::single;
use crate::model::TokenLabel;

/// Which parts of a run wrote a logit, or a logit difference: `logit = sum of parts + constant + gap`.
///
/// Direct logit attribution (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"; TransformerLens
/// `logit_attrs`): each part of the final residual stream, read by the final norm with the scale it had in the run and
/// by the unembedding. What a part does through later layers counts as theirs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Attribution {
    /// The token whose logit it is.
    pub token: TokenLabel,
    /// The token whose logit was taken away, where it is a difference.
    pub against: Option<TokenLabel>,
    /// The position whose next token is said.
    pub position: usize,
    /// The parts, in the order of the forward pass; those of a choice of neurons by magnitude.
    pub parts: Vec<Part>,
    /// What the biases of the final norm and of the unembedding add, whatever the text is.
    pub constant: f32,
    /// What the model computed: the logit, before the model's softcap where it has one.
    pub logit: f32,
    /// The logit less all parts and the constant: rounding, unless a hook wrote to the stream itself.
    pub gap: f32,
    /// The model's softcap of its logits, which `logit` has not gone through.
    pub softcap: Option<f64>,
}

/// One part and its share.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// `embed`, `pos_embed`, `0_attn_out`, `0_mlp_out` as TransformerLens has them; `L0H3` a head, `L0N17` a neuron.
    pub label: String,
    /// The block, where it is in one.
    pub layer: Option<usize>,
    /// Which head, neuron or source position it is, where it is one.
    pub index: Option<usize>,
    /// What it adds to the logit.
    pub value: f32,
}

impl Part {
    pub(super) fn new(label: impl Into<String>, value: f64) -> Self {
        Self { label: label.into(), layer: None, index: None, value: single(value) }
    }

    pub(super) fn in_layer(self, layer: usize) -> Self {
        Self { layer: Some(layer), ..self }
    }

    pub(super) fn numbered(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }
}

impl Attribution {
    /// The part of this label.
    pub fn part(&self, label: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.label == label)
    }

    /// All parts and the constant.
    pub fn sum(&self) -> f32 {
        let parts: f64 = self.parts.iter().map(|part| f64::from(part.value)).sum();
        single(parts + f64::from(self.constant))
    }

    /// What is attributed, in words.
    pub(super) fn measure(&self) -> String {
        let against = self.against.as_ref().map(|token| format!(" less that of {:?}", token.text));
        let softcap = self.softcap.map(|cap| format!(", before the softcap of {cap},"));
        let (against, softcap) = (against.unwrap_or_default(), softcap.unwrap_or_default());
        format!("logit of {:?}{against}{softcap}", self.token.text)
    }

    /// The parts by magnitude, the largest first.
    pub fn strongest(&self) -> Vec<&Part> {
        let mut parts: Vec<&Part> = self.parts.iter().collect();
        parts.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        parts
    }
}

/// A gap below this is rounding and is not printed.
const SHOWN_GAP: f32 = 1e-3;

impl fmt::Display for Attribution {
    /// What is attributed, then the parts by magnitude, the constant, and the gap where it is more than rounding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} after position {}: {:.4}", self.measure(), self.position, self.logit)?;
        let line = |label: &str, value: f32| vec![label.to_owned(), format!("{value:+.4}")];
        let mut lines: Vec<_> = self.strongest().iter().map(|part| line(&part.label, part.value)).collect();
        lines.push(line("constant", self.constant));
        if self.gap.abs() >= SHOWN_GAP {
            lines.push(line("gap", self.gap));
        }
        super::columns::write(f, &lines)
    }
}
