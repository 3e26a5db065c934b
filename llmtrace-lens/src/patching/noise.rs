//! Seeded Gaussian noise.

/// `count` numbers of mean 0 and standard deviation `deviation`, the same for the same seed (Box and Muller 1958).
pub(super) fn gaussian(seed: u64, count: usize, deviation: f64) -> Vec<f32> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut pair = || {
        let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
        let angle = std::f64::consts::TAU * random.f64();
        [radius * angle.cos(), radius * angle.sin()]
    };
    #[expect(clippy::cast_possible_truncation, reason = "activations are f32")]
    let narrow = |value: f64| (value * deviation) as f32;
    std::iter::repeat_with(|| pair().map(narrow)).flatten().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::gaussian;

    #[test]
    fn noise_has_the_moments_that_were_asked_for_and_follows_its_seed() {
        let noise: Vec<f64> = gaussian(7, 20_001, 3.0).into_iter().map(f64::from).collect();
        let mean = |power: i32| noise.iter().map(|x| (x / 3.0).powi(power)).sum::<f64>() / 20_001.0;
        assert!(mean(1).abs() < 0.03, "{}", mean(1));
        assert!((mean(2) - 1.0).abs() < 0.05, "{}", mean(2));
        assert!((mean(4) - 3.0).abs() < 0.4, "{}", mean(4));
        assert_eq!(gaussian(7, 5, 3.0), gaussian(7, 9, 3.0)[..5]);
        assert_ne!(gaussian(8, 5, 3.0), gaussian(7, 5, 3.0));
    }
}
