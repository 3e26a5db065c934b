//! Means that stand for a value.

use candle_core::Tensor;

use super::aligned::{Donor, position_axis};
use super::cache::ActivationCache;
use super::moment::Moment;
use super::slice::{Axis, Slice, axis};
use crate::error::RunError;

/// What a mean ablation puts in place of a value.
#[derive(Clone, Debug)]
pub struct Mean(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Everywhere(ActivationCache),
    ByPosition(ActivationCache),
    ThisRun,
}

impl Mean {
    /// The mean over all sequences and positions of a reference run.
    pub fn over(reference: &ActivationCache) -> Self {
        Self(Kind::Everywhere(reference.clone()))
    }

    /// At each position the mean over the sequences of a reference run of the same length.
    pub fn by_position(reference: &ActivationCache) -> Self {
        Self(Kind::ByPosition(reference.clone()))
    }

    /// The mean over the positions of the same sequence, as far as this pass reads it.
    pub fn of_this_run() -> Self {
        Self(Kind::ThisRun)
    }

    /// `value` with the mean in the part that `slice` names.
    pub(super) fn put(
        &self,
        moment: Moment,
        value: &Tensor,
        slice: &Slice,
    ) -> Result<Option<Tensor>, RunError> {
        let at = position_axis(moment)?;
        let over_positions = !matches!(self.0, Kind::ByPosition(_));
        if over_positions && axis(moment.point.site(), Axis::Key).is_some() {
            return Err(moment
                .refuse("a mean over positions would look at later ones: use Mean::by_position".to_owned()));
        }
        match &self.0 {
            Kind::Everywhere(reference) => {
                let mean = reference.at(moment.point)?.mean_keepdim((0, at))?;
                slice.put(moment, value, &mean)
            }
            Kind::ThisRun => slice.put(moment, value, &value.mean_keepdim(at)?),
            Kind::ByPosition(reference) => {
                let mean = reference.at(moment.point)?.mean_keepdim(0)?;
                let start = reference.start(moment.point).unwrap_or(0);
                Donor { value: &mean, start }.put(moment, value, slice)
            }
        }
    }
}
