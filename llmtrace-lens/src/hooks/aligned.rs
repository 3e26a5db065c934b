//! Values of one run laid over those of another, position by position.

use candle_core::{D, Tensor};

use super::moment::Moment;
use super::point::Site;
use super::slice::{Axis, Picked, Slice, axes_of, axis};
use crate::error::RunError;

/// Values whose first row is of position `start` of their text.
pub(super) struct Donor<'t> {
    pub(super) value: &'t Tensor,
    pub(super) start: usize,
}

impl Donor<'_> {
    /// `value` with the part that `slice` names taken from the donor; nothing where that part is none of this pass.
    pub(super) fn put(
        &self,
        moment: Moment,
        value: &Tensor,
        slice: &Slice,
    ) -> Result<Option<Tensor>, RunError> {
        self.check(moment, value)?;
        let at = position_axis(moment)?;
        let here = moment.start..moment.start + value.dim(at)?;
        let there = self.start..self.start + self.value.dim(at)?;
        let mut wanted = here.clone().filter(|position| slice.positions.contains(*position)).peekable();
        let mut missing = wanted.clone().filter(|position| !there.contains(position));
        if let Some(position) = missing.next() {
            let later = moment.end.is_none() && !matches!(slice.positions, Picked::These(_));
            if later && wanted.all(|position| !there.contains(&position)) {
                return Ok(None);
            }
            return Err(moment.refuse(format!(
                "the other run's value has the positions {} to {}, but not {position}",
                there.start,
                there.end.saturating_sub(1)
            )));
        }
        if wanted.peek().is_none() {
            return slice.put(moment, value, value).map(|_| None);
        }
        let first = here.start.max(there.start);
        let last = here.end.min(there.end);
        let rows = keys(moment, &self.value.narrow(at, first - there.start, last - first)?, value)?;
        let mut shape = value.dims().to_vec();
        shape[at] = last - first;
        let rows = rows.to_dtype(value.dtype())?.to_device(value.device())?.broadcast_as(shape)?;
        let before = value.narrow(at, 0, first - here.start)?;
        let after = value.narrow(at, last - here.start, here.end - last)?;
        let parts = [&before, &rows, &after];
        let parts: Vec<_> = parts.into_iter().filter(|part| part.elem_count() > 0).collect();
        slice.put(moment, value, &Tensor::cat(&parts, at)?)
    }

    /// The batches are the same or the donor's is one sequence; what is no position is of the same size.
    fn check(&self, moment: Moment, value: &Tensor) -> Result<(), RunError> {
        let (found, expected) = (self.value.dims(), value.dims());
        let fits = found.len() == expected.len()
            && axes_of(moment.point.site(), expected.len()).iter().zip(found.iter().zip(expected)).all(
                |(axis, (found, expected))| match axis {
                    Axis::Sequence => *found == 1 || found == expected,
                    Axis::Position | Axis::Key => true,
                    Axis::Head | Axis::Unit => found == expected,
                },
            );
        if fits {
            return Ok(());
        }
        let why = if found.len() == expected.len() {
            ""
        } else {
            ": look at inputs of heads (hook_q_input) in both runs or in neither"
        };
        Err(moment.refuse(format!(
            "the other run's value has shape {found:?}, which does not fit this run's {expected:?}{why}"
        )))
    }
}

/// The axis of positions.
pub(super) fn position_axis(moment: Moment) -> Result<usize, RunError> {
    let at = axis(moment.point.site(), Axis::Position);
    at.ok_or_else(|| moment.refuse("its value has no positions".to_owned()))
}

/// Rows of attention with as many keys as `like` has: a row sees none after its own position, so those left out are unseen.
fn keys(moment: Moment, rows: &Tensor, like: &Tensor) -> Result<Tensor, RunError> {
    let site = moment.point.site();
    if axis(site, Axis::Key).is_none() {
        return Ok(rows.clone());
    }
    let (found, expected) = (rows.dim(D::Minus1)?, like.dim(D::Minus1)?);
    if found >= expected {
        return Ok(rows.narrow(D::Minus1, 0, expected)?);
    }
    let mut shape = rows.dims().to_vec();
    if let Some(last) = shape.last_mut() {
        *last = expected - found;
    }
    let unseen = if site == Site::AttnScores { f32::NEG_INFINITY } else { 0.0 };
    let rest = Tensor::full(unseen, shape, rows.device())?.to_dtype(rows.dtype())?;
    Ok(Tensor::cat(&[rows, &rest], D::Minus1)?)
}
