//! How the steps of a scale are written: in as few digits as tell them apart.

use crate::unit::Unit;

/// The units of time in which a scale is written, the largest first: milliseconds and name.
const TIMES: [(f64, &str); 7] =
    [(86_400e3, "d"), (3_600e3, "h"), (60e3, "min"), (1e3, "s"), (1.0, "ms"), (1e-3, "µs"), (1e-6, "ns")];

/// The powers of a thousand that stand for zeros of a count.
const POWERS: [(f64, &str); 4] = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];

/// The size from which a value is written as a power of ten.
const HUGE: f64 = 1e15;

/// How large a step is at least: things are counted one by one, and money and time have a smallest part.
pub(super) fn least_step(unit: Unit) -> f64 {
    match unit {
        Unit::Tokens | Unit::Count => 1.0,
        Unit::Usd => 1e-12,
        Unit::Ms | Unit::Share | Unit::Score => 1e-6,
    }
}

/// What a step is a round number of, on a scale up to `top`.
pub(super) fn measure(unit: Unit, top: f64) -> f64 {
    if unit == Unit::Ms { time(top).0 } else { 1.0 }
}

/// Whether steps of this measure are those of a clock's face.
pub(super) fn is_clock(unit: Unit, top: f64) -> bool {
    unit == Unit::Ms && matches!(time(top).1, "min" | "h")
}

/// A value on a scale whose steps are `step` and whose end is `top`.
pub(super) fn tick(unit: Unit, value: f64, step: f64, top: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    let size = value.abs();
    match unit {
        Unit::Usd if size == 0.0 => "$0".to_owned(),
        Unit::Usd if step >= 1.0 => format!("{sign}${}", compact(size)),
        Unit::Usd => format!("{sign}${size:.*}", decimals(step).max(2)),
        Unit::Ms if size == 0.0 => "0".to_owned(),
        Unit::Ms => {
            let (measure, name) = time(top);
            format!("{sign}{} {name}", decimal(size / measure))
        }
        Unit::Share => format!("{sign}{} %", decimal(size * 100.0)),
        Unit::Tokens | Unit::Count | Unit::Score => format!("{sign}{}", compact(size)),
    }
}

/// The largest unit of time that `top` has at least one of.
fn time(top: f64) -> (f64, &'static str) {
    let fits = |(measure, _): &(f64, &str)| top.abs() >= *measure;
    TIMES.into_iter().find(fits).unwrap_or((1e-6, "ns"))
}

/// A round number with a letter for its thousands: `1.5k`, `20M`.
fn compact(value: f64) -> String {
    if value >= HUGE {
        return power(value);
    }
    match POWERS.into_iter().find(|(power, _)| value >= *power) {
        Some((power, name)) => format!("{}{name}", decimal(value / power)),
        None => decimal(value),
    }
}

/// A figure of at most three digits and a power of ten.
fn power(value: f64) -> String {
    let text = format!("{value:.2e}");
    let (figure, power) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{power}", figure.trim_end_matches('0').trim_end_matches('.'))
}

/// A round number without the noise of binary fractions.
fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How many decimals tell steps of this size apart.
fn decimals(step: f64) -> usize {
    (0_u8..12).find(|decimals| step * 10_f64.powi(i32::from(*decimals)) > 0.999).map_or(12, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        let check = |unit: Unit, [value, step, top]: [f64; 3], text: &str| {
            assert_eq!(tick(unit, value, step, top), text);
        };
        check(Unit::Count, [0.0, 500.0, 2_000.0], "0");
        check(Unit::Tokens, [1_500.0, 500.0, 2_000.0], "1.5k");
        check(Unit::Tokens, [2e7, 1e7, 4e7], "20M");
        check(Unit::Count, [4e18, 1e18, 4e18], "4e18");
        check(Unit::Usd, [0.0, 0.002, 0.008], "$0");
        check(Unit::Usd, [0.004, 0.002, 0.008], "$0.004");
        check(Unit::Usd, [0.5, 0.5, 1.0], "$0.50");
        check(Unit::Usd, [2_000.0, 1_000.0, 4_000.0], "$2k");
        check(Unit::Usd, [-0.5, 0.5, 0.5], "-$0.50");
        check(Unit::Ms, [0.0, 500.0, 2_000.0], "0");
        check(Unit::Ms, [1_500.0, 500.0, 2_000.0], "1.5 s");
        check(Unit::Ms, [200.0, 200.0, 800.0], "200 ms");
        check(Unit::Ms, [120e3, 60e3, 240e3], "2 min");
        check(Unit::Share, [0.25, 0.25, 1.0], "25 %");
        check(Unit::Score, [0.3, 0.1, 0.4], "0.3");
    }
}
