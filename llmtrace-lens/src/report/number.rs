//! Numbers as people read them.

/// A number of three significant figures at most, short enough for a cell: `0.42`, `12.3`, `1.2e6`, `−7`, `∞`.
pub(super) fn short(value: f32) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => odd(value),
        _ if size < 0.005 => "0".to_owned(),
        _ if size < 9.995 => trimmed(value, 2),
        _ if size < 99.95 => trimmed(value, 1),
        _ if size < 9_999.5 => trimmed(value, 0),
        _ => minus(&format!("{value:.1e}")),
    }
}

/// As [`short`], with a sign also where the number is above zero.
pub(super) fn signed(value: f32) -> String {
    let text = short(value);
    if value > 0.0 && text != "0" { format!("+{text}") } else { text }
}

/// A number of five significant figures at most, for a table.
pub(super) fn exact(value: f32) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => odd(value),
        _ if size == 0.0 => "0".to_owned(),
        _ if size < 0.001 => minus(&format!("{value:.2e}")),
        _ if size < 10.0 => trimmed(value, 4),
        _ if size < 1_000.0 => trimmed(value, 2),
        _ if size < 1e7 => trimmed(value, 0),
        _ => minus(&format!("{value:.3e}")),
    }
}

/// A probability in percent: `98 %`, `0.3 %`; one that is not certain is not shown as 0 or 100.
pub(super) fn percent(probability: f32) -> String {
    let hundreds = probability * 100.0;
    match hundreds {
        _ if !hundreds.is_finite() => odd(hundreds),
        _ if hundreds == 0.0 => "0%".to_owned(),
        _ if hundreds > 0.0 && hundreds < 0.1 => "<0.1%".to_owned(),
        _ if hundreds < 9.95 => format!("{}%", trimmed(hundreds, 1)),
        _ if hundreds > 99.0 && hundreds < 100.0 => {
            format!("{}%", trimmed((hundreds * 10.0).floor() / 10.0, 1))
        }
        _ => format!("{}%", trimmed(hundreds, 0)),
    }
}

fn odd(value: f32) -> String {
    match value {
        f32::INFINITY => "∞".to_owned(),
        f32::NEG_INFINITY => "−∞".to_owned(),
        _ => "NaN".to_owned(),
    }
}

/// A number with so many decimals, without the zeros at its end.
fn trimmed(value: f32, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    minus(if text == "-0" { "0" } else { text })
}

/// The text with a minus that is as wide as a plus.
fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_lie_about_zero() {
        let check = |value: f32, texts: [&str; 3]| {
            assert_eq!([short(value), signed(value), exact(value)], texts, "{value}");
        };
        check(0.0, ["0", "0", "0"]);
        check(-0.0, ["0", "0", "0"]);
        check(0.978, ["0.98", "+0.98", "0.978"]);
        check(-0.5, ["−0.5", "−0.5", "−0.5"]);
        check(0.0004, ["0", "0", "4.00e−4"]);
        check(-9.62, ["−9.62", "−9.62", "−9.62"]);
        check(9.999, ["10", "+10", "9.999"]);
        check(12.345, ["12.3", "+12.3", "12.35"]);
        check(1234.0, ["1234", "+1234", "1234"]);
        check(1.25e9, ["1.2e9", "+1.2e9", "1.250e9"]);
        check(f32::NAN, ["NaN", "NaN", "NaN"]);
        check(f32::INFINITY, ["∞", "+∞", "∞"]);
        check(f32::NEG_INFINITY, ["−∞", "−∞", "−∞"]);
    }

    #[test]
    fn a_probability_that_is_not_certain_does_not_look_so() {
        let check = |value: f32, text: &str| assert_eq!(percent(value), text, "{value}");
        check(0.0, "0%");
        check(1.0, "100%");
        check(0.9999, "99.9%");
        check(0.978, "98%");
        check(0.0312, "3.1%");
        check(0.000_01, "<0.1%");
        check(f32::NAN, "NaN");
    }
}
