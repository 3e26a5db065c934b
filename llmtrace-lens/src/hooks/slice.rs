//! Which part of a value an intervention changes.

use candle_core::Tensor;

use super::moment::Moment;
use super::point::Site;
use crate::error::RunError;

/// Which part of a value an intervention changes: some sequences of the batch, positions, heads, neurons or keys; what is not named is all of them.
///
/// Positions and keys are counted from the beginning of the text, in a session too.
///
/// ```
/// use llmtrace_lens::Slice;
///
/// let one_head_at_one_position = Slice::head(3).and(Slice::position(6));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    sequences: Picked,
    pub(super) positions: Picked,
    heads: Picked,
    units: Picked,
    keys: Picked,
}

impl Slice {
    /// All of the value.
    pub fn all() -> Self {
        Self::default()
    }

    /// One sequence of the batch.
    pub fn sequence(sequence: usize) -> Self {
        Self::sequences([sequence])
    }

    /// Some sequences of the batch.
    pub fn sequences(sequences: impl IntoIterator<Item = usize>) -> Self {
        Self { sequences: Picked::these(sequences), ..Self::default() }
    }

    /// One position.
    pub fn position(position: usize) -> Self {
        Self::positions([position])
    }

    /// Some positions: for attention scores and weights those that look.
    pub fn positions(positions: impl IntoIterator<Item = usize>) -> Self {
        Self { positions: Picked::these(positions), ..Self::default() }
    }

    /// A position and all after it, those that a session reads later too.
    pub fn positions_from(position: usize) -> Self {
        Self { positions: Picked::From(position), ..Self::default() }
    }

    /// One head.
    pub fn head(head: usize) -> Self {
        Self::heads([head])
    }

    /// Some heads; of keys and values those that query heads may share.
    pub fn heads(heads: impl IntoIterator<Item = usize>) -> Self {
        Self { heads: Picked::these(heads), ..Self::default() }
    }

    /// One neuron of an MLP; elsewhere one dimension of the stream or of a head, or one token's logit.
    pub fn neuron(neuron: usize) -> Self {
        Self::neurons([neuron])
    }

    /// Some neurons or dimensions.
    pub fn neurons(neurons: impl IntoIterator<Item = usize>) -> Self {
        Self { units: Picked::these(neurons), ..Self::default() }
    }

    /// Some positions that are looked at, of attention scores and weights.
    pub fn keys(keys: impl IntoIterator<Item = usize>) -> Self {
        Self { keys: Picked::these(keys), ..Self::default() }
    }

    /// What is in both.
    pub fn and(self, other: Self) -> Self {
        Self {
            sequences: self.sequences.and(other.sequences),
            positions: self.positions.and(other.positions),
            heads: self.heads.and(other.heads),
            units: self.units.and(other.units),
            keys: self.keys.and(other.keys),
        }
    }

    /// The value with `new` in this part, or nothing where the part is none of this pass; `new` is of the same shape or broadcast to it.
    pub(super) fn put(
        &self,
        moment: Moment,
        value: &Tensor,
        new: &Tensor,
    ) -> Result<Option<Tensor>, RunError> {
        let shape = value.shape();
        let new = fit(moment, value, new)?;
        Ok(match self.part(moment, value.dims())? {
            Part::None => None,
            Part::All => Some(new.contiguous()?),
            Part::Some(mask, dims) => {
                let mask = Tensor::from_vec(mask, dims, value.device())?;
                Some(mask.broadcast_as(shape)?.where_cond(&new, value)?)
            }
        })
    }

    fn part(&self, moment: Moment, dims: &[usize]) -> Result<Part, RunError> {
        let site = moment.point.site();
        let axes = axes_of(site, dims.len());
        for (axis, picked) in [
            (Axis::Sequence, &self.sequences),
            (Axis::Position, &self.positions),
            (Axis::Head, &self.heads),
            (Axis::Unit, &self.units),
            (Axis::Key, &self.keys),
        ] {
            if *picked != Picked::All && !axes.contains(&axis) {
                return Err(moment.refuse(format!("its value has no {}", axis.word(site))));
            }
        }
        let (mut mask, mut shape) = (vec![1_u8], Vec::with_capacity(dims.len()));
        for (axis, size) in axes.iter().zip(dims) {
            let Some(chosen) = self.chosen(moment, *axis, *size)? else {
                shape.push(1);
                continue;
            };
            if !chosen.contains(&1) {
                return Ok(Part::None);
            }
            shape.push(*size);
            mask = mask.iter().flat_map(|outer| chosen.iter().map(move |inner| outer * inner)).collect();
        }
        Ok(if mask.len() == 1 { Part::All } else { Part::Some(mask, shape) })
    }

