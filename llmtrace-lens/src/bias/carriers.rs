//! The heads and neurons that carry a difference.

use std::fmt;

use serde::Serialize;

use super::table::{chance, counted, name};

/// What carries the difference between two groups: each part put in from the counterfactual run, one at a time.
///
/// A part that another one reads carries what that one carries, so that shares of parts that follow each other do not add up to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Carriers {
    /// What the score is of.
    pub target: String,
    /// The first group.
    pub first: String,
    /// The group that it is compared with.
    pub second: String,
    /// The first group's mean less the second's, over the prompts that were compared here.
    pub difference: f64,
    /// How many pairs of prompts were compared.
    pub pairs: usize,
    /// How many were not: their prompts, or the tokens of the target after them, are not of one length.
    pub left_out: usize,
    /// Units that the test is over: pairs of terms, or templates.
    pub units: usize,
    /// The smallest p-value that so many units can give.
    pub smallest_p: f64,
    /// The largest p-value that counts.
    pub alpha: f64,
    /// Every part that was tried, the largest share first.
    pub parts: Vec<Carrier>,
}

/// One part of the model, and what of the difference comes through it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Carrier {
    /// The part.
    pub part: ModelPart,
    /// What the first group's score loses when the part is as in the second group's prompts, and the other way round: the mean of both.
    pub effect: f64,
    /// The effect as a share of the difference; below 0 where the part works against it.
    pub share: f64,
    /// How often chance alone gives any of the parts as steady an effect.
    pub p: f64,
    /// Whether it carries the difference: the share is large enough, and steadier than chance.
    pub is_named: bool,
}

/// A part of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ModelPart {
    /// The output of an attention head.
    Head {
        /// Its layer.
        layer: usize,
        /// Its number.
        head: usize,
    },
    /// A neuron of an MLP.
    Neuron {
        /// Its layer.
        layer: usize,
        /// Its number.
        neuron: usize,
    },
    /// A feature of a transcoder.
    Feature {
        /// Its layer.
        layer: usize,
        /// Its number.
        feature: usize,
    },
}

impl Carriers {
    /// The parts that carry the difference, the largest share first.
    pub fn named(&self) -> impl Iterator<Item = &Carrier> {
        self.parts.iter().filter(|carrier| carrier.is_named)
    }
}

impl ModelPart {
    /// Its kind: `head`, `neuron` or `feature`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Head { .. } => "head",
            Self::Neuron { .. } => "neuron",
            Self::Feature { .. } => "feature",
        }
    }

    /// Its layer.
    pub fn layer(self) -> usize {
        match self {
            Self::Head { layer, .. } | Self::Neuron { layer, .. } | Self::Feature { layer, .. } => layer,
        }
    }

    /// Its number among those of its kind in the layer.
    pub fn number(self) -> usize {
        match self {
            Self::Head { head, .. } => head,
            Self::Neuron { neuron, .. } => neuron,
            Self::Feature { feature, .. } => feature,
        }
    }
}

impl fmt::Display for ModelPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head { layer, head } => write!(f, "L{layer}H{head}"),
            Self::Neuron { layer, neuron } => write!(f, "L{layer}N{neuron}"),
            Self::Feature { layer, feature } => write!(f, "L{layer}F{feature}"),
        }
    }
}

impl fmt::Display for Carriers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "What carries {} of {}, {} - {}:",
            format_args!("{:+.4}", self.difference),
            name(&self.target),
            name(&self.first),
            name(&self.second)
        )?;
        for carrier in self.named() {
            writeln!(
                f,
                "  {:7} {:8} {:>+9.4}  {:>6.1} %  p {}",
                carrier.part.kind(),
                carrier.part.to_string(),
                carrier.effect,
                carrier.share * 100.0,
                chance(carrier.p)
            )?;
        }
        if self.named().next().is_none() {
            writeln!(f, "  nothing that can be told from chance")?;
        }
        let tried = ["head", "neuron", "feature"].map(|kind| {
            let count = self.parts.iter().filter(|carrier| carrier.part.kind() == kind).count();
            (count > 0).then(|| counted(count, kind))
        });
        let tried: Vec<String> = tried.into_iter().flatten().collect();
        write!(f, "{} tried in {}", tried.join(" and "), counted(self.pairs, "prompt pair"))?;
        if self.left_out > 0 {
            write!(f, "; {} left out, of different lengths", self.left_out)?;
        }
        f.write_str("\n")?;
        if self.smallest_p > self.alpha {
            writeln!(f, "too few to name any: p can be no less than {}", chance(self.smallest_p))?;
        }
        Ok(())
    }
}
