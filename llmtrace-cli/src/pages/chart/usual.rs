//! A value beside the range of usual ones.

use maud::{Markup, html};

use super::plot::percent;

/// The value as a mark, the usual range as a bar, both on one scale from zero; the text says the same in words.
pub(crate) fn usual(value: f64, low: f64, high: f64, says: &str) -> Markup {
    let end = [value, low, high].into_iter().filter(|end| end.is_finite()).fold(0.0, f64::max) * 1.04;
    let part = |value: f64| {
        let part = value / end;
        if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 }
    };
    let width = (part(high) - part(low)).max(0.01);
    html! {
        svg.usual width="100%" height="14" role="img" aria-label=(says) {
            title { (says) }
            line.usual-all x1="0" x2="100%" y1="7" y2="7" {}
            rect.usual-range x=(percent(part(low))) width=(percent(width)) y="3" height="8" rx="2" {}
            line.usual-value x1=(percent(part(value))) x2=(percent(part(value))) y1="0" y2="14" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lie_on_one_scale() {
        let drawn = usual(10.4, 1.0, 2.08, "\"<b>").into_string();
        let has = |text: &str| assert!(drawn.contains(text), "{text} in {drawn}");
        has("x=\"9.246%\" width=\"9.985%\"");
        has("class=\"usual-value\" x1=\"96.154%\" x2=\"96.154%\"");
        has("<title>&quot;&lt;b&gt;</title>");
    }

    #[test]
    fn odd_figures_break_nothing() {
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e308] {
            let drawn = usual(odd, odd, odd, "odd").into_string();
            assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }
}
