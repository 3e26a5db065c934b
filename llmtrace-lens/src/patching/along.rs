//! What a sweep goes through in each layer.

use super::sweep::SweepAxis;
use crate::hooks::{Axis, HookPoint, axes};

/// What a sweep goes through in each layer; the axes of its result are the layer and then these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// `[layer, position]`, all of the position's value at once.
    Positions,
    /// `[layer, head]`, all positions at once.
    Heads,
    /// `[layer, position, head]`.
    PositionsAndHeads,
    /// `[layer, head, position, key]`: each edge of attention, of scores and weights alone.
    HeadsAndEdges,
}

impl Along {
    pub(super) fn axes(self) -> &'static [Axis] {
        match self {
            Self::Positions => &[Axis::Position],
            Self::Heads => &[Axis::Head],
            Self::PositionsAndHeads => &[Axis::Position, Axis::Head],
            Self::HeadsAndEdges => &[Axis::Head, Axis::Position, Axis::Key],
        }
    }
}

/// The patches of one layer: one for each combination of steps along the axes.
pub(super) struct Cells {
    along: &'static [Axis],
    sizes: Vec<usize>,
}

impl Cells {
    /// The cells of a value of this shape; none where it lacks an axis.
    pub(super) fn new(along: Along, point: HookPoint, dims: &[usize]) -> Option<Self> {
        let known = axes(point.site());
        let size = |axis: &Axis| dims.get(known.iter().position(|known| known == axis)?).copied();
        let sizes = along.axes().iter().map(size).collect::<Option<_>>()?;
        Some(Self { along: along.axes(), sizes })
    }

    pub(super) fn count(&self) -> usize {
        self.sizes.iter().product()
    }

    /// Whether the cell is an edge from a later position, where there is nothing to patch.
    pub(super) fn is_unseen(&self, cell: usize) -> bool {
        matches!((self.step(cell, Axis::Key), self.step(cell, Axis::Position)), (Some(key), Some(at)) if key > at)
    }

    /// 1 where each of these cells lies in the value of its own sequence, and the shape that is broadcast to the value's.
    pub(super) fn mask(&self, cells: &[usize], point: HookPoint, dims: &[usize]) -> (Vec<u8>, Vec<usize>) {
        let mut shape = vec![cells.len()];
        let within = axes(point.site()).iter().zip(dims).skip(1);
        let within: Vec<(Axis, usize)> =
            within.map(|(axis, size)| (*axis, if self.along.contains(axis) { *size } else { 1 })).collect();
        shape.extend(within.iter().map(|(_, size)| size));
        let row: usize = within.iter().map(|(_, size)| size).product();
        let mut mask = vec![0; cells.len() * row];
        for (sequence, cell) in cells.iter().enumerate() {
            let offset = within
                .iter()
                .fold(0, |offset, (axis, size)| offset * size + self.step(*cell, *axis).unwrap_or(0));
            if let Some(slot) = mask.get_mut(sequence * row + offset) {
                *slot = 1;
            }
        }
        (mask, shape)
    }

    /// The axes of the result after the layer.
    pub(super) fn labels(&self, tokens: &[String]) -> Vec<SweepAxis> {
        let axis = |(axis, size): (&Axis, &usize)| match axis {
            Axis::Position => SweepAxis::new("position", tokens.iter().cloned()),
            Axis::Key => SweepAxis::new("key", tokens.iter().cloned()),
            _ => SweepAxis::counted("head", *size),
        };
        self.along.iter().zip(&self.sizes).map(axis).collect()
    }

    fn step(&self, cell: usize, axis: Axis) -> Option<usize> {
        let at = self.along.iter().position(|known| *known == axis)?;
        let inner: usize = self.sizes.iter().skip(at + 1).product();
        Some(cell / inner.max(1) % self.sizes.get(at)?)
    }
}
