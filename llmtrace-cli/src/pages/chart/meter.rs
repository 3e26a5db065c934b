//! A bar in the cell of a table.

use maud::{Markup, html};

use super::plot::percent;

/// How much of the largest a value is, as a bar; nothing where either is not known or not above zero.
///
/// It stands beside the figure, and says nothing of its own to those who do not see it.
pub(crate) fn meter(value: Option<f64>, largest: f64) -> Markup {
    let part = value.map_or(0.0, |value| value / largest);
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    html! {
        svg.meter width="100%" height="6" aria-hidden="true" {
            rect.meter-all x="0" y="0" width="100%" height="6" rx="2" {}
            @if part > 0.0 { rect.meter-part x="0" y="0" width=(percent(part.max(0.01))) height="6" rx="2" {} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_the_part_of_the_largest() {
        let check = |value: Option<f64>, largest: f64, width: Option<&str>| {
            let drawn = meter(value, largest).into_string();
            let found = drawn.split("meter-part").nth(1).and_then(|bar| bar.split("width=\"").nth(1));
            assert_eq!(found.and_then(|bar| bar.split('"').next()), width, "{drawn}");
        };
        check(Some(5.0), 10.0, Some("50%"));
        check(Some(10.0), 10.0, Some("100%"));
        check(Some(20.0), 10.0, Some("100%"));
        check(Some(0.001), 10.0, Some("1%"));
        for (value, largest) in [
            (None, 10.0),
            (Some(0.0), 10.0),
            (Some(-1.0), 10.0),
            (Some(0.0), 0.0),
            (Some(f64::NAN), 1.0),
            (Some(f64::INFINITY), 1.0),
        ] {
            check(value, largest, None);
        }
    }
}
