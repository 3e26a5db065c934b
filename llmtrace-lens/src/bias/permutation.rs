//! Tests by permutation: how often chance alone does as much.

use fastrand::Rng;

use super::interval::Sample;
use crate::statistics::mean;

/// Up to so many arrangements are all tried; of more, so many random ones.
const ARRANGEMENTS: u64 = 20_000;
/// Differences by less than this share count as equal: the order of a sum must not decide.
pub(super) const ROUNDING: f64 = 1e-9;

/// A p-value, and the smallest that so few units could have given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chance {
    pub(super) p: f64,
    pub(super) smallest: f64,
}

/// The two-sided test of no difference: pairs with their signs turned (Fisher 1935), or labels of two samples dealt anew. Where
/// arrangements are drawn, `(1 + as extreme) / (1 + drawn)` (Phipson and Smyth 2010).
pub(super) fn test(sample: Sample<'_>, rng: &mut Rng) -> Chance {
    match sample {
        Sample::Pairs(differences) => turned(differences, rng),
        Sample::Two(first, second) => dealt(first, second, rng),
    }
}

/// The smallest p-value that so many pairs can give.
pub(super) fn smallest_of_pairs(units: usize) -> f64 {
    1.0 / arrangements(units).unwrap_or(ARRANGEMENTS + 1) as f64
}

fn turned(differences: &[f64], rng: &mut Rng) -> Chance {
    let observed = differences.iter().sum::<f64>().abs();
    let (mut hits, mut count) = (0_u64, 0_u64);
    signs(differences.len(), rng, |is_turned| {
        let sum: f64 = differences
            .iter()
            .enumerate()
            .map(|(at, value)| if is_turned(at) { -value } else { *value })
            .sum();
        count += 1;
        hits += u64::from(sum.abs() >= observed * (1.0 - ROUNDING));
    });
    Chance { p: hits as f64 / count.max(1) as f64, smallest: smallest_of_pairs(differences.len()) }
}

/// Tells which signs are turned, one arrangement after another; the first turns none. All where they are few: the first unit's sign
/// stays, as turning all changes no size.
pub(super) fn signs(units: usize, rng: &mut Rng, mut each: impl FnMut(&dyn Fn(usize) -> bool)) {
    if let Some(all) = arrangements(units) {
        for arrangement in 0..all {
            each(&|at| at > 0 && arrangement >> (at - 1) & 1 == 1);
        }
        return;
    }
    each(&|_| false);
    for _ in 0..ARRANGEMENTS {
        let turned: Vec<bool> = (0..units).map(|_| rng.bool()).collect();
        each(&|at| turned.get(at).copied().unwrap_or(false));
    }
}

/// How many different sizes turned signs can give, where all are tried.
fn arrangements(units: usize) -> Option<u64> {
    let free = u32::try_from(units.saturating_sub(1)).unwrap_or(u32::MAX);
    1_u64.checked_shl(free).filter(|all| *all <= ARRANGEMENTS)
}

fn dealt(first: &[f64], second: &[f64], rng: &mut Rng) -> Chance {
    let mut all = [first, second].concat();
    let total: f64 = all.iter().sum();
    let (one, two) = (first.len() as f64, second.len() as f64);
    let difference = |sum: f64| (sum / one - (total - sum) / two).abs();
    let observed = (mean(first) - mean(second)).abs() * (1.0 - ROUNDING);
    let (mut hits, mut count) = (0_u64, 0_u64);
    let mut look = |sum: f64| {
        count += 1;
        hits += u64::from(difference(sum) >= observed);
    };
    let ways = choices(all.len(), first.len());
    if let Some(ways) = ways.filter(|ways| *ways <= ARRANGEMENTS) {
        each_choice(&all, first.len(), 0.0, &mut look);
        let alike = if first.len() == second.len() { 2.0 } else { 1.0 };
        return Chance { p: hits as f64 / count.max(1) as f64, smallest: (alike / ways as f64).min(1.0) };
    }
    look(first.iter().sum());
    for _ in 0..ARRANGEMENTS {
        rng.shuffle(&mut all);
        look(all.iter().take(first.len()).sum());
    }
    Chance { p: hits as f64 / count as f64, smallest: 1.0 / count as f64 }
}

