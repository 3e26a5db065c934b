//! Supernodes of one prompt in the place of another's.

use std::collections::BTreeSet;

use super::change::Change;
use super::experiment::Experiment;
use crate::circuit::error::CircuitError;
use crate::circuit::graph::ActiveFeature;

/// A feature counts as shared with a prompt where it is there at least so strong, as a share of what it is here.
const SHARED: f32 = 0.5;

impl Experiment<'_> {
    /// The features that this prompt shares with all prompts that are `alike` and with none that is `unlike` it: at the same position more
    /// than half as active, or not.
    ///
    /// Two cities of Texas against two of California: what is left stands for the state, and for what follows from it.
    ///
    /// # Errors
    /// A prompt has another number of tokens, so that positions do not correspond.
    pub fn telling_apart(
        &self,
        alike: &[&Experiment<'_>],
        unlike: &[&Experiment<'_>],
    ) -> Result<Vec<ActiveFeature>, CircuitError> {
        for other in alike.iter().chain(unlike) {
            self.same_length(other)?;
        }
        let shared = |other: &Experiment<'_>, at: &ActiveFeature| {
            other.activation(at.layer, at.position, at.feature) > SHARED * at.activation
        };
        let telling = self.features().iter().filter(|at| {
            alike.iter().all(|other| shared(other, at)) && !unlike.iter().any(|other| shared(other, at))
        });
        Ok(telling.copied().collect())
    }

    /// Changes that give these features the activations that they have in another prompt, 0 where they are not active there.
    ///
    /// With the features that tell this prompt from the other and those that tell the other from this one, one supernode goes
    /// and the other comes, at all its layers and positions.
    ///
    /// # Errors
    /// The other prompt has another number of tokens, so that positions do not correspond.
    pub fn taken_from(
        &self,
        other: &Experiment<'_>,
        features: impl IntoIterator<Item = ActiveFeature>,
    ) -> Result<Vec<Change>, CircuitError> {
        self.same_length(other)?;
        let features: BTreeSet<_> =
            features.into_iter().map(|at| (at.layer, at.position, at.feature)).collect();
        let set = |(layer, position, feature)| Change::Set {
            layer,
            position,
            feature,
            to: other.activation(layer, position, feature),
        };
        Ok(features.into_iter().map(set).collect())
    }

    fn same_length(&self, other: &Experiment<'_>) -> Result<(), CircuitError> {
        let (here, there) = (self.local.steps(), other.local.steps());
        if here == there {
            return Ok(());
        }
        Err(CircuitError::Input(format!(
            "the prompts have {here} and {there} tokens: features can be compared where positions are the same"
        )))
    }
}
