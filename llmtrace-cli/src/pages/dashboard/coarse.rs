//! As many points as a chart has room for.

use std::time::Duration;

use llmtrace::Timestamp;

use crate::store::dashboard::{Dashboard, DashboardGroup};
use crate::store::sums::Sums;

/// Points of a chart, at most: more of them cannot be told apart or pointed at.
const MAX_POINTS: u64 = 72;

/// From one point to the next, in seconds.
const STEPS: [u64; 17] = [
    60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_419_200,
];

const NANOS: u64 = 1_000_000_000;

/// The same with points that are joined until there are few enough of them.
pub(super) fn coarse(dashboard: &Dashboard) -> Dashboard {
    let seconds = dashboard.step.as_secs().max(1);
    let length = seconds.saturating_mul(dashboard.points.len() as u64);
    let fits = |step: &u64| step.is_multiple_of(seconds) && length / step < MAX_POINTS;
    let step = if length / seconds <= MAX_POINTS {
        seconds
    } else {
        STEPS.into_iter().find(fits).unwrap_or(seconds)
    };
    let start = dashboard.first.unix_nanos() / NANOS;
    let first = start / step * step;
    let place = |number: usize| (start - first).saturating_add(number as u64 * seconds) / step;
    let join = |points: &[Sums]| {
        let mut joined: Vec<Sums> = Vec::new();
        for (number, sums) in points.iter().enumerate() {
            let place = usize::try_from(place(number)).unwrap_or(usize::MAX);
            if joined.len() <= place {
                joined.push(Sums::default());
            }
            if let Some(last) = joined.last_mut() {
                last.merge(sums);
            }
        }
        joined
    };
    Dashboard {
        first: Timestamp::from_unix_nanos(first.saturating_mul(NANOS)),
        step: Duration::from_secs(step),
        points: join(&dashboard.points),
        total: dashboard.total.clone(),
        groups: dashboard
            .groups
            .iter()
            .map(|group| DashboardGroup {
                key: group.key.clone(),
                total: group.total.clone(),
                points: join(&group.points),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::row::Tokens;

    #[test]
    fn points_are_joined_at_round_times_and_none_is_lost() {
        let check = |start: &str, step: u64, points: usize, expected: (&str, u64, usize)| {
            let sums = Sums::of_call(Tokens::default(), None, 1, None);
            let fine = Dashboard {
                first: start.parse().unwrap(),
                step: Duration::from_secs(step),
                points: vec![sums; points],
                ..Dashboard::default()
            };
            let coarse = coarse(&fine);
            assert_eq!(
                (coarse.first, coarse.step.as_secs()),
                (expected.0.parse().unwrap(), expected.1),
                "{start}"
            );
            assert_eq!(coarse.points.len(), expected.2, "{start}");
            assert_eq!(coarse.points.iter().map(|sums| sums.calls).sum::<u64>(), points as u64);
        };
        let morning = "2026-11-22T08:10:00Z";
        check(morning, 60, 60, (morning, 60, 60));
        check(morning, 60, 360, (morning, 600, 36));
        check("2026-11-22T08:13:00Z", 60, 360, (morning, 600, 37));
        check(morning, 300, 289, ("2026-11-22T08:00:00Z", 1_800, 49));
        check(morning, 3_600, 168, ("2026-11-22T06:00:00Z", 10_800, 57));
        check("2026-11-22T08:00:00Z", 3_600, 0, ("2026-11-22T08:00:00Z", 3_600, 0));
    }
}