    /// 1 for what is chosen along an axis, 0 for the rest; nothing where all is.
    fn chosen(&self, moment: Moment, axis: Axis, size: usize) -> Result<Option<Vec<u8>>, RunError> {
        let (picked, first, known) = match axis {
            Axis::Sequence => (&self.sequences, 0, Some(size)),
            Axis::Position => (&self.positions, moment.start, moment.end),
            Axis::Head => (&self.heads, 0, Some(size)),
            Axis::Unit => (&self.units, 0, Some(size)),
            Axis::Key => (&self.keys, 0, moment.end),
        };
        if let (Picked::These(list), Some(known)) = (picked, known)
            && let Some(outside) = list.iter().find(|index| **index >= known)
        {
            let words = axis.word(moment.point.site());
            return Err(moment.refuse(format!("there are {known} {words}, and none is number {outside}")));
        }
        Ok(match picked {
            Picked::All => None,
            _ => Some((first..first + size).map(|index| u8::from(picked.contains(index))).collect()),
        })
    }
}

/// What is picked along one axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Picked {
    #[default]
    All,
    These(Vec<usize>),
    From(usize),
}

impl Picked {
    pub(super) fn these(indices: impl IntoIterator<Item = usize>) -> Self {
        Self::These(indices.into_iter().collect())
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        match self {
            Self::All => true,
            Self::These(list) => list.contains(&index),
            Self::From(first) => index >= *first,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, picked) | (picked, Self::All) => picked,
            (Self::From(a), Self::From(b)) => Self::From(a.max(b)),
            (Self::These(list), picked) | (picked, Self::These(list)) => {
                Self::These(list.into_iter().filter(|index| picked.contains(*index)).collect())
            }
        }
    }
}

/// What an axis of a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Axis {
    Sequence,
    Position,
    Head,
    Key,
    Unit,
}

impl Axis {
    fn word(self, site: Site) -> &'static str {
        match self {
            Self::Sequence => "sequences",
            Self::Position => "positions",
            Self::Head => "heads",
            Self::Key => "keys",
            Self::Unit => match site {
                Site::Pre | Site::PreLinear | Site::Post => "neurons",
                Site::Unembed => "tokens",
                _ => "dimensions",
            },
        }
    }
}

const BY_HEAD: &[Axis] = &[Axis::Sequence, Axis::Position, Axis::Head, Axis::Unit];

/// The axes of a site's value, in their order.
pub(crate) fn axes(site: Site) -> &'static [Axis] {
    use Axis::{Head, Key, Position, Sequence, Unit};
    match site {
        Site::AttnScores | Site::Pattern => &[Sequence, Head, Position, Key],
        Site::Q | Site::K | Site::V | Site::QNormed | Site::KNormed | Site::RotQ | Site::RotK => BY_HEAD,
        Site::Z | Site::Result | Site::AttnIn | Site::QInput | Site::KInput | Site::VInput => BY_HEAD,
        _ => &[Sequence, Position, Unit],
    }
}

/// The same of a value with so many dimensions: the first norm's is by head where the inputs of heads are split.
pub(super) fn axes_of(site: Site, dims: usize) -> &'static [Axis] {
    if axes(site).len() < BY_HEAD.len() && dims == BY_HEAD.len() { BY_HEAD } else { axes(site) }
}

/// The index of an axis.
pub(super) fn axis(site: Site, axis: Axis) -> Option<usize> {
    axes(site).iter().position(|known| *known == axis)
}

enum Part {
    None,
    All,
    /// 1 where it is chosen, and the shape that is broadcast to the value's.
    Some(Vec<u8>, Vec<usize>),
}

/// `new` as a value of this shape. A value by position is none by position and head, though it may have as many of each.
pub(super) fn fit(moment: Moment, value: &Tensor, new: &Tensor) -> Result<Tensor, RunError> {
    let usual = axes(moment.point.site()).len();
    let is_other = value.rank() > usual && new.rank() == usual;
    let new = new.to_dtype(value.dtype())?.to_device(value.device())?;
    new.broadcast_as(value.shape()).ok().filter(|_| !is_other).ok_or_else(|| {
        moment.refuse(format!("its value has shape {:?}, which {:?} cannot fill", value.dims(), new.dims()))
    })
}
