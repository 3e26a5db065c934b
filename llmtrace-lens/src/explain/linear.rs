//! Weighted least squares with a ridge, by normal equations and Cholesky's decomposition.

use crate::cholesky::Cholesky;

/// The weighted products of samples' features with each other and with the target.
#[derive(Debug)]
pub(super) struct Moments {
    features: usize,
    /// Row by row, the lower triangle filled.
    products: Vec<f64>,
    with_target: Vec<f64>,
    target: f64,
    means: Vec<f64>,
    target_mean: f64,
}

/// One sample: features, target, weight.
pub(super) struct Sample {
    pub(super) features: Vec<f64>,
    pub(super) target: f64,
    pub(super) weight: f64,
}

/// Coefficients of some features.
#[derive(Debug)]
pub(super) struct Linear {
    /// In the order of the features asked for.
    pub(super) coefficients: Vec<f64>,
    /// How many features are combinations of those before them, within rounding; their coefficients are 0.
    pub(super) dependent: usize,
}

impl Moments {
    /// Of samples as they are: a model without an intercept.
    pub(super) fn raw(samples: &[Sample], features: usize) -> Self {
        Self::about(samples, vec![0.0; features], 0.0)
    }

    /// Of samples less their weighted means: a model with an intercept.
    pub(super) fn centred(samples: &[Sample], features: usize) -> Self {
        let (mut means, mut target_mean, mut total) = (vec![0.0; features], 0.0, 0.0);
        for sample in samples {
            total += sample.weight;
            target_mean += sample.weight * sample.target;
            means.iter_mut().zip(&sample.features).for_each(|(mean, x)| *mean += sample.weight * x);
        }
        for mean in &mut means {
            *mean /= total;
        }
        Self::about(samples, means, target_mean / total)
    }

    fn about(samples: &[Sample], means: Vec<f64>, target_mean: f64) -> Self {
        let features = means.len();
        let (mut products, mut with_target, mut target) =
            (vec![0.0; features * features], vec![0.0; features], 0.0);
        for sample in samples {
            let x: Vec<f64> = sample.features.iter().zip(&means).map(|(x, mean)| x - mean).collect();
            let y = sample.target - target_mean;
            target += sample.weight * y * y;
            for (i, xi) in x.iter().enumerate() {
                let scaled = sample.weight * xi;
                with_target[i] += scaled * y;
                let row = &mut products[i * features..=i * features + i];
                row.iter_mut().zip(&x).for_each(|(product, xj)| *product += scaled * xj);
            }
        }
        Self { features, products, with_target, target, means, target_mean }
    }

    /// Fits these features alone, with `ridge` added to the diagonal.
    pub(super) fn fit(&self, features: &[usize], ridge: f64) -> Linear {
        let ridged =
            |j: usize, k: usize| self.product(features[j], features[k]) + if j == k { ridge } else { 0.0 };
        let factor = Cholesky::of(features.len(), ridged);
        let right: Vec<f64> = features.iter().map(|&feature| self.with_target[feature]).collect();
        Linear { coefficients: factor.solve(&right), dependent: factor.dependent() }
    }

    /// The intercept that goes with these coefficients.
    pub(super) fn intercept(&self, features: &[usize], linear: &Linear) -> f64 {
        let at_means = features.iter().zip(&linear.coefficients).map(|(&feature, b)| self.means[feature] * b);
        self.target_mean - at_means.sum::<f64>()
    }

    /// The weighted share of the target's variance that these coefficients explain; of no variance, all or nothing.
    pub(super) fn r2(&self, features: &[usize], linear: &Linear) -> f64 {
        let mut left = self.target;
        for (&i, bi) in features.iter().zip(&linear.coefficients) {
            let others = features.iter().zip(&linear.coefficients).map(|(&j, bj)| self.product(i, j) * bj);
            left += bi * (others.sum::<f64>() - 2.0 * self.with_target[i]);
        }
        if self.target > 0.0 { 1.0 - left / self.target } else { f64::from(u8::from(left <= 0.0)) }
    }

    fn product(&self, i: usize, j: usize) -> f64 {
        self.products[i.max(j) * self.features + i.min(j)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(features: &[f64], target: f64, weight: f64) -> Sample {
        Sample { features: features.to_vec(), target, weight }
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn what_is_linear_is_found_whatever_the_weights() {
        let mut rng = fastrand::Rng::with_seed(1);
        for features in 1..8 {
            let truth: Vec<f64> = (0..features).map(|_| rng.f64() - 0.5).collect();
            let samples: Vec<_> = (0..40)
                .map(|_| {
                    let x: Vec<f64> = (0..features).map(|_| rng.f64()).collect();
                    let y = 3.0 + x.iter().zip(&truth).map(|(x, b)| x * b).sum::<f64>();
                    Sample { features: x, target: y, weight: rng.f64() + 0.1 }
                })
                .collect();
            let moments = Moments::centred(&samples, features);
            let all: Vec<usize> = (0..features).collect();
            let linear = moments.fit(&all, 0.0);
            assert_eq!(linear.dependent, 0);
            linear.coefficients.iter().zip(&truth).for_each(|(found, expected)| near(*found, *expected));
            near(moments.intercept(&all, &linear), 3.0);
            near(moments.r2(&all, &linear), 1.0);
        }
    }

    #[test]
    fn a_ridge_shrinks_as_in_closed_form() {
        // One feature: b = Σwxy / (Σwx² + ridge), about the weighted means x = 1, y = 2.
        let samples = [sample(&[0.0], 1.0, 1.0), sample(&[2.0], 3.0, 1.0)];
        let moments = Moments::centred(&samples, 1);
        let linear = moments.fit(&[0], 1.0);
        near(linear.coefficients[0], 2.0 / 3.0);
        near(moments.intercept(&[0], &linear), 2.0 - 2.0 / 3.0);
        near(moments.r2(&[0], &linear), 1.0 - (2.0 / 9.0) / 2.0);
        near(Moments::raw(&samples, 1).fit(&[0], 0.0).coefficients[0], 1.5);
    }

    #[test]
    fn features_that_say_nothing_new_are_told() {
        let samples = [
            sample(&[1.0, 2.0, 0.0], 1.0, 1.0),
            sample(&[3.0, 6.0, 0.0], 3.0, 1.0),
            sample(&[0.0; 3], 0.0, 1.0),
        ];
        let moments = Moments::centred(&samples, 3);
        let linear = moments.fit(&[0, 1, 2], 0.0);
        assert_eq!(linear.dependent, 2);
        assert_eq!(linear.coefficients[1..], [0.0, 0.0]);
        near(moments.r2(&[0, 1, 2], &linear), 1.0);
    }
}
