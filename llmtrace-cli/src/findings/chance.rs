//! How likely something is by chance alone.

/// The probability that of `draws` spans at least `hits` failed, if `failed` of `all` did and each was as likely to: the
/// upper tail of the hypergeometric distribution, as in Fisher's exact test ("On the Interpretation of chi-squared from
/// Contingency Tables", 1922).
pub(super) fn at_least(hits: u64, draws: u64, failed: u64, all: u64) -> f64 {
    let most = draws.min(failed);
    if hits > most || draws > all || failed > all {
        return 0.0;
    }
    let ways = |of: u64, some: u64| ln_factorial(of) - ln_factorial(some) - ln_factorial(of - some);
    let (mut tail, total) = (0.0, ways(all, draws));
    for hit in hits..=most {
        if draws - hit > all - failed {
            continue;
        }
        let term = (ways(failed, hit) + ways(all - failed, draws - hit) - total).exp();
        tail += term;
        let is_past_the_middle = (hit as f64) * (all as f64) > (draws as f64) * (failed as f64);
        if is_past_the_middle && term < tail * 1e-12 {
            break;
        }
    }
    tail.min(1.0)
}

/// The mean and the variance of `count` values, of their sum and of the sum of their squares.
pub(super) fn mean_and_variance(count: u64, sum: f64, squares: f64) -> Option<(f64, f64)> {
    let n = count as f64;
    (count > 1).then(|| (sum / n, ((squares - sum * sum / n) / (n - 1.0)).max(0.0)))
}

/// `ln(n!)`: exact for small `n`, else by Stirling's series, which is off by less than 1e-9 from there on.
fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|factor| (factor as f64).ln()).sum();
    }
    let x = n as f64;
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_tables() {
        let check = |[hits, draws, failed, all]: [u64; 4], expected: f64| {
            let found = at_least(hits, draws, failed, all);
            assert!((found - expected).abs() <= expected * 1e-6 + 1e-15, "{found} {expected}");
        };
        // Fisher's lady tasting tea: four of four right of eight cups.
        check([4, 4, 4, 8], 1.0 / 70.0);
        check([3, 4, 4, 8], 17.0 / 70.0);
        check([0, 4, 4, 8], 1.0);
        check([5, 4, 4, 8], 0.0);
        check([4, 4, 3, 8], 0.0);
        // All failed.
        check([4, 4, 8, 8], 1.0);
        // One of two, of 100 of which 1 failed.
        check([1, 2, 1, 100], 0.02);
        // Beyond what factorials hold: nearly the Poisson tail of 10 or more where 1 is expected.
        let far = at_least(10, 1_000, 1_000, 1_000_000);
        assert!((0.9e-7..1.2e-7).contains(&far), "{far}");
    }
}
