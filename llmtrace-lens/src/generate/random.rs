//! Random numbers that depend on a seed and a step alone.

/// The `step`-th number of the `SplitMix64` stream of `seed`, uniform in [0, 1) with 53 random bits.
///
/// Any number of the stream is reached without those before it, so a run can be taken up at any step, and the number
/// of threads changes nothing. Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
pub(crate) fn uniform(seed: u64, step: u64) -> f64 {
    let state = seed.wrapping_add(step.wrapping_add(1).wrapping_mul(GOLDEN_GAMMA));
    (mix(state) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

const GOLDEN_GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the numbers are small or exact"
)]
mod tests {
    use super::*;

    /// The first outputs for seed 1234567, as the reference implementation (prng.di.unimi.it/splitmix64.c) gives them.
    #[test]
    fn the_stream_is_that_of_the_reference() {
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        for (step, expected) in expected.into_iter().enumerate() {
            let state = 1_234_567u64.wrapping_add((step as u64 + 1).wrapping_mul(GOLDEN_GAMMA));
            assert_eq!(mix(state), expected, "step {step}");
            assert_eq!(uniform(1_234_567, step as u64), (expected >> 11) as f64 / 9_007_199_254_740_992.0);
        }
    }

    #[test]
    fn numbers_are_spread_evenly_over_the_unit_interval() {
        let mut counts = [0u32; 10];
        for step in 0..10_000 {
            let number = uniform(7, step);
            assert!((0.0..1.0).contains(&number), "{number}");
            counts[(number * 10.0) as usize] += 1;
        }
        // 1000 expected a bin; five standard deviations are 150.
        assert!(counts.iter().all(|count| count.abs_diff(1_000) < 150), "{counts:?}");
    }
}
