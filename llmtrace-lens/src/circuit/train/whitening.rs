//! What features read, made easy to learn from.

use candle_core::{Device, Tensor};

use crate::analysis::single;
use crate::cholesky::Cholesky;
use crate::circuit::error::CircuitError;

/// Takes the mean away and makes numbers uncorrelated, each of variance about 1, by the inverse of the Cholesky factor of their
/// covariance: gradients then shrink alike in all directions (`LeCun` et al. 1998, "Efficient
/// `BackProp`", section 4.3).
#[derive(Clone, Debug)]
pub(super) struct Whitening {
    /// `[D]`.
    mean: Vec<f32>,
    /// From numbers less their mean to white ones: `[D, D]`, 0 above the diagonal, one row for each white number.
    map: Vec<f32>,
}

/// What is added to each variance, as a share of their mean, so that what hardly varies is not blown up.
const RIDGE: f64 = 1e-2;
/// Positions that are worked on together.
const TOGETHER: usize = 4096;

impl Whitening {
    /// Of the samples at these places of `[N, D]`.
    pub(super) fn of(samples: &[f32], width: usize, places: &[usize]) -> Result<Self, CircuitError> {
        let mean = mean(samples, width, places);
        let mut covariance = vec![0.0_f64; width * width];
        for places in places.chunks(TOGETHER) {
            let mut rows = Vec::with_capacity(places.len() * width);
            for place in places {
                let row = samples.get(place * width..(place + 1) * width).unwrap_or_default();
                rows.extend(row.iter().zip(&mean).map(|(value, mean)| value - mean));
            }
            let rows = Tensor::from_vec(rows, (places.len(), width), &Device::Cpu)?;
            let products = rows.t()?.matmul(&rows)?.flatten_all()?.to_vec1::<f32>()?;
            covariance.iter_mut().zip(products).for_each(|(sum, more)| *sum += f64::from(more));
        }
        let count = places.len().max(1) as f64;
        for value in &mut covariance {
            *value /= count;
        }
        let diagonal = covariance.iter().step_by(width + 1);
        let ridge = RIDGE * diagonal.sum::<f64>() / width.max(1) as f64;
        // What is always the same is left at 0.
        let ridge = if ridge > f64::from(f32::MIN_POSITIVE) { ridge } else { 1.0 };
        covariance.iter_mut().step_by(width + 1).for_each(|value| *value += ridge);
        if covariance.iter().any(|value| !value.is_finite()) {
            let problem = "what an MLP reads is not finite: there is nothing to learn from";
            return Err(CircuitError::Input(problem.to_owned()));
        }
        let factor = Cholesky::of(width, |i, j| covariance.get(i * width + j).copied().unwrap_or(0.0));
        Ok(Self { mean, map: inverse(&factor, width) })
    }

