//! Figures for people: times, money, counts.

use std::time::Duration;

use llmtrace::Usd;

/// A duration in three digits: `412 µs`, `1.24 s`, `2m 03s`, `1h 02m`.
pub fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let secs = (nanos + 500_000_000) / 1_000_000_000;
    let figure = |unit: u128, name: &str| three_digits(nanos, unit).map(|figure| format!("{figure} {name}"));
    let minutes = || format!("{}m {:02}s", secs / 60, secs % 60);
    match nanos {
        ..1_000 => format!("{nanos} ns"),
        // The first unit in which the rounded figure is below 1000.
        1_000..59_950_000_000 => figure(1_000, "µs")
            .or_else(|| figure(1_000_000, "ms"))
            .or_else(|| figure(1_000_000_000, "s"))
            .unwrap_or_else(minutes),
        _ if secs < 3_600 => minutes(),
        _ => format!("{}h {:02}m", secs / 3_600, secs / 60 % 60),
    }
}

/// `nanos` in `unit`s with three digits; `None` if that is 1000 or more.
fn three_digits(nanos: u128, unit: u128) -> Option<String> {
    let rounded = |parts: u128| (nanos * parts + unit / 2) / unit;
    match (rounded(100), rounded(10), rounded(1)) {
        (hundredths @ ..1_000, _, _) => Some(format!("{}.{:02}", hundredths / 100, hundredths % 100)),
        (_, tenths @ ..1_000, _) => Some(format!("{}.{}", tenths / 10, tenths % 10)),
        (_, _, whole @ ..1_000) => Some(whole.to_string()),
        _ => None,
    }
}

/// An amount with two decimals, and with three digits that count where it is below a dollar: `$12.30`,
/// `$0.42`, `$0.0000123`.
pub fn cost(amount: Usd) -> String {
    let sign = if amount.pico() < 0 { "-" } else { "" };
    let pico = amount.pico().unsigned_abs();
    let digits = pico.checked_ilog10().map_or(0, |log| log + 1);
    // From a dollar on, cents; below, three digits.
    let step = if digits > 12 { 10_u128.pow(10) } else { 10_u128.pow(digits.saturating_sub(3).min(10)) };
    let rounded = pico.saturating_add(step / 2) / step * step;
    let (whole, fraction) = (rounded / 10_u128.pow(12), format!("{:012}", rounded % 10_u128.pow(12)));
    let significant = fraction.trim_end_matches('0').len().max(2);
    let decimals = fraction.get(..significant).filter(|_| whole <= WRITTEN_OUT);
    let point = if decimals.is_some() { "." } else { "" };
    format!("{sign}${}{point}{}", grouped(whole), decimals.unwrap_or_default())
}

/// A count with thousands separators.
pub fn count(count: u64) -> String {
    grouped(u128::from(count))
}

/// The largest figure that is written out; larger ones are written as powers of ten.
const WRITTEN_OUT: u128 = 999_999_999_999;

fn grouped(count: u128) -> String {
    if count > WRITTEN_OUT {
        return format!("{:.2e}", count as f64);
    }
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        let check = |nanos: u64, text: &str| assert_eq!(duration(Duration::from_nanos(nanos)), text);
        check(0, "0 ns");
        check(999, "999 ns");
        check(1_000, "1.00 µs");
        check(412_345, "412 µs");
        check(999_600, "1.00 ms");
        check(9_994_000, "9.99 ms");
        check(9_996_000, "10.0 ms");
        check(1_240_000_000, "1.24 s");
        check(999_700_000, "1.00 s");
        check(59_510_000_000, "59.5 s");
        check(59_960_000_000, "1m 00s");
        check(123_400_000_000, "2m 03s");
        check(3_599_900_000_000, "1h 00m");
        check(7_384_000_000_000, "2h 03m");
        check(u64::MAX, "5124095h 34m");
    }

    #[test]
    fn amounts_show_what_counts() {
        let check = |amount: &str, text: &str| assert_eq!(cost(amount.parse().unwrap()), text);
        check("0", "$0.00");
        check("0.0000123", "$0.0000123");
        check("0.00001234", "$0.0000123");
        check("0.00012", "$0.00012");
        check("0.42", "$0.42");
        check("0.4", "$0.40");
        check("0.4256", "$0.426");
        check("0.9999", "$1.00");
        check("12.3", "$12.30");
        check("12.345", "$12.35");
        check("1234.5", "$1,234.50");
        check("-0.05", "-$0.05");
        check("0.000000000001", "$0.000000000001");
        assert_eq!(cost(Usd::from_pico(i128::MAX)), "$1.70e26");
    }

    #[test]
    fn counts_are_grouped() {
        let check = |n: u64, text: &str| assert_eq!(count(n), text);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        check(u64::MAX, "1.84e19");
    }
}
