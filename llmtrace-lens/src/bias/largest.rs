//! Many effects tested at once.

use fastrand::Rng;

use super::permutation::{ROUNDING, signs};

/// For each row of paired differences, the p-value of the largest of all rows: signs are turned in all rows at once, and means are
/// measured in their standard errors (the single-step maximum of Westfall and Young 1993). No row's false alarm is more likely than one of any.
pub(super) fn largest_of(rows: &[Vec<f64>], rng: &mut Rng) -> Vec<f64> {
    let units = rows.first().map_or(0, Vec::len);
    let observed: Vec<f64> = rows.iter().map(|row| studentized(row, |_| false)).collect();
    let mut as_large = vec![0_u64; rows.len()];
    let mut count = 0_u64;
    signs(units, rng, |is_turned| {
        let largest = rows.iter().map(|row| studentized(row, is_turned)).fold(0.0, f64::max);
        count += 1;
        for (hits, own) in as_large.iter_mut().zip(&observed) {
            *hits += u64::from(largest >= own * (1.0 - ROUNDING));
        }
    });
    as_large.into_iter().map(|hits| hits as f64 / count.max(1) as f64).collect()
}

/// The size of a row's mean in its standard errors, with the signs of some turned.
fn studentized(row: &[f64], is_turned: impl Fn(usize) -> bool) -> f64 {
    let (mut sum, mut squares) = (0.0, 0.0);
    for (at, value) in row.iter().enumerate() {
        sum += if is_turned(at) { -value } else { *value };
        squares += value * value;
    }
    let count = row.len() as f64;
    let spread = squares - sum * sum / count;
    if sum == 0.0 {
        0.0
    } else if spread <= squares * ROUNDING {
        f64::INFINITY
    } else {
        sum.abs() / (spread * count / (count - 1.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_of_many_rows_is_judged_among_all() {
        let check = |rows: &[Vec<f64>], expected: &[f64]| {
            assert_eq!(largest_of(rows, &mut Rng::with_seed(1)), expected);
        };
        let steady = vec![2.0; 6];
        let wild = vec![1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        // Of 32 arrangements one makes each of these rows as steady as can be.
        check(&[steady.clone(), wild.clone()], &[2.0 / 32.0, 1.0]);
        check(&[steady, vec![0.0; 6]], &[1.0 / 32.0, 1.0]);
        check(&[], &[]);
    }
}
