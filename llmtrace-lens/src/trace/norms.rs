//! How long the residual stream is, and where it is out of the ordinary.

use crate::statistics::median;
use candle_core::{D, DType, Tensor};
use serde::Serialize;

/// The residual stream where a block ends, over the positions of one pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ResidualNorms {
    /// Mean length (L2 norm) over the positions.
    pub mean_norm: f64,
    /// The greatest length.
    pub max_norm: f64,
    /// Positions, counted from the first of the text, that are longer than ten times the median, the longest first.
    pub long_positions: Vec<usize>,
    /// Activations that are massive, the greatest first; at most [`MAX_MASSIVE`].
    pub massive: Vec<Massive>,
}

/// One massive activation: above 100 and above a thousand times the median of the pass, both by magnitude (Sun et al.
/// 2024, "Massive Activations in Large Language Models").
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Massive {
    /// The position, counted from the first of the text.
    pub position: usize,
    /// The dimension of the stream.
    pub dimension: usize,
    /// The value.
    pub value: f32,
}

/// How many massive activations are named for each block.
pub const MAX_MASSIVE: usize = 8;

/// How much longer than the median a position must be to be named.
const LONG: f32 = 10.0;

const MASSIVE_VALUE: f32 = 100.0;
const MASSIVE_RATIO: f32 = 1_000.0;

impl ResidualNorms {
    /// Reads a stream `[1, t, D]` whose first position is `before`.
    pub(crate) fn of(stream: &Tensor, before: usize) -> candle_core::Result<Self> {
        let rows = stream.to_dtype(DType::F32)?.flatten_to(D::Minus2)?;
        let norms: Vec<f32> = rows.sqr()?.sum(D::Minus1)?.sqrt()?.to_vec1()?;
        let width = rows.dim(D::Minus1)?;
        Ok(Self::from_values(&norms, &rows.flatten_all()?.to_vec1()?, width, before))
    }

    fn from_values(norms: &[f32], values: &[f32], width: usize, before: usize) -> Self {
        let typical = median(norms);
        let mut long: Vec<(usize, f32)> =
            norms.iter().copied().enumerate().filter(|(_, norm)| *norm > LONG * typical).collect();
        long.sort_by(|a, b| b.1.total_cmp(&a.1));
        let magnitudes: Vec<f32> = values.iter().map(|value| value.abs()).collect();
        let bound = MASSIVE_VALUE.max(MASSIVE_RATIO * median(&magnitudes));
        let mut massive: Vec<(usize, f32)> =
            values.iter().copied().enumerate().filter(|(_, value)| value.abs() > bound).collect();
        massive.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        massive.truncate(MAX_MASSIVE);
        let place = |(at, value): (usize, f32)| Massive {
            position: before + at / width.max(1),
            dimension: at % width.max(1),
            value,
        };
        Self {
            mean_norm: norms.iter().map(|norm| f64::from(*norm)).sum::<f64>() / norms.len().max(1) as f64,
            max_norm: f64::from(norms.iter().copied().fold(0.0, f32::max)),
            long_positions: long.into_iter().map(|(at, _)| before + at).collect(),
            massive: massive.into_iter().map(place).collect(),
        }
    }

    /// What is remarkable, a sentence each.
    pub fn findings(&self) -> impl Iterator<Item = String> {
        let long = self.long_positions.iter().map(|position| {
            format!(
                "the residual stream at position {position} is more than {LONG} times as long as the median"
            )
        });
        let massive = self.massive.iter().map(|Massive { position, dimension, value }| {
            format!("massive activation {value:.1} at position {position} in dimension {dimension} of the residual stream")
        });
        long.chain(massive)
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the numbers are exact")]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn long_positions_and_massive_activations_are_named() {
        let check = |rows: &[[f32; 4]], long: &[usize], massive: &[(usize, usize)]| {
            let values = rows.iter().flatten().copied().collect::<Vec<f32>>();
            let stream = Tensor::from_vec(values, (1, rows.len(), 4), &Device::Cpu).unwrap();
            let found = ResidualNorms::of(&stream, 5).unwrap();
            assert_eq!(found.long_positions, long, "{rows:?}");
            let places: Vec<_> = found.massive.iter().map(|one| (one.position, one.dimension)).collect();
            assert_eq!(places, massive, "{rows:?}");
            assert_eq!(found.findings().count(), long.len() + massive.len());
        };
        check(&[[1.0; 4]], &[], &[]);
        check(&[[0.0; 4]; 3], &[], &[]);
        check(&[[0.1, 0.1, 0.1, 0.1], [0.0, 0.1, 0.1, 0.1], [0.1, -150.0, 0.1, 0.1]], &[7], &[(7, 1)]);
        // Great, but no greater than a thousand times the median; long all the same.
        check(&[[0.2; 4], [0.2; 4], [0.2, 150.0, 0.2, 0.2]], &[7], &[]);
        // A thousand times the median, but small.
        check(&[[0.001; 4], [0.001; 4], [0.001, 90.0, 0.001, 0.001]], &[7], &[]);
        check(&[[200.0, 0.0, 0.0, 300.0], [0.0; 4]], &[], &[(5, 3), (5, 0)]);
    }

    #[test]
    fn norms_are_those_of_the_rows() {
        let stream = Tensor::new(&[[[3f32, 4.0], [0.0, 1.0]]], &Device::Cpu).unwrap();
        let found = ResidualNorms::of(&stream, 0).unwrap();
        assert_eq!((found.mean_norm, found.max_norm), (3.0, 5.0));
    }
}