    /// Makes samples `[N, D]` white.
    pub(super) fn apply(&self, samples: &mut [f32], width: usize) -> Result<(), CircuitError> {
        let map = Tensor::from_slice(&self.map, (width, width), &Device::Cpu)?.t()?;
        for chunk in samples.chunks_mut(TOGETHER * width.max(1)) {
            for row in chunk.chunks_mut(width) {
                row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value -= mean);
            }
            let rows = Tensor::from_slice(chunk, (chunk.len() / width.max(1), width), &Device::Cpu)?;
            chunk.copy_from_slice(&rows.matmul(&map)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(())
    }

    /// Encoders `[F, D]` that read numbers as they were, less their mean, for those that read white ones.
    pub(super) fn encoders(&self, white: Vec<f32>, width: usize) -> Result<Vec<f32>, CircuitError> {
        let map = Tensor::from_slice(&self.map, (width, width), &Device::Cpu)?;
        let features = white.len() / width.max(1);
        let white = Tensor::from_vec(white, (features, width), &Device::Cpu)?;
        Ok(white.matmul(&map)?.flatten_all()?.to_vec1::<f32>()?)
    }

    pub(super) fn mean(&self) -> &[f32] {
        &self.mean
    }
}

/// The inverse `[D, D]` of the factor.
fn inverse(factor: &Cholesky, width: usize) -> Vec<f32> {
    let mut inverse = vec![0.0; width * width];
    for column in 0..width {
        let unit: Vec<f64> = (0..width).map(|at| f64::from(u8::from(at == column))).collect();
        let solved = factor.halfway(&unit);
        inverse
            .iter_mut()
            .skip(column)
            .step_by(width)
            .zip(solved)
            .for_each(|(entry, value)| *entry = single(value));
    }
    inverse
}

/// The mean `[D]` of the samples at these places.
#[expect(clippy::cast_possible_truncation, reason = "training is in f32")]
pub(super) fn mean(samples: &[f32], width: usize, places: &[usize]) -> Vec<f32> {
    let mut mean = vec![0.0_f64; width];
    for place in places {
        let row = samples.get(place * width..(place + 1) * width).unwrap_or_default();
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += f64::from(*value));
    }
    let count = places.len().max(1) as f64;
    mean.into_iter().map(|sum| (sum / count) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three numbers, of which the second goes with the first and the third is always 5.
    fn samples(count: usize) -> Vec<f32> {
        let mut random = fastrand::Rng::with_seed(1);
        let row = |_| {
            let (a, b) = (random.f32() - 0.5, random.f32() - 0.5);
            [3.0 * a + 1.0, 2.0 * a + 2.0 * b, 5.0]
        };
        (0..count).flat_map(row).collect()
    }

    #[test]
    fn a_factor_is_inverted() {
        let factor = Cholesky::of(2, |i, j| [[4.0, 2.0], [2.0, 5.0]][i][j]);
        assert_eq!(inverse(&factor, 2), [0.5, 0.0, -0.25, 0.5]);
    }

    #[test]
    fn white_numbers_are_centred_and_uncorrelated() {
        let mut all = samples(5000);
        let places: Vec<usize> = (0..5000).collect();
        Whitening::of(&all, 3, &places).unwrap().apply(&mut all, 3).unwrap();
        let product =
            |a: usize, b: usize| all.chunks(3).map(|row| f64::from(row[a] * row[b])).sum::<f64>() / 5000.0;
        assert!(mean(&all, 3, &places).iter().all(|mean| mean.abs() < 1e-4));
        assert!((product(0, 0) - 1.0).abs() < 0.02, "{}", product(0, 0));
        assert!(product(1, 1) > 0.9 && product(1, 1) < 1.0, "{}", product(1, 1));
        assert!(product(0, 1).abs() < 0.05, "{}", product(0, 1));
        assert!(product(2, 2) < 1e-9, "{}", product(2, 2));
    }

    #[test]
    fn an_encoder_reads_the_same_from_numbers_as_they_were() {
        let all = samples(100);
        let places: Vec<usize> = (0..50).collect();
        let whitening = Whitening::of(&all, 3, &places).unwrap();
        let mut white = all.clone();
        whitening.apply(&mut white, 3).unwrap();
        let learnt = [0.5, -2.0, 1.0];
        let encoder = whitening.encoders(learnt.to_vec(), 3).unwrap();
        for (row, white) in all.chunks(3).zip(white.chunks(3)) {
            let centred = row.iter().zip(whitening.mean()).map(|(value, mean)| value - mean);
            let read: f32 = centred.zip(&encoder).map(|(value, weight)| value * weight).sum();
            let expected: f32 = white.iter().zip(learnt).map(|(value, weight)| value * weight).sum();
            assert!((read - expected).abs() < 1e-4, "{read}, {expected}");
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        let error = Whitening::of(&[1.0, f32::NAN], 2, &[0]).unwrap_err().to_string();
        assert!(error.contains("not finite"), "{error}");
    }
}