/// The sum of every choice of `count` values.
fn each_choice(values: &[f64], count: usize, sum: f64, look: &mut impl FnMut(f64)) {
    if count == 0 {
        return look(sum);
    }
    if values.len() < count {
        return;
    }
    if let Some((value, rest)) = values.split_first() {
        each_choice(rest, count - 1, sum + value, look);
        each_choice(rest, count, sum, look);
    }
}

/// How many choices of `count` things of `all` there are.
fn choices(all: usize, count: usize) -> Option<u64> {
    let mut ways = 1_u64;
    for step in 0..count.min(all - count) {
        ways = ways.checked_mul((all - step) as u64)? / (step as u64 + 1);
    }
    Some(ways)
}

#[cfg(test)]
mod tests {
    use super::super::interval::tests::{FIRST, SECOND, differences};
    use super::*;

    fn check(sample: Sample<'_>, expected: [f64; 2], tolerance: f64) {
        let found = test(sample, &mut Rng::with_seed(5));
        let is_near = |a: f64, b: f64| (a - b).abs() <= tolerance;
        assert!(is_near(found.p, expected[0]) && is_near(found.smallest, expected[1]), "{found:?}");
    }

    #[test]
    fn small_samples_are_tried_in_every_arrangement() {
        // Of the 8 signs of three numbers, two are as far from 0.
        check(Sample::Pairs(&[1.0, 2.0, 3.0]), [0.25, 0.25], 0.0);
        check(Sample::Pairs(&[1.0]), [1.0, 1.0], 0.0);
        check(Sample::Pairs(&[0.0, 0.0]), [1.0, 0.5], 0.0);
        // Of the 20 ways to part six numbers, two part them so.
        check(Sample::Two(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]), [0.1, 0.1], 0.0);
        check(Sample::Two(&[1.0, 1.0], &[1.0, 1.0]), [1.0, 2.0 / 6.0], 1e-12);
        check(Sample::Two(&[5.0], &[1.0, 2.0]), [1.0 / 3.0, 1.0 / 3.0], 1e-12);
    }

    /// 1024 signs and 184,756 ways, counted by a program of another language.
    #[test]
    fn larger_samples_come_near_the_exact_test() {
        check(Sample::Pairs(&differences()), [4.0 / 1024.0, 1.0 / 512.0], 1e-12);
        check(Sample::Two(&FIRST, &SECOND), [15_048.0 / 184_756.0, 1.0 / 20_001.0], 0.006);
    }

    /// Of 2000 samples without a difference, about 5 % have a p-value of at most 5 %.
    #[test]
    fn false_alarms_are_as_rare_as_they_should_be() {
        let mut rng = Rng::with_seed(17);
        let mut alarms = [0_u32; 2];
        for _ in 0..2000 {
            let draw = |rng: &mut Rng| (0..6).map(|_| rng.f64().powi(3)).collect::<Vec<f64>>();
            let (first, second) = (draw(&mut rng), draw(&mut rng));
            let pairs: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
            let samples = [Sample::Two(&first, &second), Sample::Pairs(&pairs)];
            for (alarms, sample) in alarms.iter_mut().zip(samples) {
                *alarms += u32::from(test(sample, &mut rng).p <= 0.05);
            }
        }
        // 46 of the 924 ways, or 1 of 32 signs, are allowed: 5.0 % and 3.1 %; four standard deviations on either side.
        assert!((61..=139).contains(&alarms[0]), "{alarms:?}");
        assert!((32..=94).contains(&alarms[1]), "{alarms:?}");
    }
}
