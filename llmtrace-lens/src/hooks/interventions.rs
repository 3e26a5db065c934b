//! Ready-made hooks: what experiments on a model do to its activations.

use candle_core::Tensor;

use super::aligned::Donor;
use super::cache::ActivationCache;
use super::edges::Edges;
use super::filter::Filter;
use super::hooks::Hooks;
use super::mean::Mean;
use super::moment::Moment;
use super::point::Site;
use super::slice::{Slice, fit};
use crate::error::RunError;

/// Interventions. Each is made at every point that its filter chooses, in a batch and in each step of a session; a [`Slice`]
/// that names what a point does not have is an error of the run. Scores that are masked stay so, save where another run's are put.
///
/// ```
/// use llmtrace_lens::{Edges, Hooks, Slice};
///
/// let mut hooks = Hooks::new()
///     .zero("blocks.1.attn.hook_z", Slice::head(3))
///     .scale("blocks.*.mlp.hook_post", 0.5, Slice::neuron(7).and(Slice::positions_from(4)))
///     .knock_out("blocks.*.attn.hook_attn_scores", Edges::one(6, 9));
/// ```
impl<'a> Hooks<'a> {
    /// Looks at values without changing them.
    pub fn read(
        self,
        filter: impl Into<Filter>,
        mut look: impl FnMut(Moment, &Tensor) -> Result<(), RunError> + Send + 'a,
    ) -> Self {
        self.on(filter, move |moment, value| look(moment, value).map(|()| None))
    }

    /// Puts `new`, of the value's shape or broadcast to it (`[D]`, `[H, dh]`), in place of the value.
    pub fn replace(self, filter: impl Into<Filter>, new: &Tensor, slice: Slice) -> Self {
        let new = new.clone();
        self.on(filter, move |moment, value| slice.put(moment, value, &masked(moment, value, &new)?))
    }

    /// Adds `more`, of the value's shape or broadcast to it.
    pub fn add(self, filter: impl Into<Filter>, more: &Tensor, slice: Slice) -> Self {
        let more = more.clone();
        self.on(filter, move |moment, value| slice.put(moment, value, &(value + fit(moment, value, &more)?)?))
    }

    /// Adds `coefficient * direction`: steering along a direction `[D]` of the stream, or `[dh]` of heads, `[M]` of neurons (Turner et al. 2023).
    pub fn steer(
        self,
        filter: impl Into<Filter>,
        direction: &Tensor,
        coefficient: f64,
        slice: Slice,
    ) -> Self {
        let direction = direction.clone();
        self.on(filter, move |moment, value| {
            let step = (fit(moment, value, &direction)? * coefficient)?;
            slice.put(moment, value, &(value + step)?)
        })
    }

    /// Multiplies by a factor.
    pub fn scale(self, filter: impl Into<Filter>, factor: f64, slice: Slice) -> Self {
        self.on(filter, move |moment, value| {
            slice.put(moment, value, &masked(moment, value, &(value * factor)?)?)
        })
    }

    /// Puts zero in place of the value.
    pub fn zero(self, filter: impl Into<Filter>, slice: Slice) -> Self {
        self.on(filter, move |moment, value| {
            let zero = Tensor::zeros((), value.dtype(), value.device())?;
            slice.put(moment, value, &masked(moment, value, &zero)?)
        })
    }

    /// Puts a mean in place of the value.
    pub fn mean(self, filter: impl Into<Filter>, mean: Mean, slice: Slice) -> Self {
        self.on(filter, move |moment, value| mean.put(moment, value, &slice))
    }

    /// Puts another run's value in place of this one's, position by position; the other run is one sequence, or as many as this one.
    ///
    /// Where no positions are named, the other run must have all that this pass has, or none of them as in later steps of a session.
    pub fn patch(self, filter: impl Into<Filter>, other: &ActivationCache, slice: Slice) -> Self {
        let other = other.clone();
        self.on(filter, move |moment, value| {
            let start = other.start(moment.point).unwrap_or(0);
            Donor { value: other.at(moment.point)?, start }.put(moment, value, &slice)
        })
    }

    /// Cuts edges of attention, at points `attn.hook_attn_scores`: the scores become minus infinity before the softmax (Geva et al. 2023). A position must keep something to see.
    pub fn knock_out(self, filter: impl Into<Filter>, edges: Edges) -> Self {
        self.on(filter, move |moment, scores| edges.cut(moment, scores))
    }
}

/// `new`, but minus infinity where scores of attention already are: no intervention lets a position see later ones.
fn masked(moment: Moment, value: &Tensor, new: &Tensor) -> Result<Tensor, RunError> {
    if moment.point.site() != Site::AttnScores {
        return Ok(new.clone());
    }
    let new = fit(moment, value, new)?;
    Ok(value.eq(f32::NEG_INFINITY)?.where_cond(value, &new)?)
}
