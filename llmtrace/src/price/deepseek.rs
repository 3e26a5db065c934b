//! `DeepSeek`'s peak hours, which the table knows by the hour only.
//!
//! Peak prices are twice the others. Since 2026-08-17 peak hours are 09:00-12:00 and 14:00-18:00 in Beijing, since
//! 2026-08-23 not at weekends, and not on Chinese public holidays
//! (<https://api-docs.deepseek.com/quick_start/pricing>).

use crate::Timestamp;

/// 2026-11-20 12:00 and 02:00 UTC: a model with one price for both never had peak hours of this kind.
pub(super) const NOON_AND_PEAK: [u64; 2] =
    [(20_777 * 24 + 12) * NANOS_PER_HOUR, (20_777 * 24 + 2) * NANOS_PER_HOUR];

/// Days since 1970 on which the rules began, in Beijing: 2026-08-17 and 2026-08-23.
const PEAK_HOURS_FROM: u64 = 20_682;
const WEEKENDS_FROM: u64 = 20_688;

/// Public holidays on working days, as days since 1970 (the State Council's calendar of 2026): Mid-Autumn on
/// 25 September, National Day on 1, 2, 5, 6 and 7 October. Those of later years are not known yet.
const HOLIDAYS: [u64; 6] = [20_721, 20_727, 20_728, 20_731, 20_732, 20_733];

const NANOS_PER_HOUR: u64 = 3_600_000_000_000;

/// A time on the call's day at which the table has the price of ordinary hours, and whether the call was made in
/// peak hours, which double it.
pub(super) fn billed(at: Timestamp) -> (Timestamp, bool) {
    let hours = at.unix_nanos() / NANOS_PER_HOUR + 8;
    let (day, hour) = (hours / 24, hours % 24);
    // The first of January 1970 was a Thursday.
    let is_weekend = day >= WEEKENDS_FROM && (day + 3) % 7 >= 5;
    let is_peak_hour = (9..12).contains(&hour) || (14..18).contains(&hour);
    let is_peak = day >= PEAK_HOURS_FROM && is_peak_hour && !is_weekend && !HOLIDAYS.contains(&day);
    let noon = Timestamp::from_unix_nanos((day * 24 + 12).saturating_mul(NANOS_PER_HOUR));
    (noon, is_peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_hours_are_those_of_working_days_in_beijing() {
        let check = |at: &str, is_peak: bool| {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(billed(at).1, is_peak, "{at}");
        };
        // A Friday, hour by hour.
        for hour in 0..24 {
            let is_peak = [1, 2, 3, 6, 7, 8, 9].contains(&hour);
            check(&format!("2026-11-20T{hour:02}:00:00Z"), is_peak);
            check(&format!("2026-11-20T{hour:02}:59:59.999999999Z"), is_peak);
            check(&format!("2026-11-21T{hour:02}:30:00Z"), false);
        }
        // The rules began at midnight in Beijing.
        check("2026-08-14T02:00:00Z", false);
        check("2026-08-17T01:00:00Z", true);
        check("2026-08-22T07:00:00Z", true);
        check("2026-08-23T07:00:00Z", false);
        check("2026-08-24T07:00:00Z", true);
        for holiday in ["09-25", "10-01", "10-02", "10-05", "10-06", "10-07"] {
            check(&format!("2026-{holiday}T02:00:00Z"), false);
        }
        for working_day in ["09-24", "09-28", "09-30", "10-08", "10-09"] {
            check(&format!("2026-{working_day}T02:00:00Z"), true);
        }
    }

    #[test]
    fn the_price_is_that_of_the_day_in_beijing() {
        let check = |at: &str, expected: &str| {
            let (noon, _) = billed(at.parse().unwrap());
            assert_eq!(noon, expected.parse().unwrap(), "{at}");
        };
        check("2026-08-16T15:59:59Z", "2026-08-16T12:00:00Z");
        check("2026-08-16T16:00:00Z", "2026-08-17T12:00:00Z");
        check("1970-01-01T00:00:00Z", "1970-01-01T12:00:00Z");
    }
}
